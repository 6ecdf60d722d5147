//! Cloudflare's published sample Workers: the one that adds a service token, and the one that checks a JWT.

use serde_json::Value;

use crate::import::found::{Application, Given};
use crate::import::term::Term;

/// What the samples call their values.
const NAMES: [&str; 3] = [API, TEAM, TAG];
const API: &str = "originalAPIHostname";
const TEAM: &str = "TEAM_DOMAIN";
const TAG: &str = "POLICY_AUD";

/// What opens the API: it has no place in a script.
const SECRETS: [&str; 2] = ["CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"];

/// Whether a script has one of the names.
#[must_use]
pub fn is_like(text: &str) -> bool {
    NAMES.iter().any(|name| text.contains(name))
}

/// Whether a wrangler file has one of the names among its variables.
#[must_use]
pub fn is_like_file(file: &Value) -> bool {
    places(file).iter().any(|(_, table)| has_name(table))
}

fn has_name(table: &Value) -> bool {
    table.get("vars").is_some_and(|vars| NAMES.iter().any(|name| vars.get(name).is_some()))
}

/// The top of a wrangler file, and its environments by their names.
fn places(file: &Value) -> Vec<(Option<&str>, &Value)> {
    let environments = file.get("env").and_then(Value::as_object).into_iter().flatten();
    std::iter::once((None, file)).chain(environments.map(|(name, table)| (Some(name.as_str()), table))).collect()
}

/// What a script says.
#[must_use]
pub fn script(text: &str) -> Application {
    worker(&|name| constant(text, name))
}

/// What a wrangler file says, at its top and in each environment.
#[must_use]
pub fn file(file: &Value) -> Vec<Application> {
    let places =
        places(file).into_iter().filter(|(name, table)| name.is_none() && !is_like_file(file) || has_name(table));
    let each = |(name, table): (Option<&str>, &Value)| {
        let mut found = worker(&|name| table.get("vars").and_then(|vars| vars.get(name)).map(Term::from));
        if let Some(name) = name {
            found.name = format!("env.{name}");
        }
        found
    };
    places.map(each).collect()
}

fn worker(of: &dyn Fn(&str) -> Option<Term>) -> Application {
    let given = |name: &str| of(name).map(|value| Given { key: name.to_owned(), value });
    let mut found = Application {
        name: "the sample Worker".to_owned(),
        upstream: given(API).map(|api| with_scheme(api, false)),
        issuer: given(TEAM).map(|team| with_scheme(whole_team(team), true)),
        audience: given(TAG),
        ..Application::default()
    };
    for name in SECRETS.into_iter().filter(|name| matches!(of(name), Some(Term::Text(_)))) {
        found.left.push(format!(
            "{name} stands in the file; set it with `wrangler secret put {name}`, and rotate it: whoever reads the file has it"
        ));
    }
    found
}

/// Some write the team's name alone.
fn whole_team(given: Given) -> Given {
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let value = match given.value {
        Term::Text(team) if is_name(&team) => Term::Text(format!("{team}.cloudflareaccess.com")),
        other => other,
    };
    Given { value, ..given }
}

/// The samples write a host, or a URL; the relay wants an origin, without a slash at the end.
fn with_scheme(given: Given, is_origin: bool) -> Given {
    let value = match given.value {
        Term::Text(text) => {
            let text = if is_origin { text.trim_end_matches('/') } else { &text };
            Term::Text(if text.contains("://") { text.to_owned() } else { format!("https://{text}") })
        }
        other => other,
    };
    Given { value, ..given }
}

/// The value of `NAME = "value"` or `NAME: "value"`, first of all that are written so. What is no plain text in quotes is named.
fn constant(text: &str, name: &str) -> Option<Term> {
    let mut unknown = None;
    for (at, _) in text.match_indices(name) {
        let is_whole = !text.get(..at).unwrap_or_default().ends_with(is_of_name);
        let after = text.get(at + name.len()..).unwrap_or_default();
        let after = after.strip_prefix(['"', '\'']).unwrap_or(after).trim_start();
        // A type of TypeScript's may stand before the value.
        let after = after.strip_prefix(": string").unwrap_or(after).trim_start();
        let Some(value) = after.strip_prefix(['=', ':']).filter(|_| is_whole) else { continue };
        let value = value.trim_start();
        let Some(quote) = value.chars().next() else { continue };
        let plain =
            value.strip_prefix(['"', '\'', '`']).and_then(|rest| rest.split_once(quote)).map(|(plain, _)| plain);
        match plain.filter(|plain| !plain.contains(['\\', '\n']) && !plain.contains("${")) {
            Some(plain) => return Some(Term::Text(plain.to_owned())),
            None if value.starts_with('=') => {}
            None => {
                // No more of the line than a name: a secret may follow.
                let name = value.split(|letter| !is_of_name(letter)).next().unwrap_or_default();
                let what =
                    if name.is_empty() { "an expression".to_owned() } else { format!("the expression `{name}`") };
                unknown.get_or_insert(Term::Unknown(what));
            }
        }
    }
    unknown
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.')
}
