//! One request's way through the relay, box by box. The core decides; what is here reads off where it did, and by which key.

use std::cmp::Ordering;

use access_relay_core::caller::gate::Gate;
use access_relay_core::caller::identity::Caller;
use access_relay_core::caller::platform::Word;
use access_relay_core::config::types::{Access, Config};
use access_relay_core::flow::gateway::{self, Action, Decision};
use access_relay_core::flow::known::Known;
use access_relay_core::flow::settle::settle;
use access_relay_core::messages::trace::Trace;
use access_relay_core::outcomes::problem::{Code, Refusal};
use access_relay_core::rules::cross_origin::Grounds;
use access_relay_core::rules::route::Route;
use access_relay_core::syntax::path::Prefix;
use access_relay_core::syntax::text::quoted;
use serde::Serialize;
use serde_json::Value;

use crate::explain::request::Request;
use crate::explain::upstream::{self, Line, Upstream};
use crate::explain::world::{World, at_once};
use crate::headers::Headers;
use crate::shown;

/// A request's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Of a browser's preflight, its headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Line>,
    /// Its boxes, in order.
    pub boxes: Vec<Step>,
    /// What the relay answers by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Own>,
    /// What the API gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// What the relay adds to an answer of the API: JSON, with status 200.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adds: Vec<Line>,
    /// What the log would say besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What goes to the API: the URL and the headers, as they are.
    #[serde(skip)]
    pub sent: Option<(String, Headers)>,
    /// What the browser gets: the status and the headers.
    #[serde(skip)]
    pub got: (u16, Headers),
    /// The refusal.
    #[serde(skip)]
    pub refusal: Option<Refusal>,
}

/// A box of the flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which.
    pub name: &'static str,
    /// What became of the request there.
    pub state: State,
    /// Why.
    pub text: String,
    /// The key of `RELAY` that decided, as in `routes[1].path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What becomes of a request in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It goes on.
    Passed,
    /// The relay answers it, as it should.
    Answered,
    /// The relay refuses it.
    Refused,
    /// It never comes here.
    Unreached,
}

/// An answer of the relay's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Own {
    /// The status.
    pub status: u16,
    /// The code, if it is a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Its headers.
    pub headers: Vec<Line>,
}

/// The boxes, in the order of the flow.
const BOXES: [&str; 5] = ["route", "preflight", "cross-origin rule", "caller check", "forward"];

/// Sends a request on its way. Nothing comes of it if the work had to wait, which it never has.
#[must_use]
pub fn way(
    config: &Config,
    relay: &Value,
    request: &Request,
    world: World,
    word: Option<Word<Option<String>>>,
) -> Option<Way> {
    let Request { method, url, headers, .. } = request;
    let trace = Trace::new(headers.get("traceparent").as_deref(), [0; 24]);
    let gate = Gate::new(world);
    let decision = headers.asked(method, url, &trace, |head| at_once(gateway::decide(config, &gate, head, word)))?;
    Some(read(config, relay, request, decision))
}

fn read(config: &Config, relay: &Value, request: &Request, Decision { action, known }: Decision) -> Way {
    let mut way = Way {
        method: request.method.clone(),
        url: shown::url(&request.url),
        asks: Vec::new(),
        boxes: Vec::new(),
        answer: None,
        upstream: None,
        adds: Vec::new(),
        warnings: known.warnings.clone(),
        sent: None,
        got: (0, Headers::default()),
        refusal: None,
    };
    let (decided, last) = match action {
        Action::Health => {
            (0, step(0, State::Answered, "health_path takes it: a report on everything", Some("health_path")))
        }
        Action::Answer(answer) => {
            let headers = Headers::default().edited(&answer.headers);
            way.answer = Some(Own {
                status: answer.status,
                code: answer.refusal.as_ref().map(|refusal| refusal.code.as_str()),
                headers: lines(&headers),
            });
            way.got = (answer.status, headers);
            way.refusal.clone_from(&answer.refusal);
            match answer.refusal {
                Some(refusal) => {
                    let at = box_of(refusal.code);
                    // With `debug`, a refused preflight is answered so that the console names the true cause.
                    let text = format!("{} {}: {}", answer.status, refusal.code.as_str(), refusal.reason);
                    let key = refusal.key.map(|key| full(key, relay, &known));
                    (at, step(at, State::Refused, &text, key.as_deref()))
                }
                None => {
                    let text = format!("{}: the policy allows what it asks", answer.status);
                    (1, step(1, State::Answered, &text, Some(&known.cors.key("cors.allowed_origins"))))
                }
            }
        }
        Action::Forward(forward) => {
            let sample: Headers = [("content-type", "application/json")].into_iter().collect();
            if let Ok(settled) = sample.answered(200, |head| settle(&known, &request.url, head)) {
                let got = sample.clone().edited(&settled.edits);
                way.adds = lines(&got).into_iter().filter(|line| line.name != "content-type").collect();
                way.got = (200, got);
            }
            let sent = upstream::of(request, &forward);
            let through = sent.binding.as_ref().map(|name| format!(" through the binding {name}")).unwrap_or_default();
            let text = format!("{} {}{through}", sent.method, sent.url);
            way.upstream = Some(sent);
            way.sent = Some((forward.edits.url().to_owned(), request.headers.clone().edited(&forward.edits)));
            (4, step(4, State::Passed, &text, Some(&full("routes.upstream", relay, &known))))
        }
    };
    way.boxes = (0..BOXES.len())
        .map(|at| match at.cmp(&decided) {
            Ordering::Less => passed(at, config, relay, &known),
            Ordering::Equal => last.clone(),
            Ordering::Greater => step(at, State::Unreached, "not reached", None),
        })
        .collect();
    way
}

