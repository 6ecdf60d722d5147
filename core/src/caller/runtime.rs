//! What the caller check needs of the world around it: the time, the issuer, signatures, identities. The Workers runtime has it
//! (`src/workers.rs`), and tests have their own.

use std::pin::Pin;

use crate::caller::jwk::Jwk;

/// Work that few requests need. It is boxed, for it is large; and behind `dyn`, so that it stays a function by itself, which V8
/// compiles when the first request calls it.
pub fn seldom<'w, T>(work: impl Future<Output = T> + 'w) -> Pin<Box<dyn Future<Output = T> + 'w>> {
    Box::pin(work)
}

/// Where a key set may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A cache near by, if it has one that is some minutes old at most; else the issuer.
    Cache,
    /// The issuer, past every cache.
    Issuer,
}

/// The time, the issuer's key set, RSA signatures, and who it is that Access let in.
#[expect(async_fn_in_trait, reason = "Wasm has one thread: nobody needs the futures to be Send")]
pub trait Runtime: 'static {
    /// A key ready to verify with.
    type Key: Clone;

    /// What tells who was let in with one request (Workers, `ctx.access`).
    type Access: Clone + 'static;

    /// The time in seconds since the epoch. It may stand still between I/O.
    fn now(&self) -> i64;

    /// The text of the key set at `url`, from there or from a cache. The runtime gives up after 5 seconds: nothing here does. An
    /// answer that is no key set must not stay in the cache.
    ///
    /// # Errors
    /// The URL, and why it gave no text. This goes into the log.
    async fn fetch(&self, url: &str, source: Source) -> Result<String, String>;

    /// Makes a key of a JWK.
    ///
    /// # Errors
    /// Why it is none. The key is then passed over, and nobody reads the reason.
    async fn import(&self, jwk: &Jwk) -> Result<Self::Key, String>;

    /// Whether `signature` is RSASSA-PKCS1-v1_5 with SHA-256 over `signed` (RFC 7518 §3.3).
    async fn verify(&self, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool;

    /// Who was let in: an identity as JSON, or nothing where it is no person's. The runtime gives up after 2 seconds: nothing here
    /// does.
    ///
    /// # Errors
    /// Why nobody said it. This goes into the log.
    async fn identity(&self, access: &Self::Access) -> Result<Option<String>, String>;

    /// Does work that others need as well: to its end, even where the request that began it is given up meanwhile.
    async fn complete(&self, work: impl Future<Output = ()> + 'static);

    /// Lets time pass.
    async fn pause(&self, milliseconds: u32);
}
