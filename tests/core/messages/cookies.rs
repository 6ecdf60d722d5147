//! Which cookies cross, in both directions.

use access_relay_core::messages::cookies::{
    CookieNames, RequestCookies, host_only, is_access_cookie_name, is_cookie_name, values_of,
};

#[test]
fn request_cookies() {
    let pieces = RequestCookies::Named(CookieNames::new(vec![
        ".AspNetCore.Cookies*".to_owned(),
        "sb-x-auth-token*".to_owned(),
        "prefs[lang]".to_owned(),
    ]));
    let greedy = RequestCookies::Named(CookieNames::new(vec!["CF_*".to_owned()]));
    let named = RequestCookies::Named(CookieNames::new(vec!["theme".to_owned(), "lang".to_owned()]));
    #[rustfmt::skip]
    let table = [
        (&RequestCookies::Nothing, "theme=dark", None),
        (&named, "theme=dark", Some("theme=dark")),
        (&named, "a=1; theme=dark;lang=en ; b=2", Some("theme=dark; lang=en")),
        (&named, "Theme=dark; themes=x; =theme; theme", None),
        (&named, "theme=a=b; theme=\"q\"", Some("theme=a=b; theme=\"q\"")),
        (&named, "CF_Authorization=jwt; theme=dark", Some("theme=dark")),
        (&RequestCookies::AllButAccess, "a=1; CF_Authorization=jwt; CF_AppSession=x; CF_Binding=x; CF_Session=x; b=2", Some("a=1; b=2")),
        (&RequestCookies::AllButAccess, "a=1; cf_authorization=jwt", Some("a=1")),
        (&RequestCookies::AllButAccess, "CF_Authorization=jwt", None),
        (&RequestCookies::AllButAccess, " ; ;", None),
        // A second Cookie line, joined with a comma, does not ride along inside a value.
        (&named, "theme=dark, CF_Authorization=jwt", None),
        (&RequestCookies::AllButAccess, "a=1; theme=dark, CF_Authorization=jwt", Some("a=1")),
        (&named, "theme=dark, sid=SECRET", None),
        (&named, "theme=dark,sid=SECRET; lang=en", Some("lang=en")),
        (&named, "theme=dark,\tsid = SECRET", None),
        (&named, "theme=\"dark, sid=SECRET\"", None),
        (&named, "theme=dark, lang=en", Some("theme=dark, lang=en")),
        (&named, "theme=dark, light", Some("theme=dark, light")),
        (&named, "theme=a=b, c", Some("theme=a=b, c")),
        (&named, "theme=dark, ,=x", None),
        (&named, "theme=x, theme=y, sid=z", None),
        (&RequestCookies::AllButAccess, "theme=dark, sid=x", Some("theme=dark, sid=x")),
        (&pieces, ".AspNetCore.Cookies=chunks:2; .AspNetCore.CookiesC1=a; .AspNetCore.CookiesC2=b; .AspNetCore.Session=x", Some(".AspNetCore.Cookies=chunks:2; .AspNetCore.CookiesC1=a; .AspNetCore.CookiesC2=b")),
        (&pieces, "sb-x-auth-token.0=a; sb-x-auth-token.1=b; sb-x-auth=c; prefs[lang]=en; prefs[tz]=x", Some("sb-x-auth-token.0=a; sb-x-auth-token.1=b; prefs[lang]=en")),
        (&greedy, "CF_Authorization=jwt; CF_AppSession=x; CF_own=1", Some("CF_own=1")),
    ];
    for (rule, header, expected) in table {
        assert_eq!(rule.filter(header).as_deref(), expected, "{rule:?} {header}");
    }
}

