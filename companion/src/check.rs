//! One wrangler file: every `RELAY` in it, that of each environment among them, and what stands around it.

use std::borrow::Cow;

use access_relay_core::config::error::ConfigError;
use access_relay_core::config::parse::parse;
use access_relay_core::config::secrets::{Secrets, is_client_id, secret_names};
use access_relay_core::config::source::from_text;
use serde_json::Value;

use crate::findings::Findings;
use crate::{suffixes, surroundings, wrangler};

/// Checks the text of a file; its name says whether it is TOML or JSON. Nothing in the findings is a secret.
#[must_use]
pub fn text(file: &str, text: &str) -> Findings {
    if text.len() > LONGEST {
        return Findings::mistake(format!(
            "found {} bytes; write {LONGEST} at most, of which wrangler needs far less",
            text.len()
        ));
    }
    match wrangler::read(file, text) {
        Ok(wrangler) => table(&wrangler).redacted(),
        Err(error) => Findings::mistake(error).redacted(),
    }
}

/// So many bytes are read: some of what is checked takes time with the square of the length.
const LONGEST: usize = 1024 * 1024;

fn table(wrangler: &Value) -> Findings {
    let environments = wrangler.get("env").and_then(Value::as_object).into_iter().flatten();
    let named = environments.map(|(name, table)| (format!("env.{name}."), table));
    let previews = wrangler.get("previews").map(|table| ("previews.".to_owned(), table));
    let mut findings = Findings::default();
    for (place, table) in std::iter::once((String::new(), wrangler)).chain(named).chain(previews) {
        let Some(relay) = table.get("vars").and_then(|vars| vars.get("RELAY")) else { continue };
        let table_name = format!("[{place}vars.RELAY]");
        let say = |error: &ConfigError| format!("{table_name} {error}");
        let relay = table_of(relay);
        let outcome = relay.as_ref().map_err(Clone::clone).and_then(|relay| read(relay));
        if let Err(errors) = &outcome {
            findings.mistakes.extend(errors.iter().map(say));
        }
        if let Ok((_, warnings)) = &outcome {
            findings.warnings.extend(warnings.iter().map(say));
        }
        let relay = relay.as_ref().map_or(&Value::Null, |relay| relay);
        let is_fit = surroundings::check(wrangler, table, &place, relay, &mut findings);
        if let (Ok((summary, _)), true) = (outcome, is_fit) {
            findings.sound.push(format!("{table_name} is sound: {summary}"));
        }
    }
    if findings.sound.is_empty() && findings.mistakes.is_empty() {
        findings.mistakes.push(
            "found no [vars.RELAY]; `access-relay init` writes one, or prints it, if a wrangler file is there already"
                .to_owned(),
        );
    }
    findings
}

/// As in the Worker, the table may also be JSON in a text.
fn table_of(relay: &Value) -> Result<Cow<'_, Value>, Vec<ConfigError>> {
    match relay.as_str() {
        Some(text) => from_text(text.as_bytes()).map(Cow::Owned),
        None => Ok(Cow::Borrowed(relay)),
    }
}

/// Reads a table as the Worker will, with its secrets set.
fn read(relay: &Value) -> Result<(String, Vec<ConfigError>), Vec<ConfigError>> {
    let names = secret_names(relay);
    let config = parse(relay, &stand_ins(&names), suffixes::listed)?;
    let routes =
        if config.routes.len() == 1 { "1 route".to_owned() } else { format!("{} routes", config.routes.len()) };
    let secrets = if names.is_empty() { String::new() } else { format!("; it needs the secrets {}", names.join(", ")) };
    Ok((routes + &secrets, config.warnings))
}

/// Stand in for the secrets: what is deployed with `wrangler secret put` is nobody's to read.
fn stand_ins(names: &[String]) -> Secrets {
    let value = |name: &str| if is_client_id(name) { "stand-in.access" } else { "stand-in-for-a-secret" };
    names.iter().map(|name| (name.clone(), value(name).to_owned())).collect()
}
