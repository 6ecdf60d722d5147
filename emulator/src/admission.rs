//! Who gets in. Decisions only: nothing is answered and nothing is forwarded here.

use std::sync::atomic::Ordering;

use hyper::header::HeaderMap;
use serde_json::{Map, Value};

use crate::application::Application;
use crate::http::{COOKIE_NAME, cookies, header};
use crate::state::Shared;
use crate::tokens::text;

const CLIENT_ID: &str = "cf-access-client-id";
const CLIENT_SECRET: &str = "cf-access-client-secret";
const ACCESS_TOKEN: &str = "cf-access-token";

/// How a request came to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// A person's token, or a replayed service token's: the token goes to the backend as it is.
    Token { token: String, email: Option<String> },
    /// The two headers of the service token were right: the backend gets a token made for it.
    ServiceToken { token: String },
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is nothing, or nothing valid, that says who calls.
    Unauthenticated,
    /// Strict mode: the service token's headers are duplicate, incomplete or wrong.
    ServiceTokenInvalid,
    /// Strict mode: the service token is right, and no policy allows it.
    ServiceTokenNotAllowed,
}

/// Decides on a request to an application by its headers.
pub(crate) fn admit(
    shared: &Shared,
    application: &Application,
    path: &str,
    headers: &HeaderMap,
) -> Result<Admission, Refusal> {
    let allowed = application.service_auth && !shared.service_token_refused.load(Ordering::Relaxed);
    // Strict mode ignores cookies that are sent along with a service token, so it is decided first.
    match presented(shared, application.strict, headers) {
        Presented::Right if allowed => {
            return Ok(Admission::ServiceToken { token: shared.service_jwt(&application.aud) });
        }
        Presented::Right if application.strict => return Err(Refusal::ServiceTokenNotAllowed),
        Presented::Wrong if application.strict => return Err(Refusal::ServiceTokenInvalid),
        _ => {}
    }
    by_token(shared, application.aud_at(path), headers)
        .or_else(|| by_linked_app_token(shared, application, headers))
        .ok_or(Refusal::Unauthenticated)
}

/// The token of this request that opens the application with this AUD tag, with its claims. Such a token is a bearer credential:
/// whoever holds it gets in, and the cookie and the header `cf-access-token` are as good as each other.
pub(crate) fn session(shared: &Shared, aud: &str, headers: &HeaderMap) -> Option<(String, Map<String, Value>)> {
    let mut candidates = cookies(headers, COOKIE_NAME).chain(header(headers, ACCESS_TOKEN));
    candidates.find_map(|token| Some((token.to_owned(), shared.check(token, aud)?)))
}

fn by_token(shared: &Shared, aud: &str, headers: &HeaderMap) -> Option<Admission> {
    let (token, claims) = session(shared, aud, headers)?;
    let email = text(&claims, "email").map(String::from);
    Some(Admission::Token { token, email })
}

/// A person's token for the app opens the API in that person's name, if the API has the rule for it.
fn by_linked_app_token(shared: &Shared, application: &Application, headers: &HeaderMap) -> Option<Admission> {
    if !application.linked_app_token {
        return None;
    }
    let claims = shared.check(header(headers, ACCESS_TOKEN)?, &shared.app.aud)?;
    let email = text(&claims, "email")?.to_owned();
    let token = shared.linked_jwt(&application.aud, &email, text(&claims, "sub"));
    Some(Admission::Token { token, email: Some(email) })
}

/// What the two headers of a service token amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    Nothing,
    Right,
    Wrong,
}

fn presented(shared: &Shared, strict: bool, headers: &HeaderMap) -> Presented {
    let lines = |name: &str| headers.get_all(name).iter().count();
    let (ids, secrets) = (lines(CLIENT_ID), lines(CLIENT_SECRET));
    if ids == 0 && secrets == 0 {
        return Presented::Nothing;
    }
    if strict && (ids, secrets) != (1, 1) {
        return Presented::Wrong;
    }
    let known = &shared.settings.service_token;
    let right = header(headers, CLIENT_ID) == Some(&known.client_id)
        && header(headers, CLIENT_SECRET) == Some(&known.client_secret);
    if right { Presented::Right } else { Presented::Wrong }
}
