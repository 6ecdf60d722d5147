//! Origins: as browsers write them, and nothing else.

use std::net::{Ipv4Addr, Ipv6Addr};

use access_relay_core::syntax::origin::{Origin, OriginError, authority_of};
use proptest::prelude::*;

#[test]
fn origins_as_browsers_send_them() {
    for text in [
        "https://app.example.com",
        "http://localhost:3000",
        "https://xn--bcher-kva.example",
        "https://a-b_c.example:8443",
        "https://127.0.0.1:8443",
        "http://[::1]:3000",
        "https://[2001:db8::1]",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "http://example.com:443",
        "https://example.com:80",
    ] {
        let origin = Origin::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(origin.as_str(), text);
    }
}

#[test]
fn a_host_is_as_long_as_dns_allows() {
    let labels = |last: usize| ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(last)].join(".");
    for (host, fits) in [(labels(61), true), (labels(62), false), ("a".repeat(63), true), ("a".repeat(64), false)] {
        assert_eq!(Origin::parse(&format!("https://{host}")).is_ok(), fits, "{}", host.len());
    }
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    use OriginError::*;
    #[rustfmt::skip]
    let table = [
        ("app.example.com", NoScheme), ("null", NoScheme), ("", NoScheme), ("HTTPS://a.example", BadScheme), ("://a", BadScheme),
        ("1https://a", BadScheme), ("file://", FileScheme), ("https://a.example/", NotOnlyAnOrigin), ("https://a.example/x", NotOnlyAnOrigin),
        ("https://a.example?x", NotOnlyAnOrigin), ("https://a.example#x", NotOnlyAnOrigin), ("https://a\\b", NotOnlyAnOrigin),
        ("https://u:p@a.example", UserInfo), ("https://", EmptyHost), ("https://:80", EmptyHost), ("https://a..b", EmptyHost),
        ("https://.a", EmptyHost), ("https://.", EmptyHost), ("https://App.example.com", UpperCaseHost), ("https://bücher.example", BadHost), ("https://a b", BadHost),
        ("https://a,https:", BadHost), ("https://*.example.com", BadHost), ("https://a%2eb", BadHost), ("https://a.example.", TrailingDot),
        ("https://127.1", BadAddress), ("https://127.0.0.01", BadAddress), ("https://0x7f.1", BadAddress), ("https://1.2.3.4.5", BadAddress),
        ("https://[::0001]", BadAddress), ("https://[::FFFF]", BadAddress), ("https://[::1", BadAddress), ("https://[::1]x", BadAddress),
        // "::" stands for the longest run of zeros, the first of two as long, and never for a part of one or for a single zero.
        ("https://[0::1]", BadAddress), ("https://[1:0::1]", BadAddress), ("https://[1::0]", BadAddress), ("https://[1::0:1]", BadAddress),
        ("https://[1:2:3:4:5:6::8]", BadAddress), ("https://[1:0:0:2:3::4]", BadAddress), ("https://[1::2:0:0:0:3]", BadAddress),
        ("https://[::ffff:1.2.3.4]", BadAddress), ("https://a:", BadPort), ("https://a:0", BadPort), ("https://a:080", BadPort),
        ("https://a:65536", BadPort), ("https://a:x", BadPort), ("https://a:1:2", BadPort), ("https://a:443", DefaultPort), ("http://a:80", DefaultPort),
    ];
    for (text, error) in table {
        assert_eq!(Origin::parse(text), Err(error), "{text}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn loopback() {
    for text in ["http://localhost", "http://app.localhost:1", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]"] {
        assert!(Origin::parse(text).unwrap().is_loopback(), "{text}");
    }
    for text in
        ["http://localhost.example", "http://notlocalhost", "http://128.0.0.1", "http://[::2]", "http://10.0.0.1"]
    {
        assert!(!Origin::parse(text).unwrap().is_loopback(), "{text}");
    }
}

#[test]
fn authorities() {
    #[rustfmt::skip]
    let table = [("https://a:1/x", "a:1"), ("https://a", "a"), ("http://a?x", "a"), ("http://a\\b", "a"), ("x", "")];
    for (url, authority) in table {
        assert_eq!(authority_of(url), authority);
    }
}

proptest! {
    /// The standard library writes addresses as browsers do, but for IPv4-mapped ones.
    #[test]
    fn canonical_ipv6_and_nothing_else(groups in proptest::array::uniform8(prop_oneof![Just(0u16), Just(0u16), Just(1u16), any::<u16>()])) {
        let address = Ipv6Addr::from(groups);
        let written = address.to_string();
        prop_assert_eq!(Origin::parse(&format!("https://[{written}]")).is_ok(), !written.contains('.'), "{}", written);
        let full = groups.map(|group| format!("{group:x}")).join(":");
        prop_assert_eq!(Origin::parse(&format!("https://[{full}]")).is_ok(), full == written, "{}", full);
    }

    #[test]
    fn whatever_passes_is_canonical(text in "[0-9a-f:]{0,24}") {
        if Origin::parse(&format!("https://[{text}]")).is_ok() {
            let written = text.parse::<Ipv6Addr>().map(|address| address.to_string());
            prop_assert_eq!(written, Ok(text));
        }
    }

    #[test]
    fn canonical_ipv4_and_nothing_else(text in "[0-9]{0,3}\\.[0-9]{0,3}\\.[0-9]{0,3}\\.[0-9]{1,3}") {
        let canonical = text.parse::<Ipv4Addr>().is_ok_and(|address| address.to_string() == text);
        prop_assert_eq!(Origin::parse(&format!("https://{text}")).is_ok(), canonical, "{}", text);
    }
}
