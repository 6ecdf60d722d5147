//! The flow of a request, in two decisions: what to do with it ([`decide`]), and what to make of the API's answer
//! ([`settle`]). Pure: the edge reads, asks, and acts on what comes back.
//!
//! ```text
//! request -> route -> preflight? -> cross-origin rule -> caller check -> forward -> scrub answer -> CORS headers
//!              |          |               |                  |             |
//!           400 404   204 / 403          403              401 503     502 / 504
//! ```

use std::rc::Rc;

use crate::access::{self, Caller, Gate};
use crate::config::{Access, Config, Credentials, Route, ServiceToken};
use crate::cookies;
use crate::cors::{self, Policy, PreflightBy};
use crate::cross_origin;
use crate::headers::{self, Edit, Name, Present, Read};
use crate::keys::KeySource;
use crate::origin::{authority_of, split_scheme};
use crate::problem::{CONTENT_TYPE, Code, Refusal};
use crate::route::{Target, is_cloudflares, relay_location, upstream_url};
use crate::trace::Trace;

/// A request, as far as decisions need it.
pub struct RequestHead<'a, H: Read> {
    /// The method, as it was sent.
    pub method: &'a str,
    /// The URL, raw.
    pub url: &'a str,
    /// Which headers there are.
    pub present: &'a Present,
    /// Their values.
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
    /// Who called, once that is proven.
    pub caller: Option<Rc<Caller>>,
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Answer by ourselves.
    Answer(Answer),
    /// Ask the API.
    Forward(Forward),
}

/// An answer of the relay's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Its headers, to be set on none.
    pub headers: Vec<Edit>,
    /// The body; none for a preflight.
    pub body: Option<String>,
    /// Why, where it is a refusal; for the log.
    pub refusal: Option<Refusal>,
}

/// A request to the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Forward {
    /// The route that leads to it.
    pub route: Rc<Route>,
    /// The URL.
    pub url: String,
    /// What changes in the caller's headers.
    pub edits: Vec<Edit>,
}

impl<H: Read> RequestHead<'_, H> {
    fn header(&self, name: Name) -> Option<String> {
        if self.present.has(name) { self.headers.read(name) } else { None }
    }

    fn is_websocket(&self) -> bool {
        self.header(Name::Upgrade).is_some_and(|upgrade| headers::lists(&upgrade, "websocket"))
    }

    /// Fetch, "CORS-preflight request": OPTIONS, with an `Origin` and an `Access-Control-Request-Method`.
    fn is_preflight(&self) -> bool {
        self.method == "OPTIONS" && self.present.has(Name::Origin) && self.present.has(Name::RequestMethod)
    }
}

/// Decides what to do with a request. `now` tells the time, in seconds since the epoch, to what needs it.
pub async fn decide<H: Read, S: KeySource>(
    config: &Config,
    gate: &Gate<S>,
    request: &RequestHead<'_, H>,
    now: impl Fn() -> i64,
) -> Decision {
    let mut known = Known {
        route: None,
        cors: Rc::clone(&config.cors),
        preflight: request.is_preflight(),
        origin: request.header(Name::Origin),
        caller: None,
    };
    let action = flow(config, gate, request, now, &mut known)
        .await
        .unwrap_or_else(|refusal| Action::Answer(Answer::refusal(refusal, &known, request.trace, config.debug)));
    Decision { action, known }
}

