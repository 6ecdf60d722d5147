//! What to make of the API's answer: the changes to its headers, or a refusal where Access has answered in its place. Pure.

use crate::config::{Credentials, Route, ServiceToken};
use crate::cookies;
use crate::cors;
use crate::edits::{Edit, Edits};
use crate::gateway::Known;
use crate::headers::{self, Name, Read};
use crate::origin::authority_of;
use crate::problem::{Code, Refusal, quoted};
use crate::route::relay_location;

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
pub fn settle<H: Read>(known: &Known, response: &ResponseHead<'_, H>) -> Result<Edits, Refusal> {
    let Some(route) = known.route.as_deref() else {
        return Err(Refusal::new(Code::Internal, "an answer without a route"));
    };
    let location = location(response);
    check_denial(route, response, location.as_deref())?;
    let mut edits = Edits::new();
    let cookies = if route.response_cookies.is_empty() { Vec::new() } else { response.headers.set_cookies() };
    if known.preflight {
        // Whoever asked: what answers a preflight, and nothing else.
        edits.push(Edit::Set(Name::Vary, cors::PREFLIGHT_VARY));
        for name in headers::FOR_PREFLIGHTS {
            if let Some(said) = response.headers.read(name) {
                edits.push(Edit::Set(name, &said));
            }
        }
        known.cors.allow_origin(known.origin.as_deref().unwrap_or_default(), &mut edits);
        return Ok(edits);
    }
    edits.extend(headers::ONLY_OURS_TO_SAY.map(Edit::Remove));
    if known.origin.is_some() {
        // Where CORS applies, names that no standard has yet are not the API's to say either.
        edits.push(Edit::RemoveAll(headers::OF_CORS));
    }
    for cookie in cookies.iter().filter_map(|cookie| cookies::host_only(cookie, &route.response_cookies)) {
        edits.push(Edit::Append(Name::SetCookie, &cookie));
    }
    if let Some(location) = location {
        let relayed = relay_location(&location, &route.upstream, &route.prefix, route.strip_prefix);
        edits.extend(relayed.as_deref().map(|location| Edit::Set(Name::Location, location)));
    }
    known.cors.add_response_headers(known.origin.as_deref(), &mut edits);
    Ok(edits)
}

/// RFC 9110 §10.2.2: `Location` means something with these.
pub(crate) fn location<H: Read>(response: &ResponseHead<'_, H>) -> Option<String> {
    matches!(response.status, 201 | 300..=399).then(|| response.headers.read(Name::Location)).flatten()
}

/// Refuses an answer that is Access's.
pub(crate) fn check_denial<H: Read>(
    route: &Route,
    response: &ResponseHead<'_, H>,
    location: Option<&str>,
) -> Result<(), Refusal> {
    match access_denial(response, location) {
        Some(signal) => Err(Refusal::new(Code::UpstreamAccessDenied, denial_reason(route, &signal))),
        None => Ok(()),
    }
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
    let (mark, value) = marks.into_iter().find_map(|name| Some((name, response.headers.read(name)?)))?;
    // Its AUD tag tells which application has answered.
    Some(format!("{} with {} {}", response.status, mark.as_str(), quoted(&value)))
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
