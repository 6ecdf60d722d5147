//! What the keys of `RELAY` ask of each other: as much of the reader's own rules as a JSON Schema can say.
//!
//! Each is a schema for its table; editors mark the value that has to change, and show what to write instead.

use access_relay_core::config::keys::Key;
use access_relay_core::config::keys::access::{
    AUDIENCE, DANGEROUSLY_ALLOW_ANYONE, GROUPS, IDENTITY_HEADERS, ISSUER, MAX_TOKEN_AGE_SECONDS, PLATFORM,
};
use access_relay_core::config::keys::cors::{
    ALLOW_CREDENTIALS, ALLOWED_HEADERS, ALLOWED_METHODS, ALLOWED_ORIGINS, EXPOSED_HEADERS, MAX_AGE, PREFLIGHT,
};
use access_relay_core::config::keys::relay::{ACCESS, CORS as GLOBAL_CORS, ROUTES};
use access_relay_core::config::keys::routes::{
    BINDING, CACHE, CORS, CREDENTIALS, REQUEST_COOKIES, RESPONSE_COOKIES, SERVICE_TOKEN, UPSTREAM,
};
use serde_json::{Map, Value, json};

use crate::shapes;

/// The rules of a table, by the name that its description has.
#[must_use]
pub fn of(table: &str) -> Vec<Value> {
    match table {
        "access" => vec![who_may_call()],
        "routes" => route(),
        "cors" => policy(),
        _ => relay(),
    }
}

/// Whose tokens open, or that the runtime says who may call, or that anybody may.
fn who_may_call() -> Value {
    let others = [ISSUER, AUDIENCE, PLATFORM, MAX_TOKEN_AGE_SECONDS, IDENTITY_HEADERS, GROUPS];
    let by_token = json!({
        "required": [ISSUER.name, AUDIENCE.name],
        "properties": { GROUPS.name: must_be_false("Add platform = true, or leave it out: a token of Access names no groups.") },
    });
    let by_word = json!({ "dependencies": { ISSUER.name: [AUDIENCE.name] } });
    json!({
        "if": has(DANGEROUSLY_ALLOW_ANYONE, true),
        "then": without(&others, "Leave one of the two out: with dangerously_allow_anyone, no caller is checked."),
        "else": { "if": has(PLATFORM, true), "then": by_word, "else": by_token },
    })
}

fn route() -> Vec<Value> {
    let no_none = not_the_choice(
        "none",
        "Add a binding, or write \"service-token\": over the public network, Access stands in front of the API.",
    );
    let depends_on_who_asks = json!({ "anyOf": [
        has(CREDENTIALS, "caller-token"),
        { "required": [REQUEST_COOKIES.name], "properties": { REQUEST_COOKIES.name: { "minItems": 1 } } },
        { "required": [RESPONSE_COOKIES.name], "properties": { RESPONSE_COOKIES.name: { "minItems": 1 } } },
    ] });
    let no_upstream = not_the_choice(
        "upstream",
        "Answer preflights at the edge here: a preflight carries no caller's token to send.",
    );
    let no_token = json!({ "anyOf": [has(CREDENTIALS, "caller-token"), has(CREDENTIALS, "none")] });
    vec![
        json!({
            "if": { "required": [BINDING.name] },
            "then": { "properties": {
                UPSTREAM.name: shapes::upstream(true),
                CACHE.name: must_be_false("Leave one of the two out: Cloudflare's cache is not asked where a binding leads."),
            } },
            "else": { "properties": { UPSTREAM.name: shapes::upstream(false), CREDENTIALS.name: no_none } },
        }),
        json!({
            "if": no_token,
            "then": without(&[SERVICE_TOKEN], "Leave it out: with these credentials, no service token is sent."),
        }),
        json!({
            "if": depends_on_who_asks,
            "then": { "properties": { CACHE.name: must_be_false(TO_ANOTHER) } },
        }),
        json!({
            "if": has(CREDENTIALS, "caller-token"),
            "then": { "properties": { CORS.name: { "properties": { PREFLIGHT.name: no_upstream } } } },
        }),
        star_alone(REQUEST_COOKIES, &json!({ "minItems": 2 })),
    ]
}

const TO_ANOTHER: &str = "Leave it out: the cache goes by URL, and would hand one person's answer to another.";

