//! `traceparent`: one trace from the caller through the relay to the API. Randomness is an argument.
//!
//! A caller's trace is continued, else one is begun. Source: W3C Trace Context, §3.2 and §4.

use crate::syntax::text::{is_lower_hex, push_hex};

/// The 24 random bytes that a trace takes at most: 16 for its id, 8 for the relay's own span.
pub type Randomness = [u8; 24];

/// The trace that one request belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// `00-<trace id>-<parent id>-<flags>`, as the API gets it.
    traceparent: String,
    /// Whether the trace is the caller's; if not, its `tracestate` is not ours to pass on (§3.3.1.5).
    pub continued: bool,
}

impl Trace {
    /// Continues the caller's trace with a span of our own, or begins a new one, not sampled.
    #[must_use]
    pub fn new(caller: Option<&str>, randomness: Randomness) -> Self {
        let (trace_id, span_id) = randomness.split_at(16);
        let mut traceparent = String::with_capacity(55);
        traceparent.push_str("00-");
        let parent = caller.and_then(parse);
        match &parent {
            Some((trace_id, _)) => traceparent.push_str(trace_id),
            None => push_hex(&mut traceparent, trace_id),
        }
        traceparent.push('-');
        push_hex(&mut traceparent, span_id);
        traceparent.push('-');
        traceparent.push_str(parent.map_or("00", |(_, flags)| flags));
        Self { traceparent, continued: parent.is_some() }
    }

    /// The header for the API.
    #[must_use]
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// The trace's id alone, 32 hexadecimal digits: in every log record and every refusal.
    #[must_use]
    pub fn id(&self) -> &str {
        self.traceparent.get(3..35).unwrap_or_default()
    }
}

/// Trace id and flags of a `traceparent` that is valid (§3.2.2), of this version or a later one (§4.3).
fn parse(header: &str) -> Option<(&str, &str)> {
    let (version, trace_id, parent_id, flags) =
        (header.get(..2)?, header.get(3..35)?, header.get(36..52)?, header.get(53..55)?);
    let dashes_in_place = [2, 35, 52].iter().all(|at| header.as_bytes().get(*at) == Some(&b'-'));
    let ends_well = match header.as_bytes().get(55) {
        None => true,
        Some(next) => version != "00" && *next == b'-',
    };
    let valid = dashes_in_place
        && ends_well
        && version != "ff"
        && [version, trace_id, parent_id, flags].iter().all(|field| is_lower_hex(field))
        && [trace_id, parent_id].iter().all(|id| id.bytes().any(|digit| digit != b'0'));
    valid.then_some((trace_id, flags))
}