async fn flow<H: Read, S: KeySource>(
    config: &Config,
    gate: &Gate<S>,
    request: &RequestHead<'_, H>,
    now: impl Fn() -> i64,
    known: &mut Known,
) -> Result<Action, Refusal> {
    let target = Target::of(request.url).map_err(|reason| Refusal::new(Code::BadPath, reason))?;
    let (route, rest) = find_route(config, target.path)?;
    known.route = Some(Rc::clone(route));
    known.cors = Policy::of_path(&route.cors, target.path);

    if known.preflight {
        let answer = preflight(known, request, config.debug);
        if answer.refusal.is_some() || known.cors.preflight == PreflightBy::Edge {
            return Ok(Action::Answer(answer));
        }
        // The API says which methods and headers. It sees no caller, for a preflight never has one, and nobody has
        // checked who this is: what a preflight asks is all that passes.
        let url = upstream_url(&route.upstream, target, rest, route.strip_prefix);
        let asked = headers::OF_PREFLIGHTS.into_iter().filter_map(|name| Some(Edit::Set(name, request.header(name)?)));
        let mut edits: Vec<Edit> = std::iter::once(Edit::RemoveAll("")).chain(asked).collect();
        edits.extend(own_headers(config, route, request, None, None));
        return Ok(Action::Forward(Forward { route: Rc::clone(route), url, edits }));
    }

    let websocket = request.is_websocket();
    if cross_origin::applies(request.method, websocket, known.origin.is_some()) {
        let site = request.header(Name::SecFetchSite);
        let credentials = [Name::Cookie, Name::AccessJwtAssertion, Name::AccessToken];
        let facts = cross_origin::Facts {
            site: site.as_deref(),
            origin: known.origin.as_deref(),
            host: authority_of(request.url),
            carries_credentials: credentials.iter().any(|name| request.present.has(*name)),
        };
        cross_origin::check(facts, &known.cors).map_err(|refusal| {
            // Where credentials were too much, the reason has said it all.
            match known.origin.as_deref() {
                Some(origin) if config.debug && !known.cors.allows_origin(origin) => {
                    let asked = cors::Preflight { origin, method: request.method, headers: None };
                    refusal.explained(known.cors.explain(Code::OriginNotAllowed, asked))
                }
                _ => refusal,
            }
        })?;
    }

    let mut token = None;
    if let Access::Jwt(policy) = &config.access {
        let found = access::token_of(request.headers, |name| request.present.has(name))
            .map_err(|reason| Refusal::new(Code::Unauthenticated, reason))?;
        known.caller = Some(gate.identify(&found, policy, now()).await?);
        token = Some(found);
    }

    let url = upstream_url(&route.upstream, target, rest, route.strip_prefix);
    let edits = request_edits(config, route, request, websocket, known.caller.as_deref(), token);
    Ok(Action::Forward(Forward { route: Rc::clone(route), url, edits }))
}

/// The deepest route that covers the path, and what comes after its prefix.
fn find_route<'c, 'p>(config: &'c Config, path: &'p str) -> Result<(&'c Rc<Route>, &'p str), Refusal> {
    let found = config.routes.iter().find_map(|route| Some((route, route.prefix.strip(path)?)));
    let (route, rest) = found.ok_or_else(|| Refusal::new(Code::NotFound, "no route's path covers this one"))?;
    // Access logs people in and out there, on the page's host and on the API's: none of it passes through us.
    let leads_to_cloudflare = route.strip_prefix && route.upstream.base_path.is_empty() && is_cloudflares(rest);
    if is_cloudflares(path) || leads_to_cloudflare {
        return Err(Refusal::new(Code::NotFound, "/cdn-cgi/ is Cloudflare's own"));
    }
    Ok((route, rest))
}

/// What a preflight gets from the policy.
fn preflight<H: Read>(known: &Known, request: &RequestHead<'_, H>, debug: bool) -> Answer {
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
    if debug {
        // The headers gathered so far, with a good status: the browser then blames what is really missing.
        let explanation = policy.explain(refused.refusal.code, asked);
        let refusal = Some(refused.refusal.explained(explanation));
        return Answer { headers: refused.gathered, refusal, ..Answer::empty(204) };
    }
    let mut answer = Answer::problem(refused.refusal, request.trace, debug);
    answer.headers.extend(refused.gathered.into_iter().filter(|edit| matches!(edit, Edit::Set(Name::Vary, _))));
    answer
}

