//! The caller check: who a Cloudflare Access application token says is calling. Pure; keys, signatures and the time
//! come from outside.
//!
//! The order is: structure, algorithm and key, signature, claims. Nothing of a token is believed before its signature
//! holds, and only what all of them allow comes out as a [`Caller`]. Source: RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725,
//! and Access's documentation ("Validate JWTs", "Application token").

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use chrono::{DateTime, Duration, Utc};
use jwt_compact::{Claims, ParseError, TimeOptions, UntrustedToken, ValidationError};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::config::JwtPolicy;
use crate::cookies;
use crate::headers::{Name, Read};
use crate::keys::{KeyCache, KeySource, Lookup};
use crate::problem::{Code, Refusal};
use crate::verified::{Digest, VerifiedTokens};

/// Who is calling, as Access vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person who logged in.
    User {
        /// `sub`: the person's id at Access.
        sub: String,
        /// `email`.
        email: Option<String>,
    },
    /// A program with a service token.
    Service {
        /// `common_name`: the token's Client ID.
        common_name: String,
    },
}

/// Clocks differ: a token counts as valid this long beyond its times.
const LEEWAY_SECONDS: i64 = 60;

/// Longer than any token of Access, whose cookie must fit a browser's 4096 bytes.
const TOKEN_LIMIT: usize = 8 * 1024;

/// The caller's token: Access's header, else its cookie. The header is preferred "since the cookie is not guaranteed
/// to be passed" (Access); a header that is there but bad is not saved by a good cookie.
///
/// # Errors
/// Why there is no one token to check.
pub fn token_of(headers: &impl Read, has: impl Fn(Name) -> bool) -> Result<String, &'static str> {
    if has(Name::AccessJwtAssertion) {
        return Ok(headers.read(Name::AccessJwtAssertion).unwrap_or_default());
    }
    let cookie = if has(Name::Cookie) { headers.read(Name::Cookie).unwrap_or_default() } else { String::new() };
    let mut tokens = cookies::values_of(&cookie, cookies::ACCESS_TOKEN_COOKIE);
    let token = tokens.next().ok_or("no cf-access-jwt-assertion header and no CF_Authorization cookie")?;
    // Which of two a server takes is anybody's guess, and one may have been planted from a sibling host.
    if tokens.any(|other| other != token) {
        return Err("several CF_Authorization cookies that differ");
    }
    Ok(token.to_owned())
}

/// Checks tokens, and remembers what it needs to do so cheaply: keys, and tokens it found good.
pub struct Gate<S: KeySource> {
    source: S,
    keys: RefCell<KeyCache<S::Key>>,
    verified: RefCell<VerifiedTokens<Caller>>,
}

impl<S: KeySource> Gate<S> {
    /// A gate that knows no key and no token yet.
    pub fn new(source: S) -> Self {
        Self { source, keys: RefCell::default(), verified: RefCell::default() }
    }

    /// Who calls with `token`, at `now` (seconds since the epoch).
    ///
    /// # Errors
    /// `unauthenticated` with the reason, or `keys_unavailable` where no key could be had to tell.
    pub async fn identify(&self, token: &str, policy: &JwtPolicy, now: i64) -> Result<Rc<Caller>, Refusal> {
        if token.len() > TOKEN_LIMIT {
            return Err(unauthenticated(format!(
                "the token is {} bytes long, at most {TOKEN_LIMIT} pass",
                token.len()
            )));
        }
        let digest = Digest::of(token);
        // No borrow is held across an await: requests take turns within one isolate.
        if let Some(caller) = self.verified.borrow().find(&digest, now) {
            return Ok(caller);
        }
        let candidate = Candidate::parse(token).map_err(unauthenticated)?;
        let key = self.key(&candidate.kid, policy, now).await?;
        if !self.source.verify(&key, candidate.signed, candidate.untrusted.signature_bytes()).await {
            return Err(unauthenticated(format!("the signature does not match key {:?}", candidate.kid)));
        }
        let (caller, expires) = check_claims(&candidate, policy, now).map_err(unauthenticated)?;
        let caller = Rc::new(caller);
        self.verified.borrow_mut().remember(digest, Rc::clone(&caller), expires);
        Ok(caller)
    }

    async fn key(&self, kid: &str, policy: &JwtPolicy, now: i64) -> Result<S::Key, Refusal> {
        let lookup = self.keys.borrow().lookup(kid, now);
        let fallback = match lookup {
            Lookup::Use(key) => return Ok(key),
            Lookup::Unknown => return Err(unknown_key(kid)),
            Lookup::Unavailable => return Err(keys_unavailable("a fetch is under way, or has just failed")),
            Lookup::Fetch { fallback } => fallback,
        };
        self.keys.borrow_mut().begin_fetch(now);
        let fetched = crate::keys::fetch(&self.source, &policy.certs_url).await;
        let mut keys = self.keys.borrow_mut();
        match fetched {
            Ok(fetched) => {
                keys.replace(fetched, now);
                keys.find(kid).ok_or_else(|| unknown_key(kid))
            }
            Err(reason) => {
                keys.fail_fetch(now);
                fallback.ok_or_else(|| keys_unavailable(&reason))
            }
        }
    }
}

fn unauthenticated(reason: impl Into<String>) -> Refusal {
    Refusal::new(Code::Unauthenticated, reason)
}

