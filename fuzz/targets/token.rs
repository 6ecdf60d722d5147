//! A token whose signature holds: the first line is its header, the rest its claims, as they are written. What opens the
//! application is compared with a second, plain reading of both.
#![no_main]

use access_relay_core::caller::identity::Caller;
use access_relay_core::caller::token::{Candidate, JwtPolicy, has_three_parts};
use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW: i64 = 1_800_000_000;

fuzz_target!(|data: &[u8]| {
    // As it comes, it is hardly ever a token; it must not break anything either.
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = has_three_parts(text).is_ok().then(|| Candidate::parse(text).is_ok());
    }
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, claims) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let token = format!("{}.{}.AAAA", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims));
    assert!(has_three_parts(&token).is_ok());
    let Ok(candidate) = Candidate::parse(&token) else { return };
    let read: Value = serde_json::from_slice(header).expect("a header that passes is JSON");
    assert_eq!((&read["alg"], &read["kid"]), (&Value::from("RS256"), &Value::from(candidate.kid.as_str())));
    assert!(read.get("crit").is_none());
    assert_eq!(candidate.signed, token.strip_suffix(".AAAA").unwrap_or_default().as_bytes());

    let policy = JwtPolicy {
        issuer: "https://a.example".to_owned(),
        certs_url: String::new(),
        audience: vec!["a".to_owned(), "b".to_owned()],
        max_token_age_seconds: (data.len() % 2 == 0).then_some(600),
        identity_headers: true,
    };
    let Ok((caller, expires)) = candidate.check_claims(&policy, NOW) else { return };
    let read: Value = serde_json::from_slice(claims).expect("claims that pass are JSON");
    let time = |name: &str| read.get(name).map(|time| time.as_f64().expect("times are numbers"));
    #[expect(clippy::cast_precision_loss, reason = "the times that pass are far below 2^53")]
    let now = NOW as f64;
    assert!(time("exp").is_some_and(|exp| exp > now - 61.0 && exp < now + 4e8));
    assert!(["nbf", "iat"].iter().all(|name| time(name).is_none_or(|time| time < now + 61.0)));
    assert_eq!((&read["iss"], &read["type"]), (&Value::from("https://a.example"), &Value::from("app")));
    let for_us = |aud: &Value| aud == "a" || aud == "b";
    assert!(for_us(&read["aud"]) || read["aud"].as_array().is_some_and(|list| list.iter().any(for_us)));
    match caller {
        Caller::User { sub, email, groups } => {
            let sub = sub.expect("a token names its person");
            assert_eq!((&read["sub"], groups), (&Value::from(sub.as_str()), None));
            assert!(!sub.is_empty());
            assert_eq!(read["email"].as_str().filter(|email| !email.is_empty()), email.as_deref());
        }
        Caller::Service { common_name } => {
            let common_name = common_name.expect("a token names its program");
            assert_eq!(read["common_name"], common_name);
            assert!(!common_name.is_empty() && read["sub"].as_str().unwrap_or_default().is_empty());
        }
        Caller::Somebody => panic!("a token names somebody"),
    }
    if let Some(oldest) = policy.max_token_age_seconds {
        let issued = time("iat").expect("needed to tell the age");
        assert!(issued > now - 661.0 && expires <= NOW + oldest + 60);
    }
});