#[test]
fn response_cookies_are_named_and_host_only() {
    let allowed = CookieNames::new(vec!["session".to_owned()]);
    #[rustfmt::skip]
    let table = [
        ("session=1; Domain=example.com; Path=/; HttpOnly", Some("session=1; Path=/; HttpOnly")),
        ("session=1;domain = .example.com;Secure", Some("session=1; Secure")),
        ("session=1; DOMAIN", Some("session=1")),
        ("session=a; Expires=Wed, 21 Oct 2026 07:28:00 GMT", Some("session=a; Expires=Wed, 21 Oct 2026 07:28:00 GMT")),
        ("other=1", None),
        ("Session=1", None),
        ("session", None),
        ("CF_Authorization=jwt", None),
    ];
    for (line, expected) in table {
        assert_eq!(host_only(line, &allowed, |_| None).as_deref(), expected, "{line}");
    }
    let pieces = CookieNames::new(vec!["sb-*".to_owned(), "CF_*".to_owned()]);
    assert_eq!(host_only("sb-token.0=a", &pieces, |_| None).as_deref(), Some("sb-token.0=a"));
    assert_eq!(host_only("CF_Authorization=a", &pieces, |_| None), None);
    // A path leads back to what it names at the API.
    let back = |path: &str| path.strip_prefix("/v1").map(|rest| format!("/api{rest}"));
    #[rustfmt::skip]
    let table = [
        ("session=1; Path=/v1/users; Secure", "session=1; Path=/api/users; Secure"),
        ("session=1; path = /v1/users", "session=1; Path=/api/users"),
        ("session=1; Path=/", "session=1; Path=/"), ("session=1; Path=/other", "session=1; Path=/other"),
        ("session=1; Path=v1", "session=1; Path=v1"), ("session=1; Path", "session=1; Path"),
        ("session=1; Comment=/v1/users", "session=1; Comment=/v1/users"),
    ];
    for (line, expected) in table {
        assert_eq!(host_only(line, &allowed, back).as_deref(), Some(expected), "{line}");
    }
    // Even if the configuration could name it, Access's own would not pass.
    assert_eq!(
        host_only("CF_Authorization=jwt", &CookieNames::new(vec!["CF_Authorization".to_owned()]), |_| None),
        None
    );
}

#[test]
fn values() {
    let all = |header| values_of(header, "CF_Authorization").collect::<Vec<_>>();
    assert_eq!(all("a=1; CF_Authorization=x.y.z; b=2"), ["x.y.z"]);
    assert_eq!(all("CF_Authorization=\"x\"; CF_Authorization = y"), ["x", "y"]);
    // Of two lines, whichever has it.
    assert_eq!(all("theme=dark, CF_Authorization=x.y.z"), ["x.y.z"]);
    assert_eq!(all("CF_Authorization=x.y.z, theme=dark; a=1"), ["x.y.z"]);
    assert_eq!(all("a=1; theme=dark,CF_Authorization=x.y.z, b=2"), ["x.y.z"]);
    assert!(all("cf_authorization=x; XCF_Authorization=y; CF_Authorization").is_empty());
}

#[test]
fn names() {
    for name in [
        "theme",
        "a",
        "prefs[lang]",
        ".AspNetCore.Cookies*",
        "sb-x-auth-token.0",
        "__Host-a",
        "a'b",
        "a*",
        "{a}",
        "a/b:c@d",
    ] {
        assert!(is_cookie_name(name), "{name}");
    }
    for name in ["", "*", "a*b", "*a", "a**", "a b", " a", "a\t", "a;", "a=", "a,b", "\"a\"", "ä", "a\u{7f}", "a\0"] {
        assert!(!is_cookie_name(name), "{name:?}");
    }
    for name in [
        "CF_Authorization",
        "cf_session",
        "CF_AppSession*",
        "CF_Auth*",
        "cf_a*",
        "CF_B*",
        "xCF_Binding",
        "CF_Session.0",
    ] {
        assert!(is_access_cookie_name(name), "{name}");
    }
    for name in ["C*", "CF_*", "cf*", "CF_A", "CF_Theme*", "cf_clearance", "theme*"] {
        assert!(!is_access_cookie_name(name), "{name}");
    }
}
