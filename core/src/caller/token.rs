//! An application token of Cloudflare Access: what makes one well-formed, and what its claims must say. Keys,
//! signatures and the time come from outside.
//!
//! Nothing of a token is believed before its signature holds: a [`Candidate`] is all that may be known before, and
//! [`Candidate::check_claims`] is for afterwards. Source: RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725, and Access's
//! documentation ("Validate JWTs", "Application token").

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use jwt_compact::{Claims, ParseError, TimeOptions, UntrustedToken, ValidationError};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::caller::identity::Caller;
use crate::caller::jwk::RSA_LENGTHS;
use crate::outcomes::problem::{Code, Refusal};
use crate::syntax::text::{is_lower_hex, quoted};

/// Clocks differ: a token counts as valid this long beyond its times.
pub const LEEWAY_SECONDS: i64 = 60;

/// No session of Access is longer than a month; an `exp` further away than ten years is no time in seconds.
const FARTHEST_SECONDS: i64 = 10 * 366 * 24 * 3600;

/// A header of Access has 3 members, its claims about 12; each name is compared with all before it.
const MOST_MEMBERS: usize = 100;

/// What a token must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtPolicy {
    /// The URL of the Access team, byte for byte the `iss` of its tokens.
    pub issuer: String,
    /// Where the issuer publishes its signing keys.
    pub certs_url: String,
    /// At least one AUD tag; a token must be for one of them.
    pub audience: Vec<String>,
    /// How long after its `iat` a token opens anything, in seconds, whatever its `exp` says.
    pub max_token_age_seconds: Option<i64>,
    /// Whether the API is told who calls.
    pub identity_headers: bool,
}

/// A token that is well-formed and names an algorithm and a key that could sign it. Nothing of it is proven.
pub struct Candidate<'a> {
    untrusted: UntrustedToken<'a, HeaderRest>,
    /// What the signature covers (RFC 7515 §5.1): header and payload as they stand, with the dot between them.
    pub signed: &'a [u8],
    /// The key that it asks to be verified with.
    pub kid: String,
}

/// Whether a text could be a JWT in compact serialization at all (RFC 7515 §7.1), at the cost of looking for dots.
///
/// # Errors
/// It could not.
pub fn has_three_parts(text: &str) -> Result<(), &'static str> {
    if text.split('.').count() == 3 { Ok(()) } else { Err("not a JWT: it has not three parts") }
}

/// Whether a text has the form of Access's AUD tags: 64 hexadecimal digits in lower case.
#[must_use]
pub fn is_aud_tag(text: &str) -> bool {
    text.len() == 64 && is_lower_hex(text)
}

/// Whether a text could be a good token, by its form: three parts, of which the last has the length of a signature by a key of
/// 2048 to 4096 bits (RFC 7518 §3.3).
#[must_use]
pub fn could_be_good(text: &str) -> bool {
    let signature = text.rsplit('.').next().unwrap_or_default();
    has_three_parts(text).is_ok() && RSA_LENGTHS.contains(&signature.len())
}

impl<'a> Candidate<'a> {
    /// Takes a text apart: three parts, strict base64url, RS256, a `kid`, nothing that would have to be understood.
    /// Keys that a token brings along or points to (`jwk`, `jku`, `x5u`, `x5c`) are never looked at (RFC 8725 §3.10).
    ///
    /// # Errors
    /// What is wrong with it, without a part of it that could be a secret.
    pub fn parse(token: &'a str) -> Result<Self, String> {
        let untrusted = UntrustedToken::<HeaderRest>::try_from(token).map_err(|error| structure_reason(&error))?;
        // The algorithm is ours to choose, not the token's (RFC 8725 §3.1).
        if untrusted.algorithm() != "RS256" {
            return Err(format!("the algorithm is {}, only RS256 passes", quoted(untrusted.algorithm())));
        }
        // Extensions that must be understood; we understand none (RFC 7515 §4.1.11).
        if untrusted.header().other_fields.has_crit {
            return Err("the header has crit extensions".to_owned());
        }
        let kid = untrusted.header().key_id.clone().ok_or("the header has no kid")?;
        let (signed, _) = token.rsplit_once('.').ok_or("not a JWT")?;
        Ok(Self { untrusted, signed: signed.as_bytes(), kid })
    }

