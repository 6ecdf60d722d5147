//! What to make of the API's answer: the changes to its headers, or a refusal where Access has answered in its place.

use crate::flow::denial::{check_denial, may_be_accesss};
use crate::flow::known::Known;
use crate::messages::edits::{Edit, Edits};
use crate::messages::head::{Destination, ResponseHead};
use crate::messages::name::{Name, Names, PREFLIGHT_ANSWERS};
use crate::messages::present::Read;
use crate::messages::{cookies, crossing, links};
use crate::outcomes::problem::{Code, Refusal};
use crate::rules::cors;
use crate::rules::cross_origin::ForeignRequests;
use crate::rules::route::{Documents, Route};
use crate::rules::way_back::WayBack;
use crate::syntax::field::{elements, is_token, lists};
use crate::syntax::target::Target;

/// An answer that is the API's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The changes to its headers; for a preflight, all of the answer's headers.
    pub edits: Edits,
    /// What the log should say of it.
    pub warnings: Vec<String>,
}

/// What to make of the API's answer to a request for `url`.
///
/// # Errors
/// `upstream_access_denied`: the answer is Access's, and says that the relay's credentials were refused. A redirect
/// of the browser to a login page would help nobody. `upstream_unreachable`: it is no answer to what was asked.
#[inline(never)]
pub fn settle<H: Read>(known: &Known, url: &str, response: &ResponseHead<'_, H>) -> Result<Settled, Refusal> {
    let Some(route) = known.route.as_deref() else {
        return Err(Refusal::new(Code::Internal, "an answer without a route"));
    };
    if !matches!(response.status, 101 | 200..=599) {
        let reason = format!("the API answered with the status {}", response.status);
        return Err(Refusal::new(Code::UpstreamUnreachable, reason));
    }
    if response.status == 101 && !known.websocket {
        let reason = "the API answered 101, Switching Protocols, to a request that asked for no WebSocket";
        return Err(Refusal::new(Code::UpstreamUnreachable, reason));
    }
    check_denial(route, response)?;
    if known.preflight {
        return Ok(preflight(known, response));
    }
    let (mut edits, mut warnings) = (Edits::new(), Vec::new());
    let cookies = if route.response_cookies.is_empty() || !response.present.has(Name::SetCookie) {
        Vec::new()
    } else {
        response.headers.set_cookies()
    };
    warnings.extend(may_be_accesss(response));
    drop_what_is_not_the_apis(known, response, &mut edits);
    let names_urls = !cookies.is_empty() || response.present.has_any(URLS) || response.present.has_any(&LISTS_OF_URLS);
    if let Some(target) = names_urls.then(|| Target::of(url).ok()).flatten() {
        lead_back(route, target, &cookies, response, &mut edits);
    }
    drop_echoes(response, &mut edits, &mut warnings);
    // What is fetched as data may be shown all the same: out of the cache, or by a service worker.
    let shown = known.destination == Destination::Document || is_active(response.left(Name::ContentType));
    let is_framed = shown && (known.destination == Destination::Document || response.present.has(Name::ContentType));
    let vary = vary(is_framed && route.foreign_requests != ForeignRequests::All, response, &mut edits);
    keep_from_others(known, route, response, &mut edits);
    // What a cache has stays as it was, where a 304 says nothing of it (RFC 9111 §3.2).
    let says_policy = response.status != 304 || response.present.has(Name::ContentSecurityPolicy);
    if route.documents == Documents::Sandbox && shown && says_policy && response.status != 101 {
        // Beside whatever policy the API has: all of them count (CSP3 §2.2.2).
        edits.push(Edit::Append(Name::ContentSecurityPolicy, "sandbox"));
    }
    known.cors.add_response_headers(known.origin.as_deref(), &vary, &mut edits);
    Ok(Settled { edits, warnings })
}

/// The API's answer to a preflight: only the preflight's own headers pass.
#[inline(never)]
fn preflight<H: Read>(known: &Known, response: &ResponseHead<'_, H>) -> Settled {
    let mut edits = Edits::new();
    edits.push(Edit::Set(Name::Vary, cors::PREFLIGHT_VARY));
    for name in PREFLIGHT_ANSWERS {
        let said = response.header(name).filter(|_| !response.present.leaks().contains(&name.as_str()));
        edits.extend(said.as_deref().map(|said| Edit::Set(name, said)));
    }
    known.cors.allow_origin(known.origin.as_deref().unwrap_or_default(), &mut edits);
    Settled { edits, warnings: response.present.leaks().iter().map(|name| echoed(name)).collect() }
}

/// Removes what an API cannot say to a browser.
fn drop_what_is_not_the_apis<H: Read>(known: &Known, response: &ResponseHead<'_, H>, edits: &mut Edits) {
    let stays = |edit: &Edit| {
        let for_caches = |name| crossing::is_listed(name, crossing::NOT_THE_APIS_WHERE_CALLERS_ARE_CHECKED);
        matches!(edit, Edit::Delete(name) if known.caller.is_none() && for_caches(name))
    };
    let dropped = response.present.dropped(crossing::NEVER_TO_THE_BROWSER, Names::default());
    edits.extend(dropped.filter(|edit| !stays(edit)));
}