fn unknown_key(kid: &str) -> Refusal {
    unauthenticated(format!("no signing key of the issuer has the kid {}", crate::problem::quoted(kid)))
}

fn keys_unavailable(reason: &str) -> Refusal {
    Refusal::new(Code::KeysUnavailable, format!("signing keys: {reason}"))
}

/// A token that is well-formed and names an algorithm and a key that could sign it. Nothing of it is proven.
struct Candidate<'a> {
    untrusted: UntrustedToken<'a, HeaderExtras>,
    /// What the signature covers (RFC 7515 §5.1): header and payload as they stand, with the dot between them.
    signed: &'a [u8],
    kid: String,
}

/// What the header may hold beyond what jwt-compact reads.
#[derive(Debug, Clone, Deserialize)]
struct HeaderExtras {
    /// Extensions that must be understood; we understand none, so its presence refuses the token (RFC 7515 §4.1.11).
    #[serde(default)]
    crit: Presence,
}

/// Whether a field is there, whatever it holds, `null` included.
#[derive(Debug, Clone, Default)]
struct Presence(bool);

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

impl<'a> Candidate<'a> {
    fn parse(token: &'a str) -> Result<Self, String> {
        let untrusted = UntrustedToken::<HeaderExtras>::try_from(token).map_err(|error| structure_reason(&error))?;
        // The algorithm is ours to choose, not the token's (RFC 8725 §3.1).
        if untrusted.algorithm() != "RS256" {
            return Err(format!(
                "the algorithm is {}, only RS256 passes",
                crate::problem::quoted(untrusted.algorithm())
            ));
        }
        if untrusted.header().other_fields.crit.0 {
            return Err("the header has crit extensions".to_owned());
        }
        let kid = untrusted.header().key_id.clone().ok_or("the header has no kid")?;
        let (signed, _) = token.rsplit_once('.').ok_or("not a JWT")?;
        Ok(Self { untrusted, signed: signed.as_bytes(), kid })
    }
}

/// What is wrong with a token's structure, in words of ours: the library's could quote the token.
fn structure_reason(error: &ParseError) -> &'static str {
    match error {
        ParseError::InvalidTokenStructure => "not a JWT: it has not three parts",
        ParseError::InvalidBase64Encoding => "not a JWT: a part is not base64url",
        ParseError::MalformedHeader(_) => "the header is not JSON, lacks alg, or has a field of the wrong type",
        _ => "the content type is not JSON",
    }
}

/// The claims of an application token (Access, "Application token"): people's and service tokens' in one.
#[derive(Deserialize)]
struct AccessClaims {
    iss: String,
    aud: Audience,
    r#type: String,
    #[serde(default)]
    sub: String,
    email: Option<String>,
    common_name: Option<String>,
}

/// RFC 7519 §4.1.3: one string, or a list of them.
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    // By hand: serde's untagged enums buffer every value, and weigh several kilobytes in the Worker.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Audience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, audience: &str) -> Result<Audience, E> {
                Ok(Audience(vec![audience.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audience, A::Error> {
                let mut audiences = Vec::new();
                while let Some(audience) = list.next_element()? {
                    audiences.push(audience);
                }
                Ok(Audience(audiences))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

/// Who the claims name, and until when (seconds since the epoch, without leeway).
fn check_claims(candidate: &Candidate, policy: &JwtPolicy, now: i64) -> Result<(Caller, i64), String> {
    let claims: Claims<AccessClaims> =
        candidate.untrusted.deserialize_claims_unchecked().map_err(|_| "a claim is missing or of the wrong type")?;
    let now = DateTime::<Utc>::from_timestamp(now, 0).ok_or("the clock is off")?;
    let time = TimeOptions::new(Duration::seconds(LEEWAY_SECONDS), || now);
    claims.validate_expiration(&time).map_err(|error| match error {
        ValidationError::Expired => "exp is in the past",
        _ => "exp is missing",
    })?;
    // Service tokens have no nbf. Compared here: the library would subtract, and panic on a date at the edge of time.
    let not_later_than = now + Duration::seconds(LEEWAY_SECONDS);
    if claims.not_before.is_some_and(|not_before| not_before > not_later_than) {
        return Err("nbf is in the future".to_owned());
    }
    if claims.issued_at.is_some_and(|issued_at| issued_at > not_later_than) {
        return Err("iat is in the future".to_owned());
    }
    let expires = claims.expiration.map_or(0, |expiration| expiration.timestamp());
    let AccessClaims { iss, aud, r#type, sub, email, common_name } = claims.custom;
    if iss != policy.issuer {
        return Err(format!("iss is {}, not access.issuer", crate::problem::quoted(&iss)));
    }
    if !policy.audience.iter().any(|audience| aud.0.contains(audience)) {
        return Err("aud holds none of access.audience".to_owned());
    }
    // The global session token has the same keys and issuer, and opens no application: its type is "org".
    if r#type != "app" {
        return Err(format!("type is {}, not \"app\"", crate::problem::quoted(&r#type)));
    }
    let caller = match (sub.as_str(), common_name) {
        ("", Some(common_name)) if !common_name.is_empty() => Caller::Service { common_name },
        ("", _) => return Err("neither sub nor common_name says who calls".to_owned()),
        _ => Caller::User { sub, email },
    };
    Ok((caller, expires))
}
