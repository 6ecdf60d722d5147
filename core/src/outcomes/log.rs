//! The log: one JSON line for each refusal and failure, or for each request.
//!
//! A record never holds a token, a cookie, a secret, a path or a query string.

use serde::Serialize;

use crate::messages::trace::Trace;
use crate::outcomes::problem::{Code, Explanation, Refusal};

/// One line of the log.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    /// The method, as the caller sent it.
    pub method: &'a str,
    /// The status that the caller got.
    pub status: u16,
    /// The path of the route that took the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'a str>,
    /// The refusal's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// How many refusals were left out of the log before this one.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u32,
    /// What somebody should look at though the request was served.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub warnings: &'a [String],
    /// How a CORS policy came to it, with `debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<&'a Explanation>,
    /// What is wrong with the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// `user`, `service`, `somebody` (whom Access let in), or `none`: who called, as far as that is proven.
    pub caller: &'static str,
    /// The API's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// How often the API was asked, where it was more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_tries: Option<u32>,
    /// How long the API took until its answer's headers, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ms: Option<u32>,
    /// The trace's id, as in the answer and in the API's `traceparent`.
    pub trace_id: &'a str,
    /// Cloudflare's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ray: Option<String>,
}

/// How many refusals of strangers are written down in one second; what a stranger sends must not fill the log.
const REFUSALS_A_SECOND: u32 = 20;

/// Keeps the log readable while somebody sends nothing but what is refused.
#[derive(Debug, Default)]
pub struct Quota {
    /// Since the epoch.
    second: i64,
    written: u32,
    left_out: u32,
}

impl Quota {
    /// Whether one more refusal may be written down in this second since the epoch: then, how many were left out before it.
    pub fn admit(&mut self, second: i64) -> Option<u32> {
        if self.second != second {
            (self.second, self.written) = (second, 0);
        }
        if self.written == REFUSALS_A_SECOND {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.written += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// How loud a record is, in the console's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `console.error`: the relay, the API or the issuer fails.
    Error,
    /// `console.warn`: a request was refused, or something should be looked at.
    Warning,
    /// `console.log`
    Information,
}

impl<'a> Record<'a> {
    /// What a request is, before anything else is known of it.
    #[must_use]
    pub fn of(method: &'a str, status: u16, trace: &'a Trace, ray: Option<String>) -> Self {
        Self {
            method,
            status,
            route: None,
            code: None,
            reason: None,
            left_out: 0,
            warnings: &[],
            explanation: None,
            errors: Vec::new(),
            caller: "none",
            upstream_status: None,
            upstream_tries: None,
            upstream_ms: None,
            trace_id: trace.id(),
            ray,
        }
    }

    /// A request that met a configuration that cannot serve.
    #[must_use]
    pub fn misconfigured(method: &'a str, errors: Vec<String>, trace: &'a Trace, ray: Option<String>) -> Self {
        let code = Code::Misconfigured;
        Self { code: Some(code.as_str()), errors, ..Self::of(method, code.status(), trace, ray) }
    }

    /// A health report that was made, and does not hold in whole.
    #[must_use]
    pub fn of_health(warnings: &'a [String], trace: &'a Trace) -> Self {
        Self { warnings, ..Self::of("GET", 503, trace, None) }
    }

    /// The same record, with the refusal.
    #[must_use]
    pub fn refused(mut self, refusal: Option<&'a Refusal>) -> Self {
        self.code = refusal.map(|refusal| refusal.code.as_str());
        self.reason = refusal.map(|refusal| refusal.reason.as_str());
        self.explanation = refusal.and_then(|refusal| refusal.explanation.as_deref());
        self
    }

    /// How loud it should be.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.status {
            500.. => Level::Error,
            400.. => Level::Warning,
            _ if !self.warnings.is_empty() => Level::Warning,
            _ => Level::Information,
        }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