/// Removes what holds a secret of ours, whatever became of it: an echo of what the API was sent.
fn drop_echoes<H: Read>(response: &ResponseHead<'_, H>, edits: &mut Edits, warnings: &mut Vec<String>) {
    for name in response.present.leaks() {
        edits.push(Edit::Delete(name));
        warnings.push(echoed(name));
    }
}

fn echoed(name: &str) -> String {
    format!("the API's answer holds a credential that the relay sent: its header {name} is left out")
}

/// Headers that hold one URL.
const URLS: &[Name] = &[
    Name::AzureAsyncOperation,
    Name::ContentLocation,
    Name::HxRedirect,
    Name::Location,
    Name::OperationLocation,
    Name::SourceMap,
];

/// Headers that hold URLs among other things.
const LISTS_OF_URLS: [Name; 2] = [Name::Link, Name::Refresh];

/// Has the URLs that an answer names lead back through the relay, and those of its cookies.
#[inline(never)]
fn lead_back<H: Read>(
    route: &Route,
    target: Target,
    cookies: &[String],
    response: &ResponseHead<'_, H>,
    edits: &mut Edits,
) {
    let back = WayBack { upstream: &route.upstream, prefix: &route.prefix, strip_prefix: route.strip_prefix, target };
    for cookie in cookies {
        let cookie = cookies::host_only(cookie, &route.response_cookies, |path| back.path(path));
        edits.extend(cookie.as_deref().map(|cookie| Edit::Append(Name::SetCookie, cookie)));
    }
    let back_url = |url: &str| back.url(url);
    for name in URLS {
        let relayed = response.header(*name).and_then(|value| back.url(value.trim()));
        edits.extend(relayed.as_deref().map(|value| Edit::Set(*name, value)));
    }
    let links = response.header(Name::Link).and_then(|value| links::in_link(&value, back_url));
    edits.extend(links.as_deref().map(|value| Edit::Set(Name::Link, value)));
    let refresh = response.header(Name::Refresh).and_then(|value| links::in_refresh(&value, back_url));
    edits.extend(refresh.as_deref().map(|value| Edit::Set(Name::Refresh, value)));
}

/// The new `Vary`. Headers in it that only the relay sends become `Cookie`: browsers send a cookie instead. A document also
/// varies by `Sec-Fetch-Site` (`by_site`): a page of a sibling host could frame a cached one, and CORP does not apply to frames.
#[inline(never)]
fn vary<H: Read>(by_site: bool, response: &ResponseHead<'_, H>, edits: &mut Edits) -> String {
    let said = response.left(Name::Vary).unwrap_or_default().to_owned();
    let is_relays = |name: &str| crossing::never_crosses_to_the_api(&name.to_ascii_lowercase());
    let elements = || said.split(',').map(str::trim).filter(|name| !name.is_empty());
    let lacks = |name: &str| !lists(&said, name) && !lists(&said, "*");
    let by_site = by_site && lacks(Name::SecFetchSite.as_str());
    if !elements().any(is_relays) && !by_site {
        return said;
    }
    let mut kept: Vec<&str> = elements().filter(|name| !is_relays(name)).collect();
    if elements().any(is_relays) && lacks("cookie") {
        kept.push("Cookie");
    }
    if by_site {
        kept.push("Sec-Fetch-Site");
    }
    let vary = kept.join(", ");
    edits.push(Edit::Set(Name::Vary, &vary));
    vary
}

/// Keeps an answer from whoever else could get at it: caches on the way, and pages of other sites.
#[inline(never)]
fn keep_from_others<H: Read>(known: &Known, route: &Route, response: &ResponseHead<'_, H>, edits: &mut Edits) {
    let said = response.left(Name::CacheControl).unwrap_or_default();
    let says = |directive| elements(said).any(|found| found.eq_ignore_ascii_case(directive));
    let (no_store, private) = (says("no-store"), says("private") && !says("public"));
    if known.caller.is_some() && !no_store && !private {
        // What was checked is for who was checked. Browsers do not look at it (RFC 9213 §3.1).
        edits.push(Edit::Set(Name::CdnCacheControl, "no-store"));
    } else if known.caller.is_some() && response.present.has(Name::CdnCacheControl) {
        edits.push(Edit::Remove(Name::CdnCacheControl));
    }
    // A page of another site must get at it no more than the request for it: not by a browser that is too old to say which
    // page asks, and not out of the browser's cache, where no request comes of it (Fetch, "CORP check").
    let unknown = known.destination == Destination::Unknown;
    if route.foreign_requests != ForeignRequests::All && (!no_store || unknown) {
        edits.push(Edit::Set(Name::CrossOriginResourcePolicy, "same-origin"));
    }
}

/// Whether a browser could run a script in a document of this type: unless it is a single one that is known for none. Of
/// several, browsers take the last, and what is no type is sniffed (Fetch, "extract a MIME type"; MIME Sniffing §8).
#[inline(never)]
fn is_active(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type.filter(|said| !said.contains(',')) else { return true };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    if !is_token(subtype) {
        return true;
    }
    match kind {
        "audio" | "font" | "video" => false,
        "image" => subtype.ends_with("+xml"),
        "text" => !matches!(subtype, "css" | "csv" | "ecmascript" | "event-stream" | "javascript" | "plain"),
        "application" => {
            let known = ["ecmascript", "gzip", "javascript", "json", "octet-stream", "pdf", "x-javascript", "zip"];
            !known.contains(&subtype) && !subtype.ends_with("+json")
        }
        _ => true,
    }
}
