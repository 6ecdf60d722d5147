//! An issuer that is a key in this process.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::Deref;
use std::rc::Rc;

use access_relay_core::caller::jwk::Jwk;
use access_relay_core::caller::runtime::{Runtime, Source};
use jwt_compact::alg::{Rsa, RsaPublicKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

use crate::support::tasks::later;
use crate::support::tokens::NOW;

/// A key source in this process: it counts what is asked of it. Its copies share one state.
#[derive(Clone)]
pub struct LocalKeys(Rc<Issuer>);

/// What is shared.
pub struct Issuer {
    pub answer: RefCell<Result<String, String>>,
    /// Whether it keeps who fetches waiting.
    pub slow: Cell<bool>,
    /// What time it is, and how many seconds a fetch takes.
    pub clock: Cell<i64>,
    pub fetch_seconds: Cell<i64>,
    pub fetches: Cell<u32>,
    /// Where each fetch was to come from.
    pub sources: RefCell<Vec<Source>>,
    /// What a cache near by holds in place of `answer`.
    pub cached: RefCell<Option<String>>,
    pub verifications: Cell<u32>,
    pub pauses: Cell<u32>,
    /// How often it was asked who somebody is, and whether it keeps who asks waiting.
    pub identities: Cell<u32>,
    pub reticent: Cell<bool>,
}

/// What the runtime knows of whom it let in.
pub type Known = Result<Option<String>, String>;

impl Deref for LocalKeys {
    type Target = Issuer;

    fn deref(&self) -> &Issuer {
        &self.0
    }
}

impl LocalKeys {
    pub fn publishing(keys: &[&Value]) -> Self {
        Self::answering(Ok(json!({ "keys": keys }).to_string()))
    }

    pub fn answering(answer: Result<String, String>) -> Self {
        Self(Rc::new(Issuer {
            answer: RefCell::new(answer),
            slow: Cell::default(),
            clock: Cell::new(NOW),
            fetch_seconds: Cell::default(),
            fetches: Cell::default(),
            sources: RefCell::default(),
            cached: RefCell::default(),
            verifications: Cell::default(),
            pauses: Cell::default(),
            identities: Cell::default(),
            reticent: Cell::default(),
        }))
    }
}

impl Runtime for LocalKeys {
    type Key = RsaPublicKey;
    type Access = Known;

    fn now(&self) -> i64 {
        self.clock.get()
    }

    async fn fetch(&self, url: &str, source: Source) -> Result<String, String> {
        assert_eq!(url, "https://acme.cloudflareaccess.com/cdn-cgi/access/certs");
        self.fetches.set(self.fetches.get() + 1);
        self.sources.borrow_mut().push(source);
        while self.slow.get() {
            later().await;
        }
        self.clock.set(self.clock.get() + self.fetch_seconds.get());
        match self.cached.borrow().clone() {
            Some(text) if source == Source::Cache => Ok(text),
            _ => self.answer.borrow().clone(),
        }
    }

    async fn import(&self, jwk: &Jwk) -> Result<RsaPublicKey, String> {
        let text = json!({ "kty": "RSA", "n": jwk.n, "e": jwk.e }).to_string();
        let jwk: JsonWebKey = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        RsaPublicKey::try_from(&jwk).map_err(|error| error.to_string())
    }

    async fn verify(&self, key: &RsaPublicKey, signed: &[u8], signature: &[u8]) -> bool {
        self.verifications.set(self.verifications.get() + 1);
        rs256_holds(key, signed, signature)
    }

    async fn identity(&self, access: &Known) -> Known {
        self.identities.set(self.identities.get() + 1);
        while self.reticent.get() {
            later().await;
        }
        access.clone()
    }

    async fn complete(&self, work: impl Future<Output = ()> + 'static) {
        work.await;
    }

    async fn pause(&self, _milliseconds: u32) {
        self.pauses.set(self.pauses.get() + 1);
        later().await;
    }
}

/// The verifier of native tests, in pure Rust.
pub fn rs256_holds(key: &RsaPublicKey, signed: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = <Rsa as Algorithm>::Signature::try_from_slice(signature) else { return false };
    Rsa::rs256().verify_signature(&signature, key, signed)
}
