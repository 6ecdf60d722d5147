//! The configuration, in types that cannot hold nonsense.
//!
//! Parsing is validation: [`crate::config::parse`] reads every key, gathers everything that is wrong, each with its path, what
//! was found and what to write instead, and only a table without an error becomes a [`Config`]. `docs/configuration.md`
//! describes the keys.

use std::rc::Rc;

use crate::caller::platform::PlatformPolicy;
use crate::caller::token::JwtPolicy;
use crate::config::error::ConfigError;
use crate::rules::cors::Policy;
use crate::rules::route::{Credentials, Routes};
use crate::syntax::path::Prefix;

/// What the relay does, in whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Who may call.
    pub access: Access,
    /// At least one.
    pub routes: Routes,
    /// The policy of requests that no route takes.
    pub cors: Rc<Policy>,
    /// What is logged.
    pub log: Log,
    /// Whether answers say how long they took.
    pub server_timing: bool,
    /// Where monitors ask for the health of it all.
    pub health_path: Option<Prefix>,
    /// Whether refusals tell the caller why.
    pub debug: bool,
    /// What can be served, but is hardly meant.
    pub warnings: Vec<ConfigError>,
}

impl Config {
    /// Every secret's value that the configuration holds, for hiding it wherever something is printed.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let tokens = self.routes.iter().filter_map(|route| match &route.credentials {
            Credentials::ServiceToken(token) => Some(token),
            Credentials::CallerToken | Credentials::Nothing => None,
        });
        tokens.flat_map(|token| [token.client_secret.as_str(), token.client_id.as_str()])
    }
}

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Callers with a valid token of Cloudflare Access.
    Jwt(JwtPolicy),
    /// Callers for whom the runtime vouches. Where it has no word, those with a valid token, if there is a policy for one.
    Platform(PlatformPolicy, Option<JwtPolicy>),
    /// Everybody. The API is as open as the relay's URL is.
    DangerouslyAllowAnyone,
}

impl Access {
    /// What a token must say, where one can open the relay.
    #[must_use]
    pub const fn tokens(&self) -> Option<&JwtPolicy> {
        match self {
            Self::Jwt(policy) | Self::Platform(_, Some(policy)) => Some(policy),
            Self::Platform(_, None) | Self::DangerouslyAllowAnyone => None,
        }
    }

    /// What the runtime's word must say, where it opens the relay.
    #[must_use]
    pub const fn platform(&self) -> Option<&PlatformPolicy> {
        match self {
            Self::Platform(policy, _) => Some(policy),
            Self::Jwt(_) | Self::DangerouslyAllowAnyone => None,
        }
    }

    /// Whether the API is told who calls.
    #[must_use]
    pub const fn has_identity_headers(&self) -> bool {
        match self {
            Self::Jwt(policy) => policy.identity_headers,
            Self::Platform(policy, _) => policy.identity_headers,
            Self::DangerouslyAllowAnyone => false,
        }
    }
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// A line for each refusal and failure.
    Refusals,
    /// A line for each request.
    Requests,
}
