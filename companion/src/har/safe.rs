//! A copy of a recording that is safe to share: made of what causes are found in, and of nothing else. No bodies, no cookies, no tokens,
//! no e-mail addresses, no `meta` of the login's address.

use serde_json::{Value, json};

use crate::har::file::{Entry, Har};
use crate::headers::Headers;
use crate::shown;

/// The copy, as HAR 1.2.
#[must_use]
pub fn copy(har: &Har) -> Value {
    let entries: Vec<Value> = har.log.entries.iter().map(entry).collect();
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": text(&har.log.creator.name), "version": text(&har.log.creator.version) },
        "comment": "Redacted by access-relay har --redact: no bodies, cookies, tokens, secrets or e-mail addresses.",
        "pages": [],
        "entries": entries,
    } })
}

fn entry(entry: &Entry) -> Value {
    let (request, response) = (&entry.request, &entry.response);
    let mut copy = json!({
        "startedDateTime": text(&entry.started_date_time),
        "time": 0,
        "request": {
            "method": text(&request.method),
            "url": without_addresses(&shown::url(&request.url)),
            "httpVersion": "",
            "cookies": [],
            "headers": lines(&request.headers()),
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1,
        },
        "response": {
            "status": response.status(),
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": lines(&response.headers()),
            "content": content(entry),
            "redirectURL": without_addresses(&shown::url(&response.redirect_url)),
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
    });
    let extras = [
        ("_resourceType", text(&entry.resource_type)),
        ("_initiator", without_addresses(&shown::url(&entry.initiator.url))),
    ];
    if let Some(copy) = copy.as_object_mut() {
        for (name, value) in extras.into_iter().filter(|(_, value)| !value.is_empty()) {
            copy.insert(
                name.to_owned(),
                if name == "_initiator" { json!({ "type": "preflight", "url": value }) } else { json!(value) },
            );
        }
    }
    if let (false, Some(copy)) = (response.error.is_empty(), copy.get_mut("response").and_then(Value::as_object_mut)) {
        copy.insert("_error".to_owned(), json!(text(&response.error)));
    }
    copy
}

/// Nothing of a body, but the code of a refusal of the relay's own.
fn content(entry: &Entry) -> Value {
    match entry.response.relays_code() {
        Some(code) => {
            let body = json!({ "type": format!("urn:problem-type:access-relay:{}", text(&code)) }).to_string();
            json!({ "size": -1, "mimeType": "application/problem+json", "text": body })
        }
        None => json!({ "size": -1, "mimeType": "" }),
    }
}

fn lines(headers: &Headers) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({ "name": text(name), "value": line(name, value) })).collect()
}

fn line(name: &str, value: &str) -> String {
    match name {
        "location" => without_addresses(&shown::url(value)),
        // The tag that names the application is no secret, though it looks like one.
        "cf-access-aud" if access_relay_core::caller::token::is_aud_tag(value) => value.to_owned(),
        _ => without_addresses(&shown::value(name, value)),
    }
}

fn text(text: &str) -> String {
    without_addresses(&shown::clean(text))
}

/// A text in which no e-mail address is left, an encoded one neither.
fn without_addresses(text: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+' | '%');
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, sign)) = ["@", "%40"].iter().filter_map(|sign| Some((rest.find(sign)?, *sign))).min() {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + sign.len()..).unwrap_or_default());
        let kept = before.trim_end_matches(is_part);
        let is_address = kept.len() < before.len() && after.starts_with(is_part);
        safe.push_str(if is_address { kept } else { before });
        safe.push_str(if is_address { "(address)" } else { sign });
        rest = if is_address { after.trim_start_matches(is_part) } else { after };
    }
    safe + rest
}
