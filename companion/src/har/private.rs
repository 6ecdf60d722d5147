//! What nobody but the person at the machine should see of a recording: who was logged in, and with which program.

use access_relay_core::syntax::redact::NOT_SHOWN;

use crate::shown;

/// A text of somebody else's, without secrets and without people.
#[must_use]
pub fn text(text: &str) -> String {
    without_people(&shown::clean(text))
}

/// A text without e-mail addresses, encoded ones neither, and without the Client IDs of service tokens.
#[must_use]
pub fn without_people(text: &str) -> String {
    without_client_ids(&without_addresses(text))
}

fn without_addresses(text: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+' | '%');
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, sign)) = ["@", "%40"].iter().filter_map(|sign| Some((rest.find(sign)?, *sign))).min() {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + sign.len()..).unwrap_or_default());
        let kept = before.trim_end_matches(is_part);
        let is_address = kept.len() < before.len() && after.starts_with(is_part);
        safe.push_str(if is_address { kept } else { before });
        safe.push_str(if is_address { "(address)" } else { sign });
        rest = if is_address { after.trim_start_matches(is_part) } else { after };
    }
    safe + rest
}

/// `<32 hexadecimal digits>.access`.
fn without_client_ids(text: &str) -> String {
    const END: &str = ".access";
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(END) {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + END.len()..).unwrap_or_default());
        let kept = before.trim_end_matches(|letter: char| letter.is_ascii_hexdigit());
        let is_id = before.len() - kept.len() >= 32 && !after.starts_with(|letter: char| letter.is_alphanumeric());
        safe.push_str(if is_id { kept } else { before });
        safe.push_str(if is_id { NOT_SHOWN } else { END });
        rest = after;
    }
    safe + rest
}
