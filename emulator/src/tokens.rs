//! The claims of tokens: what Access puts into them, and what a test may ask for instead.

use std::time::{SystemTime, UNIX_EPOCH};

use rsa::sha2::{Digest, Sha256};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::keys::{hex, random_hex};

/// A token that a test asks for. What is left out is what Access would write.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenRequest {
    /// A person's token or that of the service token.
    pub kind: Kind,
    /// The claim `aud`: a string or a list. Left out: the app's for a person, the API's for a service.
    pub aud: Option<Value>,
    /// The claim `email`.
    pub email: Option<String>,
    /// The claim `sub`. Left out: a UUID made from the e-mail address for a person, empty for a service.
    pub sub: Option<String>,
    /// The claim `common_name`.
    pub common_name: Option<String>,
    /// The claim `iss`.
    pub iss: Option<String>,
    /// The claim `type`: `app`, `org` for the global session, or `match` for signed metadata.
    #[serde(rename = "type")]
    pub token_type: Option<String>,
    /// The claim `iat`, in seconds since 1970.
    pub iat: Option<i64>,
    /// The claim `nbf`, in seconds since 1970.
    pub nbf: Option<i64>,
    /// The claim `exp`, in seconds since 1970.
    pub exp: Option<i64>,
    /// Seconds from now until `exp`, negative for a token that is over. `exp` wins.
    pub expires_in: Option<i64>,
    /// The `kid` in the token's header. Left out: that of the key that signs.
    pub kid: Option<String>,
    /// Who signs.
    pub signed_by: Signatory,
    /// More claims; they replace those of the same name.
    pub extra: Map<String, Value>,
    /// Names of claims to leave out.
    pub omit: Vec<String>,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person who logged in.
    #[default]
    User,
    /// The service token.
    Service,
}

/// Who signs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signatory {
    /// The current key.
    #[default]
    Current,
    /// The key before the last rotation, or the current one if there was none or it was dropped.
    Previous,
    /// Nobody: the signature is random bytes.
    Nobody,
}

/// What the claims are made from when the request leaves them out.
pub(crate) struct Defaults<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) user_aud: Value,
    pub(crate) service_aud: Value,
    pub(crate) client_id: &'a str,
    pub(crate) email: &'a str,
    pub(crate) session_seconds: i64,
    pub(crate) now: i64,
}

impl TokenRequest {
    /// A person's token, as Access makes it at a login.
    #[must_use]
    pub fn user(email: &str) -> TokenRequest {
        TokenRequest { email: Some(email.into()), ..TokenRequest::default() }
    }

    /// A token of the service token, as Access hands it to the API.
    #[must_use]
    pub fn service() -> TokenRequest {
        TokenRequest { kind: Kind::Service, ..TokenRequest::default() }
    }

    /// The claims. A person's have `email`, `nbf`, `identity_nonce` and `country`; a service's have none of
    /// them, but `common_name` and an empty `sub`.
    pub(crate) fn claims(&self, defaults: Defaults<'_>) -> Map<String, Value> {
        let iat = self.iat.unwrap_or(defaults.now);
        let exp = self
            .exp
            .unwrap_or_else(|| defaults.now.saturating_add(self.expires_in.unwrap_or(defaults.session_seconds)));
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.into(), value);
        set("iss", json!(self.iss.as_deref().unwrap_or(defaults.issuer)));
        set("type", json!(self.token_type.as_deref().unwrap_or("app")));
        set("iat", json!(iat));
        set("exp", json!(exp));
        match self.kind {
            Kind::User => {
                let email = self.email.as_deref().unwrap_or(defaults.email);
                set("aud", self.aud.clone().unwrap_or(defaults.user_aud));
                set("email", json!(email));
                set("sub", json!(self.sub.clone().unwrap_or_else(|| subject(email))));
                set("nbf", json!(self.nbf.unwrap_or(iat)));
                set("identity_nonce", json!(random_hex(8)));
                set("country", json!("NL"));
            }
            Kind::Service => {
                set("aud", self.aud.clone().unwrap_or(defaults.service_aud));
                set("common_name", json!(self.common_name.as_deref().unwrap_or(defaults.client_id)));
                set("sub", json!(self.sub.as_deref().unwrap_or("")));
                if let Some(email) = &self.email {
                    set("email", json!(email));
                }
                if let Some(nbf) = self.nbf {
                    set("nbf", json!(nbf));
                }
            }
        }
        claims.extend(self.extra.clone());
        claims.retain(|name, _| !self.omit.contains(name));
        claims
    }
}

/// Whether claims with a good signature open the application with this AUD tag now.
pub(crate) fn opens(claims: &Map<String, Value>, issuer: &str, aud: &str, now: i64) -> bool {
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let for_us = match claims.get("aud") {
        Some(Value::String(only)) => only == aud,
        Some(Value::Array(several)) => several.iter().any(|one| one == aud),
        _ => false,
    };
    for_us
        && text(claims, "iss") == Some(issuer)
        && text(claims, "type") == Some("app")
        && time("exp").is_some_and(|exp| now < exp)
        && time("nbf").is_none_or(|nbf| nbf <= now)
}

/// A claim that is a string.
pub(crate) fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A person's id: the same for the same address, in the form of a UUID.
pub(crate) fn subject(email: &str) -> String {
    let digits: Vec<char> = hex(&Sha256::digest(email)).chars().collect();
    let mut groups = digits.iter();
    let mut take = |count: usize| groups.by_ref().take(count).collect::<String>();
    [take(8), take(4), take(4), take(4), take(12)].join("-")
}
