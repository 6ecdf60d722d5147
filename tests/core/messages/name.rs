//! Names of headers: one list knows them all.

use access_relay_core::messages::crossing::{in_answer, in_request};
use access_relay_core::messages::name::{ALONG_A_REQUEST, ALONG_AN_ANSWER, Name, Names};

use crate::support::heads::Lines;

#[test]
fn names_are_known_by_one_list() {
    for name in Name::ALL {
        assert_eq!(name.as_str(), name.as_str().to_ascii_lowercase());
        let lines = Lines::of(&[(name.as_str(), "v")]);
        let (asked, answered) = (lines.told(), lines.told_by_the_api(&[]));
        for (present, along) in [(in_request(&asked), ALONG_A_REQUEST), (in_answer(&answered), ALONG_AN_ANSWER)] {
            assert!(present.has(*name));
            assert_eq!(present.value(*name), along.contains(name).then_some("v"));
        }
        assert!(!in_request("").has(*name));
        assert_eq!(Name::at(name.place()), Some(*name));
        // No line that begins with it could be another header's name, or a leak.
        assert!(!name.place().is_ascii_lowercase() && name.place() != '!');
        let mut set = Names::default();
        set.insert(*name);
        assert_eq!(Name::ALL.iter().filter(|other| set.has(**other)).collect::<Vec<_>>(), [name]);
    }
}

#[test]
fn how_much_of_a_value_decisions_look_at() {
    let limited = [
        (Name::AccessJwtAssertion, 8192),
        (Name::ConnectingIp, 64),
        (Name::Connection, 1024),
        (Name::Loop, 640),
        (Name::Origin, 320),
        (Name::RequestHeaders, 8192),
        (Name::RequestMethod, 64),
        (Name::SecFetchDest, 64),
        (Name::SecFetchMode, 64),
        (Name::SecFetchSite, 64),
        (Name::Traceparent, 256),
    ];
    for name in Name::ALL {
        match limited.iter().find(|(limited, _)| limited == name) {
            Some((_, most)) => assert_eq!(name.longest(), *most, "{name:?}"),
            // All of it; and one more is still a number, in Wasm, too.
            None => assert_eq!(name.longest(), usize::MAX / 2, "{name:?}"),
        }
    }
}
