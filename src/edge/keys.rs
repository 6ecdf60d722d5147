//! Signing keys and signatures, by the runtime: an RSA verification costs a twentieth of what it costs in Wasm.

use worker::js_sys::{Array, JSON, Promise};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;

use super::border;
use crate::keys::{Jwk, KeySource};

/// How long the issuer may take, in milliseconds.
const TIMEOUT_MS: u32 = 5_000;

/// A key set of Access has a few kilobytes.
const LIMIT_BYTES: u32 = 256 * 1024;

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
        let text = JsFuture::from(border::fetch_text(url, TIMEOUT_MS, LIMIT_BYTES)).await;
        text.map(|text| text.as_string().unwrap_or_default())
            .map_err(|error| format!("{url}: {}", border::message(&error)))
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
