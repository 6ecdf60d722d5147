//! What failed in a recording, and why. A cause is named once, with all that shows it.

use std::collections::{BTreeMap, HashMap};

use access_relay_core::config::types::Config;
use serde::Serialize;

use crate::har::besides::Besides;
use crate::har::cause::Cause;
use crate::har::console::Message;
use crate::har::exchange::Exchange;
use crate::har::find::{Looked, Sign};
use crate::har::heard::{Heard, better, told};

/// A cause, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its code.
    pub code: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Whether nothing but the whole of the recording says so.
    pub inferred: bool,
    /// The numbers of the entries, from 1.
    pub entries: Vec<usize>,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What to do.
    pub advice: Vec<String>,
}

/// More of one kind say nothing new.
const MOST_EVIDENCE: usize = 8;

/// Looks for causes, the worst first.
#[must_use]
pub fn causes(exchanges: &[Exchange], messages: &[Message], config: Option<&Config>) -> Vec<Found> {
    let looked = Looked::through(exchanges, messages);
    let has_cookies = exchanges.iter().any(|exchange| exchange.asked.get("cookie").is_some());
    let besides = Besides { config, has_cookies };
    let mut found: BTreeMap<Cause, Found> = BTreeMap::new();
    let mut shown: HashMap<&str, Vec<Cause>> = HashMap::new();
    for exchange in exchanges {
        let Some(sign) = looked.sign(exchange) else { continue };
        let sign = besides.corrected(exchange, sign);
        let causes = shown.entry(exchange.address()).or_default();
        if !causes.contains(&sign.cause) {
            causes.push(sign.cause);
        }
        let more = besides.signs(exchange, &sign);
        for sign in std::iter::once(sign).chain(more) {
            add(&mut found, Some(exchange.number), sign);
        }
    }
    let better = better(messages);
    let heard = Heard { shown: &shown, better: &better };
    for message in messages {
        let Some(sign) = told(message, &heard) else { continue };
        for sign in [Some(sign), besides.heard(message)].into_iter().flatten() {
            add(&mut found, None, sign);
        }
    }
    found.into_values().collect()
}

fn add(found: &mut BTreeMap<Cause, Found>, number: Option<usize>, sign: Sign) {
    let entry = found.entry(sign.cause).or_insert_with(|| Found {
        code: sign.cause.code(),
        title: sign.cause.title(),
        inferred: true,
        entries: Vec::new(),
        evidence: Vec::new(),
        advice: vec![sign.cause.advice().to_owned()],
    });
    entry.inferred &= sign.inferred;
    // They come in their order.
    entry.entries.extend(number.filter(|number| entry.entries.last() != Some(number)));
    let line = match number {
        Some(number) => format!("entry {number}: {}", sign.evidence),
        None => sign.evidence,
    };
    if entry.evidence.len() < MOST_EVIDENCE && !entry.evidence.contains(&line) {
        entry.evidence.push(line);
    }
}
