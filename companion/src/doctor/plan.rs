//! What to ask next, given what came. Nothing that was asked is asked again, so the same two values always lead to the same questions.

use access_relay_core::config::secrets::names_of;
use access_relay_core::rules::cors::Callers;
use serde::Serialize;
use serde_json::Value;

use crate::doctor::seen::Sights;
use crate::doctor::subject::{Subject, Target};
use crate::explain::who::claims;
use crate::metadata;
use crate::view::Meets;

/// An origin that nobody has (RFC 6761 §6.4).
pub const FOREIGN: &str = "https://access-relay-doctor.invalid";

/// More questions than these are not asked, whatever there is to see.
pub const MOST: usize = 40;

/// A question: a request that changes nothing, of which no redirect is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// Its name.
    pub id: String,
    /// `GET`, `HEAD` or `OPTIONS`.
    pub method: &'static str,
    /// The address.
    pub url: String,
    /// Headers, none of them a secret.
    pub headers: Vec<(&'static str, String)>,
    /// Whether the beginning of the body is wanted.
    pub body: bool,
    /// What is sent along, which the asker has and this crate has not.
    pub with: With,
}

/// What is sent along with a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum With {
    /// Nothing.
    Nothing,
    /// The service token, whose values have these names.
    Service {
        /// Client ID and Client Secret.
        names: [String; 2],
        /// Why it may be sent there.
        proof: Proof,
    },
    /// The person's token.
    Person {
        /// Why it may be sent there.
        proof: Proof,
    },
}

/// What Access has signed about an address, and the asker has checked by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The address.
    pub url: String,
    /// The token.
    pub token: String,
}

/// What to ask next; empty if everything is known.
#[must_use]
pub fn next(sights: &Sights<'_>) -> Vec<Ask> {
    for stage in [hosts, strangers, keys, service, person] {
        let mut asks = stage(sights);
        asks.retain(|ask| !sights.answers.contains_key(&ask.id));
        asks.truncate(MOST.saturating_sub(sights.answers.len()));
        if !asks.is_empty() {
            return asks;
        }
    }
    Vec::new()
}

fn plain(spot: &str, question: &str, method: &'static str, url: String) -> Ask {
    Ask { id: format!("{spot}.{question}"), method, url, headers: Vec::new(), body: false, with: With::Nothing }
}

/// Which applications cover the page and the APIs, and whether their hosts answer at all.
fn hosts(sights: &Sights<'_>) -> Vec<Ask> {
    let apis = (0..sights.subject.paths.len()).map(|index| format!("api{index}"));
    std::iter::once("page".to_owned()).chain(apis).flat_map(|spot| looks(sights, &spot)).collect()
}

/// A spot's signed word, and what a stranger gets there.
fn looks(sights: &Sights<'_>, spot: &str) -> Vec<Ask> {
    let Some(url) = sights.url(spot) else { return Vec::new() };
    let word = plain(spot, "word", "HEAD", url.clone());
    let word = Ask { headers: vec![(metadata::REQUEST, "true".to_owned())], ..word };
    vec![word, Ask { body: true, ..plain(spot, "get", "GET", url) }]
}

/// What else anybody may ask; of a host that does not answer, nothing.
fn strangers(sights: &Sights<'_>) -> Vec<Ask> {
    let subject = sights.subject;
    let mut asks = Vec::new();
    for index in 0..subject.doors.len() {
        asks.extend(looks(sights, &format!("door{index}")).into_iter().filter(|ask| ask.method == "GET"));
    }
    if sights.unreachable("page").is_some() {
        return asks;
    }
    for (index, target) in subject.paths.iter().enumerate() {
        if !target.path.is_empty() {
            asks.extend(looks(sights, &format!("path{index}")));
        }
        let below = format!("below{index}");
        asks.extend(looks(sights, &below));
        asks.extend(of_path(subject, &below, target));
    }
    // Where another port than the default speaks https, it does not speak http as well.
    if subject.page.scheme() == "https" && subject.page.port().is_empty() {
        asks.push(plain("page", "http", "GET", format!("http://{}/", subject.page.host())));
    }
    if let Some(path) = subject.config.as_ref().and_then(|config| config.health_path.as_ref()) {
        asks.push(Ask { body: true, ..plain("page", "health", "GET", subject.at(path.as_str())) });
    }
    asks
}

/// What a page would ask below a path: its own, and one of another origin.
fn of_path(subject: &Subject, spot: &str, target: &Target) -> [Ask; 3] {
    let ask = |question: &str, method, headers| Ask {
        headers,
        body: true,
        ..plain(spot, question, method, subject.at(&target.below()))
    };
    let (origin, _) = preflight_origin(target);
    let asked = vec![("origin", origin), ("access-control-request-method", "GET".to_owned())];
    [
        ask("xhr", "GET", vec![("x-requested-with", "XMLHttpRequest".to_owned())]),
        ask("preflight", "OPTIONS", asked),
        ask("foreign", "GET", foreign()),
    ]
}

