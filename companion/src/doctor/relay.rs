//! What the relay answers to strangers, and whether they reach it.

use access_relay_core::config::types::Access;
use access_relay_core::rules::cors::{Callers, PreflightBy};

use crate::doctor::came::{Came, Whose};
use crate::doctor::check::{Checks, asked};
use crate::doctor::code::Code;
use crate::doctor::plan::{FOREIGN, preflight_origin};
use crate::doctor::seen::Sights;
use crate::doctor::subject::Target;

const ROUTED: &str =
    "check the Worker's routes: npx wrangler deployments list, and Workers & Pages, your Worker, Domains & Routes";

/// Each path.
pub fn judge(sights: &Sights<'_>, checks: &mut Checks) {
    if sights.unreachable("page").is_some() {
        return;
    }
    for (index, target) in sights.subject.paths.iter().enumerate() {
        let below = format!("below{index}");
        let (Some(url), Some(came)) = (sights.url(&below), sights.came(&below, "get")) else { continue };
        if came.status().is_none() {
            continue;
        }
        let answers = stranger(sights, &below, &url, came, checks);
        session(sights, &below, &url, checks);
        if answers != Answers::Wrongly {
            preflight(sights, target, &below, &url, answers, checks);
        }
        // Another policy is told once.
        if answers == Answers::Relay && !checks.has(Code::Preflight) {
            foreign(sights, target, &below, &url, checks);
        }
    }
}

/// Who answers a stranger below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// The relay, as it has to.
    Relay,
    /// Access, in front of it.
    Access,
    /// Somebody, and that is told.
    Wrongly,
    /// Nobody knows.
    Unclear,
}

fn stranger(sights: &Sights<'_>, below: &str, url: &str, came: &Came, checks: &mut Checks) -> Answers {
    let at = asked("GET", url, "");
    let lets_in = sights.subject.config.as_ref().is_some_and(|config| config.access == Access::DangerouslyAllowAnyone);
    match came.whose() {
        Whose::Relay(code) if code == "unauthenticated" => {
            checks.ok(Code::Relay, at, came.told(), "the relay answers here, and refuses whoever has no token");
            Answers::Relay
        }
        Whose::Relay(code) => {
            refused(&code, at, came, checks);
            Answers::Wrongly
        }
        Whose::Cloudflare(error) => {
            cloudflare(error, at, came, checks);
            Answers::Wrongly
        }
        Whose::Challenge => {
            challenged(at, came, checks);
            Answers::Unclear
        }
        // Somebody who is logged in has seen more.
        _ if sights.is_kept(below) && sights.came(below, "as_foreign").is_some() => Answers::Access,
        _ if sights.is_kept(below) => {
            checks.unknown(
                Code::Relay,
                at,
                came.told(),
                "Access answers before the relay is asked; with a person's token (--token-from) it can be seen whether the relay is there",
            );
            Answers::Access
        }
        Whose::Other if lets_in => {
            checks.unknown(
                Code::Relay,
                at,
                came.told(),
                "the configuration lets everybody in, so the API's answers are anybody's to see",
            );
            Answers::Unclear
        }
        Whose::Other => {
            checks.wrong(
                Code::NotRouted,
                at,
                came.told(),
                "strangers pass, and whoever answers is not the relay: no route of the Worker leads here, or the page's server comes first",
                ROUTED,
            );
            Answers::Wrongly
        }
        Whose::Access(_) | Whose::Nobody(_) => Answers::Unclear,
    }
}

/// A refusal of the relay's that nobody means to get.
pub fn refused(code: &str, at: String, came: &Came, checks: &mut Checks) {
    match code {
        "misconfigured" => checks.wrong(
            Code::Misconfigured,
            at,
            came.told(),
            "the relay is there, and refuses to serve: RELAY is wrong as it was deployed, or a secret is missing",
            "read npx wrangler tail: the log lists every mistake; then npx access-relay check, and npx wrangler secret list",
        ),
        code => checks.wrong(
            Code::Relay,
            at,
            came.told(),
            format!("the relay is there, and answers {code} instead of unauthenticated"),
            format!("docs/errors.md says what to do about {code}; what is deployed may not be this file"),
        ),
    }
}

/// An error of Cloudflare's own.
pub fn cloudflare(error: u16, at: String, came: &Came, checks: &mut Checks) {
    let (means, todo) = match error {
        1101 => (
            "the Worker threw an exception",
            "read npx wrangler tail, and compare main and the compatibility_date with a template",
        ),
        1102 => ("the Worker used too much CPU time", "look at the Worker's plan and its metrics"),
        1019 => ("the Worker calls itself in a loop", "name the API's own host in routes[].upstream"),
        1027 => ("the Worker's daily limit is reached", "look at the Worker's plan"),
        1042 => ("a Worker called a Worker of its own zone", "set the compatibility flag global_fetch_strictly_public"),
        1016 | 1033 | 530 => {
            ("Cloudflare does not find the server behind this host", "check its DNS record, and its tunnel")
        }
        1020 => ("a rule of Cloudflare's firewall blocks the request", "look at Security, Events in the zone"),
        1015 => ("Cloudflare's rate limit is reached", "wait, or look at the zone's rate limiting rules"),
        520..=527 => {
            ("Cloudflare gets no answer from the server behind this host", "check that the server runs, and its TLS")
        }
        _ => ("Cloudflare answers in the server's place", "look the number up in Cloudflare's documentation"),
    };
    checks.wrong(Code::CloudflareError, at, came.told(), means, todo);
}

/// Something that stands in a program's way.
pub fn challenged(at: String, came: &Came, checks: &mut Checks) {
    checks.unknown(
        Code::Challenge,
        at,
        came.told(),
        "Cloudflare wants to see a browser first; if it asks the relay the same in front of the API, every call fails",
    );
}

