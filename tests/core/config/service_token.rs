//! A route's two secrets: which ones cannot be what Access gave out.

use crate::support::config::{HEX, PREFIXED, errors_with, minimal, parse, secrets_of};

#[test]
fn secrets_that_cannot_work() {
    #[rustfmt::skip]
    let table = [
        ("<hex>.access", "s3cr3t-value", "CF_ACCESS_CLIENT_ID: found a placeholder (not shown); set it to the value that Access showed"),
        ("0123.access", "<the secret that was shown once>", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "<SECRET>", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "cfast_…", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "cfast_...", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "ChangeMe", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "please-change-me-now", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "XXXXXXXX", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("xxxx.access", "s3cr3t-value", "CF_ACCESS_CLIENT_ID: found a placeholder"),
        ("your-client-id.access", "s3cr3t-value", "CF_ACCESS_CLIENT_ID: found a placeholder"),
        ("0123.access", "YOUR_CLIENT_SECRET", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "TODO", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "********", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "${CLIENT_SECRET}", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "CF_ACCESS_CLIENT_SECRET", "CF_ACCESS_CLIENT_SECRET: found a placeholder"),
        ("0123.access", "\"s3cr3t-value\"", "CF_ACCESS_CLIENT_SECRET: found a space, a line break or another character"),
        ("CF-Access-Client-Id:0123.access", "s3cr3t-value", "CF_ACCESS_CLIENT_ID: found a space, a line break or another character"),
        // One for the other.
        ("s3cr3t", "0123.access", "CF_ACCESS_CLIENT_SECRET: found a Client ID; swap the two secrets"),
        (HEX, "0123.access", "CF_ACCESS_CLIENT_SECRET: found a Client ID; swap the two secrets"),
        ("0123.access", "0123.access", "CF_ACCESS_CLIENT_SECRET: found a Client ID; run `wrangler secret put CF_ACCESS_CLIENT_SECRET` with the Client Secret"),
        (HEX, HEX, "CF_ACCESS_CLIENT_ID: found a Client Secret (not shown); run `wrangler secret put CF_ACCESS_CLIENT_ID` with the Client ID"),
        (PREFIXED, "s3cr3t-value", "CF_ACCESS_CLIENT_ID: found a Client Secret (not shown)"),
        ("cfast_short", "s3cr3t-value", "CF_ACCESS_CLIENT_ID: found a Client Secret (not shown)"),
    ];
    for (id, secret, expected) in table {
        let found = errors_with(&minimal(), &secrets_of(id, secret));
        assert!(found.len() == 1 && found[0].starts_with(expected), "wanted {expected}\nfound {found:?}");
        for value in [id, secret].into_iter().filter(|value| !value.starts_with("CF_ACCESS")) {
            assert!(!found[0].contains(value), "{found:?}");
        }
    }
    for (id, secret) in [
        ("0123.access", "s3cr3t-value"),
        ("0123", "s3cr3t"),
        ("0123456789abcdef0123456789abcdef.access", HEX),
        ("b111.access", "stored-value"),
        ("x.access", "x"),
        ("0123.access", PREFIXED),
    ] {
        assert!(errors_with(&minimal(), &secrets_of(id, secret)).is_empty(), "{id} {secret}");
    }
}

#[test]
fn a_client_id_need_not_look_like_one() {
    let of = |id: &str, secret: &str| parse(&minimal(), &secrets_of(id, secret)).is_ok();
    assert!(of("0123", "s3cr3t") && of("0123.access", "s3cr3t") && !of("0123", "s3cr3t.access"));
}
