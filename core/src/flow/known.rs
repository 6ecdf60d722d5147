//! What a request has told so far: for its log line and for its answer's headers.

use std::rc::Rc;

use crate::caller::identity::Caller;
use crate::config::types::{Config, Log};
use crate::messages::head::{Destination, RequestHead};
use crate::messages::name::Name;
use crate::messages::present::Read;
use crate::messages::trace::Trace;
use crate::outcomes::answer::Answer;
use crate::outcomes::log::Record;
use crate::outcomes::problem::Refusal;
use crate::rules::cors::Policy;
use crate::rules::cross_origin::Grounds;
use crate::rules::route::Route;

/// What is known of a request, for its log record and for the headers of its answer.
#[derive(Debug)]
pub struct Known {
    /// The route that took it.
    pub route: Option<Rc<Route>>,
    /// The CORS policy of the path.
    pub cors: Rc<Policy>,
    /// Whether it is a preflight.
    pub preflight: bool,
    /// The page's origin.
    pub origin: Option<String>,
    /// Whether it asks for a WebSocket.
    pub websocket: bool,
    /// What the browser makes of the answer.
    pub destination: Destination,
    /// Why the cross-origin rule let it pass, once it has.
    pub passed: Option<Grounds>,
    /// Who called, once that is proven.
    pub caller: Option<Rc<Caller>>,
    /// What the log should say though nothing was refused.
    pub warnings: Vec<String>,
}

impl Known {
    /// What a request says by itself, before any route takes it.
    #[must_use]
    #[inline(never)]
    pub fn of<H: Read>(request: &RequestHead<'_, H>, cors: &Rc<Policy>) -> Self {
        Self {
            route: None,
            cors: Rc::clone(cors),
            preflight: request.is_preflight(),
            origin: request.header(Name::Origin).map(Into::into),
            websocket: request.is_websocket(),
            destination: Destination::of(request.header(Name::SecFetchDest).as_deref()),
            passed: None,
            caller: None,
            warnings: Vec::new(),
        }
    }

    /// A refusal that the page can read, where its policy lets it.
    #[must_use]
    #[inline(never)]
    pub fn refuse(&self, refusal: Refusal, trace: &Trace, config: &Config) -> Answer {
        let mut answer = Answer::problem(refusal.redacted(config.secrets()), trace, config.debug);
        self.cors.add_response_headers(self.origin.as_deref(), "", &mut answer.headers);
        answer
    }

    /// The line of the log.
    #[must_use]
    pub fn record<'a>(&'a self, method: &'a str, status: u16, trace: &'a Trace, ray: Option<String>) -> Record<'a> {
        Record {
            route: self.route.as_deref().map(|route| route.prefix.as_str()),
            caller: match self.caller.as_deref() {
                Some(Caller::User { .. }) => "user",
                Some(Caller::Service { .. }) => "service",
                Some(Caller::Somebody) => "somebody",
                None => "none",
            },
            warnings: &self.warnings,
            ..Record::of(method, status, trace, ray)
        }
    }

    /// Whether that line counts against the log's quota: whoever has no proven name can cause one as often as they like.
    #[must_use]
    pub fn is_counted(&self, config: &Config) -> bool {
        self.caller.is_none() && config.log == Log::Refusals && !config.debug
    }
}