/// What a page reads whose session has ended.
fn session(sights: &Sights<'_>, below: &str, url: &str, checks: &mut Checks) {
    let Some(came) = sights.came(below, "xhr") else { return };
    let at = asked("GET", url, "with X-Requested-With: XMLHttpRequest");
    let is_kept = sights.is_kept(below);
    match (came.whose(), came.status()) {
        (Whose::Relay(code), _) if code == "unauthenticated" => {
            checks.ok(Code::ExpiredSession, at, came.told(), "the page reads a 401 of the relay's, with or without that header");
        }
        (Whose::Access(_) | Whose::Other, Some(401)) if is_kept => {
            checks.ok(Code::ExpiredSession, at, came.told(), "the page reads a 401, if it sends that header; without it, it gets a redirect that no fetch can follow");
        }
        (Whose::Access(_), Some(403)) => checks.wrong(
            Code::ExpiredSession,
            at,
            came.told(),
            "Access offers no login here: the application has no policy with the action Allow, so no person gets in",
            "add an Allow policy to the page's application",
        ),
        (Whose::Access(_), _) => checks.wrong(
            Code::ExpiredSession,
            at,
            came.told(),
            "Access redirects all the same: a page whose session has ended sees a CORS error",
            "give the relay's path an application of its own with a Bypass policy, or look for a rule that takes the header away",
        ),
        (Whose::Other, _) if is_kept => {
            checks.unknown(Code::ExpiredSession, at, came.told(), "Access has signed that it stands here, and the answer is none of those that are known of it");
        }
        _ => {}
    }
}

fn preflight(sights: &Sights<'_>, target: &Target, below: &str, url: &str, answers: Answers, checks: &mut Checks) {
    let Some(came) = sights.came(below, "preflight") else { return };
    let (origin, may) = preflight_origin(target);
    let at = asked("OPTIONS", url, &format!("as a preflight of {origin}"));
    let allows = came.header("access-control-allow-origin").is_some_and(|allowed| allowed == "*" || allowed == origin);
    let by_api = target.cors.as_ref().is_some_and(|policy| policy.preflight == PreflightBy::Upstream);
    let told = came.told();
    match (came.whose(), may) {
        (Whose::Relay(code), Some(true)) if !by_api => checks.wrong(
            Code::Preflight,
            at,
            told,
            format!("the preflight reaches the relay, which answers {code}: what is deployed has another policy than this file"),
            "deploy this file: npm run deploy",
        ),
        (Whose::Relay(_), Some(true)) => checks.unknown(Code::Preflight, at, told, "the relay hands preflights to the API (cors.preflight), and this one did not get through"),
        (Whose::Relay(_), _) => checks.ok(Code::Preflight, at, told, "the preflight reaches the relay, which refuses this origin"),
        (Whose::Access(_), Some(true)) => checks.wrong(
            Code::Preflight,
            at,
            told,
            "Access refuses preflights before the relay is asked, so no page of another origin can call, whatever RELAY.cors says",
            "turn on Bypass OPTIONS requests to origin in the page's application, or give the relay's path a Bypass policy",
        ),
        (Whose::Access(_), Some(false)) => checks.ok(Code::Preflight, at, told, "Access refuses preflights; no page of another origin may call, so none is missed"),
        (Whose::Access(_), None) => checks.unknown(Code::Preflight, at, told, "Access refuses preflights: pages of other origins cannot call"),
        (Whose::Other, _) if allows && came.status() == Some(204) => match may {
            Some(false) => checks.wrong(
                Code::Preflight,
                at,
                told,
                "the relay allows an origin that this file does not: what is deployed has another policy",
                "deploy this file: npm run deploy",
            ),
            _ => checks.ok(Code::Preflight, at, told, "the preflight reaches the relay, which allows this origin"),
        },
        (Whose::Other, Some(true)) if allows && answers == Answers::Access && !by_api => checks.wrong(
            Code::Preflight,
            at,
            told,
            "Access answers preflights by its own CORS settings, and the relay is not asked; two policies have to agree, and only one is here",
            "clear the CORS settings of the page's application, and turn on Bypass OPTIONS requests to origin",
        ),
        (Whose::Other, Some(false)) if came.status() == Some(204) => {
            checks.ok(Code::Preflight, at, told, "whoever answers allows this origin nothing");
        }
        (Whose::Other, _) => checks.unknown(Code::Preflight, at, told, "it does not show whether the relay was asked"),
        _ => {}
    }
}

/// A page of another origin that sends no preflight.
fn foreign(sights: &Sights<'_>, target: &Target, below: &str, url: &str, checks: &mut Checks) {
    let Some(came) = sights.came(below, "foreign") else { return };
    if target.cors.as_ref().is_some_and(|policy| policy.origins == Callers::Anybody) {
        return;
    }
    let at = asked("GET", url, &format!("with Origin: {FOREIGN}"));
    match came.whose() {
        Whose::Relay(code) if code == "cross_origin_blocked" => {
            checks.ok(Code::ForeignOrigin, at, came.told(), "the relay refuses pages of origins that its policy does not name");
        }
        Whose::Relay(code) if code == "unauthenticated" && target.cors.is_some() => checks.wrong(
            Code::ForeignOrigin,
            at,
            came.told(),
            "the relay would let this page call, if the person's cookie came along: what is deployed has another policy than this file",
            "deploy this file: npm run deploy",
        ),
        _ => checks.unknown(Code::ForeignOrigin, at, came.told(), "it does not show whether the relay refuses that page"),
    }
}
