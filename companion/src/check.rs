//! One wrangler file: every `RELAY` in it, that of each environment among them, and what stands around it.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use access_relay_core::config::error::{ConfigError, without_indices};
use access_relay_core::config::keys::ALL;
use access_relay_core::config::keys::relay::ROUTES;
use access_relay_core::config::keys::routes as keys;
use access_relay_core::config::parse::parse;
use access_relay_core::config::secrets::{Secrets, is_client_id, secret_names};
use access_relay_core::config::source::from_text;
use access_relay_core::config::types::Config;
use access_relay_core::rules::route::Route;
use access_relay_core::syntax::text::quoted;
use serde_json::Value;

use crate::findings::{Finding, Findings, LineStarts};
use crate::marked::Severity;
use crate::spans::Spans;
use crate::surroundings::all;
use crate::surroundings::around::Around;
use crate::surroundings::local::LocalFile;
use crate::{marked, suffixes, wrangler};

/// Checks the text of a file; its name says whether it is TOML or JSON. Nothing in the findings is a secret.
#[must_use]
pub fn text(file: &str, text: &str) -> Findings {
    environment(file, text, None)
}

/// The same of one environment alone, if one is named.
#[must_use]
pub fn environment(file: &str, text: &str, name: Option<&str>) -> Findings {
    among_files(file, text, name, &[])
}

/// The same, where files of secrets lie beside it.
#[must_use]
pub fn among_files(file: &str, text: &str, name: Option<&str>, beside: &[LocalFile]) -> Findings {
    if text.len() > LONGEST {
        let help = format!("write {LONGEST} at most, of which wrangler needs far less");
        return Findings::mistake(Finding::new("wrangler::too_long", "", format!("found {} bytes", text.len()), help));
    }
    let body = wrangler::body(text);
    let findings = match wrangler::read(file, body) {
        Ok(wrangler) => table(&wrangler, name, beside),
        Err(finding) => Findings::mistake(*finding),
    };
    placed(findings, file, body).redacted()
}

/// Each finding once, with its place in the text. What several environments inherit is found in each of them.
fn placed(mut findings: Findings, file: &str, text: &str) -> Findings {
    let mut told = BTreeSet::new();
    for list in [&mut findings.warnings, &mut findings.mistakes] {
        list.retain(|finding| told.insert((finding.code.clone(), finding.path.clone(), finding.found.clone())));
    }
    let lines = LineStarts::of(text);
    // Their places are looked for only where there is something to say.
    let spans = LazyCell::new(|| Spans::of(file, text));
    for finding in findings.warnings.iter_mut().chain(&mut findings.mistakes) {
        if finding.span.is_none() {
            finding.span = spans.as_ref().and_then(|spans| spans.find(&finding.path));
        }
        finding.place = finding.span.as_ref().map(|span| lines.place(span));
    }
    findings
}

/// The findings as people read them, warnings first: each with its line of the file, marked. `findings` are those of this text.
#[must_use]
pub fn marked(findings: &Findings, file: &str, text: &str, colours: bool) -> Vec<String> {
    let text = wrangler::body(text);
    let warnings = findings.warnings.iter().map(|finding| (Severity::Warning, finding));
    let mistakes = findings.mistakes.iter().map(|finding| (Severity::Error, finding));
    marked::marked(warnings.chain(mistakes), &findings.secrets, file, text, colours)
}

/// So many bytes are read: some of what is checked takes time with the square of the length.
pub const LONGEST: usize = 1024 * 1024;

fn table(wrangler: &Value, only: Option<&str>, beside: &[LocalFile]) -> Findings {
    let environments = || wrangler.get("env").and_then(Value::as_object).into_iter().flatten();
    let named = environments().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let named = named.map(|(name, table)| (format!("env.{name}."), table));
    let top = only.is_none().then(|| (String::new(), wrangler));
    let chosen: Vec<(String, &Value)> = top.into_iter().chain(named).collect();
    let mut findings = Findings::default();
    if let (Some(name), true) = (only, chosen.is_empty()) {
        let names: Vec<&str> = environments().map(|(name, _)| name.as_str()).collect();
        let help = if names.is_empty() {
            "leave --env out: this file has no environments".to_owned()
        } else {
            format!("name one of {}", names.join(", "))
        };
        return Findings::mistake(Finding::new(
            "wrangler::no_such_environment",
            "env",
            format!("found no {}", quoted(name)),
            help,
        ));
    }
    let previews = chosen.iter().filter_map(|(above, table)| {
        let inherited = (!above.is_empty()).then_some((above.as_str(), *table));
        Some((format!("{above}previews."), table.get("previews")?, inherited))
    });
    let tables = chosen.iter().map(|(place, table)| (place.clone(), *table, None)).chain(previews);
    for (place, table, above) in tables {
        let mut around = Around { file: wrangler, environment: table, place: &place, above, relay: &Value::Null };
        let Some(relay) = table.get("vars").and_then(|vars| vars.get("RELAY")) else {
            findings.mistakes.extend(all::without_relay(&around));
            continue;
        };
        let relay = table_of(relay);
        if let Ok(relay) = &relay {
            around.relay = relay;
            findings.secrets.extend(plain_secrets(table, relay));
        }
        let say = |error: &ConfigError| of_relay(&place, around.relay, error);
        let outcome = relay.as_ref().map_err(Clone::clone).and_then(|relay| read(relay));
        match &outcome {
            Ok((_, warnings)) => findings.warnings.extend(warnings.iter().map(say)),
            Err(errors) => findings.mistakes.extend(errors.iter().map(say)),
        }
        let is_fit = all::check(&around, beside, &mut findings);
        if let (Ok((summary, _)), true) = (outcome, is_fit) {
            findings.sound.push(format!("[{place}vars.RELAY] is sound: {summary}"));
        }
    }
    if findings.sound.is_empty() && findings.mistakes.is_empty() {
        let help = "write one, or let `access-relay init` do it: it prints one, if a wrangler file is there already";
        findings.mistakes.push(Finding::new("relay::missing", "", "found no [vars.RELAY]", help));
    }
    findings
}

