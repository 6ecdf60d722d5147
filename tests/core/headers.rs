use access_relay::edits::Edit;
use access_relay::headers::{
    ALONG, NEVER_CROSS, Name, Names, Present, connection_options, is_plain_value, lists, never_crosses_to_the_api,
};

use crate::support::Lines;

#[test]
fn names_are_known_by_one_list() {
    for name in Name::ALL {
        assert_eq!(name.as_str(), name.as_str().to_ascii_lowercase());
        let told = Lines::of(&[(name.as_str(), "v")]).told();
        assert!(Present::of(&told).has(*name));
        assert_eq!(Present::of(&told).value(*name), ALONG.contains(name).then_some("v"));
        assert!(!Present::of("").has(*name));
        assert_eq!(Name::at(name.place()), Some(*name));
        let mut set = Names::default();
        set.insert(*name);
        assert_eq!(Name::ALL.iter().filter(|other| set.has(**other)).collect::<Vec<_>>(), [name]);
    }
}

#[test]
fn the_known_names_that_never_cross_are_listed() {
    let never = Name::ALL.iter().filter(|name| never_crosses_to_the_api(name.as_str()));
    assert!(never.eq(&NEVER_CROSS));
}

#[test]
fn what_a_caller_cannot_say_to_the_api() {
    for name in [
        "cf-access-client-id",
        "cf_access_client_secret",
        "cf-access_jwt-assertion",
        "cf-access-token",
        "cf-access-authenticated-user-email",
        "x-forwarded-for",
        "x_forwarded_user",
        "x-forwarded-email",
        "x-forwarded-anything",
        "forwarded",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "proxy-connection",
        "proxy-authorization",
        "proxy-anything",
        "proxy",
        "transfer_encoding",
        "keep.alive",
        "x.forwarded.user",
        "x-forwarded.user",
        "cf.access_client-id",
    ] {
        let told = Lines::of(&[("accept", ""), (name, ""), ("x-a", "")]).told();
        let present = Present::of(&told);
        let dropped = |set| present.dropped(set).collect::<Vec<_>>();
        let known = Name::ALL.iter().find(|known| known.as_str() == name);
        assert_eq!(dropped(Names::default()), [known.map_or(Edit::Delete(name), |known| Edit::Remove(*known))]);
        let mut all = Names::default();
        Name::ALL.iter().for_each(|name| all.insert(*name));
        // What is set in its place is not removed; what is only spelled like it goes all the same.
        let rest = if known.is_some() { vec![] } else { vec![Edit::Delete(name)] };
        assert_eq!(dropped(all), rest, "{name}");
    }
    let kept = [
        ("accept", ""),
        ("authorization", ""),
        ("cf-accessory", ""),
        ("cf-connecting-ip", ""),
        ("content-length", ""),
        ("cookie", ""),
        ("origin", ""),
        ("x-forwarded", ""),
        ("forwarded-x", ""),
        ("x-real-ip", ""),
    ];
    assert!(Present::of(&Lines::of(&kept).told()).dropped(Names::default()).next().is_none());
}

#[test]
fn lists_and_values() {
    assert_eq!(connection_options("close, X-Hop ,,bad name"), ["close", "x-hop"]);
    assert!(lists("Accept-Encoding, ORIGIN", "origin") && !lists("original, x-origin", "origin"));
    assert!(is_plain_value("ada@example.com") && is_plain_value("a b"));
    for bent in ["", " a", "a ", "a\r\nb: c", "a\tb", "é", "\u{7f}"] {
        assert!(!is_plain_value(bent), "{bent:?}");
    }
}
