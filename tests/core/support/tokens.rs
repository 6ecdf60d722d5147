//! Signing keys, the claims that Access gives to a person and to a program, and tokens of them.

use std::sync::OnceLock;

use access_relay_core::caller::token::JwtPolicy;
use jwt_compact::alg::{ModulusBits, Rsa, RsaPrivateKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims, Header};
use serde_json::{Value, json};

use crate::support::config::{AUD, ISSUER};

pub const NOW: i64 = 1_800_000_000;

/// What tokens must say, by the configuration of these tests.
pub fn policy() -> JwtPolicy {
    JwtPolicy {
        issuer: ISSUER.to_owned(),
        certs_url: format!("{ISSUER}/cdn-cgi/access/certs"),
        audience: vec!["first".to_owned(), AUD.to_owned()],
        max_token_age_seconds: None,
        identity_headers: true,
    }
}

/// Claims of a person's token, as Access makes them.
pub fn person() -> Value {
    json!({
        "aud": [AUD], "email": "ada@example.com", "exp": NOW + 3600, "iat": NOW - 60, "nbf": NOW - 60, "iss": ISSUER,
        "type": "app", "identity_nonce": "n", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "GB",
    })
}

/// Claims of a service token's JWT: no `nbf`, no `email`, an empty `sub`, a plain `aud`.
pub fn program() -> Value {
    json!({ "aud": AUD, "exp": NOW + 3600, "iat": NOW - 60, "iss": ISSUER, "type": "app", "common_name": "88bf.access", "sub": "" })
}

/// A good token of a person.
pub fn token() -> String {
    issuer_key().sign(&person())
}

/// The issuer's key, made once for all tests.
pub fn issuer_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::make("kid-1"))
}

/// A key that is not the issuer's, or its next one.
pub fn other_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::make("kid-2"))
}

/// A signing key with its `kid`.
pub struct SigningKey {
    pub kid: &'static str,
    private: RsaPrivateKey,
    pub jwk: Value,
}

impl SigningKey {
    pub fn make(kid: &'static str) -> Self {
        let (private, public) = Rsa::generate(&mut rsa::rand_core::OsRng, ModulusBits::TwoKibibytes).unwrap();
        let mut jwk = serde_json::to_value(JsonWebKey::from(public.as_ref())).unwrap();
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!("RS256");
        jwk["use"] = json!("sig");
        Self { kid, private: private.into_inner(), jwk }
    }

    /// A token with these claims, signed as `RS256` under `kid`.
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header::empty().with_key_id(self.kid).with_token_type("JWT");
        Rsa::rs256().token(&header, &Claims::new(claims.clone()), &self.private).unwrap()
    }

    /// A signature of another algorithm of RSA.
    pub fn sign_with(&self, algorithm: &Rsa, signed: &[u8]) -> Vec<u8> {
        AlgorithmSignature::as_bytes(&algorithm.sign(&self.private, signed)).into_owned()
    }

    /// Signs whatever stands before the last dot.
    pub fn sign_raw(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let signature = Rsa::rs256().sign(&self.private, signed.as_bytes());
        let bytes = AlgorithmSignature::as_bytes(&signature).into_owned();
        format!("{signed}.{}", base64url(&bytes))
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}
