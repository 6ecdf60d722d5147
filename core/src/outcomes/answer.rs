//! An answer of the relay's own.

use crate::messages::edits::{Edit, Edits};
use crate::messages::name::Name;
use crate::messages::trace::Trace;
use crate::outcomes::problem::{CONTENT_TYPE, Code, Refusal};

/// An answer of the relay's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Its headers, to be set on none.
    pub headers: Edits,
    /// The body; none for a preflight.
    pub body: Option<String>,
    /// Why, where it is a refusal; for the log.
    pub refusal: Option<Refusal>,
}

impl Answer {
    /// A status, and nothing else.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Edits::default(), body: None, refusal: None }
    }

    /// A refusal as problem+json, without CORS headers.
    #[must_use]
    pub fn problem(refusal: Refusal, trace: &Trace, debug: bool) -> Self {
        let mut headers = Edits::new();
        headers.push(Edit::Set(Name::ContentType, CONTENT_TYPE));
        headers.push(Edit::Set(Name::CacheControl, "no-store"));
        match refusal.code {
            // RFC 9110 §15.5.2 asks for a challenge; the same one whatever was wrong.
            Code::Unauthenticated => {
                headers.push(Edit::Set(Name::WwwAuthenticate, "Bearer realm=\"access-relay\""));
            }
            // RFC 9110 §15.5.6.
            Code::MethodNotForwarded => {
                headers.push(Edit::Set(Name::Allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
            }
            _ => {}
        }
        Self {
            status: refusal.code.status(),
            headers,
            body: Some(refusal.body(trace.id(), debug)),
            refusal: Some(refusal),
        }
    }
}
