//! Whether Access, and not the API, has answered the relay.
//!
//! `docs/how-it-works.md` has the table of what shows it.

use crate::caller::token::is_aud_tag;
use crate::config::secrets::names_of;
use crate::messages::head::ResponseHead;
use crate::messages::name::Name;
use crate::messages::present::Read;
use crate::outcomes::problem::{Code, Refusal};
use crate::rules::route::{Credentials, Route, ServiceToken};
use crate::syntax::field::{challenges, parameter};
use crate::syntax::origin::authority_of;
use crate::syntax::text::contains_ignoring_case;

/// Refuses an answer that is Access's.
///
/// # Errors
/// `upstream_access_denied`, with what shows it, and what to look at.
pub fn check_denial<H: Read>(route: &Route, response: &ResponseHead<'_, H>) -> Result<(), Refusal> {
    match access_denial(response).filter(|_| route.credentials != Credentials::Nothing) {
        Some(signal) => Err(Refusal::new(Code::UpstreamAccessDenied, denial_reason(route, &signal))),
        None => Ok(()),
    }
}

/// What Access's own answers carry, those of an application with a custom deny URL among them.
const MARKS: [Name; 3] = [Name::AccessAud, Name::AccessDomain, Name::AccessError];

/// What shows that Access, and not the API, has answered (`docs/how-it-works.md` has the table).
#[must_use]
pub fn access_denial<H: Read>(response: &ResponseHead<'_, H>) -> Option<String> {
    let status = response.status;
    if !matches!(status, 300..=303 | 305..=399 | 401 | 403) {
        return None;
    }
    let is_redirect = matches!(status, 300..=399);
    let location = if is_redirect { response.header(Name::Location).unwrap_or_default() } else { String::new() };
    // Its path alone, for an API's own may have such a query; of several lines, which arrive joined, any.
    let leads_to_login =
        |url: &str| contains_ignoring_case(url.split(['?', '#']).next().unwrap_or_default(), "/cdn-cgi/access/login");
    if location.split(", ").any(leads_to_login) {
        return Some(format!("{status} to Access's login page"));
    }
    let challenge = response.header(Name::WwwAuthenticate).unwrap_or_default();
    if challenges(&challenge).any(|challenge| is_of_scheme(challenge, "cloudflare-access")) {
        return Some(format!("{status} with www-authenticate: Cloudflare-Access"));
    }
    if let Some(mark) = MARKS.into_iter().find(|name| response.present.has(*name)) {
        // Its AUD tag tells which application has answered; of other values nobody knows what they hold.
        let aud = response.header(Name::AccessAud).filter(|aud| is_aud_tag(aud));
        let value = aud.map(|aud| format!(" {aud}")).unwrap_or_default();
        return Some(format!("{status} with {}{value}", mark.as_str()));
    }
    let names_access = |challenge: &str| {
        let metadata = parameter(challenge, "resource_metadata").unwrap_or_default();
        ["cloudflareaccess.com", "cloudflare-access", "/cdn-cgi/access/"]
            .iter()
            .any(|name| contains_ignoring_case(metadata, name))
    };
    if status == 401 && challenges(&challenge).any(|each| is_managed_oauth(each) && names_access(each)) {
        return Some(format!("{status} with www-authenticate: Bearer and resource_metadata of Access"));
    }
    None
}

/// What the log says of an answer that may be Access's (its *Managed OAuth*), and may be the API's as well (RFC 9728 §5.1).
pub fn may_be_accesss<H: Read>(response: &ResponseHead<'_, H>) -> Option<String> {
    if response.status != 401 {
        return None;
    }
    let challenge = response.header(Name::WwwAuthenticate)?;
    challenges(&challenge).any(is_managed_oauth).then(|| {
        "the API answered 401 with resource_metadata: if that is Access's Managed OAuth, the relay's credentials were refused"
            .to_owned()
    })
}

fn is_managed_oauth(challenge: &str) -> bool {
    is_of_scheme(challenge, "bearer") && parameter(challenge, "resource_metadata").is_some()
}

fn is_of_scheme(challenge: &str, scheme: &str) -> bool {
    challenge.split([' ', '\t', ',']).next().is_some_and(|found| found.eq_ignore_ascii_case(scheme))
}

fn denial_reason(route: &Route, signal: &str) -> String {
    let host = authority_of(route.upstream.origin.as_str());
    match &route.credentials {
        Credentials::ServiceToken(ServiceToken { name, .. }) => {
            let [id, secret] = names_of(name);
            format!(
                "{host} answered {signal}: check that the service token in {id} and {secret} has not expired, and that a \
                 Service Auth policy of that application includes it"
            )
        }
        Credentials::CallerToken | Credentials::Nothing => format!(
            "{host} answered {signal}: check that a Service Auth policy of that application has a linked app token rule for \
             the page's application"
        ),
    }
}