/// What changes in the caller's headers on their way to the API. First all that is not the caller's to say goes, then
/// ours is set: no copy of a credential but our own ever arrives.
fn request_edits<H: Read>(
    config: &Config,
    route: &Route,
    request: &RequestHead<'_, H>,
    websocket: bool,
    caller: Option<&Caller>,
    token: Option<String>,
) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::with_capacity(16);
    edits.extend(
        request.present.dropped.iter().filter(|name| !(websocket && *name == "upgrade")).cloned().map(Edit::Delete),
    );
    if let Some(options) = request.header(Name::Connection) {
        let named = headers::connection_options(&options).into_iter().filter(|name| !(websocket && name == "upgrade"));
        edits.extend(named.map(Edit::Delete));
    }
    if request.present.has(Name::Cookie) {
        // Read only where something of it may be kept: it is often the longest header of all.
        let cookie = match route.request_cookies {
            cookies::RequestCookies::Nothing => None,
            _ => request.header(Name::Cookie),
        };
        edits.push(match cookie.and_then(|cookie| route.request_cookies.filter(&cookie)) {
            Some(cookie) => Edit::Set(Name::Cookie, cookie),
            None => Edit::Remove(Name::Cookie),
        });
    }

    if request.present.has(Name::Tracestate) && !request.trace.continued {
        edits.push(Edit::Remove(Name::Tracestate));
    }
    edits.extend(own_headers(config, route, request, caller, token));
    edits
}

/// What is ours to say: where the request came from, its trace, who calls, and the credentials.
fn own_headers<H: Read>(
    config: &Config,
    route: &Route,
    request: &RequestHead<'_, H>,
    caller: Option<&Caller>,
    token: Option<String>,
) -> Vec<Edit> {
    let mut edits = Vec::with_capacity(8);
    edits.push(Edit::Set(Name::ForwardedHost, authority_of(request.url).to_owned()));
    let scheme = split_scheme(request.url).map_or("https", |(scheme, _)| scheme);
    edits.push(Edit::Set(Name::ForwardedProto, scheme.to_owned()));
    if let Some(address) = request.header(Name::ConnectingIp) {
        edits.push(Edit::Set(Name::ForwardedFor, address));
    }
    edits.push(Edit::Set(Name::Traceparent, request.trace.traceparent().to_owned()));

    if matches!(&config.access, Access::Jwt(policy) if policy.identity_headers) {
        edits.extend(identity(caller));
    }
    match &route.credentials {
        Credentials::ServiceToken(service_token) => {
            edits.push(Edit::Set(Name::AccessClientId, service_token.client_id.clone()));
            edits.push(Edit::Set(Name::AccessClientSecret, service_token.client_secret.clone()));
        }
        Credentials::CallerToken => edits.extend(token.map(|token| Edit::Set(Name::AccessToken, token))),
    }
    edits
}

/// Who calls, from verified claims. A value that cannot travel as a header is left out rather than bent.
fn identity(caller: Option<&Caller>) -> Vec<Edit> {
    let (user, email) = match caller {
        Some(Caller::User { sub, email }) => (Some(sub), email.as_ref()),
        Some(Caller::Service { common_name }) => (Some(common_name), None),
        None => (None, None),
    };
    [(Name::ForwardedUser, user), (Name::ForwardedEmail, email)]
        .into_iter()
        .filter_map(|(name, value)| {
            Some(Edit::Set(name, value.filter(|value| headers::is_plain_value(value))?.clone()))
        })
        .collect()
}

/// The API's answer, as far as decisions need it.
pub struct ResponseHead<'a, H: Read> {
    /// The status.
    pub status: u16,
    /// Its headers.
    pub headers: &'a H,
}