    /// The signature's bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.untrusted.signature_bytes()
    }

    /// The claims of another kind of token of the same issuer's, and its `iat` in seconds since the epoch. Only to be believed once
    /// the signature holds.
    ///
    /// # Errors
    /// They are not of that kind.
    pub fn claims_of<T: DeserializeOwned>(&self) -> Result<(T, Option<i64>), String> {
        let claims: Claims<T> =
            self.untrusted.deserialize_claims_unchecked().map_err(|_| "the claims are not those of such a token")?;
        Ok((claims.custom, claims.issued_at.map(|time| time.timestamp())))
    }

    /// Who the claims name, and until when (seconds since the epoch, without leeway). Only to be asked once the
    /// signature holds.
    ///
    /// # Errors
    /// The first claim that does not open the application.
    pub fn check_claims(&self, policy: &JwtPolicy, now: i64) -> Result<(Caller, i64), Refusal> {
        let claims: Claims<AccessClaims> = self.untrusted.deserialize_claims_unchecked().map_err(|_| {
            unauthenticated("the claims are no JSON object, or one is of the wrong type, or there twice")
        })?;
        let expires = check_times(&claims, policy, now)?;
        let AccessClaims { iss, aud, r#type, sub, email, common_name } = claims.custom;
        if iss.as_deref() != Some(policy.issuer.as_str()) {
            let reason = format!("iss is {}, not access.issuer", quoted(&iss.unwrap_or_default()));
            return Err(unauthenticated(reason).by("access.issuer"));
        }
        if !policy.audience.iter().any(|audience| aud.0.contains(audience)) {
            return Err(unauthenticated("aud holds none of access.audience").by("access.audience"));
        }
        // The global session token has the same keys and issuer, and opens no application: its type is "org".
        if r#type.as_deref() != Some("app") {
            return Err(unauthenticated(format!("type is {}, not \"app\"", quoted(&r#type.unwrap_or_default()))));
        }
        let caller = match (said(sub), said(common_name)) {
            (sub @ Some(_), _) => Caller::User { sub, email: said(email), groups: None },
            (None, common_name @ Some(_)) => Caller::Service { common_name },
            (None, None) => return Err(unauthenticated("neither sub nor common_name says who calls")),
        };
        Ok((caller, expires))
    }
}

/// Until when the claims hold.
fn check_times(claims: &Claims<AccessClaims>, policy: &JwtPolicy, now: i64) -> Result<i64, Refusal> {
    let moment = DateTime::<Utc>::from_timestamp(now, 0).ok_or_else(|| unauthenticated("the clock is off"))?;
    let time = TimeOptions::new(Duration::seconds(LEEWAY_SECONDS), || moment);
    claims.validate_expiration(&time).map_err(|error| {
        unauthenticated(match error {
            ValidationError::Expired => "exp is in the past",
            _ => "exp is missing",
        })
    })?;
    let seconds = |claim: Option<DateTime<Utc>>| claim.map(|time| time.timestamp());
    let expires = seconds(claims.expiration).unwrap_or_default();
    if expires - now > FARTHEST_SECONDS {
        return Err(unauthenticated("exp is more than ten years away"));
    }
    // Service tokens have no nbf. Compared here: the library would subtract, and panic on a date at the edge of time.
    let (not_before, issued_at) = (seconds(claims.not_before), seconds(claims.issued_at));
    if not_before.is_some_and(|not_before| not_before > now + LEEWAY_SECONDS) {
        return Err(unauthenticated("nbf is in the future"));
    }
    if issued_at.is_some_and(|issued_at| issued_at > now + LEEWAY_SECONDS) {
        return Err(unauthenticated("iat is in the future"));
    }
    let Some(oldest) = policy.max_token_age_seconds else { return Ok(expires) };
    Ok(expires.min(age_limit("iat", issued_at, oldest, now)?))
}

/// Until when something opens anything that was issued at `iat`, if it may be so many seconds old (`iat`, `now` and the result are in
/// seconds since the epoch, and the result is without leeway).
///
/// # Errors
/// It is too old, or does not say.
pub fn age_limit(what: &str, iat: Option<i64>, oldest: i64, now: i64) -> Result<i64, Refusal> {
    let too_old = |reason: String| unauthenticated(reason).by("access.max_token_age_seconds");
    let iat = iat.ok_or_else(|| too_old(format!("{what} is missing, and access.max_token_age_seconds needs it")))?;
    let until = iat.saturating_add(oldest);
    if until.saturating_add(LEEWAY_SECONDS) < now {
        return Err(too_old(format!("{what} is longer ago than access.max_token_age_seconds = {oldest}")));
    }
    Ok(until)
}

/// A refusal of whoever calls, for what they have shown.
pub fn unauthenticated(reason: impl Into<String>) -> Refusal {
    Refusal::new(Code::Unauthenticated, reason)
}

/// What a claim says: an empty text says nothing, as the `sub` of a service token.
pub fn said(claim: Option<String>) -> Option<String> {
    claim.filter(|text| !text.is_empty())
}

/// What is wrong with a token's structure, in words of ours: the library's could quote the token.
fn structure_reason(error: &ParseError) -> &'static str {
    match error {
        ParseError::InvalidTokenStructure => "not a JWT",
        ParseError::InvalidBase64Encoding => "not a JWT: a part is not base64url",
        ParseError::MalformedHeader(_) => {
            "the header is not JSON, lacks alg, or has a member of the wrong type, or one twice"
        }
        _ => "the content type is not JSON",
    }
}

/// What the header holds beyond what jwt-compact reads.
#[derive(Debug, Clone, Default)]
struct HeaderRest {
    /// Whether `crit` is there, whatever it holds, `null` included.
    has_crit: bool,
}

impl Object for HeaderRest {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        self.has_crit |= name == "crit";
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// The claims of an application token beyond its times: people's and service tokens' in one.
#[derive(Default)]
struct AccessClaims {
    iss: Option<String>,
    aud: Audience,
    r#type: Option<String>,
    sub: Option<String>,
    email: Option<String>,
    common_name: Option<String>,
}

impl Object for AccessClaims {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let text = match name {
            "aud" => {
                self.aud = map.next_value()?;
                return Ok(());
            }
            "iss" => &mut self.iss,
            "type" => &mut self.r#type,
            "sub" => &mut self.sub,
            "email" => &mut self.email,
            "common_name" => &mut self.common_name,
            _ => return map.next_value::<IgnoredAny>().map(drop),
        };
        *text = map.next_value()?;
        Ok(())
    }
}

/// An object that is read member by member, and in which no name may be there twice: parsers differ in which of the two
/// they take (RFC 7515 §4, RFC 7519 §4).
trait Object: Default {
    /// Takes the member of this name, its value too.
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

struct Members<T>(T);

impl<'de, T: Object> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<T, A::Error> {
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if names.contains(&name) || names.len() == MOST_MEMBERS {
                return Err(A::Error::custom("a name is there twice, or there are too many"));
            }
            self.0.member(&name, &mut map)?;
            names.push(name);
        }
        Ok(self.0)
    }
}

macro_rules! deserialize_objects {
    ($($object:ty)*) => { $(
        impl<'de> Deserialize<'de> for $object {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(Members(Self::default()))
            }
        }
    )* };
}

deserialize_objects!(HeaderRest AccessClaims);

/// RFC 7519 §4.1.3: one string, or a list of them.
#[derive(Default)]
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
