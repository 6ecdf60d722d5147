//! The configuration: the table `RELAY`, parsed once into types that cannot hold nonsense. Pure.
//!
//! Parsing is validation: [`parse`] reads every key, gathers everything that is wrong, each with its path, what was
//! found and what to write instead, and only a table without an error becomes a [`Config`]. `docs/configuration.md`
//! describes the keys.

mod cors;
mod parse;
mod table;

use std::fmt;
use std::rc::Rc;

use crate::cookies::RequestCookies;
use crate::cors::Policy;
use crate::route::{Prefix, Upstream};

pub use parse::{Secrets, parse, secret_names};

/// What the relay does, in whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Who may call.
    pub access: Access,
    /// At least one; deepest prefix first, so that the first that covers a path is the one that takes it.
    pub routes: Vec<Rc<Route>>,
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
}

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Callers with a valid token of Cloudflare Access.
    Jwt(JwtPolicy),
    /// Everybody. The API is as open as the relay's URL is.
    DangerouslyAllowAnyone,
}

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

/// A subpath, and the API that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `path`.
    pub prefix: Prefix,
    /// `upstream`.
    pub upstream: Upstream,
    /// Whether the API sees the path without the prefix.
    pub strip_prefix: bool,
    /// What opens Access in front of the API.
    pub credentials: Credentials,
    /// `request_cookies`.
    pub request_cookies: RequestCookies,
    /// `response_cookies`: names, none of them Access's.
    pub response_cookies: Vec<String>,
    /// How long the API may take until its answer's headers, in milliseconds.
    pub timeout_ms: u32,
    /// How often a GET or HEAD without a body is sent once more, where it got no answer at all.
    pub retries: u32,
    /// Whether Cloudflare may cache the API's answers.
    pub cache: bool,
    /// The route's own policy, else the global one.
    pub cors: Rc<Policy>,
}

/// What opens Access in front of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The relay's own service token.
    ServiceToken(ServiceToken),
    /// The caller's own token (Access, *linked app token*); only where callers are checked.
    CallerToken,
}

/// A service token of Access. `Debug` shows no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceToken {
    /// The prefix of the secrets' names, for logs.
    pub name: String,
    /// The value of `CF-Access-Client-Id`.
    pub client_id: String,
    /// The value of `CF-Access-Client-Secret`.
    pub client_secret: String,
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceToken").field("name", &self.name).finish_non_exhaustive()
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

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, as in `routes[1].upstream`.
    pub path: String,
    /// What was found there. Never a secret.
    pub found: String,
    /// What to write instead.
    pub expected: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; {}", self.path, self.found, self.expected)
    }
}
