//! The flow of a request: what to do with it ([`decide`]). What the API gets is [`forward`]'s, what becomes of its answer
//! [`crate::settle`]'s. Pure: the edge reads, asks, and acts on what comes back.
//!
//! ```text
//! request -> route -> preflight? -> cross-origin rule -> caller check -> forward -> scrub answer -> CORS headers
//!              |          |               |                  |             |
//!        400 404 405  204 / 403          403              401 503     502 / 504
//! ```

use std::borrow::Cow;
use std::rc::Rc;

use crate::access::{self, Caller, Gate};
use crate::config::{Access, Config, Route};
use crate::cors::{self, Policy, PreflightBy};
use crate::cross_origin;
use crate::edits::{Edit, Edits};
use crate::forward::{self, Forward};
use crate::headers::{Name, Present, Read};
use crate::problem::{CONTENT_TYPE, Code, Refusal};
use crate::route::{Target, is_cloudflares};
use crate::runtime::Runtime;
use crate::trace::Trace;

/// A request, as far as decisions need it.
pub struct RequestHead<'a, H: Read> {
    /// The method, as it was sent.
    pub method: &'a str,
    /// The URL, raw.
    pub url: &'a str,
    /// Which headers there are, and the values that came along.
    pub present: &'a Present<'a>,
    /// The other values.
    pub headers: &'a H,
    /// The trace that the request belongs to.
    pub trace: &'a Trace,
}

/// What to do with a request, and what is known of it by then.
#[derive(Debug)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// What is known.
    pub known: Known,
}

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
    /// Who called, once that is proven.
    pub caller: Option<Rc<Caller>>,
    /// What the log should say though nothing was refused.
    pub warnings: Vec<String>,
}

/// What a browser makes of an answer, as `Sec-Fetch-Dest` says it (Fetch, "destination").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A document, in a window or a frame.
    Document,
    /// Something else: data, an image, a script.
    Other,
    /// It does not say: no browser, or one too old for it.
    Unknown,
}

impl Destination {
    fn of(dest: Option<&str>) -> Self {
        match dest {
            None => Self::Unknown,
            Some("document" | "iframe" | "frame" | "fencedframe" | "embed" | "object") => Self::Document,
            Some(_) => Self::Other,
        }
    }
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Answer by ourselves.
    Answer(Answer),
    /// Ask the API.
    Forward(Forward),
    /// Say how everything is.
    Health,
}

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

impl<'a, H: Read> RequestHead<'a, H> {
    pub(crate) fn header(&self, name: Name) -> Option<Cow<'a, str>> {
        let along = self.present.value(name).map(Cow::Borrowed);
        along.or_else(|| self.present.has(name).then(|| self.headers.read(name).map(Cow::Owned)).flatten())
    }

    /// Whether it asks for a WebSocket, and for nothing else (RFC 6455 §4.1): who offers several protocols gets none.
    pub(crate) fn is_websocket(&self) -> bool {
        let upgrade = self.header(Name::Upgrade);
        self.method == "GET" && upgrade.is_some_and(|upgrade| upgrade.trim().eq_ignore_ascii_case("websocket"))
    }

    /// Fetch, "CORS-preflight request": OPTIONS, with an `Origin` and an `Access-Control-Request-Method`.
    fn is_preflight(&self) -> bool {
        self.method == "OPTIONS" && self.present.has(Name::Origin) && self.present.has(Name::RequestMethod)
    }
}

/// Decides what to do with a request.
pub async fn decide<H: Read, R: Runtime>(
    config: &Config,
    gate: &Rc<Gate<R>>,
    request: &RequestHead<'_, H>,
) -> Decision {
    let mut known = Known {
        route: None,
        cors: Rc::clone(&config.cors),
        preflight: request.is_preflight(),
        origin: request.header(Name::Origin).map(Cow::into_owned),
        websocket: request.is_websocket(),
        destination: Destination::of(request.header(Name::SecFetchDest).as_deref()),
        caller: None,
        warnings: Vec::new(),
    };
    let action = flow(config, gate, request, &mut known)
        .await
        .unwrap_or_else(|refusal| Action::Answer(Answer::refusal(refusal, &known, request.trace, config)));
    Decision { action, known }
}

