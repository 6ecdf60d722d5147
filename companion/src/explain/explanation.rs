//! The answer to a question about one request: its way, what the browser concludes, and what to change.

use std::collections::BTreeMap;

use access_relay_core::config::types::Config;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::syntax::text::quoted;
use serde::Serialize;
use serde_json::Value;

use crate::check;
use crate::explain::advice;
use crate::explain::asked::{Asked, Question};
use crate::explain::flow::{self, State, Way};
use crate::explain::mend::{Change, Mended, mended};
use crate::explain::request::{Recorded, Request};
use crate::explain::token::{self, Token};
use crate::explain::upstream::{From, Line};
use crate::explain::words::{Case, Words};
use crate::explain::world::{Verify, World};
use crate::findings::{LineStarts, Place};
use crate::shown;
use crate::spans::Spans;
use crate::wrangler;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether the request is served, and whoever made it can read the answer.
    pub served: bool,
    /// The code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Who makes the request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// The tokens in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<Token>,
    /// Whether the tokens' signatures were checked.
    pub signatures_checked: bool,
    /// The way of the browser's question before it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preflight: Option<Way>,
    /// The way of the request itself, if the browser sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Way>,
    /// What the browser makes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<Verdict>,
    /// What a recording has for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// What to write so that it passes. Each was tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What else to do, or to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// Where the keys stand that decided.
    pub places: BTreeMap<String, Place>,
}

/// What a browser concludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether the page can read the answer.
    pub reads: bool,
    /// Why, or why not.
    pub text: String,
    /// What its console says, if CORS blocks the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<Words>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The question is not clear.
    Unclear(Vec<String>),
    /// With this configuration the relay serves nothing: `check` says why.
    Unsound,
}

/// So many changes are tried, one after the other.
const MOST_CHANGES: usize = 8;

/// Explains what becomes of a request by the configuration in a wrangler file; `environment` names the one that is meant. `har` are the
/// bytes of a recording, if the question is about one.
///
/// # Errors
/// There is nothing to explain.
pub fn explain(
    question: &Question,
    har: &[u8],
    file: &str,
    text: &str,
    environment: Option<&str>,
    verify: Verify,
) -> Result<Explanation, Failure> {
    let asked = Asked::read(question, har).map_err(Failure::Unclear)?;
    let body = wrangler::body(text);
    let table = wrangler::read(file, body).map_err(|_| Failure::Unsound)?;
    let place = environment.map(|name| format!("env.{name}.")).unwrap_or_default();
    let relay = relay_of(&table, environment).map_err(|error| Failure::Unclear(vec![error]))?;
    let relay = check::table_of(relay).map_err(|_| Failure::Unsound)?;
    let config = check::config(&relay).map_err(|_| Failure::Unsound)?;
    let tried = Tried { asked: &asked, keys: question.keys.as_deref(), verify };
    let mut ways = tried.ways(&config, &relay).ok_or(Failure::Unsound)?;
    let (mut changes, more) = tried.changes(&ways, &config, &relay);
    let mut advice = advice::on_the_way(&asked, &config, own_table(&table, environment));
    if advice.is_empty() && asked.is_mixed_content() {
        advice.push("write https:// in the page's call".to_owned());
    } else if advice.is_empty() {
        advice.extend(more);
        let refusal = ways.refusal();
        advice.extend(refusal.and_then(|(_, refusal, key)| advice::on_refusal(&asked, &config, refusal, key)));
        let refused = refusal.map(|(_, refusal, _)| refusal.code);
        let has_preflight = ways.preflight.is_some() || asked.request.method == "OPTIONS";
        advice.extend(advice::around(&asked, &config, has_preflight, refused));
        advice.extend(ways.advice());
    } else {
        changes.clear();
    }
    let spans = Spans::of(file, body);
    let lines = LineStarts::of(body);
    let place_of = |path: &str| Some(lines.place(&spans.as_ref()?.find(path)?));
    for change in &mut changes {
        change.table = format!("{place}vars.RELAY.{}", change.table);
        change.place = place_of(&format!("{}.{}", change.table, change.key));
    }
    let steps = [&ways.preflight, &ways.request].into_iter().flatten().flat_map(|way| &way.boxes);
    let placed = steps.filter_map(|step| {
        let key = step.key.clone()?;
        let at = place_of(&format!("{place}vars.RELAY.{key}"))?;
        Some((key, at))
    });
    let places = placed.collect();
    let tokens = if asked.said.who.is_none() { token::tokens(&asked.request, asked.now) } else { Vec::new() };
    Ok(Explanation {
        served: ways.is_served(),
        code: ways.refusal().map(|(_, refusal, _)| refusal.code.as_str()),
        by: asked.by(&config),
        signatures_checked: !tokens.is_empty() && question.keys.is_some(),
        tokens,
        browser: ways.browser.take(),
        preflight: ways.preflight,
        request: ways.request,
        recorded: asked.request.recorded.clone(),
        changes,
        advice,
        places,
    })
}

