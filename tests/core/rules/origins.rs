//! Which origins a list has: patterns and exact ones, against what browsers and others send.

use access_relay_core::rules::origins::{Origins, Pattern};
use proptest::prelude::*;

fn origins(exact: &[&str], patterns: &[&str]) -> Origins {
    let patterns = patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
    Origins::new(exact.iter().map(|text| (*text).to_owned()).collect(), patterns)
}

#[test]
fn an_origin_is_looked_at_up_to_its_greatest_length() {
    let of = |length: usize| format!("{}://h", "s".repeat(length - 4));
    let listed = [of(319), of(320), of(321)];
    let origins = Origins::new(listed.to_vec(), Vec::new());
    assert_eq!(listed.map(|origin| origins.contain(&origin)), [true, true, false]);
}

#[test]
fn patterns_and_what_they_stand_for() {
    #[rustfmt::skip]
    let table: &[(&str, &[&str], &[&str])] = &[
        ("https://*.example.com",
            &["https://a.example.com", "https://a.b.example.com", "https://xn--bcher-kva.example.com", "https://a_b.example.com"],
            &["https://example.com", "https://barexample.com", "https://example.com.evil.example", "http://a.example.com", "https://a.example.com:8443",
              "https://.example.com", "https://a..example.com", "https://a.example.com.", "https://A.example.com", "https://a.com,https://x.example.com",
              "https://a.com, https://x.example.com", "https://evil.example/.example.com", "https://evil.example#.example.com", "https://evil.example?.example.com",
              "https://u@a.example.com", "https://evil.example\\.example.com", "https://a.example.com/", "https://a.example.com:443", "https://%61.example.com",
              "https://a\u{0}.example.com", "https://ü.example.com", "https://a .example.com", "https://*.example.com", "a.example.com", "null", ""]),
        ("https://*.example.com:8443", &["https://a.example.com:8443"], &["https://a.example.com", "https://a.example.com:8444", "https://example.com:8443"]),
        ("https://example.com:*",
            &["https://example.com", "https://example.com:1", "https://example.com:65535"],
            &["https://a.example.com", "https://example.com:", "https://example.com:0", "https://example.com:443", "https://example.com:65536",
              "https://example.com:80a", "https://example.com:80:80", "https://example.com:*", "http://example.com:8080"]),
        ("http://*.localhost:*", &["http://app.localhost:3000", "http://a.b.localhost"], &["http://localhost:3000", "https://app.localhost"]),
        ("http://127.0.0.1:*", &["http://127.0.0.1:3000", "http://127.0.0.1"], &["http://127.0.0.2:3000", "http://127.1:3000"]),
        ("http://[::1]:*", &["http://[::1]:3000", "http://[::1]"], &["http://[::2]:3000", "http://[0:0::1]:3000"]),
    ];
    for (pattern, passing, refused) in table {
        let list = origins(&[], &[pattern]);
        assert_eq!(list.iter().collect::<Vec<_>>(), [*pattern]);
        for text in *passing {
            assert!(list.contain(text), "{pattern} has {text}");
        }
        for text in *refused {
            assert!(!list.contain(text), "{pattern} has not {text}");
        }
    }
}

#[test]
fn many_of_both_kinds_are_told_apart() {
    let exact: Vec<String> = (0..1000).map(|n| format!("https://n{n}.example")).collect();
    let patterns: Vec<String> = (0..1000).map(|n| format!("https://*.p{n}.example")).collect();
    let list = Origins::new(exact, patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect());
    for n in [0, 1, 7, 500, 999] {
        assert!(list.contain(&format!("https://n{n}.example")));
        assert!(list.contain(&format!("https://a.p{n}.example")));
        assert!(list.contain(&format!("https://a.b.p{n}.example")));
        assert!(!list.contain(&format!("https://a.n{n}.example")));
        assert!(!list.contain(&format!("https://p{n}.example")));
    }
    assert!(!list.contain("https://n1000.example") && !list.contain("https://a.p1000.example"));
    let long = format!("https://{}.p1.example", "a.".repeat(200));
    assert!(!list.contain(&long), "no browser has a host as long");
}

proptest! {
    /// A pattern never has an origin whose host, read by itself, is not below its own.
    #[test]
    fn label_boundaries(text in "(https?://)?[a-z.*:,@/ -]{0,12}(example\\.com|xample\\.com)[.:/0-9a-z]{0,5}") {
        if origins(&[], &["https://*.example.com"]).contain(&text) {
            let host = text.strip_prefix("https://").unwrap();
            let label = host.strip_suffix(".example.com").unwrap();
            prop_assert!(!label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b"-_.".contains(&b)), "{}", text);
        }
    }
}
