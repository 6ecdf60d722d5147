//! What to do about a request where no line of a policy decides, and what to know of what lies around the relay.

use access_relay_core::config::types::Config;
use access_relay_core::messages::name::Name;
use access_relay_core::outcomes::problem::{Code, Refusal};
use serde_json::Value;

use crate::explain::asked::Asked;
use crate::explain::request::{Recorded, Request};
use crate::explain::token;
use crate::explain::who::{Who, claims};
use crate::fetch::Site;

/// What there is to say before anything else: the request never comes to the relay.
#[must_use]
pub fn on_the_way(asked: &Asked, config: &Config, wrangler: &Value) -> Vec<String> {
    let mut advice = Vec::new();
    let Ok(server) = asked.request.server() else { return advice };
    if let Some(Recorded { access: Some(sign), .. }) = &asked.request.recorded {
        advice.push(format!(
            "when it was recorded, Access answered ({sign}), and the relay never saw it: if the session has ended, reload the page"
        ));
    }
    if let Some(route) = config.routes.iter().find(|route| route.upstream.origin == server) {
        advice.push(format!(
            "{} is the API itself, not the relay: have the page call {} on its own host",
            server.as_str(),
            if route.prefix.as_str().is_empty() { "/" } else { route.prefix.as_str() }
        ));
        return advice;
    }
    let hosts = hosts(wrangler);
    let takes =
        |host: &String| host.strip_prefix('*').map_or(*host == server.host(), |end| server.host().ends_with(end));
    if !hosts.is_empty() && !server.is_loopback() && !hosts.iter().any(takes) {
        advice.push(format!(
            "no route of the Worker is for {}: its routes are for {}",
            server.host(),
            hosts.join(", ")
        ));
    }
    advice
}

/// The hosts of the Worker's routes.
fn hosts(wrangler: &Value) -> Vec<String> {
    let routes = wrangler.get("routes").and_then(Value::as_array).into_iter().flatten().chain(wrangler.get("route"));
    let pattern = |route: &Value| route.as_str().or_else(|| route.get("pattern")?.as_str()).map(str::to_owned);
    let host = |pattern: String| {
        let pattern = pattern.rsplit("://").next().unwrap_or_default().to_owned();
        pattern.split('/').next().unwrap_or_default().to_ascii_lowercase()
    };
    let mut hosts: Vec<String> = routes.filter_map(pattern).map(host).filter(|host| !host.is_empty()).collect();
    hosts.dedup();
    hosts
}

/// What lies in front of the relay, and in the browser, that nobody sees here.
#[must_use]
pub fn around(asked: &Asked, config: &Config, has_preflight: bool, refused: Option<Code>) -> Vec<String> {
    let mut advice = Vec::new();
    let is_checked = config.access.tokens().is_some() || config.access.platform().is_some();
    if has_preflight && is_checked && refused != Some(Code::NotFound) {
        advice.push(
            "in front of the relay, Access itself refuses preflights with 403, unless the application of the page's host has \
             \"Bypass OPTIONS requests to origin\" switched on"
                .to_owned(),
        );
    }
    if let Some((ask, Site::CrossSite)) = &asked.page
        && ask.include
        && is_checked
    {
        advice.push(
            "Safari and Firefox keep cookies of other sites back, and Chromium may: there, nobody is logged in for such a page".to_owned(),
        );
    }
    advice
}

/// What to do about a refusal.
#[must_use]
pub fn on_refusal(asked: &Asked, config: &Config, refusal: &Refusal, key: Option<&str>) -> Option<String> {
    let own = |text: &str| Some(text.to_owned());
    match (refusal.code, key) {
        (Code::NotFound, Some(_)) => {
            let paths = config.routes.iter().map(|route| match route.prefix.as_str() {
                "" => "/",
                path => path,
            });
            let paths = paths.collect::<Vec<_>>().join(", ");
            Some(format!("call a path that a route covers ({paths}), or write a route for this one"))
        }
        (Code::NotFound, None) => own("call another path: Cloudflare itself answers below /cdn-cgi/"),
        (Code::BadPath, _) => {
            own("write the path without dot segments, backslashes and control characters, encoded ones too")
        }
        (Code::BadRequest, _) => own("name fewer headers in connection"),
        (Code::MethodNotForwarded, _) => own("use another method"),
        (Code::LoopDetected, _) => {
            own("name the API's own host as the route's upstream, not one that leads to this relay")
        }
        (Code::CrossOriginBlocked | Code::OriginNotAllowed, Some(key)) if key.ends_with("excluded_paths") => {
            own("call the path from the page's own origin: excluded_paths keeps all others out")
        }
        (Code::Unauthenticated, _) => own(on_caller(asked, config, key)),
        (Code::KeysUnavailable, _) => own("--keys: write the file that the issuer serves at /cdn-cgi/access/certs"),
        _ => None,
    }
}

/// What to do about a caller whom the relay does not let in.
fn on_caller(asked: &Asked, config: &Config, key: Option<&str>) -> &'static str {
    let request = asked.arrives(&config.access);
    match (key, asked.said.who) {
        (Some("access.audience"), _) => {
            "compare the token's aud with access.audience: a token is for the application in front of the page's host, and not for the \
             API's"
        }
        (Some("access.issuer"), _) => {
            "compare the token's iss with access.issuer: they are two teams, or the keys are another team's"
        }
        (Some("access.max_token_age_seconds"), Some(Who::Program)) => {
            "the runtime does not say when a program's token was issued: let programs in by access.issuer and access.audience, too"
        }
        (Some("access.max_token_age_seconds"), _) => {
            "log in again: the session is older than access.max_token_age_seconds allows"
        }
        (_, Some(Who::Nobody)) => {
            "have Access protect the path on the page's host: whoever has logged in there, or has a service token, gets past this check"
        }
        (Some("access.platform"), None) => {
            "no request shows the runtime's word: add --as person to see what somebody gets whom Access let in"
        }
        _ => on_token(&request, asked.now),
    }
}

fn on_token(request: &Request, now: i64) -> &'static str {
    let has = |name: Name| request.headers.get(name.as_str()).is_some();
    let texts = token::texts(request);
    let expires = |text: &String| claims(text)?.get("exp")?.as_i64();
    let has_expired = texts.iter().filter_map(expires).any(|exp| exp < now);
    let cookie = request.headers.get(Name::Cookie.as_str()).unwrap_or_default();
    if has_expired {
        "log in again: reload the page, and send the request with the new token"
    } else if !texts.is_empty() {
        "compare what the token says with what the relay asks of one: docs/identity.md has the list"
    } else if has(Name::AccessClientId) {
        "a service token is for Access, which sends a token of its own on: add --as program to see what a program gets whom it lets in"
    } else if cookie.contains("CF_Authorization") {
        "log in again: the cookie CF_Authorization holds no token of Access"
    } else {
        "the request holds no token of Access (browsers leave cookies out of what they export): add --as person to see what somebody \
         gets who is logged in"
    }
}