/// The table of a file that says where the Worker is deployed.
fn own_table<'t>(table: &'t Value, environment: Option<&str>) -> &'t Value {
    let own = environment.and_then(|name| table.get("env")?.get(name));
    // An environment has the routes of the top level, unless it has its own.
    own.filter(|own| own.get("routes").is_some() || own.get("route").is_some()).unwrap_or(table)
}

/// `RELAY` of the file, or of one of its environments.
fn relay_of<'t>(table: &'t Value, environment: Option<&str>) -> Result<&'t Value, String> {
    let relay = |table: &'t Value| table.get("vars")?.get("RELAY");
    let environments = table.get("env").and_then(Value::as_object);
    let names = environments.into_iter().flatten().filter(|(_, table)| relay(table).is_some());
    let names: Vec<String> = names.map(|(name, _)| shown::clean(name)).collect();
    let found = match environment {
        Some(name) => environments.and_then(|all| all.get(name)).and_then(relay),
        None => relay(table),
    };
    found.ok_or_else(|| {
        let what = environment
            .map_or_else(|| "no [vars.RELAY]".to_owned(), |name| format!("no RELAY in env {}", quoted(name)));
        let help = if names.is_empty() {
            "write one, or let `access-relay init` do it".to_owned()
        } else {
            format!("name one by --env: {}", names.join(", "))
        };
        shown::clean(&format!("found {what}; {help}"))
    })
}

/// The configuration in a wrangler file, if it has one that serves.
#[must_use]
pub fn config(file: &str, text: &str, environment: Option<&str>) -> Option<Config> {
    let table = wrangler::read(file, wrangler::body(text)).ok()?;
    check::config(&*check::table_of(relay_of(&table, environment).ok()?).ok()?).ok()
}

/// The ways of a request and of the question before it.
struct Ways {
    preflight: Option<Way>,
    request: Option<Way>,
    browser: Option<Verdict>,
}

impl Ways {
    /// The first refusal: its way, what it is, and the key that decided.
    fn refusal(&self) -> Option<(&Way, &Refusal, Option<&str>)> {
        let ways = [&self.preflight, &self.request].into_iter().flatten();
        ways.filter_map(|way| {
            let key = way.boxes.iter().find(|step| step.state == State::Refused).and_then(|step| step.key.as_deref());
            Some((way, way.refusal.as_ref()?, key))
        })
        .next()
    }

    fn advice(&self) -> Option<String> {
        let is_upstreams = self.preflight.as_ref().is_some_and(|way| way.upstream.is_some());
        is_upstreams.then(|| "which methods and headers pass, the API's own answer to the preflight says".to_owned())
    }

    fn is_served(&self) -> bool {
        self.refusal().is_none() && self.browser.as_ref().is_none_or(|verdict| verdict.reads)
    }
}

/// A question that may be asked of several configurations.
struct Tried<'q> {
    asked: &'q Asked,
    keys: Option<&'q str>,
    verify: Verify<'q>,
}

