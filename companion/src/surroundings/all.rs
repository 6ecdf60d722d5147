//! All of it, of one environment.

use access_relay_core::config::keys::access::{DANGEROUSLY_ALLOW_ANYONE, ISSUER, PLATFORM};
use serde_json::Value;

use crate::findings::{Finding, Findings};
use crate::surroundings::around::Around;
use crate::surroundings::local::LocalFile;
use crate::surroundings::{doors, examples, local, secrets, ways};

/// Checks what stands around the `RELAY` of an environment, and `beside` its file. Whether nothing is wrong there.
pub fn check(around: &Around, beside: &[LocalFile], findings: &mut Findings) -> bool {
    let apis = around.apis();
    // As far as can be told from a table that may be wrong otherwise.
    let is_platform = around.access(&PLATFORM) == Some(&Value::Bool(true));
    let by_word_alone = is_platform && around.access(&ISSUER).is_none();
    let warnings = &mut findings.warnings;
    // A Pages project has other doors; and what protects the Worker itself stands at each.
    if !around.is_pages() && !by_word_alone {
        warnings.extend(doors::open(around));
    }
    warnings.extend(ways::in_own_zone(around, &apis));
    warnings.extend(ways::missed(around));
    warnings.extend(ways::assets_first(around));
    warnings.extend(secrets::unlisted(around));
    warnings.extend(local::lacking(around, beside));
    warnings.extend(examples::left(around, &apis));
    let before = findings.mistakes.len();
    let mistakes = &mut findings.mistakes;
    mistakes.extend(examples::placeholders(around));
    mistakes.extend(secrets::plain(around));
    mistakes.extend(ways::to_itself(around, &apis));
    mistakes.extend(doors::old_runtime(around));
    mistakes.extend(doors::own_files(around));
    mistakes.extend(ways::never_met(around));
    mistakes.extend(secrets::no_such_binding(around));
    if by_word_alone {
        mistakes.extend(doors::silent_runtime(around));
    }
    if around.access(&DANGEROUSLY_ALLOW_ANYONE) == Some(&Value::Bool(true)) {
        mistakes.extend(doors::open_api(around, &apis));
    } else {
        mistakes.extend(doors::caches(around));
    }
    mistakes.len() == before
}

/// An environment in which the relay would run, and has no `RELAY`: it inherits the routes of the file, and none of its `vars`.
#[must_use]
pub fn without_relay(around: &Around) -> Option<Finding> {
    let relay_elsewhere = around.file.get("vars").is_some_and(|vars| vars.get("RELAY").is_some());
    let is_other = around.environment.get("main").is_some() || around.is_preview();
    if !relay_elsewhere || is_other || around.routes().is_empty() {
        return None;
    }
    let path = around.place.trim_end_matches('.');
    Some(Finding::new(
        "wrangler::not_inherited",
        path,
        "found routes, and no vars.RELAY",
        format!("write [{path}.vars.RELAY]: an environment inherits the routes of the file, but none of its vars"),
    ))
}
