//! What is told of mistakes: no secret is, wherever it was put, and each is found.

use serde_json::{Value, json};

use crate::support::config::{AUD, HEX, ISSUER, PREFIXED, errors, minimal, parse, parsed, relay, secrets_of};

const JWT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhZGEiLCJhdWQiOlsieCJdfQ.c2lnbmF0dXJlX";
const KNOWN: &str = "s3cr3t-value";

/// Every place of a configuration that holds a text, as a JSON pointer.
fn full() -> (Value, Vec<String>) {
    let value = json!({
        "access": { "issuer": ISSUER, "audience": [AUD] },
        "routes": [{
            "path": "/api", "upstream": "https://api.example.com", "credentials": "service-token", "service_token": "CF_ACCESS",
            "request_cookies": ["theme"], "response_cookies": ["theme"], "foreign_requests": "all", "documents": "allow",
            "callback_paths": ["/api/cb"], "cors": { "allowed_origins": ["https://a.example"], "preflight": "edge" },
        }],
        "cors": {
            "allowed_origins": ["https://a.example"], "allowed_methods": ["PUT"], "allowed_headers": ["x-a"], "exposed_headers": ["x-a"],
            "excluded_paths": ["/other"], "preflight": "edge",
        },
        "log": "refusals", "health_path": "/healthz",
    });
    let mut places = Vec::new();
    walk("", &value, &mut places);
    (value, places)
}

fn walk(pointer: &str, value: &Value, places: &mut Vec<String>) {
    places.push(pointer.to_owned());
    match value {
        Value::Object(table) => table.iter().for_each(|(key, value)| walk(&format!("{pointer}/{key}"), value, places)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| walk(&format!("{pointer}/{at}"), value, places));
        }
        _ => {}
    }
}

#[test]
fn a_secret_is_told_nowhere_and_found_everywhere() {
    let (value, places) = full();
    assert!(places.len() > 30);
    let long = format!("{}{KNOWN}{}", "a".repeat(95), "b".repeat(95));
    // Whether it is an error by itself: a run of hexadecimal digits may be an AUD tag.
    let texts = [
        (KNOWN.to_owned(), true),
        (KNOWN.to_uppercase(), true),
        (PREFIXED.to_owned(), true),
        (JWT.to_owned(), true),
        (HEX.to_owned(), false),
        (format!("https://{KNOWN}.example.com"), true),
        (format!("https://api.example.com/{PREFIXED}"), true),
        (format!("https://{KNOWN}@api.example.com?{JWT}#{HEX}"), true),
        (format!("/api/{KNOWN}"), true),
        (format!("{} {PREFIXED}", "a".repeat(90)), true),
        (long, true),
    ];
    let told = |found: &[String], hint: &str| {
        let lower = found.join("\n").to_lowercase();
        for secret in [KNOWN, PREFIXED, JWT, HEX] {
            // Not the first letters of it either.
            assert!(!lower.contains(&secret[..9].to_lowercase()), "{hint}: {found:#?}");
        }
    };
    for pointer in &places {
        for (text, is_error) in &texts {
            let mut as_value = value.clone();
            *as_value.pointer_mut(pointer).unwrap() = json!(text);
            let found = errors(&as_value);
            told(&found, pointer);
            let given_away = found
                .iter()
                .filter(|error| error.contains("found a secret (not shown); take it out and rotate it"))
                .count();
            assert_eq!(given_away, usize::from(*is_error), "{pointer} {found:#?}");
            // As a key of the same table, with a secret within.
            let mut as_key = value.clone();
            if let Value::Object(table) = as_key.pointer_mut(pointer).unwrap() {
                table.insert(text.clone(), json!({ "a": 1 }));
                let found = errors(&as_key);
                told(&found, pointer);
                assert!(!found.is_empty(), "{pointer}");
            }
        }
    }
}

