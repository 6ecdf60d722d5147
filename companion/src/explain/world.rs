//! The world around the caller check, where nothing is fetched: the time is given, and so are the keys, if they are known.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use access_relay_core::caller::jwk::Jwk;
use access_relay_core::caller::runtime::{Runtime, Source};
use access_relay_core::caller::token::Candidate;
use serde_json::json;

/// Whether an RSA signature by a key holds over what was signed (RFC 7518 §3.3).
pub type Verify<'v> = &'v dyn Fn(&Jwk, &[u8], &[u8]) -> bool;

/// What is known.
pub struct World {
    now: i64,
    /// The key set.
    keys: String,
    /// Whose signature holds, by what was signed; `None` where no key is known, so that any may.
    holds: Option<Vec<Vec<u8>>>,
}

impl World {
    /// One in which each of these tokens has a key. Without the issuer's `keys`, it is a key that is made up, and every signature holds.
    #[must_use]
    pub fn of(now: i64, tokens: &[String], keys: Option<&str>, verify: Verify) -> Self {
        let candidates: Vec<Candidate> = tokens.iter().filter_map(|token| Candidate::parse(token).ok()).collect();
        let Some(keys) = keys else {
            // 2048 bits, for a shorter one is no key.
            let modulus = "A".repeat(342);
            let key = |kid: &str| json!({ "kty": "RSA", "kid": kid, "n": modulus, "e": "AQAB" });
            let set: Vec<_> = candidates.iter().map(|candidate| key(&candidate.kid)).chain([key("made-up")]).collect();
            return Self { now, keys: json!({ "keys": set }).to_string(), holds: None };
        };
        let known = keys_of(keys);
        let is_good = |candidate: &&Candidate| {
            let key = known.iter().find(|key| key.kid == candidate.kid);
            key.is_some_and(|key| verify(key, candidate.signed, candidate.signature()))
        };
        let holds = candidates.iter().filter(is_good).map(|candidate| candidate.signed.to_vec()).collect();
        Self { now, keys: keys.to_owned(), holds: Some(holds) }
    }
}

/// The keys of a set that may verify.
#[must_use]
pub fn keys_of(set: &str) -> Vec<Jwk> {
    let set: serde_json::Value = serde_json::from_str(set).unwrap_or_default();
    let members = set.get("keys").and_then(serde_json::Value::as_array);
    members.into_iter().flatten().filter_map(|member| Jwk::parse(member).ok()).collect()
}

impl Runtime for World {
    type Key = ();
    type Access = Option<String>;

    fn now(&self) -> i64 {
        self.now
    }

    async fn fetch(&self, _: &str, _: Source) -> Result<String, String> {
        Ok(self.keys.clone())
    }

    async fn import(&self, _: &Jwk) -> Result<(), String> {
        Ok(())
    }

    async fn verify(&self, (): &(), signed: &[u8], _: &[u8]) -> bool {
        self.holds.as_ref().is_none_or(|holds| holds.iter().any(|known| known == signed))
    }

    async fn identity(&self, access: &Option<String>) -> Result<Option<String>, String> {
        Ok(access.clone())
    }

    async fn complete(&self, work: impl Future<Output = ()> + 'static) {
        work.await;
    }

    async fn pause(&self, _: u32) {}
}

/// What comes of work that waits for nothing; nothing where it waits after all.
pub fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
