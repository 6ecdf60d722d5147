//! The issuer's signing keys: what counts as one, how long they are believed, when they are fetched again. Pure; the
//! fetching itself is a [`KeySource`]'s.
//!
//! Source: RFC 7517; Access rotates its keys every six weeks and accepts the previous one for seven days.

use serde_json::Value;

/// Keys are taken as they are for this long.
const FRESH_SECONDS: i64 = 3600;

/// An unknown `kid`, or stale keys, cause one fetch in this time at most, whatever arrives.
const REFETCH_SECONDS: i64 = 30;

/// While the endpoint fails, keys serve beyond their freshness for this long.
const STALE_SECONDS: i64 = 24 * 3600;

/// With no key at all, a failed fetch is repeated after this time.
const RETRY_SECONDS: i64 = 2;

/// Where keys come from and who checks signatures: the Workers runtime, or a test.
#[expect(async_fn_in_trait, reason = "Wasm has one thread: nobody needs the futures to be Send")]
pub trait KeySource {
    /// A key ready to verify with.
    type Key: Clone;

    /// The text of the key set at `url`.
    async fn fetch(&self, url: &str) -> Result<String, String>;

    /// Makes a key of a JWK.
    async fn import(&self, jwk: &Jwk) -> Result<Self::Key, String>;

    /// Whether `signature` is RSASSA-PKCS1-v1_5 with SHA-256 over `signed` (RFC 7518 §3.3).
    async fn verify(&self, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool;
}

/// An RSA key that may verify RS256 signatures (RFC 7517 §4, RFC 7518 §6.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    /// Key id.
    pub kid: String,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
}

impl Jwk {
    /// Takes a member of a key set for a key.
    ///
    /// # Errors
    /// Why it is none that may verify RS256 signatures.
    pub fn parse(member: &Value) -> Result<Self, &'static str> {
        let text = |name: &str| member.get(name).and_then(Value::as_str);
        let allows = |name: &str, wanted: &str| member.get(name).is_none_or(|found| found.as_str() == Some(wanted));
        if text("kty") != Some("RSA") {
            return Err("kty is not RSA");
        }
        if !allows("alg", "RS256") {
            return Err("alg is not RS256");
        }
        if !allows("use", "sig") {
            return Err("use is not sig");
        }
        if let Some(operations) = member.get("key_ops") {
            let verifies = operations
                .as_array()
                .is_some_and(|list| list.iter().any(|operation| operation.as_str() == Some("verify")));
            if !verifies {
                return Err("key_ops lacks verify");
            }
        }
        let (Some(kid), Some(n), Some(e)) = (text("kid"), text("n"), text("e")) else {
            return Err("kid, n or e is missing");
        };
        // 2048 to 4096 bits, by the length of unpadded base64url (RFC 7518 §3.3: at least 2048).
        if !(342..=683).contains(&n.len()) {
            return Err("the modulus is not 2048 to 4096 bits long");
        }
        if ![n, e].iter().all(|number| number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')) {
            return Err("n or e is not base64url");
        }
        Ok(Self { kid: kid.to_owned(), n: n.to_owned(), e: e.to_owned() })
    }
}

/// Fetches the key set. Each key stands for itself: one that is odd is passed over, and does not take down the rest.
///
/// # Errors
/// The endpoint failed, or no key of the set is fit.
pub async fn fetch<S: KeySource>(source: &S, url: &str) -> Result<Vec<(String, S::Key)>, String> {
    let text = source.fetch(url).await?;
    let set: Value = serde_json::from_str(&text).map_err(|_| format!("{url} answered no JSON"))?;
    let members =
        set.get("keys").and_then(Value::as_array).ok_or_else(|| format!("{url} answered no JSON Web Key Set"))?;
    let mut keys: Vec<(String, S::Key)> = Vec::new();
    for jwk in members.iter().filter_map(|member| Jwk::parse(member).ok()) {
        if keys.iter().any(|(known, _)| *known == jwk.kid) {
            continue;
        }
        if let Ok(key) = source.import(&jwk).await {
            keys.push((jwk.kid, key));
        }
    }
    if keys.is_empty() { Err(format!("{url} answered no key that can verify RS256")) } else { Ok(keys) }
}

/// The keys of one isolate, and when they were had.
#[derive(Debug)]
pub struct KeyCache<K> {
    keys: Vec<(String, K)>,
    fetched_at: i64,
    /// When a fetch was last begun.
    attempted_at: Option<i64>,
    /// When a fetch last failed, unless one has succeeded since.
    failed_at: Option<i64>,
}

impl<K> Default for KeyCache<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), fetched_at: 0, attempted_at: None, failed_at: None }
    }
}

/// What to do about a `kid`.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<K> {
    /// Verify with this key.
    Use(K),
    /// Fetch the key set first; where that fails, a fallback may still serve.
    Fetch {
        /// The stale key of that `kid`.
        fallback: Option<K>,
    },
    /// The keys are current and none has this `kid`.
    Unknown,
    /// It cannot be told: a fetch is under way or has just failed, and one more would only load the endpoint.
    Unavailable,
}

impl<K: Clone> KeyCache<K> {
    /// What to do about `kid` at `now` (seconds since the epoch).
    #[must_use]
    pub fn lookup(&self, kid: &str, now: i64) -> Lookup<K> {
        if self.keys.is_empty() {
            // Every request of a cold start fetches for itself: no request may await another's promise.
            let just_failed = self.failed_at.is_some_and(|at| now - at < RETRY_SECONDS);
            return if just_failed { Lookup::Unavailable } else { Lookup::Fetch { fallback: None } };
        }
        let age = now - self.fetched_at;
        let may_fetch = self.attempted_at.is_none_or(|at| now - at >= REFETCH_SECONDS);
        let key = self.find(kid).filter(|_| age < STALE_SECONDS);
        match key {
            Some(key) if age < FRESH_SECONDS || !may_fetch => Lookup::Use(key),
            fallback if may_fetch => Lookup::Fetch { fallback },
            // Whether the issuer has such a key by now is known only if the last fetch came to a good end.
            _ if age < STALE_SECONDS && self.attempted_at.is_none_or(|at| at <= self.fetched_at) => Lookup::Unknown,
            _ => Lookup::Unavailable,
        }
    }

    /// The key with this `kid`, however old.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<K> {
        self.keys.iter().find(|(known, _)| known == kid).map(|(_, key)| key.clone())
    }

    /// Notes that a fetch begins.
    pub fn begin_fetch(&mut self, now: i64) {
        self.attempted_at = Some(now);
    }

    /// Notes that a fetch failed.
    pub fn fail_fetch(&mut self, now: i64) {
        self.failed_at = Some(now);
    }

    /// Takes a fetched set in place of the old one.
    pub fn replace(&mut self, keys: Vec<(String, K)>, now: i64) {
        *self = Self { keys, fetched_at: now, attempted_at: self.attempted_at, failed_at: None };
    }
}
