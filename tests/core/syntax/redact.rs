//! What may be printed, of whatever text.

use access_relay_core::syntax::redact::{gives_away, looks_secret, redacted};
use proptest::prelude::*;

use crate::support::cases::cases;

const SECRET: &str = "s3cr3t-value";
const SECRETS: [&str; 3] = [SECRET, "0123.access", "value-0123"];
const HEX: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const JWT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhZGEiLCJhdWQiOlsieCJdfQ.c2lnbmF0dXJl_-";

#[test]
fn what_is_secret_is_not_shown() {
    #[rustfmt::skip]
    let table: &[(&str, &str)] = &[
        ("", ""),
        ("nothing here", "nothing here"),
        // What is known, in whatever case, as often as it stands there.
        ("s3cr3t-value", "(not shown)"),
        ("a S3CR3T-VALUE, s3cr3t-valueX and 0123.ACCESS", "a (not shown), (not shown)X and (not shown)"),
        ("ä s3cr3t-value ö", "ä (not shown) ö"),
        ("s3cr3t-valu", "s3cr3t-valu"),
        // Where two overlap, no part of either remains.
        ("s3cr3t-value-0123.access", "(not shown)"),
        ("s3cr3t-values3cr3t-value", "(not shown)"),
        // 64 hexadecimal digits, or more of them, wherever they stand.
        (HEX, "(not shown)"),
        (&HEX.to_uppercase(), "(not shown)"),
        (&format!("{HEX}{HEX}"), "(not shown)"),
        (&format!("x{HEX}y"), "x(not shown)y"),
        (&HEX[1..], &HEX[1..]),
        // Tokens with a prefix.
        ("cfast_0123456789abcdef", "(not shown)"),
        ("x=cfast_0123456789ABCDEF-_; y", "x=(not shown); y"),
        ("xcfut_0123456789abcdef", "x(not shown)"),
        ("\"cfk_0123456789abcdef\"", "\"(not shown)\""),
        ("cfcfast_0123456789abcdef", "(not shown)"),
        ("cfast_0123456789abcde", "cfast_0123456789abcde"),
        ("cf_0123456789abcdef0123", "cf_0123456789abcdef0123"),
        ("cfabcdefg_0123456789abcdef", "cfabcdefg_0123456789abcdef"),
        ("CF_ACCESS_CLIENT_SECRET", "CF_ACCESS_CLIENT_SECRET"),
        ("cf-access-client-secret", "cf-access-client-secret"),
        ("cfz_google-analytics_v4", "cfz_google-analytics_v4"),
        // JWTs: three parts, two, and the five of an encrypted one.
        (JWT, "(not shown)"),
        (&format!("CF_Authorization={JWT}; a=b"), "CF_Authorization=(not shown); a=b"),
        ("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ."),
        ("eyJhbGciOiJub25lIn0.eyJhIjoiYiJ9", "(not shown)"),
        ("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn", "(not shown)"),
        ("a.eyJhbGciOiJub25lIn0.eyJhIjoiYiJ9", "a.(not shown)"),
        ("https://api.example.com/eyJhbGciOiJub25lIn0", "https://api.example.com/eyJhbGciOiJub25lIn0"),
        ("monkeyJobs.internal.service.example.com", "monkeyJobs.internal.service.example.com"),
        // A JWT counts from where it begins: 32 letters or more, the first 16 or more of them a header.
        ("a.xeyJhbGciOiJub25lIn0.eyJhIjoiYiJ9", "a.x(not shown)"),
        ("a.eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "a.eyJhbGciOiJub25lIn0.eyJhIjoxfQ."),
        ("a.eyJhbGciOiJub25l.ZXlKaElqb2lZaUo5", "a.(not shown)"),
        ("a.eyJhbGciOiJub25.ZXlKaElqb2lZaUo5ZXk", "a.eyJhbGciOiJub25.ZXlKaElqb2lZaUo5ZXk"),
        // A header alone, at the end of a sentence.
        ("eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.", "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9."),
    ];
    for (text, expected) in table {
        assert_eq!(redacted(text, SECRETS), *expected, "{text}");
        // What is shown can be shown again.
        assert_eq!(redacted(expected, SECRETS), *expected);
        let by_form = *text != *expected && !text.to_lowercase().contains("s3cr3t");
        assert_eq!(looks_secret(text), by_form, "{text}");
    }
}

#[test]
fn a_known_secret_that_is_no_secret_hides_nothing() {
    assert_eq!(redacted("abc abcd", ["", "a", "abc"]), "abc abcd");
    assert_eq!(redacted("abc abcd", ["abcd"]), "abc (not shown)");
    assert_eq!(redacted("abc     d", ["    "]), "abc     d");
}

#[test]
fn a_line_break_at_the_end_of_a_secret_hides_it_from_nobody() {
    assert_eq!(redacted("x s3cr3t-value y", [" s3cr3t-value\n"]), "x (not shown) y");
    assert!(gives_away("https://s3cr3t-value", ["s3cr3t-value\n"]) && gives_away("test", ["test\n"]));
    assert!(!gives_away("    ", ["\n   \n"]));
}

#[test]
fn what_gives_a_secret_away() {
    let short = ["s3cr3t-value", "test", ""];
    #[rustfmt::skip]
    let table = [
        ("s3cr3t-value", true), ("https://x/?S3CR3T-VALUE", true), (JWT, true), ("x cfast_0123456789abcdef", true),
        // A Client Secret begins where a word does, and has 16 letters or more.
        ("x_cfast_0123456789abcdef", true), ("xcfast_0123456789abcdef", false), ("cfast_0123456789abcde", false),
        // A short one may be part of a word.
        ("test", true), ("https://test.example.com", false),
        // An AUD tag looks like this.
        (HEX, false), ("", false), ("/api", false),
    ];
    for (text, expected) in table {
        assert_eq!(gives_away(text, short), expected, "{text}");
    }
    assert!(gives_away(HEX, [HEX]));
}

#[test]
fn long_texts_take_no_longer_for_what_they_hold() {
    // Each would take minutes if a part of it were read once for each of its letters.
    for part in ["cfa_", "eyJ", "eyJ.", "a", "0123456789abcdef:", "eyJhbGciOiJub25lIn0."] {
        let text = part.repeat(1_000_000 / part.len());
        let _ = redacted(&text, SECRETS);
        let _ = looks_secret(&text);
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    /// Whatever stands around it, and however often, no secret remains; what is left is the text in order.
    #[test]
    fn no_secret_remains(parts in proptest::collection::vec("s3cr3t-value|0123.access|value-0123|s3cr3t|-value|[ -~]{0,3}|ä", 0..8)) {
        let text = parts.concat();
        let shown = redacted(&text, SECRETS);
        for secret in SECRETS {
            prop_assert!(!shown.to_ascii_lowercase().contains(secret), "{shown}");
        }
        let mut rest = text.as_str();
        for part in shown.split("(not shown)") {
            let at = rest.find(part);
            prop_assert!(at.is_some(), "{shown}");
            rest = &rest[at.unwrap_or_default() + part.len()..];
        }
    }
}
