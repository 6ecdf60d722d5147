//! Which application covers the page, and the relay's paths.

use access_relay_core::config::types::Access;
use serde_json::Value;

use crate::doctor::came::Whose;
use crate::doctor::check::{Checks, asked};
use crate::doctor::code::Code;
use crate::doctor::seen::Sights;
use crate::view::{Application, Meets, View};

const WORD: &str = "for Access's signed word";
const BOTH: &str = "for Access's signed word, and GET";
/// Said of whatever nobody has signed.
pub const UNSIGNED: &str = "nobody has signed that: anybody can write these marks, so they are evidence, and no proof";

/// The page, then each path.
pub fn judge(sights: &Sights<'_>, checks: &mut Checks) {
    words(sights, checks);
    if sights.unreachable("page").is_some() {
        return;
    }
    let keys = keys(sights);
    page(sights, checks);
    for (index, target) in sights.subject.paths.iter().enumerate() {
        let (path, below) = (format!("path{index}"), format!("below{index}"));
        if sights.unreachable(&below).is_some() {
            continue;
        }
        let is_forged = |spot: &str| sights.view(spot).is_some_and(|(_, fault)| fault.is_some());
        if is_forged("page") || is_forged(&below) {
            continue;
        }
        let is_one = one_application(sights, &below, checks);
        if is_one && !target.path.is_empty() {
            evenly(sights, &path, &below, checks);
        }
        if is_one {
            allowed(sights, &below, checks);
        }
    }
    if !checks.has(Code::Issuer) {
        publishes(sights, keys.as_ref(), checks);
    }
}

/// The words that are none of Access's.
fn words(sights: &Sights<'_>, checks: &mut Checks) {
    let spots = ["page".to_owned()].into_iter().chain(
        (0..sights.subject.paths.len()).flat_map(|index| ["path", "below", "api"].map(|spot| format!("{spot}{index}"))),
    );
    for spot in spots {
        let Some((view, Some(fault))) = sights.view(&spot) else { continue };
        let at = asked("HEAD", &view.ask.url, WORD);
        // `View` tells all of it, for `init`; the reason stands at its end.
        let why = fault.rsplit_once("was not used: ").map_or(fault.as_str(), |(_, why)| why).to_owned();
        if keys(sights).is_some_and(|keys| keys.is_err()) {
            checks.unknown(
                Code::Metadata,
                at,
                why,
                "without the team's keys, nobody can tell whether it is Access's own word",
            );
        } else {
            checks.wrong(
                Code::Metadata,
                at,
                why,
                "whoever answers there writes a word in Access's name, or the clock of this machine is wrong; nothing of it was used, and no token was sent there",
                "find out who answers at this address: its DNS record, and whether it is proxied by Cloudflare",
            );
        }
    }
}

fn page(sights: &Sights<'_>, checks: &mut Checks) {
    let Some((view, fault)) = sights.view("page") else { return };
    if fault.is_some() {
        return;
    }
    let at = asked("HEAD", &view.ask.url, BOTH);
    let came = came(&view);
    match (&view.application, view.meets) {
        (Some(application), _) if application.signed => {
            checks.ok(Code::PageApplication, at, came, "an application of Access covers the page")
        }
        (Some(_), _) => checks.unknown(
            Code::PageApplication,
            at,
            came,
            format!("an application seems to cover the page; {UNSIGNED}"),
        ),
        (None, _) if matches!(sights.whose("page", "word"), Some(Whose::Nobody(_))) => {
            checks.unknown(Code::PageApplication, at, came, "nobody answered for the signed word");
        }
        (None, Meets::WhatIsBehind) if matches!(sights.whose("page", "get"), Some(Whose::Other | Whose::Relay(_))) => {
            let lets_in =
                sights.subject.config.as_ref().is_some_and(|config| config.access == Access::DangerouslyAllowAnyone);
            if lets_in {
                checks.unknown(
                    Code::PageApplication,
                    at,
                    came,
                    "no application covers the page, and the configuration lets everybody in",
                );
            } else {
                checks.wrong(
                    Code::PageApplication,
                    at,
                    came,
                    "no application of Access covers the page, so nobody has a token, and the relay refuses everybody",
                    format!("make an Access application that covers {}", sights.subject.page.host()),
                );
            }
        }
        _ => checks.unknown(Code::PageApplication, at, came, "nothing tells which application covers the page"),
    }
}

/// Which application, and what strangers get.
fn came(view: &View) -> String {
    format!("{}; {}", view.covered(), view.strangers())
}

/// Whether whoever is logged in to the page meets no other login below the path.
fn one_application(sights: &Sights<'_>, below: &str, checks: &mut Checks) -> bool {
    let (Some(pages), Some((view, _))) = (sights.application("page"), sights.view(below)) else { return true };
    let own = view.application.as_ref().filter(|_| sights.is_kept(below));
    let at = asked("HEAD", &view.ask.url, BOTH);
    match own {
        Some(own) if !own.is(&pages) => {
            checks.wrong(
                Code::OtherApplication,
                at,
                came(&view),
                "another application covers it than the page: whoever is logged in to the page meets another login here, which no fetch can follow",
                "let one application cover both, or give the path a Bypass policy: the relay then checks the page's token by itself",
            );
            false
        }
        Some(_) => {
            checks.ok(Code::OtherApplication, at, came(&view), "it is the page's application");
            true
        }
        None => {
            checks.ok(
                Code::OtherApplication,
                at,
                came(&view),
                "Access lets strangers pass here; only the relay's own check of the page's token keeps them out",
            );
            true
        }
    }
}

