//! What else leads to the Worker: its other addresses, plain http, and the path of its monitors.

use serde_json::Value;

use crate::doctor::came::Whose;
use crate::doctor::check::{Checks, asked};
use crate::doctor::code::Code;
use crate::doctor::seen::Sights;
use crate::shown;

/// All of them.
pub fn judge(sights: &Sights<'_>, checks: &mut Checks) {
    health(sights, checks);
    for index in 0..sights.subject.doors.len() {
        door(sights, &format!("door{index}"), checks);
    }
    if sights.subject.doors.is_empty() && sights.subject.config.is_some() && sights.subject.workers_dev != Some(false) {
        checks.unknown(
            Code::Door,
            "GET https://<name>.<subdomain>.workers.dev",
            "not asked",
            "the file does not switch workers.dev off, and does not say your subdomain; name the address with --door",
        );
    }
    https(sights, checks);
}

fn door(sights: &Sights<'_>, spot: &str, checks: &mut Checks) {
    let (Some(url), Some(came)) = (sights.url(spot), sights.came(spot, "get")) else { return };
    let at = asked("GET", &url, "");
    match (came.whose(), came.status()) {
        (Whose::Relay(_), _) => checks.wrong(
            Code::Door,
            at,
            came.told(),
            "the relay answers here, too, without Access in front of it: only its own check keeps strangers out",
            "write workers_dev = false and preview_urls = false, and deploy",
        ),
        (Whose::Access(_), _) => checks.ok(Code::Door, at, came.told(), "Access stands in front of it"),
        (Whose::Nobody(_), _) => checks.ok(Code::Door, at, came.told(), "nobody answers there"),
        (_, Some(404)) => checks.ok(Code::Door, at, came.told(), "it is shut"),
        _ => checks.unknown(Code::Door, at, came.told(), "it does not show whose answer this is"),
    }
}

fn https(sights: &Sights<'_>, checks: &mut Checks) {
    let Some(came) = sights.came("page", "http") else { return };
    let at = asked("GET", &format!("http://{}/", sights.subject.page.host()), "");
    let to = came.header("location").unwrap_or_default();
    let keeps = sights.came("page", "get").and_then(|page| page.header("strict-transport-security")).is_some();
    let hsts =
        if keeps { "and browsers remember it (HSTS)" } else { "and browsers are not told to remember it (no HSTS)" };
    match (came.whose(), came.status()) {
        (Whose::Nobody(_), _) => checks.ok(Code::Https, at, came.told(), "nobody answers there"),
        (_, Some(300..=399)) if to.starts_with("https://") => {
            checks.ok(Code::Https, at, came.told(), format!("http leads to https, {hsts}"))
        }
        (Whose::Challenge | Whose::Cloudflare(_), _) => {
            checks.unknown(Code::Https, at, came.told(), "it does not show whether http leads to https")
        }
        _ => checks.wrong(
            Code::Https,
            at,
            came.told(),
            "the page can be had without https: whoever is in between can read and change it",
            "turn on Always Use HTTPS in the zone: SSL/TLS, Edge Certificates",
        ),
    }
}

fn health(sights: &Sights<'_>, checks: &mut Checks) {
    let Some(came) = sights.came("page", "health") else { return };
    let path = sights.subject.config.as_ref().and_then(|config| config.health_path.as_ref());
    let at = asked("GET", &sights.subject.at(path.map_or("", |path| path.as_str())), "");
    let report = came.json().filter(|report| report.get("checks").is_some());
    match (came.whose(), report) {
        (Whose::Other, Some(report)) => {
            let items = report.get("checks").and_then(Value::as_array).into_iter().flatten();
            let failing: Vec<String> = items
                .filter_map(|item| {
                    let text = |key: &str| item.get(key).and_then(Value::as_str);
                    Some(format!("{}: {}", text("check")?, text("code")?))
                })
                .collect();
            if failing.is_empty() {
                checks.ok(
                    Code::Health,
                    at,
                    came.told(),
                    "configuration, keys and APIs are well, by the relay's own word",
                );
            } else {
                let means = format!("the relay says what fails: {}", shown::clean(&failing.join(", ")));
                checks.wrong(Code::Health, at, came.told(), means, "docs/errors.md says what to do about each code");
            }
        }
        (Whose::Access(_), _) => {
            checks.unknown(Code::Health, at, came.told(), "Access answers first: monitors cannot ask either")
        }
        _ if checks.has(Code::Misconfigured) || checks.has(Code::NotRouted) || checks.has(Code::CloudflareError) => {}
        (Whose::Nobody(_), _) => {}
        _ => checks.unknown(
            Code::Health,
            at,
            came.told(),
            "it is no report of the relay's: no route leads there, or another configuration is deployed",
        ),
    }
}
