//! RSA keys: making them, publishing them, signing and checking JSON Web Tokens (RS256) with them.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Map, Value, json};

/// Size of the keys, that of the real ones.
const BITS: usize = 2048;

/// The signing key, and the one before it, which stays valid until it is dropped.
#[derive(Debug)]
pub(crate) struct KeyRing {
    current: Key,
    previous: Option<Key>,
}

/// One RSA key and what is published of it.
#[derive(Debug)]
pub(crate) struct Key {
    kid: String,
    signing: SigningKey<Sha256>,
    verifying: VerifyingKey<Sha256>,
    jwk: Value,
    public_pem: String,
}

impl KeyRing {
    pub(crate) fn new(current: Key) -> KeyRing {
        KeyRing { current, previous: None }
    }

    /// The new key signs from now on; the one that did is kept, and the one before that is forgotten.
    pub(crate) fn rotate(&mut self, new: Key) {
        self.previous = Some(std::mem::replace(&mut self.current, new));
    }

    pub(crate) fn drop_previous(&mut self) {
        self.previous = None;
    }

    pub(crate) fn current(&self) -> &Key {
        &self.current
    }

    pub(crate) fn previous(&self) -> Option<&Key> {
        self.previous.as_ref()
    }

    /// The document at `/cdn-cgi/access/certs`. As with the real one, `public_cert` may be stale: right after
    /// a rotation it still is the old key, so only `kid` tells which key to use. The real `cert` members are
    /// X.509 certificates; here they are PEM public keys.
    pub(crate) fn certs(&self) -> Value {
        let keys: Vec<&Key> = self.previous.iter().chain([&self.current]).collect();
        let certs: Vec<Value> = keys.iter().map(|key| json!({ "kid": key.kid, "cert": key.public_pem })).collect();
        json!({
            "keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>(),
            "public_cert": certs.first(),
            "public_certs": certs,
        })
    }

    /// The claims of a token that one of the published keys signed. Nothing but the signature is checked.
    pub(crate) fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let kid = header.get("kid")?.as_str()?;
        if header.get("alg")?.as_str()? != "RS256" {
            return None;
        }
        let key = self.previous.iter().chain([&self.current]).find(|key| key.kid == kid)?;
        let signature = Signature::try_from(URL_SAFE_NO_PAD.decode(signature).ok()?.as_slice()).ok()?;
        key.verifying.verify(message.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

impl Key {
    /// Makes a key. This takes a moment of processor time: call it where blocking is allowed.
    pub(crate) fn generate() -> io::Result<Key> {
        let private = RsaPrivateKey::new(&mut OsRng, BITS).map_err(io::Error::other)?;
        let public = RsaPublicKey::from(&private);
        let public_pem = public.to_public_key_pem(LineEnding::LF).map_err(io::Error::other)?;
        let kid = random_hex(32);
        let jwk = json!({
            "kid": kid,
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "e": URL_SAFE_NO_PAD.encode(public.e().to_bytes_be()),
            "n": URL_SAFE_NO_PAD.encode(public.n().to_bytes_be()),
        });
        let (signing, verifying) = (SigningKey::new(private), VerifyingKey::new(public));
        Ok(Key { kid, signing, verifying, jwk, public_pem })
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// A token of these claims, signed by this key, whatever key the header is to name.
    pub(crate) fn sign(&self, kid: &str, claims: &Map<String, Value>) -> String {
        let message = message(kid, claims);
        let signature = self.signing.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// A token whose signature is of the right length and wrong.
pub(crate) fn forge(kid: &str, claims: &Map<String, Value>) -> String {
    // The first byte is zero, so that the number is smaller than every modulus and only the check itself fails.
    let mut signature = [0; BITS / 8];
    if let Some((_, rest)) = signature.split_first_mut() {
        OsRng.fill_bytes(rest);
    }
    format!("{}.{}", message(kid, claims), URL_SAFE_NO_PAD.encode(signature))
}

/// This many random bytes, in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    OsRng.fill_bytes(&mut random);
    hex(&random)
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The part of a token that is signed. The members of the header come in the order in which Access sends them.
fn message(kid: &str, claims: &Map<String, Value>) -> String {
    let header = format!(r#"{{"alg":"RS256","kid":{},"typ":"JWT"}}"#, Value::from(kid));
    let claims = Value::Object(claims.clone()).to_string();
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