/// The values of secrets that stand among an environment's variables.
fn plain_secrets(environment: &Value, relay: &Value) -> Vec<String> {
    let value = |name: &String| environment.get("vars")?.get(name)?.as_str().map(str::to_owned);
    secret_names(relay).iter().filter(|name| !is_client_id(name)).filter_map(value).collect()
}

/// What the core says of a table. The code names the key, in whatever item of a list; a key that the relay does not have is in no code.
fn of_relay(place: &str, relay: &Value, error: &ConfigError) -> Finding {
    // What is no table is called `RELAY` by the core. In a table, that is a key like any other.
    let inner = if error.path == "RELAY" && !relay.is_object() { "" } else { &error.path };
    let dot = if inner.is_empty() { "" } else { "." };
    let key = without_indices(inner);
    // A route's own policy has the keys of the global one.
    let known = key.strip_prefix("routes.").filter(|key| key.starts_with("cors.")).unwrap_or(&key);
    let code = match known {
        "" => "relay::table".to_owned(),
        _ if ALL.iter().any(|key| without_indices(&key.path()) == known) => format!("relay::{key}"),
        _ => "relay::unknown_key".to_owned(),
    };
    Finding::new(&code, format!("{place}vars.RELAY{dot}{inner}"), format!("found {}", error.found), &error.expected)
}

/// As in the Worker, the table may also be JSON in a text.
///
/// # Errors
/// It is no JSON.
pub fn table_of(relay: &Value) -> Result<Cow<'_, Value>, Vec<ConfigError>> {
    match relay.as_str() {
        Some(text) => from_text(text.as_bytes()).map(Cow::Owned),
        None => Ok(Cow::Borrowed(relay)),
    }
}

/// The configuration in a table, read as the Worker will, with its secrets set.
///
/// # Errors
/// Everything that is wrong with it.
pub fn config(relay: &Value) -> Result<Config, Vec<ConfigError>> {
    parse(relay, &stand_ins(&secret_names(relay)), suffixes::listed)
}

/// What is said of a table that can serve, and what is hardly meant.
fn read(relay: &Value) -> Result<(String, Vec<ConfigError>), Vec<ConfigError>> {
    let names = secret_names(relay);
    let config = config(relay)?;
    let routes =
        if config.routes.len() == 1 { "1 route".to_owned() } else { format!("{} routes", config.routes.len()) };
    let secrets = if names.is_empty() { String::new() } else { format!("; it needs the secrets {}", names.join(", ")) };
    let mut warnings = config.warnings.clone();
    warnings.extend(shallower_routes(relay, &config));
    Ok((routes + &secrets, warnings))
}

/// Routes to the same API of which a shallower one lets in what a deeper one keeps out: an API that merges slashes, or decodes `%2F`, can
/// be asked for the deeper one's paths through the shallower one.
fn shallower_routes(relay: &Value, config: &Config) -> Vec<ConfigError> {
    let differs = |deep: &Route, shallow: &Route| {
        let keys = [
            (keys::CORS, deep.cors != shallow.cors),
            (keys::FOREIGN_REQUESTS, deep.foreign_requests != shallow.foreign_requests),
            (keys::CREDENTIALS, deep.credentials != shallow.credentials),
            (keys::REQUEST_COOKIES, deep.request_cookies != shallow.request_cookies),
        ];
        keys.into_iter().find(|(_, differs)| *differs).map(|(key, _)| key.name)
    };
    let by_path: BTreeMap<&str, &Route> = config.routes.iter().map(|route| (route.prefix.as_str(), &**route)).collect();
    let routes = relay.get(ROUTES.name).and_then(Value::as_array).into_iter().flatten().enumerate();
    let warning = |(index, route): (usize, &Value)| {
        let deep = *by_path.get(route.get(keys::PATH.name)?.as_str()?)?;
        let path = deep.prefix.as_str();
        let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at.max(1))).filter(|above| *above != path);
        let same_api = above.filter_map(|above| by_path.get(above)).filter(|shallow| shallow.upstream == deep.upstream);
        let (shallow, key) = same_api.filter_map(|shallow| Some((shallow, differs(deep, shallow)?))).next()?;
        Some(ConfigError {
            path: format!("{}[{index}].{}", ROUTES.name, keys::PATH.name),
            found: format!(
                "{} with another {key} than {}, which leads to the same API",
                quoted(path),
                shallow.prefix.as_str()
            ),
            expected:
                "do not count on it: an API that merges slashes can be asked for these paths through the other route"
                    .to_owned(),
        })
    };
    routes.filter_map(warning).collect()
}

/// Stand in for the secrets: what is deployed with `wrangler secret put` is nobody's to read.
#[must_use]
fn stand_ins(names: &[String]) -> Secrets {
    let value = |name: &str| if is_client_id(name) { "stand-in.access" } else { "stand-in-for-a-secret" };
    names.iter().map(|name| (name.clone(), value(name).to_owned())).collect()
}
