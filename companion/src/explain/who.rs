//! Who calls: somebody who is made up, or whom the request's own token names.

use access_relay_core::caller::platform::Word;
use access_relay_core::caller::token::JwtPolicy;
use access_relay_core::config::types::Access;
use access_relay_core::messages::cookies::ACCESS_TOKEN_COOKIE;
use access_relay_core::messages::name::Name;
use access_relay_core::syntax::origin::Origin;
use access_relay_core::syntax::text::quoted;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::headers::Headers;

/// Who calls, if somebody is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Nobody whom Access knows.
    Nobody,
    /// A person who is logged in.
    Person,
    /// A program with a service token that Access lets in.
    Program,
}

/// What `--as` says, once or twice: who calls, and from which page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct As {
    /// Who.
    pub who: Option<Who>,
    /// The page's origin, if a browser asks for a page.
    pub page: Option<Origin>,
}

impl As {
    /// Reads it: `nobody`, `person`, `program`, `page:ORIGIN`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut said = Self::default();
        for word in words {
            let who = match word.as_str() {
                "nobody" => Who::Nobody,
                "person" => Who::Person,
                "program" => Who::Program,
                _ => {
                    let page = word.strip_prefix("page:").ok_or_else(|| {
                        format!("--as: found {}; write nobody, person, program or page:ORIGIN", quoted(word))
                    })?;
                    if page == "null" {
                        return Err(
                            "--as page: found null, the origin of any sandboxed page: no policy can list it".to_owned()
                        );
                    }
                    // A user's name and password could stand there.
                    let shown = if page.contains(['@', '?']) {
                        "an address with more than an origin".to_owned()
                    } else {
                        quoted(page)
                    };
                    let origin = Origin::parse(page).map_err(|error| format!("--as page: found {shown}; {error}"))?;
                    if said.page.replace(origin).is_some() {
                        return Err("--as: found two pages; write one".to_owned());
                    }
                    continue;
                }
            };
            if said.who.replace(who).is_some() {
                return Err("--as: found two of nobody, person and program; write one".to_owned());
            }
        }
        if said.page.is_some() && said.who == Some(Who::Program) {
            return Err(
                "--as: found a program and a page; a page calls with a person's login, or with nobody's".to_owned()
            );
        }
        // Of a page, it is the person's own browser that asks.
        if said.page.is_some() {
            said.who.get_or_insert(Who::Person);
        }
        Ok(said)
    }
}

/// The AUD tag of an application that nobody has.
const NO_AUD: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// When somebody who is made up has logged in, before now, in seconds.
const AGO: i64 = 60;

impl Who {
    /// Puts the token of somebody who is made up in the place of whatever token is there; as Access does it, in front of the relay.
    pub fn into(self, headers: &mut Headers, access: &Access, now: i64) {
        headers.remove(Name::AccessJwtAssertion.as_str());
        if let Some(cookie) = headers.get(Name::Cookie.as_str()) {
            let is_token = |pair: &&str| pair.split('=').next().is_some_and(|name| name.trim() == ACCESS_TOKEN_COOKIE);
            let kept: Vec<&str> = cookie.split(';').map(str::trim).filter(|pair| !is_token(pair)).collect();
            headers.remove(Name::Cookie.as_str());
            if !kept.is_empty() {
                headers.push(Name::Cookie.as_str(), &kept.join("; "));
            }
        }
        if let (Self::Person | Self::Program, Some(policy)) = (self, access.tokens()) {
            headers.push(Name::AccessJwtAssertion.as_str(), &self.token(policy, now));
        }
    }

    /// A token that says so, of the form that Access gives it, with a signature of zeros.
    fn token(self, policy: &JwtPolicy, now: i64) -> String {
        let mut claims = json!({
            "aud": policy.audience, "iss": policy.issuer, "type": "app", "iat": now - AGO, "exp": now + 3600,
        });
        let names: &[(&str, &str)] = match self {
            Self::Program => &[("common_name", PROGRAM), ("sub", "")],
            _ => &[("sub", PERSON), ("email", EMAIL)],
        };
        for (name, value) in names {
            if let Some(claims) = claims.as_object_mut() {
                claims.insert((*name).to_owned(), json!(value));
            }
        }
        let header = json!({ "alg": "RS256", "kid": "made-up", "typ": "JWT" });
        let parts = [header.to_string().into_bytes(), claims.to_string().into_bytes(), vec![0; 256]];
        parts.map(|part| BASE64URL_NOPAD.encode(&part)).join(".")
    }

    /// The runtime's word, where Access protects the Worker itself and lets this one in; with the identity that it gives.
    #[must_use]
    pub fn word(self, access: &Access, now: i64) -> Option<Word<Option<String>>> {
        let policy = access.platform()?;
        let aud = policy.audience.first().map_or(NO_AUD, String::as_str).to_owned();
        let person = json!({ "user_uuid": PERSON, "email": EMAIL, "iat": now - AGO, "groups": [] });
        match self {
            Self::Nobody => None,
            Self::Person => Some(Word { aud, access: Some(person.to_string()) }),
            Self::Program => Some(Word { aud, access: None }),
        }
    }
}

const PERSON: &str = "made-up-person";
const EMAIL: &str = "person@made-up.invalid";
const PROGRAM: &str = "made-up-program.access";

/// What a token says, for people: nothing of it is believed.
#[must_use]
pub fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()
}
