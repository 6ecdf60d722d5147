//! A copy of a recording that is safe to share: made of what causes are found in, and of nothing else. No bodies, no cookies, no tokens,
//! no e-mail addresses, no `meta` of the login's address.

use access_relay_core::syntax::redact::redacted;
use serde_json::{Value, json};

use crate::har::file::{Entry, Har};
use crate::har::private::{text, without_people};
use crate::headers::Headers;
use crate::shown;

/// The copy, as HAR 1.2, with each entry on a line.
#[must_use]
pub fn copy(har: &Har) -> String {
    let creator = json!({ "name": text(&har.log.creator.shown()), "version": "" });
    let mut copy = format!(
        "{{ \"log\": {{ \"version\": \"1.2\", \"creator\": {creator}, \"pages\": [],\n\"comment\": \"{COMMENT}\",\n\"entries\": ["
    );
    for (at, one) in har.log.entries.iter().enumerate() {
        copy.push_str(if at == 0 { "\n" } else { ",\n" });
        copy.push_str(&entry(one).to_string());
    }
    copy + "\n] } }\n"
}

const COMMENT: &str = "Redacted by access-relay har --redact: no bodies, cookies, tokens, secrets or e-mail addresses.";

fn entry(entry: &Entry) -> Value {
    let (request, response) = (&entry.request, &entry.response);
    let mut copy = json!({
        "startedDateTime": text(&entry.started()),
        "time": 0,
        "request": {
            "method": text(&request.method()),
            "url": without_people(&shown::url(&request.url())),
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
            "redirectURL": without_people(&shown::url(&response.redirect_url())),
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
    });
    let extras = [
        ("_resourceType", text(&entry.resource_type())),
        ("_initiator", without_people(&shown::url(&entry.initiator.url()))),
    ];
    if let Some(copy) = copy.as_object_mut() {
        for (name, value) in extras.into_iter().filter(|(_, value)| !value.is_empty()) {
            copy.insert(
                name.to_owned(),
                if name == "_initiator" { json!({ "type": "preflight", "url": value }) } else { json!(value) },
            );
        }
    }
    if let Some(answer) = copy.get_mut("response").and_then(Value::as_object_mut) {
        let error = response.error();
        if !error.is_empty() || response.tells_failures() {
            answer.insert("_error".to_owned(), if error.is_empty() { Value::Null } else { json!(text(&error)) });
        }
        if entry.is_of_worker() {
            answer.insert("_fetchedViaServiceWorker".to_owned(), json!(true));
        }
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
    // Causes are told by these, and a list of names may be long.
    let is_whole = name.starts_with("access-control-");
    without_people(&if is_whole { redacted(value, []).into_owned() } else { shown::value(name, value) })
}
