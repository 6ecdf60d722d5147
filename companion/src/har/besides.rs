//! What else is wrong with an exchange that failed, by the relay's configuration and by the rest of the recording.

use access_relay_core::config::types::{Access, Config};
use access_relay_core::rules::cors::PREFLIGHT_VARY;
use access_relay_core::syntax::origin::Origin;

use crate::fetch::Site;
use crate::har::cause::Cause;
use crate::har::console::Message;
use crate::har::exchange::{By, Exchange, Kind, origin_of};
use crate::har::find::Sign;

/// What is known besides an exchange.
#[derive(Clone, Copy)]
pub struct Besides<'c> {
    /// The relay's configuration, read.
    pub config: Option<&'c Config>,
    /// Whether the recording has cookies somewhere.
    pub has_cookies: bool,
}

impl Besides<'_> {
    /// What else is wrong, if something is.
    #[must_use]
    pub fn signs(&self, exchange: &Exchange, sign: &Sign) -> Vec<Sign> {
        let mut signs = Vec::new();
        if matches!(sign.cause, Cause::SessionExpired | Cause::NotLoggedIn) {
            signs.extend(self.wrong_application(exchange));
        }
        if sign.cause == Cause::DirectCall {
            signs.extend(self.no_cookies(exchange));
        } else if exchange.kind != Kind::Document {
            signs.extend(self.passes_the_relay_by(exchange));
        }
        signs
    }

    /// The same, as the configuration has it: with `debug`, the relay answers a preflight that it refuses, so that the console names the true
    /// cause. That answer is like other servers'.
    #[must_use]
    pub fn corrected(&self, exchange: &Exchange, sign: Sign) -> Sign {
        let vary = exchange.answered.get("vary").is_some_and(|vary| vary.eq_ignore_ascii_case(PREFLIGHT_VARY));
        let has_debug = self.config.is_some_and(|config| config.debug);
        if sign.cause == Cause::PreflightUnanswered && exchange.status == 204 && vary && has_debug {
            return Sign { cause: Cause::PreflightRefused, inferred: true, ..sign };
        }
        sign
    }

    /// The application that Access asks to log in to, against the configuration.
    fn wrong_application(&self, exchange: &Exchange) -> Option<Sign> {
        let By::Login(Some(hint)) = &exchange.by else { return None };
        let policy = match &self.config?.access {
            Access::Jwt(policy) | Access::Platform(_, Some(policy)) => policy,
            _ => return None,
        };
        let is_other_team = hint.team.as_ref().is_some_and(|team| team.as_str() != policy.issuer);
        if is_other_team {
            let team = hint.team.as_ref().map(Origin::as_str).unwrap_or_default();
            let said = format!("the login is at {team}, and access.issuer is {}", policy.issuer);
            return Sign::seen(Cause::WrongApplication, said);
        }
        let said = || format!("the login's AUD tag (kid) is {}, which access.audience does not list", hint.aud);
        (!policy.audience.contains(&hint.aud)).then(|| Sign::seen(Cause::WrongApplication, said()))?
    }

    /// A login at another site that does not go along, where the recording has cookies elsewhere.
    fn no_cookies(&self, exchange: &Exchange) -> Option<Sign> {
        let site = Site::between(exchange.page.as_ref()?, exchange.server.as_ref()?);
        let lacks = self.has_cookies && site == Site::CrossSite && exchange.asked.get("cookie").is_none();
        let said = || format!("{} was asked without cookies", exchange.shown());
        lacks.then(|| Sign::inferred(Cause::ThirdPartyCookies, said()))?
    }

    /// A call that goes to an API that the relay would lead to.
    fn passes_the_relay_by(&self, exchange: &Exchange) -> Option<Sign> {
        let is_foreign = exchange.is_foreign() || exchange.kind == Kind::Preflight;
        is_foreign.then(|| self.leads_to(exchange.server.as_ref()?))?
    }

    /// The same, as the console says of a page's call that CORS has blocked.
    #[must_use]
    pub fn heard(&self, message: &Message) -> Option<Sign> {
        let asked = message.redirected_from.as_deref().unwrap_or(&message.url);
        message.why.is_cors().then(|| self.leads_to(&origin_of(asked)?))?
    }

    /// A server that a route of the relay leads to.
    fn leads_to(&self, server: &Origin) -> Option<Sign> {
        let route = self.config?.routes.iter().find(|route| route.upstream.origin == *server)?;
        let said = format!("{} is the upstream of the route {}", server.as_str(), route.prefix.as_str());
        Sign::seen(Cause::DirectCall, said)
    }
}