/// What to make of the API's answer: the changes to its headers; for a preflight, all of the answer's headers.
///
/// # Errors
/// `upstream_access_denied`: the answer is Access's, and says that the relay's credentials were refused. A redirect
/// of the browser to a login page would help nobody.
pub fn settle<H: Read>(known: &Known, response: &ResponseHead<'_, H>) -> Result<Vec<Edit>, Refusal> {
    let Some(route) = known.route.as_deref() else {
        return Err(Refusal::new(Code::Internal, "an answer without a route"));
    };
    // RFC 9110 §10.2.2: Location means something with these.
    let location = matches!(response.status, 201 | 300..=399).then(|| response.headers.read(Name::Location)).flatten();
    if let Some(signal) = access_denial(response, location.as_deref()) {
        return Err(Refusal::new(Code::UpstreamAccessDenied, denial_reason(route, &signal)));
    }
    let mut edits = Vec::with_capacity(16);
    let cookies = if route.response_cookies.is_empty() { Vec::new() } else { response.headers.set_cookies() };
    if known.preflight {
        // Whoever asked: what answers a preflight, and nothing else.
        let said = headers::FOR_PREFLIGHTS.into_iter();
        edits.push(Edit::Set(Name::Vary, cors::PREFLIGHT_VARY.to_owned()));
        edits.extend(said.filter_map(|name| Some(Edit::Set(name, response.headers.read(name)?))));
        known.cors.allow_origin(known.origin.as_deref().unwrap_or_default(), &mut edits);
        return Ok(edits);
    }
    edits.extend([Edit::Remove(Name::SetCookie), Edit::RemoveAll(headers::ONLY_OURS_TO_SAY)]);
    let kept = cookies.iter().filter_map(|cookie| cookies::host_only(cookie, &route.response_cookies));
    edits.extend(kept.map(|cookie| Edit::Append(Name::SetCookie, cookie)));
    if let Some(location) = location {
        let relayed = relay_location(&location, &route.upstream, &route.prefix, route.strip_prefix);
        edits.extend(relayed.map(|location| Edit::Set(Name::Location, location)));
    }
    let vary = || response.headers.read(Name::Vary);
    edits.extend(known.cors.response_headers(known.origin.as_deref(), vary));
    Ok(edits)
}

/// What shows that Access, and not the API, has answered (`docs/how-it-works.md` has the table).
fn access_denial<H: Read>(response: &ResponseHead<'_, H>, location: Option<&str>) -> Option<String> {
    let login = b"/cdn-cgi/access/login";
    let leads_there = |location: &str| location.as_bytes().windows(login.len()).any(|part| part == login);
    if location.is_some_and(leads_there) && response.status != 201 {
        return Some(format!("{} to Access's login page", response.status));
    }
    if !matches!(response.status, 401 | 403) {
        return None;
    }
    let challenge = response.headers.read(Name::WwwAuthenticate).unwrap_or_default();
    if challenge.trim_start().get(..17).is_some_and(|scheme| scheme.eq_ignore_ascii_case("cloudflare-access")) {
        return Some(format!("{} with www-authenticate: Cloudflare-Access", response.status));
    }
    let marks = [Name::AccessAud, Name::AccessDomain, Name::AccessError];
    let mark = marks.into_iter().find(|name| response.headers.read(*name).is_some())?;
    Some(format!("{} with {}", response.status, mark.as_str()))
}

fn denial_reason(route: &Route, signal: &str) -> String {
    let host = authority_of(route.upstream.origin.as_str());
    match &route.credentials {
        Credentials::ServiceToken(ServiceToken { name, .. }) => format!(
            "{host} answered {signal}: check that the service token in {name}_CLIENT_ID and {name}_CLIENT_SECRET has not expired, \
             and that a Service Auth policy of that application includes it"
        ),
        Credentials::CallerToken => format!(
            "{host} answered {signal}: check that a Service Auth policy of that application has a linked app token rule for the page's application"
        ),
    }
}

impl Answer {
    /// A status, and nothing else.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None, refusal: None }
    }

    /// A refusal as problem+json, without CORS headers.
    #[must_use]
    pub fn problem(refusal: Refusal, trace: &Trace, debug: bool) -> Self {
        let mut headers = vec![
            Edit::Set(Name::ContentType, CONTENT_TYPE.to_owned()),
            Edit::Set(Name::CacheControl, "no-store".to_owned()),
        ];
        if refusal.code == Code::Unauthenticated {
            // RFC 9110 §15.5.2 asks for a challenge; the same one whatever was wrong.
            headers.push(Edit::Set(Name::WwwAuthenticate, "Bearer realm=\"access-relay\"".to_owned()));
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
    pub fn refusal(refusal: Refusal, known: &Known, trace: &Trace, debug: bool) -> Self {
        let mut answer = Self::problem(refusal, trace, debug);
        answer.headers.extend(known.cors.response_headers(known.origin.as_deref(), || None));
        answer
    }
}
