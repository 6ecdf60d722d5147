//! What counts as a signing key: a JSON Web Key that may verify RS256.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::syntax::text::is_base64url;

/// How many letters of unpadded base64url, of six bits each, a modulus of 2048 to 4096 bits has, and a signature by it, which
/// is as long. RFC 7518 §3.3 asks for 2048 bits at least; the relay takes 4096 at most.
pub const RSA_LENGTHS: RangeInclusive<usize> = 2048_usize.div_ceil(6)..=4096_usize.div_ceil(6);

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
        let (Some(kid), Some(n), Some(e)) = (text("kid").filter(|kid| !kid.is_empty()), text("n"), text("e")) else {
            return Err("kid, n or e is missing");
        };
        if !RSA_LENGTHS.contains(&n.len()) {
            return Err("the modulus is not 2048 to 4096 bits long");
        }
        if ![n, e].iter().all(|number| number.bytes().all(is_base64url)) {
            return Err("n or e is not base64url");
        }
        Ok(Self { kid: kid.to_owned(), n: n.to_owned(), e: e.to_owned() })
    }
}

/// A key each for a `kid`: where one names two different keys, it names none (RFC 7517 §4.5 wants them distinct).
#[must_use]
pub fn unambiguous(jwks: Vec<Jwk>) -> Vec<Jwk> {
    let mut each: Vec<Jwk> = Vec::new();
    for jwk in &jwks {
        let others = || jwks.iter().filter(|other| other.kid == jwk.kid);
        if others().all(|other| other == jwk) && !each.contains(jwk) {
            each.push(jwk.clone());
        }
    }
    each
}