fn policy() -> Vec<Value> {
    let lists = [ALLOWED_ORIGINS, ALLOWED_METHODS, ALLOWED_HEADERS, EXPOSED_HEADERS];
    let by_name = "Name them one by one: with allow_credentials, browsers do not take \"*\" for a wildcard.";
    let mut named: Map<String, Value> =
        lists.iter().map(|key| (key.name.to_owned(), json!({ "items": not_the_choice("*", by_name) }))).collect();
    let encrypted = json!({ "items": {
        "not": { "anyOf": [{ "const": "*" }, shapes::plain_http()] },
        "errorMessage": "Name https origins one by one: with allow_credentials, whoever sits on the network could act for the user, and browsers do not take \"*\" for a wildcard.",
    } });
    named.insert(ALLOWED_ORIGINS.name.to_owned(), encrypted);
    let by_the_api = [ALLOWED_METHODS, ALLOWED_HEADERS, MAX_AGE];
    let several = json!({ "minItems": 2 });
    // `["*", "authorization"]` is all of them.
    let but_all = json!({ "minItems": 2, "not": { "maxItems": 2, "contains": shapes::authorization() } });
    vec![
        json!({ "required": [ALLOWED_ORIGINS.name] }),
        json!({ "if": has(ALLOW_CREDENTIALS, true), "then": { "properties": named } }),
        json!({
            "if": has(PREFLIGHT, "upstream"),
            "then": without(&by_the_api, "Leave it out: with preflight = \"upstream\", the API says it in its answer."),
        }),
        star_alone(ALLOWED_ORIGINS, &several),
        star_alone(ALLOWED_METHODS, &several),
        star_alone(ALLOWED_HEADERS, &but_all),
        star_alone(EXPOSED_HEADERS, &several),
    ]
}

fn relay() -> Vec<Value> {
    let each_route = |schema: Value| json!({ "properties": { ROUTES.name: { "items": schema } } });
    let access = |schema: Value| json!({ "required": [ACCESS.name], "properties": { ACCESS.name: schema } });
    let is_silent = json!({ "not": { "required": [ISSUER.name] }, "allOf": [has(PLATFORM, true)] });
    let unverified = json!({ "anyOf": [has(DANGEROUSLY_ALLOW_ANYONE, true), is_silent] });
    let no_caller = not_the_choice(
        "caller-token",
        "Use \"service-token\": without an issuer, callers have no token that the relay has verified.",
    );
    let named = json!({
        "not": has(DANGEROUSLY_ALLOW_ANYONE, true),
        "anyOf": [{ "not": has(IDENTITY_HEADERS, false) }, has(GROUPS, true)],
    });
    let no_preflight = not_the_choice(
        "caller-token",
        "Use \"service-token\", or let the relay answer preflights: a preflight carries no caller's token to send.",
    );
    let global = json!({ "if": { "not": { "required": [CORS.name] } }, "then": { "properties": { CREDENTIALS.name: no_preflight } } });
    vec![
        json!({ "if": access(unverified), "then": each_route(json!({ "properties": { CREDENTIALS.name: no_caller } })) }),
        json!({ "if": access(named), "then": each_route(json!({ "properties": { CACHE.name: must_be_false(NAMED) } })) }),
        json!({
            "if": { "required": [GLOBAL_CORS.name], "properties": { GLOBAL_CORS.name: has(PREFLIGHT, "upstream") } },
            "then": each_route(global),
        }),
    ]
}

const NAMED: &str = "Leave it out, or write identity_headers = false and no groups: the cache would hand one person's answer to another.";

/// A key is there, and has this value.
fn has(key: Key, value: impl Into<Value>) -> Value {
    json!({ "required": [key.name], "properties": { key.name: { "const": value.into() } } })
}

fn without(keys: &[Key], why: &str) -> Value {
    let none: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), Value::Bool(false))).collect();
    json!({ "properties": none, "errorMessage": why })
}

fn must_be_false(why: &str) -> Value {
    json!({ "const": false, "errorMessage": why })
}

fn not_the_choice(choice: &str, why: &str) -> Value {
    json!({ "not": { "const": choice }, "errorMessage": why })
}

/// In a list like this there is no `"*"`.
fn star_alone(key: Key, list: &Value) -> Value {
    let alone = not_the_choice("*", "Write [\"*\"] alone, or name them all without it.");
    json!({ "properties": { key.name: { "if": list, "then": { "items": alone } } } })
}
