//! What the API gets: the URL, and the caller's headers with what changes in them.

use std::rc::Rc;

use crate::caller::identity::Caller;
use crate::config::types::Config;
use crate::flow::known::Known;
use crate::messages::cookies::RequestCookies;
use crate::messages::crossing;
use crate::messages::edits::{Edit, Edits};
use crate::messages::head::RequestHead;
use crate::messages::name::{Name, PREFLIGHT_ASKS};
use crate::messages::present::Read;
use crate::rules::route::{Credentials, Route};
use crate::rules::upstream::upstream_url;
use crate::syntax::field::{connection_options, is_plain_value, lists};
use crate::syntax::target::Target;

/// A request to the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Forward {
    /// The route that leads to it.
    pub route: Rc<Route>,
    /// The URL, and what changes in the caller's headers.
    pub edits: Edits,
    /// How often it may be sent once more, where it got no answer at all and has no body: what changes nothing when it is repeated
    /// (RFC 9110 §9.2.2), as often as the route allows.
    pub retries: u32,
}

/// Whether a request has passed a route, by the list that relays keep in it: what RFC 8586 has for CDNs, whose own header is
/// Cloudflare's to write.
#[must_use]
pub fn has_passed(passed: &str, id: &str) -> bool {
    passed.len() > Name::Loop.longest() || lists(passed, id)
}

impl Forward {
    fn new(method: &str, route: &Rc<Route>, (target, rest): (Target, &str)) -> Self {
        let url = upstream_url(&route.upstream, target, rest, route.strip_prefix);
        let retries = if matches!(method, "GET" | "HEAD") { route.retries } else { 0 };
        Self { route: Rc::clone(route), edits: Edits::to(&url), retries }
    }
}

/// A request that was let in. What is ours to say takes the place of what the caller said, and the rest of what is not the
/// caller's to say goes: no copy of a credential but our own ever arrives. `rest` is the path after the route's prefix,
/// `token` the caller's, verified. What had to be left out becomes a warning.
#[inline(never)]
pub fn call<H: Read>(
    config: &Config,
    request: &RequestHead<'_, H>,
    route: &Rc<Route>,
    (target, rest): (Target, &str),
    known: &mut Known,
    token: Option<&str>,
) -> Forward {
    let mut forward = Forward::new(request.method, route, (target, rest));
    let edits = &mut forward.edits;
    callers_headers(route, request, edits);
    relays_headers(route, request, target, token, edits);
    let is_named = config.access.has_identity_headers();
    for (name, value) in known.caller.as_deref().into_iter().flat_map(|caller| identity(caller, is_named)) {
        // Left out rather than bent: what the API reads is what Access said, or nothing.
        if is_plain_value(value) {
            edits.push(Edit::Set(name, value));
        } else {
            known.warnings.push(format!("{} is left out: the claim cannot be a header's value", name.as_str()));
        }
    }
    edits.extend(request.present.dropped(crossing::NEVER_TO_THE_API, edits.names_set()));
    forward
}

/// A question of the relay's own, for its health: the API's base path, with nothing but the credentials.
#[must_use]
pub fn question(route: &Route) -> Edits {
    let mut edits = Edits::to(&format!("{}{}/", route.upstream.origin.as_str(), route.upstream.base_path));
    edits.push(Edit::Set(Name::Loop, &route.id));
    credentials(route, None, &mut edits);
    edits
}

/// A preflight that is the API's to answer. It sees no caller, for a preflight never has one, and nobody has checked who
/// this is: what a preflight asks is all that passes.
#[inline(never)]
pub fn preflight<H: Read>(request: &RequestHead<'_, H>, route: &Rc<Route>, (target, rest): (Target, &str)) -> Forward {
    let mut forward = Forward::new(request.method, route, (target, rest));
    let edits = &mut forward.edits;
    edits.push(Edit::RemoveAll(""));
    for name in PREFLIGHT_ASKS {
        if let Some(asked) = request.header(name) {
            edits.push(Edit::Set(name, &asked));
        }
    }
    relays_headers(route, request, target, None, edits);
    forward
}

/// What changes in what the caller sent before ours is set: a name of ours may be among what the caller has us remove.
fn callers_headers<H: Read>(route: &Route, request: &RequestHead<'_, H>, edits: &mut Edits) {
    if let Some(options) = request.header(Name::Connection) {
        connection_options(&options).iter().for_each(|option| edits.push(Edit::Delete(option)));
    }
    if request.is_websocket() {
        edits.push(Edit::Set(Name::Upgrade, "websocket"));
    }
    if request.present.has(Name::Cookie) {
        // Read only where something of it may be kept: it is often the longest header of all.
        let cookie = match route.request_cookies {
            RequestCookies::Nothing => None,
            _ => request.header(Name::Cookie),
        };
        match cookie.and_then(|cookie| route.request_cookies.filter(&cookie)) {
            Some(cookie) => edits.push(Edit::Set(Name::Cookie, &cookie)),
            None => edits.push(Edit::Remove(Name::Cookie)),
        }
    }
    if request.present.has(Name::Tracestate) && !request.trace.continued {
        edits.push(Edit::Remove(Name::Tracestate));
    }
}

/// What is ours to say: where the request came from, its trace, and the credentials.
fn relays_headers<H: Read>(
    route: &Route,
    request: &RequestHead<'_, H>,
    target: Target,
    token: Option<&str>,
    edits: &mut Edits,
) {
    edits.push(Edit::Set(Name::ForwardedHost, target.authority));
    edits.push(Edit::Set(Name::ForwardedProto, target.scheme));
    if route.strip_prefix && route.prefix.len() > 0 {
        edits.push(Edit::Set(Name::ForwardedPrefix, route.prefix.as_str()));
    }
    match request.header(Name::Loop) {
        Some(passed) => edits.push(Edit::Set(Name::Loop, &[&passed, ", ", &route.id].concat())),
        None => edits.push(Edit::Set(Name::Loop, &route.id)),
    }
    if let Some(ip) = request.header(Name::ConnectingIp) {
        edits.push(Edit::Set(Name::ForwardedFor, &ip));
    }
    edits.push(Edit::Set(Name::Traceparent, request.trace.traceparent()));
    credentials(route, token, edits);
}

/// What opens Access in front of the API.
fn credentials(route: &Route, token: Option<&str>, edits: &mut Edits) {
    match &route.credentials {
        Credentials::ServiceToken(ours) => {
            edits.push(Edit::Set(Name::AccessClientId, &ours.client_id));
            edits.push(Edit::Set(Name::AccessClientSecret, &ours.client_secret));
        }
        Credentials::CallerToken => edits.extend(token.map(|token| Edit::Set(Name::AccessToken, token))),
        Credentials::Nothing => {}
    }
}

/// How the API is told who calls. A program is named by a header of its own: what reads `x-forwarded-user` as a person
/// never takes a program for one.
fn identity(caller: &Caller, is_named: bool) -> impl Iterator<Item = (Name, &str)> {
    let [sub, email, common_name, groups] = caller.texts();
    let names = [(Name::ForwardedUser, sub), (Name::ForwardedEmail, email), (Name::ForwardedClientId, common_name)];
    let names = names.into_iter().filter(move |_| is_named);
    names.chain([(Name::ForwardedGroups, groups)]).filter_map(|(name, value)| Some((name, value?)))
}
