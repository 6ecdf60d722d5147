//! Signing keys and signatures, by the runtime: an RSA verification costs a twentieth of what it costs in Wasm.

use worker::js_sys::{Array, JSON, Promise};
use worker::wasm_bindgen::{self, JsCast, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{RequestInit, RequestRedirect, Response};

use super::border::{self, Deadline};
use crate::keys::{Jwk, KeySource};

/// How long the issuer may take, in milliseconds.
const TIMEOUT_MS: u32 = 5_000;

/// A key set of Access has a few kilobytes.
const LIMIT_BYTES: usize = 256 * 1024;

/// WebCrypto and `fetch`.
pub(super) struct WebCrypto;

#[wasm_bindgen]
extern "C" {
    type SubtleCrypto;

    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: SubtleCrypto;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &SubtleCrypto,
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn verify(
        this: &SubtleCrypto,
        algorithm: &str,
        key: &JsValue,
        signature: &[u8],
        data: &[u8],
    ) -> Result<Promise, JsValue>;
}

impl KeySource for WebCrypto {
    type Key = JsValue;

    async fn fetch(&self, url: &str) -> Result<String, String> {
        let deadline = Deadline::start(TIMEOUT_MS).map_err(|error| border::message(&error))?;
        let text = fetch_text(url, &deadline).await;
        deadline.stop();
        text.map_err(|reason| {
            if deadline.has_passed() {
                format!("{url} took more than {TIMEOUT_MS} ms")
            } else {
                format!("{url}: {reason}")
            }
        })
    }

    async fn import(&self, jwk: &Jwk) -> Result<Self::Key, String> {
        // Both numbers are base64url: nothing in them needs escaping.
        let key = format!(r#"{{"kty":"RSA","alg":"RS256","n":"{}","e":"{}"}}"#, jwk.n, jwk.e);
        let imported = async {
            let algorithm = JSON::parse(r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#)?;
            let usages = Array::of1(&JsValue::from_str("verify"));
            let promise =
                SUBTLE.with(|subtle| subtle.import_key("jwk", &JSON::parse(&key)?, &algorithm, false, &usages))?;
            JsFuture::from(promise).await
        };
        imported.await.map_err(|error: JsValue| border::message(&error))
    }

    async fn verify(&self, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool {
        let Ok(promise) = SUBTLE.with(|subtle| subtle.verify("RSASSA-PKCS1-v1_5", key, signature, signed)) else {
            return false;
        };
        // Anything but `true`, errors included, is no.
        JsFuture::from(promise).await.is_ok_and(|verified| verified == JsValue::TRUE)
    }
}

async fn fetch_text(url: &str, deadline: &Deadline) -> Result<String, String> {
    let init = RequestInit::new();
    // Followed, a redirect would let whoever can redirect the issuer choose our keys.
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&deadline.signal()));
    let fetched = async { JsFuture::from(border::fetch(url, &init)?).await?.dyn_into::<Response>() };
    let response = fetched.await.map_err(|error| border::message(&error))?;
    if response.status() != 200 {
        return Err(format!("answered {}", response.status()));
    }
    let announced =
        response.headers().get("content-length").ok().flatten().and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LIMIT_BYTES) {
        return Err(format!("answered more than {LIMIT_BYTES} bytes"));
    }
    let text = async { JsFuture::from(response.text()?).await };
    let text = text.await.map_err(|error| border::message(&error))?.as_string().unwrap_or_default();
    if text.len() > LIMIT_BYTES { Err(format!("answered more than {LIMIT_BYTES} bytes")) } else { Ok(text) }
}