/// What a browser says of a page of another origin.
fn foreign() -> Vec<(&'static str, String)> {
    let said = [("origin", FOREIGN), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    said.map(|(name, value)| (name, value.to_owned())).to_vec()
}

/// The origin that a preflight names: one that may call, if there is one; and whether it may.
#[must_use]
pub fn preflight_origin(target: &Target) -> (String, Option<bool>) {
    let foreign = FOREIGN.to_owned();
    match target.cors.as_ref().map(|policy| &policy.origins) {
        None => (foreign, None),
        Some(Callers::Nobody | Callers::Excluded) => (foreign, Some(false)),
        Some(Callers::Anybody) => (foreign, Some(true)),
        Some(Callers::Listed(origins)) => match origins.iter().next() {
            Some(origin) => (origin.replace(":*", ":8443").replace('*', "access-relay-doctor"), Some(true)),
            None => (foreign, Some(false)),
        },
    }
}

/// The keys of the team, which only its answers may name.
fn keys(sights: &Sights<'_>) -> Vec<Ask> {
    let ask = |url| Ask { body: true, ..plain("team", "keys", "GET", url) };
    sights.keys_url().map(ask).into_iter().collect()
}

/// Whether the service token may be sent to an API, and what came of it; or why it may not.
///
/// It is sent to the address alone about which Access has signed its word, for an application of the page's team, and which keeps strangers
/// out.
///
/// # Errors
/// Why it may not be sent.
pub fn service_token(sights: &Sights<'_>, index: usize) -> Result<([String; 2], Proof), String> {
    let spot = format!("api{index}");
    let api = sights
        .subject
        .paths
        .get(index)
        .and_then(|target| target.api.as_ref())
        .ok_or("there is no API on a public network")?;
    let prefix = api.service_token.as_ref().ok_or("this API takes the caller's own token")?;
    let names = names_of(prefix);
    if let Some(missing) = names.iter().find(|name| !sights.subject.secrets.contains(name)) {
        return Err(format!(
            "{missing} is not there; set {} in the environment, or name a file with --env-file",
            names.join(" and ")
        ));
    }
    let (token, application) = sights.proof(&spot).ok_or(
        "Access has not signed that it stands in front of the API, so the service token was not sent: whoever answers there would learn it",
    )?;
    let team = sights.team().ok_or("nothing says which team is yours, so the service token was not sent")?;
    if application.issuer.as_ref().is_none_or(|issuer| issuer.as_str() != team) {
        return Err(format!("the API's application is of another team than {team}, so the service token was not sent"));
    }
    if sights.view(&spot).is_some_and(|(view, _)| view.meets == Meets::WhatIsBehind) {
        return Err(
            "Access lets strangers pass to the API, which would learn the service token, so it was not sent".to_owned()
        );
    }
    Ok((names, Proof { url: api.url.clone(), token }))
}

/// What a wrong service token gets, and then the right one.
fn service(sights: &Sights<'_>) -> Vec<Ask> {
    let mut asks = Vec::new();
    for index in 0..sights.subject.paths.len() {
        let spot = format!("api{index}");
        if let Ok((names, proof)) = service_token(sights, index) {
            let made_up = [
                ("cf-access-client-id", format!("{}.access", "0".repeat(32))),
                ("cf-access-client-secret", "0".repeat(64)),
            ];
            asks.push(Ask { headers: made_up.to_vec(), ..plain(&spot, "madeup", "GET", proof.url.clone()) });
            let with = With::Service { names, proof: proof.clone() };
            asks.push(Ask { with, body: true, ..plain(&spot, "service", "GET", proof.url) });
        }
    }
    asks
}

/// Whether a person's token may be sent to the page's host; or why it may not.
///
/// # Errors
/// Why it may not be sent.
pub fn persons_token(sights: &Sights<'_>) -> Result<Proof, String> {
    let token = sights.subject.person.as_deref().ok_or("nobody's token was given; see --token-from")?;
    let claims = claims(token).ok_or("what was given is no token")?;
    let exp = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    if exp <= sights.now {
        return Err("the token has expired; log in again: cloudflared access login".to_owned());
    }
    let is_for = |aud: &str| match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().any(|one| one == aud),
        Some(only) => only == aud,
        None => false,
    };
    let spots =
        std::iter::once("page".to_owned()).chain((0..sights.subject.paths.len()).map(|index| format!("below{index}")));
    let mut others = Vec::new();
    for spot in spots {
        if let (Some((token, application)), Some(url)) = (sights.proof(&spot), sights.url(&spot)) {
            if is_for(&application.aud) {
                return Ok(Proof { url, token });
            }
            others.push(application.aud);
        }
    }
    Err(match others.first() {
        Some(aud) => format!(
            "it is a token for another application than the page's, which has the AUD tag {aud}; it was not sent"
        ),
        None => "Access has not signed that it stands in front of the page, so the token was not sent".to_owned(),
    })
}

/// What a person's page gets, and what a page of another origin gets that uses the person's cookie.
fn person(sights: &Sights<'_>) -> Vec<Ask> {
    let Ok(proof) = persons_token(sights) else { return Vec::new() };
    let mut asks = Vec::new();
    for (index, target) in sights.subject.paths.iter().enumerate() {
        let spot = format!("below{index}");
        for (question, headers) in [("as_foreign", foreign()), ("as_person", Vec::new())] {
            let with = With::Person { proof: proof.clone() };
            asks.push(Ask {
                headers,
                body: true,
                with,
                ..plain(&spot, question, "GET", sights.subject.at(&target.below()))
            });
        }
    }
    asks
}