impl Tried<'_> {
    fn ways(&self, config: &Config, relay: &Value) -> Option<Ways> {
        if self.asked.is_mixed_content() {
            let text = "it does not send the request: a page by https may not ask for http (Mixed Content)".to_owned();
            let browser = Some(Verdict { reads: false, text, console: None });
            return Some(Ways { preflight: None, request: None, browser });
        }
        let preflight = match self.asked.preflight() {
            Some(request) => {
                let mut way = flow::way(config, relay, &request, self.world(&request), None)?;
                let line = |(name, value): (&str, &str)| Line {
                    name: name.to_owned(),
                    value: shown::value(name, value),
                    from: From::Caller,
                };
                way.asks = request.headers.iter().map(line).collect();
                Some(way)
            }
            None => None,
        };
        if let (Some(way), Some((ask, _))) = (&preflight, &self.asked.page) {
            let (status, headers) = &way.got;
            // Where the API answers it, nobody knows here what it says.
            let checked = match &way.upstream {
                None => ask.check_preflight(*status, headers),
                Some(_) => ask.check(headers),
            };
            if let Err(why) = checked {
                let text = format!("network error: the preflight's answer {why}; the request is never sent");
                let case = Case { why: &why, preflight: true, status: *status, url: &way.url, origin: &ask.origin };
                let browser = Some(Verdict { reads: false, text, console: Some(Words::of(case)) });
                return Some(Ways { preflight, request: None, browser });
            }
        }
        let request = self.asked.arrives(&config.access);
        let word = self.asked.said.who.and_then(|who| who.word(&config.access, self.asked.now));
        let way = flow::way(config, relay, &request, self.world(&request), word)?;
        let (status, headers) = &way.got;
        let browser = self.asked.reader().map(|ask| match ask.check(headers) {
            Err(why) => {
                let case = Case { why: &why, preflight: false, status: *status, url: &way.url, origin: &ask.origin };
                let text = format!("network error: the answer {why}");
                Verdict { reads: false, text, console: Some(Words::of(case)) }
            }
            Ok(()) if way.refusal.is_some() => {
                let text = format!("the page can read the refusal, with its status {status}");
                Verdict { reads: true, text, console: None }
            }
            Ok(()) => Verdict { reads: true, text: "the page can read the answer".to_owned(), console: None },
        });
        Some(Ways { preflight, request: Some(way), browser })
    }

    /// The keys that sign: those that are given, but for somebody who is made up.
    fn world(&self, request: &Request) -> World {
        let keys = self.keys.filter(|_| self.asked.said.who.is_none());
        World::of(self.asked.now, &token::texts(request), keys, self.verify)
    }

    /// Changes that lead further, each tried upon the one before; and why one more would not do.
    fn changes(&self, ways: &Ways, config: &Config, relay: &Value) -> (Vec<Change>, Vec<String>) {
        let (mut changes, mut relay): (Vec<Change>, Value) = (Vec::new(), relay.clone());
        let mut next = self.mended(ways, &relay, config);
        for _ in 0..MOST_CHANGES {
            let found = match next {
                Ok(found) => found,
                Err(why) => return (changes, why.into_iter().collect()),
            };
            let Some(ways) = self.ways(&found.config, &found.relay) else { break };
            let Mended { relay: changed, config, change } = found;
            changes.push(change);
            if ways.is_served() {
                return (changes, Vec::new());
            }
            relay = changed;
            next = self.mended(&ways, &relay, &config);
        }
        (changes, Vec::new())
    }

    fn mended(&self, ways: &Ways, relay: &Value, config: &Config) -> Result<Mended, Option<String>> {
        if let Some((way, refusal, Some(key))) = ways.refusal() {
            let preflight = self.asked.preflight().filter(|_| ways.preflight.as_ref() == Some(way));
            let request = preflight.unwrap_or_else(|| self.asked.arrives(&config.access));
            let route = way.boxes.first().and_then(|step| step.key.as_deref()?.strip_suffix(".path"));
            return mended(relay, key, route, refusal, &request);
        }
        // The relay lets it pass, and the browser does not: the policy has no credentials.
        let needs = self.asked.reader().is_some_and(|ask| ask.include);
        let refused = ways.browser.as_ref().is_some_and(|verdict| !verdict.reads);
        let policy = [&ways.preflight, &ways.request].into_iter().flatten().flat_map(|way| &way.boxes);
        let mut tables = policy.filter_map(|step| step.key.as_deref()?.rsplit_once('.'));
        let table = tables.find(|(table, _)| table.ends_with("cors")).map(|(table, _)| table);
        match table.filter(|_| needs && refused) {
            Some(table) => {
                let refusal = Refusal::new(Code::CrossOriginBlocked, "");
                mended(relay, &format!("{table}.allow_credentials"), None, &refusal, &self.asked.request)
            }
            None => Err(None),
        }
    }
}
