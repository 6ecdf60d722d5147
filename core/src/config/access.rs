//! `access`: who may call.

use crate::caller::platform::PlatformPolicy;
use crate::caller::token::{JwtPolicy, is_aud_tag};
use crate::config::keys::Key;
use crate::config::keys::access::{
    AUDIENCE, DANGEROUSLY_ALLOW_ANYONE, GROUPS, IDENTITY_HEADERS, ISSUER, MAX_TOKEN_AGE_SECONDS, NAMES, PLATFORM,
};
use crate::config::table::Table;
use crate::config::types::Access;
use crate::rules::upstream::parse_server;
use crate::syntax::field::is_plain_value;
use crate::syntax::origin::Origin;

/// Reads the table at `key`; `None` if it cannot become an answer, which the table's report then says.
pub fn access(relay: &Table, key: Key) -> Option<Access> {
    const WHO: &str = "say who may call: write [vars.RELAY.access] with issuer and audience";
    if !relay.has(key) {
        relay.error(key, "nothing", WHO);
        return None;
    }
    let table = relay.table(key, NAMES)?;
    if table.boolean(DANGEROUSLY_ALLOW_ANYONE) {
        // What says how callers are checked.
        let others = [ISSUER, AUDIENCE, PLATFORM, MAX_TOKEN_AGE_SECONDS, IDENTITY_HEADERS, GROUPS];
        for key in others.into_iter().filter(|key| table.has(*key)) {
            let expected = "leave one of the two out: no caller is checked";
            table.error(key, "a value beside dangerously_allow_anyone", expected);
        }
        table.finish();
        return Some(Access::DangerouslyAllowAnyone);
    }
    let platform = table.boolean(PLATFORM);
    let has_tokens = !platform || table.has(ISSUER);
    let issuer = if has_tokens { table.parsed(ISSUER, parse_server) } else { None };
    let audience = if has_tokens || table.has(AUDIENCE) { audience(&table) } else { Some(Vec::new()) };
    warn_of_what_access_never_says(&table, issuer.as_ref(), audience.as_deref().unwrap_or_default());
    let max_token_age_seconds = table.has(MAX_TOKEN_AGE_SECONDS).then(|| table.integer(MAX_TOKEN_AGE_SECONDS));
    let identity_headers = table.boolean(IDENTITY_HEADERS);
    let groups = table.boolean(GROUPS);
    if groups && !platform {
        let expected = "add platform = true, or leave it out: a token of Access names no groups";
        table.error(GROUPS, "true without platform", expected);
    }
    table.finish();
    let audience = audience?;
    let tokens = |issuer: Origin| JwtPolicy {
        // Access, "Validate JWTs": the keys of the team's domain.
        certs_url: format!("{}/cdn-cgi/access/certs", issuer.as_str()),
        issuer: issuer.as_str().to_owned(),
        audience: audience.clone(),
        max_token_age_seconds,
        identity_headers,
    };
    if !platform {
        return Some(Access::Jwt(tokens(issuer?)));
    }
    let tokens = if has_tokens { Some(tokens(issuer?)) } else { None };
    Some(Access::Platform(PlatformPolicy { audience, max_token_age_seconds, identity_headers, groups }, tokens))
}

fn audience(table: &Table) -> Option<Vec<String>> {
    const KEY: Key = AUDIENCE;
    let there = table.has(KEY);
    let tags = table.strings(KEY);
    match tags {
        Some(tags) if !tags.is_empty() => {
            for (index, tag) in tags.iter().enumerate() {
                if !is_plain_value(tag) || tag.contains([' ', '<', '>']) {
                    table.error_in(
                        KEY,
                        index,
                        &table.quoted(tag),
                        "copy the application's AUD tag from its settings in Access",
                    );
                }
            }
            Some(tags)
        }
        None if there => None,
        _ => {
            let expected = "name one at least: 64 hexadecimal digits, from the application's settings in Access";
            table.error(KEY, "no AUD tag", expected);
            None
        }
    }
}

/// Tokens of another issuer, or for another audience, exist. Access does not make them, so it may be a slip. An issuer on
/// this very machine is somebody's own.
fn warn_of_what_access_never_says(table: &Table, issuer: Option<&Origin>, audience: &[String]) {
    if issuer.is_some_and(Origin::is_loopback) {
        return;
    }
    if let Some(issuer) = issuer.filter(|issuer| !is_team(issuer)) {
        let expected = "tokens of Access come from https://<team>.cloudflareaccess.com: look whether this one is meant";
        table.warn(ISSUER, &table.quoted_url(issuer.as_str()), expected);
    }
    for (index, tag) in audience.iter().enumerate() {
        if !is_aud_tag(tag) {
            let found = format!("a text of {} characters (not shown)", tag.chars().count());
            let expected =
                "an AUD tag of Access is 64 hexadecimal digits in lower case: look whether this one is meant";
            table.warn_in(AUDIENCE, index, &found, expected);
        }
    }
}

/// Whether an origin is that of an Access team: `acme.cloudflareaccess.com`, or a government's
/// `acme.fed.cloudflareaccess.com`.
#[must_use]
pub fn is_team(origin: &Origin) -> bool {
    let team = origin.as_str().strip_prefix("https://").and_then(|host| host.strip_suffix(".cloudflareaccess.com"));
    team.is_some_and(|team| !team.strip_suffix(".fed").unwrap_or(team).contains('.'))
}
