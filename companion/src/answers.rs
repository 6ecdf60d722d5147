//! An answer of somebody's server, as a program saw it.

use std::collections::BTreeMap;

use access_relay_core::caller::token::is_aud_tag;
use access_relay_core::flow::denial::access_denial;
use access_relay_core::messages::name::Name;
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme};
use serde::Deserialize;

use crate::headers::Headers;

/// Status and headers, or why there are none.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// An answer came.
    Came {
        /// Its status.
        status: u16,
        /// Its headers by their names in lower case; repeated lines are joined with `, `.
        headers: BTreeMap<String, String>,
    },
    /// None did.
    Failed {
        /// Why.
        failed: String,
    },
}

impl Answer {
    /// What shows that Access answered in the server's place, by the relay's own rule; `None` if nothing does.
    #[must_use]
    pub fn shows_access(&self) -> Option<String> {
        let Self::Came { status, headers } = self else { return None };
        let headers: Headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.answered(*status, access_denial)
    }

    /// What its headers say of the application that answered, if Access did. Anybody can write them.
    #[must_use]
    pub fn application(&self) -> Option<Hint> {
        self.shows_access()?;
        let Self::Came { headers, .. } = self else { return None };
        let header = |name: Name| headers.get(name.as_str());
        header(Name::Location).and_then(|url| to_login(url)).or_else(|| {
            let aud = header(Name::AccessAud).filter(|aud| is_aud_tag(aud))?;
            Some(Hint { aud: aud.clone(), hostname: header(Name::AccessDomain).cloned(), team: None })
        })
    }
}

/// What an unsigned answer says of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Its AUD tag.
    pub aud: String,
    /// Its host name.
    pub hostname: Option<String>,
    /// Its team's address.
    pub team: Option<Origin>,
}

/// The login of a team: `https://<team>/cdn-cgi/access/login/<host name>?kid=<AUD tag>&…`.
fn to_login(url: &str) -> Option<Hint> {
    let (scheme, rest) = split_scheme(url)?;
    let (authority, path) = split_authority(rest);
    let (path, query) = path.split_once('?')?;
    let hostname = path.strip_prefix("/cdn-cgi/access/login/")?;
    let aud = query.split('&').find_map(|pair| pair.strip_prefix("kid=")).filter(|aud| is_aud_tag(aud))?;
    let team = Origin::parse(&format!("{scheme}://{authority}")).ok();
    Some(Hint { aud: aud.to_owned(), hostname: Some(hostname.to_owned()), team })
}
