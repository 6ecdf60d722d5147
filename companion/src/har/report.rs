//! The report on a recording.

use std::collections::HashSet;

use access_relay_core::config::types::Config;
use access_relay_core::syntax::redact::redacted_line;
use serde::Serialize;

use crate::fetch::unsafe_names;
use crate::findings::one_line;
use crate::har::cause::Cause;
use crate::har::causes::{Found, causes};
use crate::har::console::messages;
use crate::har::exchange::{Exchange, Kind, exchanges};
use crate::har::file::{Har, decoded};
use crate::har::private::{text, without_people};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What has written the recording.
    pub creator: String,
    /// How many entries it has.
    pub entries: usize,
    /// The causes, the worst first.
    pub causes: Vec<Found>,
    /// What the recording cannot tell.
    pub notes: Vec<String>,
}

/// Reads a recording, and what the browser's console has said besides; without any bytes, that alone.
///
/// # Errors
/// It is no HAR.
pub fn report(bytes: &[u8], console: &str, config: Option<&Config>) -> Result<Report, String> {
    let recording = decoded(bytes);
    // A console's log tells something by itself.
    let alone = bytes.is_empty() && !console.trim().is_empty();
    let har = if alone { Har::default() } else { Har::read(&recording)? };
    let exchanges = exchanges(&har);
    let mut causes = causes(&exchanges, &messages(console), config);
    for found in &mut causes {
        found.evidence = found.evidence.iter().map(|line| shown_line(line)).collect();
    }
    Ok(Report {
        creator: text(&har.log.creator.shown()),
        entries: exchanges.len(),
        notes: notes(&exchanges, &causes, console),
        causes,
    })
}

/// AUD tags show: they are what is compared.
fn shown_line(line: &str) -> String {
    one_line(&without_people(&redacted_line(line, [])))
}

fn notes(exchanges: &[Exchange], causes: &[Found], console: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let of = |cause: Cause| causes.iter().any(|found| found.code == cause.code());
    let is_login = [Cause::SessionExpired, Cause::NotLoggedIn, Cause::DirectCall].into_iter().any(of);
    if is_login && !exchanges.iter().any(|exchange| exchange.asked.get("cookie").is_some()) {
        notes.push(
            "the recording holds no cookies, for browsers leave them out: that says nothing of a login".to_owned(),
        );
    }
    let preflights = exchanges.iter().filter(|exchange| exchange.kind == Kind::Preflight);
    let asked: HashSet<&str> = preflights.map(Exchange::address).collect();
    let lacks_preflight = |exchange: &Exchange| {
        let asks = !matches!(exchange.method.as_str(), "GET" | "HEAD" | "POST") || asks_for_headers(exchange);
        let is_foreign = exchange.page.is_some() && exchange.page != exchange.server;
        let has_failed = exchange.kind == Kind::Call && exchange.has_failed() && !exchange.is_blocked_by_extension();
        has_failed && asks && is_foreign && !asked.contains(exchange.address())
    };
    if let Some(exchange) = exchanges.iter().find(|exchange| lacks_preflight(exchange)) {
        notes.push(format!(
            "entry {} needs a preflight, and the recording has none: the browser had its answer from before, or does not record preflights",
            exchange.number
        ));
    }
    if console.trim().is_empty() && (of(Cause::Unclear) || of(Cause::NoCorsHeaders)) {
        notes.push("a recording does not name the reason of a CORS error; the console does: --console LOG".to_owned());
    }
    notes
}

/// Whether a page has set headers that need asking; what browsers set by themselves does not count.
fn asks_for_headers(exchange: &Exchange) -> bool {
    let own = ["authorization", "content-type"];
    unsafe_names(&exchange.asked)
        .iter()
        .any(|name| own.contains(name) || (name.starts_with("x-") && *name != "x-requested-with"))
}
