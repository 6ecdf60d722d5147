//! One file: every `RELAY` in it, that of each environment among them.

use access_relay::config;
use serde_json::Value;

/// Stands in for a secret: what is deployed with `wrangler secret put` is nobody's to read.
const STAND_IN: &str = "stand-in.access";

/// Checks a file. Returns what was found sound.
///
/// # Errors
/// Every mistake, with its path.
pub fn file(path: &str) -> Result<String, Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| vec![error.to_string()])?;
    let wrangler: Value = toml::from_str(&text).map_err(|error| vec![error.to_string()])?;

    let environments = wrangler.get("env").and_then(Value::as_object).into_iter().flatten();
    let named = environments.map(|(name, table)| (format!("env.{name}.vars.RELAY"), table));
    let tables = std::iter::once(("vars.RELAY".to_owned(), &wrangler)).chain(named);

    let (mut sound, mut mistakes) = (Vec::new(), Vec::new());
    for (place, table) in tables {
        let Some(relay) = table.get("vars").and_then(|vars| vars.get("RELAY")) else { continue };
        match parse(relay) {
            Ok(summary) => sound.push(format!("[{place}] is sound: {summary}")),
            Err(errors) => mistakes.extend(errors.into_iter().map(|error| format!("[{place}] {error}"))),
        }
    }
    if sound.is_empty() && mistakes.is_empty() {
        mistakes.push("found no [vars.RELAY]; README.md has one to begin with".to_owned());
    }
    if mistakes.is_empty() { Ok(sound.join("\n")) } else { Err(mistakes) }
}

/// Reads a table as the Worker will, with its secrets set. As in the Worker, it may also be JSON in a text.
fn parse(relay: &Value) -> Result<String, Vec<String>> {
    let from_text = relay.as_str().map(serde_json::from_str::<Value>);
    let relay = match &from_text {
        None => relay,
        Some(Ok(table)) => table,
        Some(Err(error)) => return Err(vec![format!("RELAY: found a text that is no JSON ({error}); write a table")]),
    };
    let names = config::secret_names(relay);
    let secrets = names.iter().map(|name| (name.clone(), STAND_IN.to_owned())).collect();
    let config =
        config::parse(relay, &secrets).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let routes =
        if config.routes.len() == 1 { "1 route".to_owned() } else { format!("{} routes", config.routes.len()) };
    let secrets = if names.is_empty() { String::new() } else { format!("; it needs the secrets {}", names.join(", ")) };
    Ok(routes + &secrets)
}
