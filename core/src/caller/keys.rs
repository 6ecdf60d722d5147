//! The issuer's signing keys: what counts as one, how long they are believed, when they are fetched again. The
//! fetching itself is the [`Runtime`]'s.
//!
//! Source: RFC 7517; Access rotates its keys every six weeks and accepts the previous one for seven days.

use serde_json::Value;

use crate::caller::jwk::{Jwk, unambiguous};
use crate::caller::runtime::{Runtime, Source};
use crate::syntax::json;

/// Keys are taken as they are for this long.
const FRESH_SECONDS: i64 = 3600;

/// An unknown `kid` causes one fetch in this time at most, whatever arrives; so do stale keys while the endpoint fails.
const REFETCH_SECONDS: i64 = 30;

/// While the endpoint fails, keys serve beyond their freshness for this long.
const STALE_SECONDS: i64 = 24 * 3600;

/// With no key that may serve, a failed fetch is repeated after this time.
const RETRY_SECONDS: i64 = 2;

/// A fetch that is older than this was given up together with its request. Longer than a fetch may take (5 s, `TIMEOUT_MS` of
/// `src/workers.rs`), and than other requests wait for it (6 s, `PAUSES` of `gate.rs`).
const GIVEN_UP_SECONDS: i64 = 7;

/// Fetches the key set. Each key stands for itself: one that is odd is passed over, and does not take down the rest.
///
/// # Errors
/// The endpoint failed, or no key of the set is fit.
pub async fn fetch<R: Runtime>(runtime: &R, url: &str, source: Source) -> Result<Vec<(String, R::Key)>, String> {
    let text = runtime.fetch(url, source).await?;
    // The Worker has one JSON reader. Repeated keys in a key set are not our concern.
    let (set, _) = json::read(text.as_bytes()).map_err(|_| format!("{url} answered no JSON"))?;
    let members =
        set.get("keys").and_then(Value::as_array).ok_or_else(|| format!("{url} answered no JSON Web Key Set"))?;
    let mut keys: Vec<(String, R::Key)> = Vec::new();
    for jwk in unambiguous(members.iter().filter_map(|member| Jwk::parse(member).ok()).collect()) {
        if let Ok(key) = runtime.import(&jwk).await {
            keys.push((jwk.kid, key));
        }
    }
    if keys.is_empty() { Err(format!("{url} answered no key that can verify RS256")) } else { Ok(keys) }
}

/// The keys of one isolate, and what is known of the fetches that bring them.
#[derive(Debug)]
pub struct KeyCache<K> {
    keys: Vec<(String, K)>,
    /// When they came.
    fetched_at: i64,
    /// The latest fetch.
    latest: Option<Fetch>,
    /// When an unknown `kid` last caused a fetch of fresh keys.
    unknown_at: Option<i64>,
    /// Whether a failure has not been told yet.
    untold: bool,
}

/// What became of a fetch of the key set.
#[derive(Debug)]
enum Fetch {
    UnderWay { since: i64 },
    Good,
    Failed { at: i64, reason: String },
}

impl<K> Default for KeyCache<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), fetched_at: 0, latest: None, unknown_at: None, untold: false }
    }
}

/// What to do about a `kid`.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<K> {
    /// Verify with this key.
    Use(K),
    /// Fetch the key set, and ask again.
    Fetch,
    /// Ask again shortly: another request is fetching the key set, and nobody may await its promise.
    Wait,
    /// The keys are current and none has this `kid`.
    Unknown,
    /// It cannot be told: the last fetch has failed, and one more would only load the endpoint.
    Unavailable,
}

impl<K: Clone> KeyCache<K> {
    /// What to do about `kid`, or whatever key there is, at `now` (seconds since the epoch).
    #[must_use]
    pub fn lookup(&self, kid: Option<&str>, now: i64) -> Lookup<K> {
        let age = now - self.fetched_at;
        let key = self.find(kid).filter(|_| age < STALE_SECONDS);
        if age < FRESH_SECONDS
            && let Some(key) = key
        {
            return Lookup::Use(key);
        }
        let or_else = |lookup| key.clone().map_or(lookup, Lookup::Use);
        let none_serves = self.keys.is_empty() || age >= STALE_SECONDS;
        let wait_after_failure = if none_serves { RETRY_SECONDS } else { REFETCH_SECONDS };
        match &self.latest {
            Some(Fetch::UnderWay { since }) if now - since < GIVEN_UP_SECONDS => or_else(Lookup::Wait),
            Some(Fetch::Failed { at, .. }) if now - at < wait_after_failure => or_else(Lookup::Unavailable),
            _ if self.is_fresh(now) && self.unknown_at.is_some_and(|at| now - at < REFETCH_SECONDS) => Lookup::Unknown,
            _ => Lookup::Fetch,
        }
    }

    /// Notes that a fetch begins, and says where the keys may come from. A cache may lack a new key; and it may hold what was no key
    /// set. So an unknown `kid`, and what failed before, are for the issuer.
    pub fn begin_fetch(&mut self, now: i64) -> Source {
        let is_unknown = self.is_fresh(now);
        if is_unknown {
            self.unknown_at = Some(now);
        }
        let has_failed = self.failure().is_some();
        self.latest = Some(Fetch::UnderWay { since: now });
        if is_unknown || has_failed { Source::Issuer } else { Source::Cache }
    }

    /// Notes how a fetch has ended at `now`: with keys in place of the old ones, or with a reason.
    pub fn end_fetch(&mut self, fetched: Result<Vec<(String, K)>, String>, now: i64) {
        self.latest = Some(match fetched {
            Ok(keys) => {
                self.keys = keys;
                self.fetched_at = now;
                Fetch::Good
            }
            Err(reason) => Fetch::Failed { at: now, reason },
        });
        self.untold = self.failure().is_some();
    }

    /// Why the latest fetch has failed, if it has.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match &self.latest {
            Some(Fetch::Failed { reason, .. }) => Some(reason),
            _ => None,
        }
    }

    /// The same, once for each failure: whoever is told writes it to the log.
    pub fn tell_failure(&mut self) -> Option<String> {
        std::mem::take(&mut self.untold).then(|| self.failure().map(str::to_owned)).flatten()
    }

    fn is_fresh(&self, now: i64) -> bool {
        !self.keys.is_empty() && now - self.fetched_at < FRESH_SECONDS
    }

    fn find(&self, kid: Option<&str>) -> Option<K> {
        self.keys.iter().find(|(known, _)| kid.is_none_or(|kid| known == kid)).map(|(_, key)| key.clone())
    }
}
