//! Answers of an API on their way: what is known of the request, and what the browser gets.

use std::rc::Rc;

use access_relay_core::caller::identity::Caller;
use access_relay_core::config::types::Config;
use access_relay_core::flow::known::Known;
use access_relay_core::flow::settle;
use access_relay_core::messages::head::Destination;
use serde_json::Value;

use crate::support::config::parsed;
use crate::support::heads::Lines;

/// What was asked for.
pub const URL: &str = "https://app.example.com/api/notes/7";

/// What is known of an ordinary GET that a person's page made, on the first route.
pub fn known(config: &Config) -> Known {
    Known {
        route: config.routes.first().cloned(),
        cors: Rc::clone(&config.routes[0].cors),
        preflight: false,
        origin: None,
        websocket: false,
        destination: Destination::Other,
        passed: None,
        caller: Some(Rc::new(Caller::User { sub: Some("ada-1".to_owned()), email: None, groups: None })),
        warnings: Vec::new(),
    }
}

/// It is as `known` has it.
pub fn unchanged(_: &mut Known) {}

/// The headers of the API's answer with the changes, and the warnings; or the code of the refusal.
pub fn settle_as(
    relay: &Value,
    change: &dyn Fn(&mut Known),
    status: u16,
    headers: &[(&str, &str)],
) -> Result<(Lines, Vec<String>), &'static str> {
    let config = parsed(relay);
    let lines = Lines::of(headers);
    let mut known = known(&config);
    change(&mut known);
    match lines.answered(status, |head| settle::settle(&known, URL, head)) {
        Ok(settled) => Ok((lines.clone().apply(&settled.edits), settled.warnings)),
        Err(refusal) => Err(refusal.code.as_str()),
    }
}

/// The same, of what some page fetched as data, without the two headers that keep an answer from others.
pub fn settle(
    relay: &Value,
    origin: Option<&str>,
    status: u16,
    headers: &[(&str, &str)],
) -> Result<Vec<(String, String)>, &'static str> {
    let settled = settle_as(relay, &|known| known.origin = origin.map(str::to_owned), status, headers);
    settled.map(|(mut lines, _)| {
        lines.0.retain(|(name, _)| !["cdn-cache-control", "cross-origin-resource-policy"].contains(&name.as_str()));
        lines.0
    })
}

/// One header of what the browser gets.
pub fn header(relay: &Value, change: &dyn Fn(&mut Known), headers: &[(&str, &str)], name: &str) -> Option<String> {
    settle_as(relay, change, 200, headers).unwrap().0.get(name)
}

/// Lines to compare with.
pub fn owned(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
