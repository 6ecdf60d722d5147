//! A preflight: three lines, an origin, a method and `Access-Control-Request-Headers`, for policies of every kind; held
//! against a second, plain reading of the rules.
#![no_main]

use std::rc::Rc;
use std::sync::LazyLock;

use access_relay_core::config::parse::parse;
use access_relay_core::config::suffix::well_known;
use access_relay_core::messages::edits::Edit;
use access_relay_core::messages::name::Name;
use access_relay_core::rules::cors::{Policy, Preflight};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const LISTED: [&str; 3] = ["authorization", "content-type", "x-a"];

fn policy(cors: &serde_json::Value) -> Policy {
    let relay = json!({
        "access": { "dangerously_allow_anyone": true },
        "routes": [{ "path": "/api", "upstream": "https://api.example.com" }],
        "cors": cors,
    });
    let secrets =
        ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"].map(|name| (name.to_owned(), "x-value".to_owned()));
    let config = parse(&relay, &secrets.to_vec(), well_known).expect("the policies here are sound");
    Rc::unwrap_or_clone(Rc::clone(&config.cors))
}

static POLICIES: LazyLock<[(Policy, bool); 2]> = LazyLock::new(|| {
    let origins = json!(["https://a.example", "https://*.b.example:*"]);
    [
        (
            policy(&json!({
                "allowed_origins": origins,
                "allowed_methods": ["PUT"],
                "allowed_headers": LISTED,
                "allow_credentials": true,
            })),
            false,
        ),
        (policy(&json!({ "allowed_origins": origins, "allowed_methods": ["*"], "allowed_headers": ["*"] })), true),
    ]
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let [origin, method, headers] = [(); 3].map(|()| lines.next().unwrap_or_default());
    for (policy, open) in POLICIES.iter() {
        let asked = Preflight { origin, method, headers: Some(headers) };
        let names: Vec<String> =
            headers.split(',').map(|name| name.trim_matches([' ', '\t']).to_ascii_lowercase()).collect();
        let mut wanted: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let origin_passes = policy.allows_origin(origin);
        let method_passes = matches!(method, "GET" | "HEAD" | "POST") || *open || method == "PUT";
        let is_browsers = headers.len() <= 8 * 1024 && names.len() <= 256;
        let listed = |name: &&String| if *open { *name != "authorization" } else { LISTED.contains(&name.as_str()) };
        let headers_pass = is_browsers && wanted.iter().all(|name| listed(name));
        match policy.preflight(asked) {
            Ok(answer) => {
                assert!(origin_passes && method_passes && headers_pass, "{asked:?}");
                let allowed = answer.iter().find_map(|edit| match edit {
                    Edit::Set(Name::AllowHeaders, value) => Some(value),
                    _ => None,
                });
                let expected = wanted.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
                assert_eq!(
                    allowed.unwrap_or_default(),
                    if *open && !headers.is_empty() { "*" } else { &expected },
                    "{asked:?}"
                );
            }
            Err(refused) => {
                assert!(!(origin_passes && method_passes && headers_pass), "{asked:?}: {:?}", refused.refusal);
                let explanation = policy.explain(refused.refusal.code, asked);
                assert!(refused.refusal.reason.len() < 2_000 && explanation.seen.len() < 2_000);
            }
        }
    }
});
