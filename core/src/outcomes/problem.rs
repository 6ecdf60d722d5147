//! The relay's own refusals: one closed list of codes, each with its status and its words (RFC 9457).
//!
//! `docs/errors.md` tells users what each means; a test holds the two together.

use std::borrow::Cow;

use serde::Serialize;

use crate::syntax::redact::redacted_line;

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $title:literal, $detail:literal;)*) => {
        /// Why the relay answered by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            $variant,
        )* }

        impl Code {
            /// The closed list, in the order of the enum.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code as answers and logs carry it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// The HTTP status it travels with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            /// What the body says of it. Nothing in these texts needs escaping.
            const fn texts(self) -> [&'static str; 3] {
                match self { $(Code::$variant => [$title, stringify!($status), $detail],)* }
            }
        }
    };
}

codes! {
    NotFound = "not_found", 404, "No route takes this path",
        "The relay is not configured to forward this path.";
    BadPath = "bad_path", 400, "The path is not safe to forward",
        "The path holds a dot segment or a control character, plain or percent-encoded, or a backslash.";
    BadRequest = "bad_request", 400, "The request cannot be forwarded as it is",
        "A header is longer than the relay reads, and cutting it would change what the request says.";
    MethodNotForwarded = "method_not_forwarded", 405, "The method is never forwarded",
        "TRACE, TRACK and CONNECT never reach the API.";
    Unauthenticated = "unauthenticated", 401, "Not logged in",
        "The request carries no valid Cloudflare Access token. Reload the page to log in again.";
    OriginNotAllowed = "origin_not_allowed", 403, "The origin is not allowed",
        "The CORS policy of this path does not list the page's origin.";
    MethodNotAllowed = "method_not_allowed", 403, "The method is not allowed",
        "The CORS policy of this path does not list the method for other origins.";
    HeaderNotAllowed = "header_not_allowed", 403, "A header is not allowed",
        "The CORS policy of this path does not list a header that the page wants to send.";
    CrossOriginBlocked = "cross_origin_blocked", 403, "Blocked: a page of another origin made this request",
        "Only pages of the relay's own origin, and of origins that the CORS policy allows, may call here.";
    UpstreamUnreachable = "upstream_unreachable", 502, "The API did not answer",
        "No connection to the API could be made, or it closed before it answered.";
    UpstreamAccessDenied = "upstream_access_denied", 502, "Cloudflare Access refused the relay at the API",
        "The relay's own credentials were refused in front of the API. This is not about the caller's login.";
    UpstreamTimeout = "upstream_timeout", 504, "The API took too long",
        "The API did not begin its answer within the time that the route allows.";
    LoopDetected = "loop_detected", 508, "The relay leads to itself",
        "The request has passed this route before: an upstream of the relay's configuration leads back to it.";
    KeysUnavailable = "keys_unavailable", 503, "Tokens cannot be checked at the moment",
        "No signing key of Cloudflare Access could be had. Try again shortly.";
    IdentityUnavailable = "identity_unavailable", 503, "Nobody said who is calling",
        "Cloudflare Access let the caller in, and did not say who it is. Try again shortly.";
    Misconfigured = "misconfigured", 500, "The relay is not configured correctly",
        "The relay refuses to serve until its configuration is mended. Its log says what is wrong.";
    Internal = "internal", 500, "The relay failed",
        "Something went wrong inside the relay. Its log has the record with this trace id.";
}

/// The media type of a refusal's body (RFC 9457 §3).
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A reason may quote what a caller sent; it is cut after this many characters.
const REASON_LIMIT: usize = 500;

/// A refusal: the code for everybody, the reason for the log (and for the answer only with `debug`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the answer says.
    pub code: Code,
    /// What was wrong, what was seen and what would have passed. Never holds a token, cookie or secret.
    pub reason: String,
    /// The key of the configuration that decided, as in `access.audience`; nothing where no key could have let it pass.
    pub key: Option<&'static str>,
    /// With `debug`, how a CORS policy came to it.
    pub explanation: Option<Box<Explanation>>,
}

/// Why a preflight was refused; for `debug`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The key that decided, as in `cors.allowed_origins`.
    pub rule: String,
    /// What was seen, quoted and cut.
    pub seen: String,
    /// What would have passed, the first twenty of them.
    pub passes: Vec<String>,
    /// What to change.
    pub change: &'static str,
}

impl Refusal {
    /// A refusal with its reason.
    #[must_use]
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), key: None, explanation: None }
    }

    /// The same refusal, as it may be told: without any of these secrets in its reason, which is cut after that where nobody
    /// would read on.
    #[must_use]
    pub fn redacted<'s>(mut self, secrets: impl Iterator<Item = &'s str>) -> Self {
        if let Cow::Owned(reason) = redacted_line(&self.reason, secrets) {
            self.reason = reason;
        }
        if let Some((end, _)) = self.reason.char_indices().nth(REASON_LIMIT) {
            self.reason.truncate(end);
        }
        self
    }

    /// The same refusal, decided by a key of the configuration.
    #[must_use]
    pub fn by(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same refusal, explained.
    #[must_use]
    pub fn explained(self, explanation: Explanation) -> Self {
        Self { explanation: Some(Box::new(explanation)), ..self }
    }

    /// The body. `debug` adds the reason; without it the bytes depend on the code and the trace id alone.
    #[must_use]
    pub fn body(&self, trace_id: &str, debug: bool) -> String {
        let mut body = String::with_capacity(512);
        let ([title, status, detail], code) = (self.code.texts(), self.code.as_str());
        // A trace id is 32 hexadecimal digits.
        body.extend([
            "{\"type\":\"urn:problem-type:access-relay:",
            code,
            "\",\"title\":\"",
            title,
            "\",\"status\":",
            status,
        ]);
        body.extend([",\"detail\":\"", detail, "\",\"code\":\"", code, "\",\"trace_id\":\"", trace_id, "\""]);
        if debug {
            body.push_str(",\"reason\":");
            body.push_str(&serde_json::to_string(&self.reason).unwrap_or_default());
        }
        body.push('}');
        body
    }
}
