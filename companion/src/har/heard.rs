//! What a message of the console tells that no exchange has told.

use std::collections::{HashMap, HashSet};

use access_relay_core::syntax::text::quoted;

use crate::har::cause::Cause;
use crate::har::console::{Message, Why};
use crate::har::exchange::{cloudflares, login, origin_of};
use crate::har::find::{Sign, address};
use crate::shown;

/// What is known already.
pub struct Heard<'h> {
    /// By address, the causes that exchanges have shown.
    pub shown: &'h HashMap<&'h str, Vec<Cause>>,
    /// The addresses of which the console says more than that they failed.
    pub better: &'h HashSet<&'h str>,
}

/// The addresses of which the console says more than that they failed.
#[must_use]
pub fn better(messages: &[Message]) -> HashSet<&str> {
    let tells = |message: &&Message| !matches!(message.why, Why::Other | Why::NoAnswer | Why::Cookie);
    messages.iter().filter(tells).map(|message| address(&message.url)).collect()
}

/// What a message tells that nothing else has told.
#[must_use]
pub fn told(message: &Message, heard: &Heard) -> Option<Sign> {
    let Message { why, url, status, .. } = message;
    let about = if url.is_empty() { "a request".to_owned() } else { shown::url(address(url)) };
    let status_said = status.map(|status| format!(", status {status}")).unwrap_or_default();
    let named = message.name.as_deref().map(|name| format!(" ({})", quoted(name))).unwrap_or_default();
    let said = format!("the console: {about}{status_said}{named}");
    match why {
        Why::MixedContent => return Sign::seen(Cause::MixedContent, said),
        Why::LocalNetwork => return Sign::seen(Cause::LocalNetwork, said),
        Why::Extension => return Sign::seen(Cause::Extension, said),
        Why::Wildcard | Why::NoCredentials => return Sign::seen(Cause::Credentials, said),
        Why::Cookie => return None,
        _ => {}
    }
    let asked = [Some(url), message.redirected_from.as_ref()].into_iter().flatten();
    let shown: Vec<Cause> = asked.filter_map(|url| heard.shown.get(address(url))).flatten().copied().collect();
    if shown.iter().any(|cause| !matches!(cause, Cause::Unclear | Cause::Credentials)) {
        return None;
    }
    if let Some(sign) = elsewhere(message, &said) {
        return Some(sign);
    }
    let is_known = !shown.is_empty() || heard.better.contains(address(url)) && !url.is_empty();
    if let Some(error) = status.and_then(cloudflares) {
        return Sign::seen(Cause::Cloudflare, format!("{said}: {error}"));
    }
    match why {
        Why::NoOrigin | Why::OtherOrigin => match status {
            Some(400..) => Sign::seen(Cause::ErrorAnswer, said),
            Some(300..=399) => Sign::seen(Cause::Redirected, said),
            _ => Sign::seen(Cause::NoCorsHeaders, said),
        },
        Why::PreflightStatus | Why::PreflightRedirect | Why::Method | Why::Header => {
            Sign::seen(Cause::PreflightUnanswered, said)
        }
        Why::NoAnswer if !is_known => Sign::seen(Cause::NoAnswer, said),
        Why::Other if !is_known => Sign::inferred(Cause::Unclear, said),
        _ => None,
    }
}

/// A request that has ended elsewhere: at a login page, at another origin, or before it was sent, as a page by https asks for http.
fn elsewhere(message: &Message, said: &str) -> Option<Sign> {
    let from = message.redirected_from.as_deref().and_then(origin_of);
    let page = message.origin.as_deref().and_then(origin_of);
    let to = origin_of(&message.url);
    let host = login(address(&message.url));
    if message.is_manifest && (host.is_some() || from.is_some() && from != to) {
        return Sign::seen(Cause::WithoutCookies, said);
    }
    if let Some(host) = host {
        let asked = from.as_ref().map_or(host, |from| from.host());
        let is_direct = page.as_ref().is_some_and(|page| !asked.is_empty() && page.host() != asked);
        let cause = if is_direct { Cause::DirectCall } else { Cause::SessionExpired };
        return Sign::seen(cause, "the console: a call was redirected to Access's login page");
    }
    if message.redirected_from.is_some() {
        return (from != to).then(|| Sign::seen(Cause::Redirected, said))?;
    }
    let is_mixed = page.is_some_and(|page| page.scheme() == "https")
        && to.is_some_and(|to| to.scheme() == "http" && !to.is_loopback());
    is_mixed.then(|| Sign::seen(Cause::MixedContent, said))?
}