async fn flow<H: Read, R: Runtime>(
    config: &Config,
    gate: &Rc<Gate<R>>,
    request: &RequestHead<'_, H>,
    known: &mut Known,
) -> Result<Action, Refusal> {
    let target = Target::of(request.url).map_err(|reason| Refusal::new(Code::BadPath, reason))?;
    if matches!(request.method, "GET" | "HEAD")
        && config.health_path.as_ref().is_some_and(|path| path.as_str() == target.path)
    {
        return Ok(Action::Health);
    }
    let (route, rest) = find_route(config, target.path)?;
    known.route = Some(Rc::clone(route));
    known.cors = Policy::of_path(&route.cors, target.path);
    if request.header(Name::Loop).is_some_and(|passed| forward::has_passed(&passed, &route.id)) {
        let reason = "the request has passed this route before, or too many: its upstream leads back to the relay";
        return Err(Refusal::new(Code::LoopDetected, reason));
    }
    if ["TRACE", "TRACK", "CONNECT"].iter().any(|method| request.method.eq_ignore_ascii_case(method)) {
        return Err(Refusal::new(
            Code::MethodNotForwarded,
            "an echo of the request would hold the relay's credentials",
        ));
    }
    if request.header(Name::Connection).is_some_and(|options| options.len() > Name::Connection.longest()) {
        let reason = format!("the connection header has more than {} bytes", Name::Connection.longest());
        return Err(Refusal::new(Code::BadRequest, reason));
    }

    if known.preflight {
        let answer = preflight(known, request, config);
        if answer.refusal.is_some() || known.cors.preflight == PreflightBy::Edge {
            return Ok(Action::Answer(answer));
        }
        return Ok(Action::Forward(forward::preflight(request, route, (target, rest))));
    }

    check_origin(request, route, target, known, config.debug)?;

    let mut token = None;
    if let Access::Jwt(policy) = &config.access {
        let tokens = access::tokens_of(request).map_err(|reason| Refusal::new(Code::Unauthenticated, reason))?;
        let (identity, found) = gate.identify_one(tokens, policy).await?;
        known.caller = Some(identity.caller);
        known.warnings.extend(identity.warning);
        token = Some(found);
    }

    Ok(Action::Forward(forward::call(config, request, route, (target, rest), known, token.as_deref())))
}

/// The cross-origin rule.
fn check_origin<H: Read>(
    request: &RequestHead<'_, H>,
    route: &Route,
    target: Target,
    known: &Known,
    debug: bool,
) -> Result<(), Refusal> {
    let site = request.header(Name::SecFetchSite);
    if site.as_deref() == Some("same-origin") {
        return Ok(()); // As nearly all are; nothing else has to be read for it.
    }
    let credentials = [Name::Cookie, Name::AccessJwtAssertion, Name::AccessToken];
    let [mode, dest, purpose] =
        [Name::SecFetchMode, Name::SecFetchDest, Name::SecPurpose].map(|name| request.header(name));
    let facts = cross_origin::Facts {
        method: request.method,
        websocket: known.websocket,
        site: site.as_deref(),
        mode: mode.as_deref(),
        dest: dest.as_deref(),
        prefetch: purpose.is_some(),
        origin: known.origin.as_deref(),
        scheme: target.scheme,
        host: target.authority,
        carries_credentials: request.present.has_any(&credentials),
        foreign_requests: route.foreign_requests,
        callback: route.callback_paths.iter().any(|path| path.as_str() == target.path),
    };
    cross_origin::check(facts, &known.cors).map_err(|refusal| {
        // Where credentials were too much, the reason has said it all.
        match known.origin.as_deref() {
            Some(origin) if debug && !known.cors.allows_origin(origin) => {
                let asked = cors::Preflight { origin, method: request.method, headers: None };
                refusal.explained(known.cors.explain(Code::OriginNotAllowed, asked))
            }
            _ => refusal,
        }
    })
}

/// The deepest route that covers the path, and what comes after its prefix.
fn find_route<'c, 'p>(config: &'c Config, path: &'p str) -> Result<(&'c Rc<Route>, &'p str), Refusal> {
    let (route, rest) =
        config.routes.find(path).ok_or_else(|| Refusal::new(Code::NotFound, "no route's path covers this one"))?;
    // Access logs people in and out there, on the page's host and on the API's: none of it passes through us.
    let leads_to_cloudflare = route.strip_prefix && route.upstream.base_path.is_empty() && is_cloudflares(rest);
    if is_cloudflares(path) || leads_to_cloudflare {
        return Err(Refusal::new(Code::NotFound, "/cdn-cgi/ is Cloudflare's own"));
    }
    Ok((route, rest))
}

/// What a preflight gets from the policy.
fn preflight<H: Read>(known: &Known, request: &RequestHead<'_, H>, config: &Config) -> Answer {
    let policy = &known.cors;
    let method = request.header(Name::RequestMethod).unwrap_or_default();
    let headers = request.header(Name::RequestHeaders);
    let mut asked = cors::Preflight {
        origin: known.origin.as_deref().unwrap_or_default(),
        method: &method,
        headers: headers.as_deref(),
    };
    if policy.preflight == PreflightBy::Upstream {
        // The origin alone is the policy's to judge, and whether the line is a browser's at all.
        asked.method = "GET";
        asked.headers = asked.headers.filter(|headers| cors::is_no_browsers(headers));
    }
    let refused = match policy.preflight(asked) {
        Ok(headers) => return Answer { headers, ..Answer::empty(204) },
        Err(refused) => refused,
    };
    if config.debug {
        // The headers gathered so far, with a good status: the browser then blames what is really missing.
        let explanation = policy.explain(refused.refusal.code, asked);
        let refusal = Some(refused.refusal.redacted(config.secrets()).explained(explanation));
        return Answer { headers: refused.gathered, refusal, ..Answer::empty(204) };
    }
    let mut answer = Answer::problem(refused.refusal.redacted(config.secrets()), request.trace, config.debug);
    answer.headers.push(Edit::Set(Name::Vary, cors::PREFLIGHT_VARY));
    answer
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

    /// A refusal that the page can read, where its policy lets it.
    #[must_use]
    pub fn refusal(refusal: Refusal, known: &Known, trace: &Trace, config: &Config) -> Self {
        let mut answer = Self::problem(refusal.redacted(config.secrets()), trace, config.debug);
        known.cors.add_response_headers(known.origin.as_deref(), "", &mut answer.headers);
        answer
    }
}
