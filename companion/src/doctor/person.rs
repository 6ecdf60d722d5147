//! What the page gets of somebody who is logged in.

use crate::doctor::came::{Came, Whose};
use crate::doctor::check::{Checks, asked};
use crate::doctor::code::Code;
use crate::doctor::plan::{FOREIGN, persons_token};
use crate::doctor::relay::{challenged, cloudflare, refused};
use crate::doctor::seen::Sights;
use crate::doctor::subject::Target;
use crate::metadata;
use crate::suffixes::registrable;

/// Each path.
pub fn judge(sights: &Sights<'_>, checks: &mut Checks) {
    if sights.unreachable("page").is_some() {
        return;
    }
    for (index, target) in sights.subject.paths.iter().enumerate() {
        let below = format!("below{index}");
        let Some(url) = sights.url(&below) else { continue };
        let (Some(as_foreign), Some(came)) = (sights.came(&below, "as_foreign"), sights.came(&below, "as_person"))
        else {
            let why = persons_token(sights).err().unwrap_or_else(|| "too many questions were asked already".to_owned());
            checks.unknown(Code::Caller, asked("GET", &url, "with a person's token"), "not asked", why);
            unseen(sights, target, checks);
            continue;
        };
        let is_there = is_relay(as_foreign, &url, checks);
        answered(sights, target, came, &url, is_there, checks);
    }
}

/// Whether the relay is behind Access: it refuses a page of another origin, even with the cookie of somebody who may call.
fn is_relay(came: &Came, url: &str, checks: &mut Checks) -> bool {
    let at = asked("GET", url, &format!("with a person's token and Origin: {FOREIGN}"));
    match came.whose() {
        Whose::Relay(code) if code == "cross_origin_blocked" => {
            checks.ok(
                Code::ForeignOrigin,
                at,
                came.told(),
                "the relay is there, and refuses pages of other origins, whoever is logged in",
            );
            true
        }
        Whose::Relay(_) => true,
        Whose::Other => {
            checks.wrong(
                Code::NotRouted,
                at,
                came.told(),
                "Access lets the person pass, and whoever answers is not the relay: no route of the Worker leads here, or what is deployed allows every origin",
                "check the Worker's routes: Workers & Pages, your Worker, Domains & Routes",
            );
            false
        }
        _ => false,
    }
}

fn answered(sights: &Sights<'_>, target: &Target, came: &Came, url: &str, is_there: bool, checks: &mut Checks) {
    let at = asked("GET", url, "with a person's token");
    let is_linked = target.api.as_ref().is_some_and(|api| api.service_token.is_none());
    match came.whose() {
        Whose::Access(_) => checks.unknown(
            Code::Caller,
            at,
            came.told(),
            "Access does not take the token: the session has ended, or the application binds it to a browser (CF_Binding)",
        ),
        Whose::Relay(code) => match code.as_str() {
            "unauthenticated" => checks.wrong(
                Code::Caller,
                at,
                came.told(),
                "Access lets the person pass, and the relay does not: as it was deployed, access.issuer or access.audience is another one",
                "deploy this file: npm run deploy; npx wrangler tail shows the reason",
            ),
            "upstream_access_denied" if is_linked => checks.wrong(
                Code::LinkedAppToken,
                at,
                came.told(),
                "Access in front of the API does not take the person's token",
                "in the API's application, add a Service Auth policy with the selector Linked App Token for the page's application",
            ),
            "upstream_access_denied" => checks.wrong(
                Code::UpstreamAccessDenied,
                at,
                came.told(),
                "the person gets in, and Access in front of the API refuses the Worker's service token",
                "set the secrets again: npm run secrets; and see that a Service Auth policy of the API's application includes the token",
            ),
            "misconfigured" if uses_store(sights, target) => checks.wrong(
                Code::SecretsStore,
                at,
                came.told(),
                "the relay cannot read its configuration, or gets no secret out of the Secrets Store",
                "read npx wrangler tail; look at secrets_store_secrets: store_id, secret_name, and the secret's scope, workers",
            ),
            "upstream_unreachable" | "upstream_timeout" => {
                let means = if is_same_zone(sights, target) {
                    "the API does not answer the relay; it is in the page's zone, where a Worker's calls go past Workers"
                } else {
                    "the API does not answer the relay"
                };
                let (code, todo) = if is_same_zone(sights, target) {
                    (Code::SameZone, "set the compatibility flag global_fetch_strictly_public, or bind the API")
                } else {
                    (Code::Upstream, "check routes[].upstream, and that the API runs; docs/errors.md has more")
                };
                checks.wrong(code, at, came.told(), means, todo);
            }
            code => refused(code, at, came, checks),
        },
        Whose::Cloudflare(error) => cloudflare(error, at, came, checks),
        Whose::Challenge => challenged(at, came, checks),
        Whose::Nobody(why) => checks.unknown(Code::Caller, at, why, "nothing can be said of it"),
        Whose::Other if is_there => {
            checks.ok(Code::Caller, at.clone(), came.told(), "the relay takes the token, and the API answers");
            if is_linked {
                checks.ok(Code::LinkedAppToken, at.clone(), came.told(), "Access in front of the API takes the person's own token");
            }
            if is_same_zone(sights, target) {
                checks.ok(Code::SameZone, at.clone(), came.told(), "the call arrives; whether it passed Access, the header Cf-Access-Jwt-Assertion at the API shows");
            }
            if uses_store(sights, target) {
                checks.ok(Code::SecretsStore, at, came.told(), "the relay has its secrets, and Access takes them");
            }
        }
        Whose::Other => {}
    }
}

/// What only a person's token could show.
fn unseen(sights: &Sights<'_>, target: &Target, checks: &mut Checks) {
    let means = "only a call through the relay shows it: give a person's token";
    let kinds = [
        (Code::LinkedAppToken, target.api.as_ref().is_some_and(|api| api.service_token.is_none())),
        (Code::SameZone, is_same_zone(sights, target)),
        (Code::SecretsStore, uses_store(sights, target)),
    ];
    for (code, _) in kinds.into_iter().filter(|(_, concerns)| *concerns) {
        checks.unknown(
            code,
            asked("GET", &sights.subject.at(&target.below()), "with a person's token"),
            "not asked",
            means,
        );
    }
}

/// Whether page and API are names of one zone, as far as names tell.
fn is_same_zone(sights: &Sights<'_>, target: &Target) -> bool {
    let host = |url: &str| metadata::origin_of(url).ok().map(|origin| origin.host().to_owned());
    let api = target.api.as_ref().and_then(|api| host(&api.url));
    let (page, api) = (registrable(sights.subject.page.host()), api.as_deref().and_then(registrable));
    page.is_some() && page == api
}

/// Whether the path's secrets are bindings of a Secrets Store.
fn uses_store(sights: &Sights<'_>, target: &Target) -> bool {
    let prefix = target.api.as_ref().and_then(|api| api.service_token.as_deref());
    prefix.is_some_and(|prefix| sights.subject.stored.iter().any(|name| name.starts_with(prefix)))
}
