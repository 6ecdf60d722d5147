//! The time, signing keys, signatures and identities, by the Workers runtime: there, an RSA verification costs a twentieth of what
//! it costs in Wasm.

use access_relay_core::caller::jwk::Jwk;
use access_relay_core::caller::platform::Word;
use access_relay_core::caller::runtime::{Runtime, Source};
use wasm_bindgen::JsValue;
use worker::js_sys::Promise;
use worker::wasm_bindgen_futures::JsFuture;

use crate::border;

/// How long the issuer may take, in milliseconds. Other requests wait longer for the keys (6 s, `PAUSES` of the core's
/// `gate.rs`), and count the fetch as given up after that (7 s, `GIVEN_UP_SECONDS` of its `caller/keys.rs`).
const TIMEOUT_MS: u32 = 5_000;

/// How old a key set out of Cloudflare's cache may be, in seconds: isolates are young, and the first request of each waits for the
/// keys.
const CACHED_SECONDS: u32 = 300;

/// A key set of Access has a few kilobytes.
const LIMIT_BYTES: u32 = 256 * 1024;

/// How long the runtime may take to say who somebody is, in milliseconds. Other requests wait longer (6 s, `PAUSES` of the core's
/// `gate.rs`), and count the call as given up after 4 s (`GIVEN_UP_SECONDS` of its `caller/people.rs`).
const IDENTITY_MS: u32 = 2_000;

/// The clock, WebCrypto, `fetch` and `ctx.access`.
pub struct Workers;

/// The runtime's word on a caller, where it has one.
pub fn word(access: JsValue) -> Option<Word<JsValue>> {
    (!access.is_undefined() && !access.is_null()).then(|| Word { aud: border::aud_of(&access), access })
}

impl Runtime for Workers {
    type Key = JsValue;
    type Access = JsValue;

    fn now(&self) -> i64 {
        border::now()
    }

    async fn fetch(&self, url: &str, source: Source) -> Result<String, String> {
        let cached = if source == Source::Cache { CACHED_SECONDS } else { 0 };
        let text = settled(Ok(border::fetch_text(url, TIMEOUT_MS, LIMIT_BYTES, cached))).await;
        text.map(|text| text.as_string().unwrap_or_default()).map_err(|reason| format!("{url}: {reason}"))
    }

    async fn import(&self, jwk: &Jwk) -> Result<Self::Key, String> {
        settled(border::import_key(&jwk.n, &jwk.e)).await
    }

    async fn verify(&self, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool {
        // Anything but `true`, errors included, is no.
        settled(border::verify(key, signature, signed)).await.is_ok_and(|verified| verified == JsValue::TRUE)
    }

    async fn identity(&self, access: &Self::Access) -> Result<Option<String>, String> {
        let promise = border::identity(access, IDENTITY_MS);
        // It must end, even where the caller goes away: else what waits for it stays in memory for good.
        drop(border::keep_alive(&promise));
        settled(Ok(promise)).await.map(|identity| identity.as_string())
    }

    async fn complete(&self, work: impl Future<Output = ()> + 'static) {
        let work = border::promise(Box::pin(async {
            work.await;
            Ok(JsValue::UNDEFINED)
        }));
        // Where the runtime has no such thing, the work lasts as long as the request.
        drop(border::keep_alive(&work));
        // It resolves in any case.
        drop(JsFuture::from(work).await);
    }

    async fn pause(&self, milliseconds: u32) {
        let promise = border::pause(milliseconds);
        // A timer of a caller who has gone would never resolve, and keep all that waits for it in memory for good.
        drop(border::keep_alive(&promise));
        drop(JsFuture::from(promise).await);
    }
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, String> {
    let outcome = match promise {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    outcome.map_err(|error| border::message(&error))
}
