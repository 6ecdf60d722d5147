//! What Access itself says of a URL: which application, team and AUD tag cover it.
//!
//! To a request with `cf-access-metadata-request: true`, the edge of Access answers with a token in `cf-access-metadata`, which the
//! team's key signs. Access's own client `cloudflared` asks in this way (`token/token.go`, from release 2026.8.0 on), and these are
//! its rules. Any server can write such a header, so nothing of it counts before its signature holds. The asking and the check of
//! the signature are the caller's.

use access_relay_core::caller::jwk::{Jwk, unambiguous};
use access_relay_core::caller::token::{Candidate, is_aud_tag};
use access_relay_core::config::access::is_team;
use access_relay_core::rules::upstream::parse_server;
use access_relay_core::syntax::json;
use access_relay_core::syntax::origin::{Origin, split_authority, split_scheme};
use access_relay_core::syntax::text::quoted;
use serde::Deserialize;
use serde_json::Value;

/// The name of the request's header; its value is `true`.
pub const REQUEST: &str = "cf-access-metadata-request";
/// The name of the answer's header.
pub const ANSWER: &str = "cf-access-metadata";

/// How old the word may be, and how far from now: clocks differ.
const OLDEST_SECONDS: i64 = 24 * 3600;
const FARTHEST_SECONDS: i64 = 5 * 60;

/// What such a token says, by its claims.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Match {
    #[serde(rename = "type")]
    kind: String,
    /// The URL's host name.
    pub hostname: String,
    auth_domain: String,
    /// The application's AUD tag.
    pub aud: String,
    /// The application's own host name, which may hold `*`. Older edges leave it out.
    #[serde(default)]
    pub app_hostname: Option<String>,
}

/// The origin of a URL.
///
/// # Errors
/// It has none to which anything may be sent.
pub fn origin_of(url: &str) -> Result<Origin, String> {
    let (scheme, rest) = split_scheme(url).unwrap_or(("", url));
    let (authority, _) = split_authority(rest);
    parse_server(&format!("{scheme}://{authority}"))
}

/// Where a team publishes its keys (Access, "Validate JWTs").
#[must_use]
pub fn keys_url(team: &Origin) -> String {
    format!("{}/cdn-cgi/access/certs", team.as_str())
}

/// The team that a token about this URL names: its address, by which its keys are found.
///
/// # Errors
/// The token cannot be one about this URL.
pub fn issuer(token: &str, url: &Origin) -> Result<Origin, String> {
    team(&claims(token)?.0, url)
}

/// The key that a token names, out of the team's key set (RFC 7517).
///
/// # Errors
/// The set has no such key.
pub fn key(token: &str, certs: &str) -> Result<Jwk, String> {
    let kid = Candidate::parse(token)?.kid;
    let (set, _) = json::read(certs.as_bytes()).map_err(|_| "the team's keys are no JSON")?;
    let members = set.get("keys").and_then(Value::as_array).ok_or("the team's keys are no JSON Web Key Set")?;
    let keys = unambiguous(members.iter().filter_map(|member| Jwk::parse(member).ok()).collect());
    keys.into_iter().find(|key| key.kid == kid).ok_or_else(|| "the team has no key of that name".to_owned())
}

/// What a token whose signature holds says of this URL, and the address of the team.
///
/// # Errors
/// Why it says nothing.
pub fn read(token: &str, url: &Origin, now: i64) -> Result<(Match, Origin), String> {
    let (claims, issued_at) = claims(token)?;
    let team = team(&claims, url)?;
    if !is_aud_tag(&claims.aud) {
        return Err(format!("{} is no AUD tag", quoted(&claims.aud)));
    }
    let age = now - issued_at.ok_or("iat is missing")?;
    if !(-FARTHEST_SECONDS..=OLDEST_SECONDS).contains(&age) {
        return Err(format!("it was signed {age} seconds ago"));
    }
    Ok((claims, team))
}

fn claims(token: &str) -> Result<(Match, Option<i64>), String> {
    Candidate::parse(token)?.claims_of()
}

fn team(claims: &Match, url: &Origin) -> Result<Origin, String> {
    if claims.kind != "match" {
        return Err(format!("type is {}, not \"match\"", quoted(&claims.kind)));
    }
    if !claims.hostname.eq_ignore_ascii_case(url.host()) {
        return Err(format!("it is about {}", quoted(&claims.hostname)));
    }
    let domain = claims.auth_domain.to_ascii_lowercase();
    // A stand-in for Access on this machine may speak for addresses on this machine.
    let here = parse_server(&format!("http://{domain}"));
    if let Some(here) = here.ok().filter(|here| here.is_loopback() && url.is_loopback()) {
        return Ok(here);
    }
    let team = Origin::parse(&format!("https://{domain}")).ok().filter(is_team);
    team.ok_or_else(|| format!("{} is no team of Access", quoted(&claims.auth_domain)))
}