fn evenly(sights: &Sights<'_>, path: &str, below: &str, checks: &mut Checks) {
    let (Some((one, None)), Some((other, None))) = (sights.view(path), sights.view(below)) else { return };
    let at = asked("HEAD", &one.ask.url, BOTH);
    let differ = one.application.as_ref().zip(other.application.as_ref()).is_some_and(|(one, other)| !one.is(other));
    let (path_kept, below_kept) = (sights.is_kept(path), sights.is_kept(below));
    let meets = [sights.whose(path, "get"), sights.whose(below, "get")];
    if meets.iter().flatten().any(|whose| matches!(whose, Whose::Challenge | Whose::Cloudflare(_) | Whose::Nobody(_))) {
        return;
    }
    if path_kept != below_kept || (path_kept && differ) {
        let (shut, open) = if path_kept { (&one.ask.url, &other.ask.url) } else { (&other.ask.url, &one.ask.url) };
        checks.wrong(
            Code::PathUneven,
            at,
            came(&one),
            if path_kept == below_kept {
                format!("another application covers {} than {}", one.ask.url, other.ask.url)
            } else {
                format!("Access keeps strangers from {shut}, and lets them pass to {open}")
            },
            format!(
                "let one application cover both, as {} and {0}/*",
                one.ask.url.split_once("://").map_or("", |(_, rest)| rest)
            ),
        );
    } else {
        checks.ok(Code::PathUneven, at, came(&one), "it is covered like what is below it");
    }
}

/// Whether the configuration lets in whoever has the token that callers bring.
fn allowed(sights: &Sights<'_>, below: &str, checks: &mut Checks) {
    let Some(config) = &sights.subject.config else { return };
    let spot = sights.callers(below);
    let (Some(application), Some(url)) = (sights.application(spot), sights.url(spot)) else { return };
    let at = asked("HEAD", &url, WORD);
    let told = application.told();
    let policy = config.access.tokens();
    if let Some(policy) = policy {
        let team = application.issuer.as_ref().map(|team| team.as_str());
        match team {
            Some(team) if team != policy.issuer => {
                let means = format!("access.issuer is {}: the relay refuses this team's tokens", policy.issuer);
                checks.wrong(Code::Issuer, at, told, means, format!("write access.issuer = \"{team}\""));
                return;
            }
            Some(_) if application.signed => {
                checks.ok(Code::Issuer, at.clone(), told.clone(), "it is the team in access.issuer")
            }
            Some(_) => checks.unknown(
                Code::Issuer,
                at.clone(),
                told.clone(),
                format!("it seems to be the team in access.issuer; {UNSIGNED}"),
            ),
            None => checks.unknown(Code::Issuer, at.clone(), told.clone(), "the answer does not name the team"),
        }
    }
    let audience = match (policy, config.access.platform()) {
        (Some(policy), _) => &policy.audience,
        (None, Some(policy)) if !policy.audience.is_empty() => &policy.audience,
        _ => return,
    };
    if audience.contains(&application.aud) {
        if application.signed {
            checks.ok(Code::Audience, at, told, "it is one of access.audience");
        } else {
            checks.unknown(Code::Audience, at, told, format!("it seems to be one of access.audience; {UNSIGNED}"));
        }
        return;
    }
    let apis = (0..sights.subject.paths.len()).filter_map(|index| sights.application(&format!("api{index}")));
    let means = if apis.into_iter().any(|api: Application| audience.contains(&api.aud)) {
        "access.audience has the AUD tag of the API's application, and not the page's: the relay refuses everybody"
    } else {
        "access.audience has another AUD tag: the relay refuses everybody who comes from this application"
    };
    checks.wrong(Code::Audience, at, told, means, format!("write access.audience = [\"{}\"]", application.aud));
}

/// How many keys the team has, or why none can be had; nothing if nobody asked.
fn keys(sights: &Sights<'_>) -> Option<Result<usize, String>> {
    let came = sights.came("team", "keys")?;
    let read = || {
        if came.status() != Some(200) {
            return Err(came.told());
        }
        let set = came.json().ok_or("an answer that is no JSON")?;
        let members = set.get("keys").and_then(Value::as_array).ok_or("an answer that is no JSON Web Key Set")?;
        let usable = members
            .iter()
            .filter(|key| key.get("kty").and_then(Value::as_str) == Some("RSA") && key.get("kid").is_some());
        match usable.count() {
            0 => Err("a key set without a key for RS256".to_owned()),
            count => Ok(count),
        }
    };
    Some(read())
}

fn publishes(sights: &Sights<'_>, keys: Option<&Result<usize, String>>, checks: &mut Checks) {
    let (Some(url), Some(keys)) = (sights.keys_url(), keys) else { return };
    let at = asked("GET", &url, "");
    match keys {
        Ok(count) => checks.ok(
            Code::Keys,
            at,
            format!("200, {count} {}", if *count == 1 { "key" } else { "keys" }),
            "the relay can check tokens with them",
        ),
        Err(came) if matches!(sights.whose("team", "keys"), Some(Whose::Nobody(_))) => {
            checks.unknown(Code::Keys, at, came.as_str(), "the team's host cannot be reached from here");
        }
        Err(came) => checks.wrong(
            Code::Keys,
            at,
            came.as_str(),
            "there is no team with keys at this address, so the relay can check no token",
            "write the team's own address as access.issuer: Zero Trust, Settings, Team name",
        ),
    }
}
