//! The flow of a request: what to do with it ([`decide`]). What the API gets is [`forward`]'s, what becomes of its answer
//! [`crate::flow::settle`]'s. The Worker reads, asks, and acts on what comes back.
//!
//! ```text
//! request -> route -> preflight? -> cross-origin rule -> caller check -> forward -> scrub answer -> CORS headers
//!              |          |               |                  |             |
//!        400 404 405  204 / 403          403              401 503     502 / 504
//! ```

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::caller::gate::Gate;
use crate::caller::platform::Word;
use crate::caller::runtime::Runtime;
use crate::config::types::Config;
use crate::flow::forward::{self, Forward};
use crate::flow::health;
use crate::flow::known::Known;
use crate::messages::edits::Edit;
use crate::messages::head::RequestHead;
use crate::messages::name::Name;
use crate::messages::present::Read;
use crate::outcomes::answer::Answer;
use crate::outcomes::problem::{Code, Refusal};
use crate::rules::cors::{self, Policy, PreflightBy};
use crate::rules::cross_origin::{self, Grounds};
use crate::rules::route::{Credentials, Route};
use crate::syntax::path::{Prefix, is_cloudflares};
use crate::syntax::target::Target;

/// What to do with a request, and what is known of it by then.
#[derive(Debug)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// What is known.
    pub known: Known,
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

/// Decides what to do with a request; `word` is the runtime's word on its caller, where there is one and the configuration goes by it.
pub async fn decide<H: Read, R: Runtime>(
    config: &Config,
    gate: &Rc<Gate<R>>,
    request: &RequestHead<'_, H>,
    word: Option<Word<R::Access>>,
) -> Decision {
    let mut known = Known::of(request, &config.cors);
    let action = flow(config, gate, request, word.as_ref(), &mut known)
        .await
        .unwrap_or_else(|refusal| Action::Answer(known.refuse(refusal, request.trace, config)));
    Decision { action, known }
}

async fn flow<H: Read, R: Runtime>(
    config: &Config,
    gate: &Rc<Gate<R>>,
    request: &RequestHead<'_, H>,
    word: Option<&Word<R::Access>>,
    known: &mut Known,
) -> Result<Action, Refusal> {
    let Passage { route, target, rest } = match before_caller(config, request, word.is_some(), known)? {
        ControlFlow::Break(action) => return Ok(action),
        ControlFlow::Continue(passage) => passage,
    };
    let token = check_caller(config, gate, request, word, route, known).await?;
    Ok(Action::Forward(forward::call(config, request, route, (target, rest), known, token.as_deref())))
}

/// A request on its way: the route that takes it, its URL, and its path after the route's prefix.
struct Passage<'c, 'r> {
    route: &'c Rc<Route>,
    target: Target<'r>,
    rest: &'r str,
}

/// All that is decided before it matters who calls: what to do, or how the request goes on. `vouched` says whether the runtime has a
/// word on its caller.
//
// A function by itself, for what awaits something is compiled as one piece, and a large one costs a young isolate dearly.
#[inline(never)]
fn before_caller<'c, 'r, H: Read>(
    config: &'c Config,
    request: &RequestHead<'r, H>,
    vouched: bool,
    known: &mut Known,
) -> Result<ControlFlow<Action, Passage<'c, 'r>>, Refusal> {
    let target = Target::of(request.url).map_err(|reason| Refusal::new(Code::BadPath, reason))?;
    if health::is_asked_for(config.health_path.as_ref().map(Prefix::as_str), request.method, target.path) {
        return Ok(ControlFlow::Break(Action::Health));
    }
    let (route, rest) = find_route(config, target.path)?;
    known.route = Some(Rc::clone(route));
    known.cors = Policy::of_path(&route.cors, target.path);
    if request.header(Name::Loop).is_some_and(|passed| forward::has_passed(&passed, &route.id)) {
        let reason = "its access-relay-loop names this route, or too many routes: an upstream leads back to the relay";
        return Err(Refusal::new(Code::LoopDetected, reason).by("routes.upstream"));
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
            return Ok(ControlFlow::Break(Action::Answer(answer)));
        }
        return Ok(ControlFlow::Break(Action::Forward(forward::preflight(request, route, (target, rest)))));
    }

    // As nearly all are; nothing else has to be read for it.
    known.passed = Some(if request.header(Name::SecFetchSite).as_deref() == Some("same-origin") {
        Grounds::Own
    } else {
        check_origin(request, route, target, known, vouched, config.debug)?
    });
    Ok(ControlFlow::Continue(Passage { route, target, rest }))
}

/// The caller check. Returns the token, if it was one that opened the relay.
async fn check_caller<'r, H: Read, R: Runtime>(
    config: &Config,
    gate: &Rc<Gate<R>>,
    request: &RequestHead<'r, H>,
    word: Option<&Word<R::Access>>,
    route: &Route,
    known: &mut Known,
) -> Result<Option<Cow<'r, str>>, Refusal> {
    let (platform, tokens) = (config.access.platform(), config.access.tokens());
    // A token that goes on to the API has to be verified, whatever the runtime says.
    let vouched = platform.zip(word).filter(|_| route.credentials != Credentials::CallerToken);
    let (identity, token) = if let Some((policy, word)) = vouched {
        (gate.vouched(request, word, policy, tokens).await?, None)
    } else if let Some(policy) = tokens {
        let (identity, token) = gate.by_token(request, policy).await?;
        (identity, Some(token))
    } else if platform.is_some() {
        return Err(Refusal::new(Code::Unauthenticated, NO_WORD).by("access.platform"));
    } else {
        return Ok(None);
    };
    known.caller = Some(identity.caller);
    known.warnings.extend(identity.warnings);
    Ok(token)
}

const NO_WORD: &str = "ctx.access is not there: Access does not protect this Worker, or the runtime does not pass its word on, as \
                       behind static assets or a service binding";

/// The cross-origin rule. Whom Access let in, it has known by credentials.
#[inline(never)]
fn check_origin<H: Read>(
    request: &RequestHead<'_, H>,
    route: &Route,
    target: Target,
    known: &Known,
    vouched: bool,
    debug: bool,
) -> Result<Grounds, Refusal> {
    let site = request.header(Name::SecFetchSite);
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
        carries_credentials: vouched || request.present.has_any(&credentials),
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
    let (route, rest) = config
        .routes
        .find(path)
        .ok_or_else(|| Refusal::new(Code::NotFound, "no route's path covers this one").by("routes"))?;
    // Access logs people in and out there, on the page's host and on the API's: none of it passes through us.
    let leads_to_cloudflare = route.strip_prefix && route.upstream.base_path.is_empty() && is_cloudflares(rest);
    if is_cloudflares(path) || leads_to_cloudflare {
        return Err(Refusal::new(Code::NotFound, "/cdn-cgi/ is Cloudflare's own"));
    }
    Ok((route, rest))
}

/// What a preflight gets from the policy.
#[inline(never)]
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
