//! The health of it all, for monitors: one line for each check. `src/health.rs` asks the issuer and the APIs.
//!
//! It names checks, routes and codes, nothing else: no host, no secret, no reason. Anybody may ask, so a report is kept
//! for a while, and only one is made at a time.

use std::rc::Rc;

use crate::flow::denial::check_denial;
use crate::messages::edits::{Edit, Edits};
use crate::messages::head::ResponseHead;
use crate::messages::name::Name;
use crate::messages::present::Read;
use crate::outcomes::answer::Answer;
use crate::outcomes::problem::{Code, Refusal};
use crate::rules::route::{Credentials, Route};

/// How long a report is kept.
const KEPT_SECONDS: i64 = 10;

/// A report that is under way for longer was given up together with its request. Longer than the keys take (5 s) and after them
/// the APIs (5 s), and than other requests wait for it (11.5 s): `PATIENCE_MS` and `PAUSES_MS` of `src/health.rs`.
const GIVEN_UP_SECONDS: i64 = 15;

/// One thing that has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `configuration`, `signing_keys`, or `route` with its path.
    pub name: String,
    /// Why it does not hold, if it does not.
    pub failure: Option<Refusal>,
}

impl Check {
    /// What came of a check.
    pub fn new(name: impl Into<String>, outcome: Result<(), Refusal>) -> Self {
        Self { name: name.into(), failure: outcome.err() }
    }

    /// What the log should say of it, if it does not hold.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.failure.as_ref().map(|refusal| format!("{}: {}: {}", self.name, refusal.code.as_str(), refusal.reason))
    }
}

/// Whether a request asks for the report: a GET or HEAD of `health_path`.
#[must_use]
pub fn is_asked_for(health_path: Option<&str>, method: &str, path: &str) -> bool {
    matches!(method, "GET" | "HEAD") && health_path == Some(path)
}

/// The answer to a monitor: 200 where all checks hold, else 503.
#[must_use]
pub fn answer(checks: &[Check]) -> Answer {
    let holds = checks.iter().all(|check| check.failure.is_none());
    let status = |holds| if holds { "ok" } else { "failing" };
    let mut body = format!("{{\"status\":\"{}\",\"checks\":[", status(holds));
    for (index, Check { name, failure }) in checks.iter().enumerate() {
        body.push_str(if index == 0 { "\n" } else { ",\n" });
        let name = serde_json::to_string(name).unwrap_or_default();
        body.extend(["{\"check\":", &name, ",\"status\":\"", status(failure.is_none()), "\""]);
        if let Some(failure) = failure {
            body.extend([",\"code\":\"", failure.code.as_str(), "\""]);
        }
        body.push('}');
    }
    body.push_str("\n]}\n");
    let headers = Edits::from_iter([
        Edit::Set(Name::ContentType, "application/json"),
        Edit::Set(Name::CacheControl, "no-store"),
        // Everybody may ask, but for pages of other sites.
        Edit::Set(Name::CrossOriginResourcePolicy, "same-origin"),
    ]);
    Answer { headers, body: Some(body), ..Answer::empty(if holds { 200 } else { 503 }) }
}

/// What an API's answer to the relay's own question says: that it can be reached, and that our token opens Access in
/// front of it. Its status is its own business, but for 520 to 530, by which Cloudflare says that it got none.
///
/// # Errors
/// `upstream_access_denied`, unless the route sends the callers' own tokens: a monitor has none; `upstream_unreachable`.
pub fn judge<H: Read>(route: &Route, response: &ResponseHead<'_, H>) -> Result<(), Refusal> {
    if matches!(response.status, 520..=530) {
        let reason = format!("Cloudflare answered {} in place of the API", response.status);
        return Err(Refusal::new(Code::UpstreamUnreachable, reason));
    }
    match route.credentials {
        Credentials::ServiceToken(_) => check_denial(route, response),
        Credentials::CallerToken | Credentials::Nothing => Ok(()),
    }
}

/// Where the latest report is kept.
#[derive(Debug, Default)]
pub struct Board {
    latest: Option<(i64, Rc<[Check]>)>,
    under_way_since: Option<i64>,
}

/// What to do for who asks.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// This report serves.
    Report(Rc<[Check]>),
    /// Make one.
    Make,
    /// Ask again shortly: another request makes one.
    Wait,
}

impl Board {
    /// What to do at `now` (seconds since the epoch). While a report is made, the one before serves.
    #[must_use]
    pub fn look(&self, now: i64) -> Look {
        let under_way = self.under_way_since.is_some_and(|since| now - since < GIVEN_UP_SECONDS);
        match &self.latest {
            Some((at, report)) if under_way || now - at < KEPT_SECONDS => Look::Report(Rc::clone(report)),
            _ if under_way => Look::Wait,
            _ => Look::Make,
        }
    }

    /// Notes that a report is being made.
    pub fn begin(&mut self, now: i64) {
        self.under_way_since = Some(now);
    }

    /// Puts it up.
    pub fn put(&mut self, report: Rc<[Check]>, now: i64) {
        *self = Self { latest: Some((now, report)), under_way_since: None };
    }
}