#[test]
fn what_a_secret_in_plain_sight_is_told_as() {
    let set = |pointer: &str, new: &str| relay(|value| *value.pointer_mut(pointer).unwrap() = json!(new));
    const TAKE_OUT: &str = "found a secret (not shown); take it out and rotate it: whoever may see the Worker's settings can read \
                            RELAY; set the new one with `wrangler secret put`";
    #[rustfmt::skip]
    let table = [
        (set("/access/issuer", PREFIXED), format!("access.issuer: {TAKE_OUT}")),
        (set("/access/audience/0", KNOWN), format!("access.audience[0]: {TAKE_OUT}")),
        (set("/routes/0/upstream", &format!("https://x:{KNOWN}@api.example.com")), format!("routes[0].upstream: {TAKE_OUT}")),
        (relay(|value| value["routes"][0]["service_token"] = json!(PREFIXED)), format!("routes[0].service_token: {TAKE_OUT}")),
        (relay(|value| value[PREFIXED] = json!(1)), format!("(not shown): {TAKE_OUT}")),
        (relay(|value| value["routes"][0]["a b"] = json!(JWT)), format!("routes[0].\"a b\": {TAKE_OUT}")),
        (relay(|value| value["log"] = json!({ "x": [1, { "y": KNOWN }] })), format!("log.x[1].y: {TAKE_OUT}")),
        (json!(PREFIXED), format!("RELAY: {TAKE_OUT}")),
    ];
    for (value, expected) in table {
        let found = errors(&value);
        assert_eq!(found.first(), Some(&expected), "{found:#?}");
    }
    // An AUD tag that is a secret, though it looks like any other.
    let found = parse(&minimal(), &secrets_of("0123.access", &AUD.to_uppercase())).unwrap_err();
    assert!(
        found.len() == 1 && found[0].path == "access.audience[0]" && !found[0].to_string().contains(AUD),
        "{found:?}"
    );
    // A secret that came with a line break is one without it, too.
    let broken = secrets_of("0123.access", &format!("{KNOWN}\n"));
    let found = parse(&set("/access/issuer", KNOWN), &broken).unwrap_err();
    let paths: Vec<&str> = found.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["access.issuer", "CF_ACCESS_CLIENT_SECRET"]);
    assert!(!format!("{found:?}").contains(KNOWN), "{found:?}");
    // One with a letter at which a URL is cut.
    let odd = vec![("CF_ACCESS_CLIENT_SECRET".to_owned(), "h4rd?t0guess".to_owned())];
    let found = parse(&set("/routes/0/upstream", "ftp://h4rd?t0guess"), &odd).unwrap_err();
    assert!(!format!("{found:?}").contains("h4rd"), "{found:?}");
    let odd = vec![("CF_ACCESS_CLIENT_SECRET".to_owned(), "h4rd?t0".to_owned())];
    let found = parse(&set("/routes/0/upstream", "ftp://h4rd?t0"), &odd).unwrap_err();
    assert!(found[0].path == "routes[0].upstream" && !format!("{found:?}").contains("h4rd"), "{found:?}");
    // 64 digits in capitals could be a name of secrets, and must not become one.
    let named = relay(|value| value["routes"][0]["service_token"] = json!(HEX.to_uppercase()));
    assert!(errors(&named)[0].starts_with("routes[0].service_token: found a text of 64 characters (not shown)"));
    // Neither a Client ID nor a short word is a secret.
    parsed(&set("/routes/0/path", "/0123.access"));
    assert!(parse(&minimal(), &secrets_of("0123.access", "api")).is_ok());
}

#[test]
fn no_secret_is_shown() {
    let config = parsed(&minimal());
    assert!(!format!("{config:?}").contains("s3cr3t"));
    // A token pasted where the prefix of its name belongs, and one in a key of its own.
    let found = errors(&relay(|value| {
        value["routes"][0]["service_token"] = json!("cfast_0123456789");
        value["routes"][0]["client_secret"] = json!("cfast_0123456789");
    }));
    assert!(found.len() == 2 && !found.join("\n").contains("cfast_"), "{found:?}");
    // Credentials within a URL.
    for url in
        ["https://ada:hunter2@api.example.com", "https://api.example.com/?key=hunter2", "http://ada:hunter2@x/#hunter2"]
    {
        let found = errors(&relay(|value| value["routes"][0]["upstream"] = json!(url)));
        assert!(found.len() == 1 && !found.join("").contains("hunter2"), "{found:?}");
    }
}