fn step(at: usize, state: State, text: &str, key: Option<&str>) -> Step {
    let name = BOXES.get(at).copied().unwrap_or_default();
    Step { name, state, text: shown::clean(text), key: key.map(str::to_owned) }
}

/// Which box a refusal is of.
const fn box_of(code: Code) -> usize {
    match code {
        Code::OriginNotAllowed | Code::MethodNotAllowed | Code::HeaderNotAllowed => 1,
        Code::CrossOriginBlocked => 2,
        Code::Unauthenticated | Code::KeysUnavailable | Code::IdentityUnavailable => 3,
        Code::UpstreamUnreachable | Code::UpstreamAccessDenied | Code::UpstreamTimeout => 4,
        Code::NotFound
        | Code::BadPath
        | Code::BadRequest
        | Code::MethodNotForwarded
        | Code::LoopDetected
        | Code::Misconfigured
        | Code::Internal => 0,
    }
}

/// A key, as the core names it, with its place in the lists of `RELAY`: `routes.path` becomes `routes[1].path`.
fn full(key: &str, relay: &Value, known: &Known) -> String {
    if key.starts_with("cors.") {
        return known.cors.key(key);
    }
    match (key.strip_prefix("routes."), known.route.as_deref().and_then(|route| place(relay, route))) {
        (Some(name), Some(place)) => format!("routes[{place}].{name}"),
        _ => key.to_owned(),
    }
}

/// Which of `routes` a route is: their paths differ.
fn place(relay: &Value, route: &Route) -> Option<usize> {
    let path_of = |route: &Value| Prefix::parse(route.get("path")?.as_str()?).ok();
    relay.get("routes")?.as_array()?.iter().position(|each| path_of(each).is_some_and(|path| path == route.prefix))
}

/// Why a request has passed a box.
fn passed(at: usize, config: &Config, relay: &Value, known: &Known) -> Step {
    let key = |name: &str| Some(full(name, relay, known));
    let (text, key) = match at {
        0 => {
            let route = known.route.as_deref();
            let path = route.map(|route| route.prefix.as_str()).unwrap_or_default();
            let to = route.map(|route| format!("{}{}", route.upstream.origin.as_str(), route.upstream.base_path));
            let path = if path.is_empty() { "/" } else { path };
            (format!("{path} leads to {}", to.unwrap_or_default()), key("routes.path"))
        }
        1 if known.preflight => ("the API answers it: its origin passes".to_owned(), key("cors.preflight")),
        1 => ("it is none".to_owned(), None),
        2 | 3 if known.preflight => ("not for a preflight".to_owned(), None),
        2 => grounds(known, &key),
        _ => caller(config, known),
    };
    step(at, State::Passed, &text, key.as_deref())
}

fn grounds(known: &Known, key: &dyn Fn(&str) -> Option<String>) -> (String, Option<String>) {
    let origin = || quoted(known.origin.as_deref().unwrap_or_default());
    match known.passed {
        Some(Grounds::Own) => ("a page of the relay's own origin asks".to_owned(), None),
        Some(Grounds::Callback) => ("callback_paths has the path".to_owned(), key("routes.callback_paths")),
        Some(Grounds::Allowed) => (format!("the policy allows {}", origin()), key("cors.allowed_origins")),
        Some(Grounds::Navigation) => ("foreign_requests lets it pass".to_owned(), key("routes.foreign_requests")),
        Some(Grounds::NotForeign) | None => ("nothing says that a page of another origin asks".to_owned(), None),
    }
}

fn caller(config: &Config, known: &Known) -> (String, Option<String>) {
    let by = match config.access {
        Access::Platform(..) => "access.platform",
        Access::Jwt(_) => "access.audience",
        Access::DangerouslyAllowAnyone => {
            return ("everybody may call".to_owned(), Some("access.dangerously_allow_anyone".to_owned()));
        }
    };
    let of = |texts: &[(&str, &Option<String>)]| {
        let said = texts.iter().filter_map(|(name, text)| Some(format!("{name} {}", quoted(text.as_deref()?))));
        said.collect::<Vec<_>>().join(", ")
    };
    let text = match known.caller.as_deref() {
        Some(Caller::User { sub, email, .. }) => format!("a person: {}", of(&[("sub", sub), ("email", email)])),
        Some(Caller::Service { common_name: None }) => "a program".to_owned(),
        Some(Caller::Service { common_name }) => format!("a program: {}", of(&[("common_name", common_name)])),
        Some(Caller::Somebody) | None => "somebody whom Access let in".to_owned(),
    };
    (text, Some(by.to_owned()))
}

/// Headers, as they may be shown; the relay says them all.
fn lines(headers: &Headers) -> Vec<Line> {
    let line = |name: &str| Line {
        name: name.to_owned(),
        value: shown::value(name, &headers.get(name).unwrap_or_default()),
        from: upstream::From::Relay,
    };
    headers.names().into_iter().map(line).collect()
}
