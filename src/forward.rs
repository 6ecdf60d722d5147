//! What the API gets: the URL, and the caller's headers with what changes in them. Pure.

use std::borrow::Cow;
use std::rc::Rc;

use crate::access::Caller;
use crate::config::{Access, Config, Credentials, Route};
use crate::cookies::RequestCookies;
use crate::gateway::{Known, RequestHead};
use crate::headers::{self, Edit, Name, Read};
use crate::origin::{authority_of, split_scheme};
use crate::route::{Target, upstream_url};

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

/// A request that was let in. First all that is not the caller's to say goes, then ours is set: no copy of a credential
/// but our own ever arrives. `rest` is the path after the route's prefix, `token` the caller's, verified. What had to be
/// left out becomes a warning.
pub(crate) fn call<H: Read>(
    config: &Config,
    request: &RequestHead<'_, H>,
    route: &Rc<Route>,
    (target, rest): (Target, &str),
    known: &mut Known,
    token: Option<Cow<'_, str>>,
) -> Forward {
    let mut edits = callers_headers(route, request);
    edits.extend(relays_headers(route, request, token));
    if matches!(&config.access, Access::Jwt(policy) if policy.identity_headers) {
        for (name, value) in known.caller.as_deref().map(identity).unwrap_or_default() {
            // Left out rather than bent: what the API reads is what Access said, or nothing.
            if headers::is_plain_value(value) {
                edits.push(Edit::Set(name, value.to_owned()));
            } else {
                known.warnings.push(format!("{} is left out: the claim cannot be a header's value", name.as_str()));
            }
        }
    }
    Forward { route: Rc::clone(route), url: upstream_url(&route.upstream, target, rest, route.strip_prefix), edits }
}

/// A question of the relay's own, for its health: the API's base path, with nothing but the credentials.
#[must_use]
pub fn question(route: &Route) -> (String, Vec<Edit>) {
    let url = format!("{}{}/", route.upstream.origin.as_str(), route.upstream.base_path);
    (url, credentials(route, None).into_iter().flatten().collect())
}

/// A preflight that is the API's to answer. It sees no caller, for a preflight never has one, and nobody has checked who
/// this is: what a preflight asks is all that passes.
pub(crate) fn preflight<H: Read>(
    request: &RequestHead<'_, H>,
    route: &Rc<Route>,
    (target, rest): (Target, &str),
) -> Forward {
    let asked =
        headers::OF_PREFLIGHTS.into_iter().filter_map(|name| Some(Edit::Set(name, request.header(name)?.into_owned())));
    let mut edits: Vec<Edit> = std::iter::once(Edit::RemoveAll("")).chain(asked).collect();
    edits.extend(relays_headers(route, request, None));
    Forward { route: Rc::clone(route), url: upstream_url(&route.upstream, target, rest, route.strip_prefix), edits }
}

/// What changes in what the caller sent: all that is not the caller's to say goes.
fn callers_headers<H: Read>(route: &Route, request: &RequestHead<'_, H>) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::with_capacity(24);
    edits.extend(request.present.dropped());
    if let Some(options) = request.header(Name::Connection) {
        edits.extend(headers::connection_options(&options).into_iter().map(Edit::Delete));
    }
    if request.is_websocket() {
        // The one thing that the relay upgrades to as well.
        edits.push(Edit::Set(Name::Upgrade, "websocket".to_owned()));
    }
    if request.present.has(Name::Cookie) {
        // Read only where something of it may be kept: it is often the longest header of all.
        let cookie = match route.request_cookies {
            RequestCookies::Nothing => None,
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
    edits
}

/// What is ours to say: where the request came from, its trace, and the credentials.
fn relays_headers<H: Read>(
    route: &Route,
    request: &RequestHead<'_, H>,
    token: Option<Cow<'_, str>>,
) -> impl Iterator<Item = Edit> {
    let scheme = split_scheme(request.url).map_or("https", |(scheme, _)| scheme);
    let from = [
        (Name::ForwardedHost, Some(authority_of(request.url).to_owned())),
        (Name::ForwardedProto, Some(scheme.to_owned())),
        (Name::ForwardedFor, request.header(Name::ConnectingIp).map(Cow::into_owned)),
        (Name::Traceparent, Some(request.trace.traceparent().to_owned())),
    ];
    let from = from.into_iter().filter_map(|(name, value)| Some(Edit::Set(name, value?)));
    from.chain(credentials(route, token).into_iter().flatten())
}

/// What opens Access in front of the API.
fn credentials(route: &Route, token: Option<Cow<'_, str>>) -> [Option<Edit>; 2] {
    match &route.credentials {
        Credentials::ServiceToken(ours) => [
            Some(Edit::Set(Name::AccessClientId, ours.client_id.clone())),
            Some(Edit::Set(Name::AccessClientSecret, ours.client_secret.clone())),
        ],
        Credentials::CallerToken => [token.map(|token| Edit::Set(Name::AccessToken, token.into_owned())), None],
    }
}

/// How the API is told who calls. A program is named by a header of its own: what reads `x-forwarded-user` as a person
/// never takes a program for one.
fn identity(caller: &Caller) -> Vec<(Name, &str)> {
    match caller {
        Caller::User { sub, email } => {
            let email = email.as_deref().map(|email| (Name::ForwardedEmail, email));
            std::iter::once((Name::ForwardedUser, sub.as_str())).chain(email).collect()
        }
        Caller::Service { common_name } => vec![(Name::ForwardedClientId, common_name)],
    }
}
