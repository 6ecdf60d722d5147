//! The APIs, seen by strangers and with the service token.

use crate::doctor::came::{Came, Whose};
use crate::doctor::check::{Checks, asked};
use crate::doctor::code::Code;
use crate::doctor::page::UNSIGNED;
use crate::doctor::plan::service_token;
use crate::doctor::relay::{challenged, cloudflare};
use crate::doctor::seen::Sights;
use crate::view::Meets;

/// Each API that is on a public network.
pub fn judge(sights: &Sights<'_>, checks: &mut Checks) {
    for index in 0..sights.subject.paths.len() {
        let spot = format!("api{index}");
        if sights.unreachable(&spot).is_some() {
            continue;
        }
        let is_shut = strangers(sights, &spot, checks);
        with_token(sights, index, &spot, is_shut, checks);
    }
}

/// Whether strangers are kept out, as far as it shows.
fn strangers(sights: &Sights<'_>, spot: &str, checks: &mut Checks) -> bool {
    let Some((view, fault)) = sights.view(spot) else { return false };
    let (at, came) = (asked("GET", &view.ask.url, ""), sights.came(spot, "get"));
    match came.map(Came::whose) {
        Some(Whose::Cloudflare(error)) => {
            if let Some(came) = came {
                cloudflare(error, at, came, checks);
            }
            return false;
        }
        Some(Whose::Challenge) => {
            if let Some(came) = came {
                challenged(at, came, checks);
            }
            return false;
        }
        _ => {}
    }
    if fault.is_some() {
        // Told already; whoever writes such a word is not to be believed in anything else.
        return false;
    }
    let told = format!("{}; {}", view.covered(), view.strangers());
    if matches!(sights.whose(spot, "word"), Some(Whose::Nobody(_))) {
        checks.unknown(
            Code::ApiOpen,
            at,
            told,
            "nobody answered for the signed word, so it does not show who keeps strangers out",
        );
        return false;
    }
    let is_signed = view.application.as_ref().is_some_and(|application| application.signed);
    match view.meets {
        Meets::WhatIsBehind if is_signed => checks.wrong(
            Code::ApiOpen,
            at,
            told,
            "the API's application lets everybody pass: everybody can call the API without the relay",
            "replace the Bypass policy of the API's application by one with the action Service Auth",
        ),
        // Where Access signs nothing for the page either, its word may just not be had there.
        Meets::WhatIsBehind if refuses(came) && sights.proof("page").is_none() => checks.unknown(
            Code::ApiOpen,
            at,
            told,
            "somebody refuses strangers, and nothing shows whether it is Access or the API itself",
        ),
        Meets::WhatIsBehind => checks.wrong(
            Code::ApiOpen,
            at,
            told,
            "no Access application covers the API: everybody can call it without the relay, and the relay sends it the service token",
            "make an Access application for the API's host, with a Service Auth policy for the relay's service token",
        ),
        _ if is_signed => checks.ok(Code::ApiOpen, at, told, "Access stands in front of the API, and keeps strangers out"),
        _ => checks.unknown(Code::ApiOpen, at, told, format!("Access seems to keep strangers out; {UNSIGNED}")),
    }
    let pages = sights.application("page");
    if let (Some(pages), Some(own)) = (pages, &view.application) {
        let at = asked("HEAD", &view.ask.url, "for Access's signed word");
        if own.is(&pages) {
            checks.wrong(
                Code::SameApplication,
                at,
                own.told(),
                "it is the page's application, too: the service token opens the page, and each person's token opens the API",
                "give the API an application of its own",
            );
        } else {
            checks.ok(Code::SameApplication, at, own.told(), "it is another application than the page's");
        }
    }
    view.meets != Meets::WhatIsBehind
}

fn with_token(sights: &Sights<'_>, index: usize, spot: &str, is_shut: bool, checks: &mut Checks) {
    let Some(api) = sights.subject.paths.get(index).and_then(|target| target.api.as_ref()) else { return };
    if api.service_token.is_none() || !is_shut {
        return;
    }
    let at = asked("GET", &api.url, "with the service token");
    let (Some(made_up), Some(came)) = (sights.came(spot, "madeup"), sights.came(spot, "service")) else {
        if let Err(why) = service_token(sights, index) {
            checks.unknown(Code::ServiceToken, at, "not asked", why);
        }
        return;
    };
    let is_strict = made_up.status() == Some(401);
    mode(made_up, &api.url, checks);
    let same_refusal = !matches!(made_up.whose(), Whose::Access(_)) && came.status() == made_up.status();
    match (came.whose(), came.status()) {
        (Whose::Access(_), status) => {
            let means = match status {
                Some(403) if is_strict => "the token is valid, and no policy of the API's application includes it",
                Some(401) => "Access does not know the token: it is wrong, expired or disabled",
                _ => "the API's application does not take it: no policy with the action Service Auth includes it, or it is wrong, expired or disabled",
            };
            checks.wrong(
                Code::ServiceToken,
                at,
                came.told(),
                means,
                "in the API's application, add a policy with the action Service Auth that includes the token; or make a new token",
            );
        }
        (Whose::Other, Some(300..=303 | 305..=399 | 401 | 403)) if same_refusal => checks.wrong(
            Code::ServiceToken,
            at,
            came.told(),
            "a made-up token gets the same answer: this one is not taken",
            "in the API's application, add a policy with the action Service Auth that includes the token; or make a new token",
        ),
        (Whose::Cloudflare(error), _) => cloudflare(error, at, came, checks),
        (Whose::Challenge, _) => challenged(at, came, checks),
        (Whose::Nobody(_), _) => checks.unknown(Code::ServiceToken, at, came.told(), "nothing can be said of it"),
        _ => checks.ok(Code::ServiceToken, at, came.told(), "Access lets the token pass, and the API answers; whether the Worker has the same secrets, only a call through it shows"),
    }
}

/// Whether an answer lets nobody pass.
fn refuses(came: Option<&Came>) -> bool {
    matches!(came.and_then(Came::status), Some(300..=399 | 401 | 403))
}

/// What Access says to a token that nobody has.
fn mode(made_up: &Came, url: &str, checks: &mut Checks) {
    let at = asked("GET", url, "with a made-up service token");
    match (made_up.whose(), made_up.status()) {
        (Whose::Nobody(_) | Whose::Cloudflare(_) | Whose::Challenge, _) => {
            checks.unknown(Code::StrictMode, at, made_up.told(), "nothing can be said of it")
        }
        (_, Some(401)) => checks.ok(
            Code::StrictMode,
            at,
            made_up.told(),
            "as strict service token authentication has it (or service_auth_401_redirect)",
        ),
        (_, Some(403 | 300..=399)) => checks.ok(
            Code::StrictMode,
            at,
            made_up.told(),
            "as without strict mode, which organisations made since 5 October 2026 have",
        ),
        _ => checks.unknown(Code::StrictMode, at, made_up.told(), "no answer that is known of Access"),
    }
}
