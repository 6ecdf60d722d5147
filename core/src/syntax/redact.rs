//! What may be printed: no secret that is known, and nothing that looks like one.
//!
//! Whoever prints a text that others wrote redacts it first and cuts it afterwards: a cut could leave the first half of
//! a secret, which no longer looks like one.

use std::borrow::Cow;

use crate::syntax::text::{contains_ignoring_case, is_base64url, places_ignoring_case};

/// What stands where a secret stood.
pub const NOT_SHOWN: &str = "(not shown)";

/// A shorter "secret" is not hidden: it would match common words, and it protects nothing.
const SHORTEST: usize = 4;

/// A secret from this length on counts wherever it stands in a text; a shorter one may be part of a common word.
const SHORTEST_WITHIN: usize = 8;

/// The letters of a secret, and where in a run of them it begins. It ends with the run.
type Form = (fn(u8) -> bool, fn(&[u8]) -> Option<usize>);

/// Client secrets of service tokens, in the older form, and whatever else is that long. AUD tags look the same.
const HEX: Form = (|b| b.is_ascii_hexdigit(), |run| (run.len() >= 64).then_some(0));

/// What is a secret by its form alone: Cloudflare's tokens with a prefix (`cfast_…`), and JWTs.
const TOKENS: [Form; 2] =
    [(is_base64url, prefixed_token), (|b| is_base64url(b) || matches!(b, b'.' | b'='), json_web_token)];

/// A text for the log or for an error message, without what is secret in it: each of `secrets`, in whatever case (Client
/// IDs may be among them), and what looks like a secret.
///
/// A secret counts without the space or the line break that may have come with it into a secret's value.
///
/// It takes time in proportion to the text's length, for given secrets.
#[must_use]
pub fn redacted<'t, 's>(text: &'t str, secrets: impl IntoIterator<Item = &'s str>) -> Cow<'t, str> {
    hide_in(text, secrets, &[HEX, TOKENS[0], TOKENS[1]])
}

/// A line of the log, in the same way, but that 64 hexadecimal digits show: the relay writes down AUD tags, and no other value
/// of that form.
#[must_use]
pub fn redacted_line<'t, 's>(line: &'t str, secrets: impl IntoIterator<Item = &'s str>) -> Cow<'t, str> {
    hide_in(line, secrets, &TOKENS)
}

fn hide_in<'t, 's>(text: &'t str, secrets: impl IntoIterator<Item = &'s str>, forms: &[Form]) -> Cow<'t, str> {
    let mut hidden = vec![false; text.len()];
    for secret in secrets {
        hide_known(&mut hidden, text, secret);
    }
    for form in forms {
        hide_form(&mut hidden, text, *form);
    }
    if hidden.contains(&true) { Cow::Owned(without(text, &hidden)) } else { Cow::Borrowed(text) }
}

/// Whether [`redacted`] would hide something of a text even if it knew no secret.
#[must_use]
pub fn looks_secret(text: &str) -> bool {
    std::iter::once(HEX).chain(TOKENS).any(|form| begins(text, form).next().is_some())
}

/// Whether whoever reads a text learns a secret: one of `secrets`, or what is one beyond doubt by its form, the Client Secret of
/// a service token or a JWT. A run of hexadecimal digits alone may be an AUD tag.
#[must_use]
pub fn gives_away<'s>(text: &str, secrets: impl IntoIterator<Item = &'s str>) -> bool {
    let is_there = |secret: &str| match secret.trim().len() {
        0..SHORTEST => false,
        SHORTEST..SHORTEST_WITHIN => text.eq_ignore_ascii_case(secret.trim()),
        _ => contains_ignoring_case(text, secret.trim()),
    };
    let certain: [Form; 2] = [(is_base64url, client_secret), TOKENS[1]];
    secrets.into_iter().any(is_there) || certain.into_iter().any(|form| begins(text, form).next().is_some())
}

fn hide_known(hidden: &mut [bool], text: &str, secret: &str) {
    let secret = secret.trim();
    if secret.len() >= SHORTEST {
        for place in places_ignoring_case(text, secret) {
            hide(hidden, place, secret.len());
        }
    }
}

fn hide_form(hidden: &mut [bool], text: &str, form: Form) {
    for (place, length) in begins(text, form) {
        hide(hidden, place, length);
    }
}

fn hide(hidden: &mut [bool], place: usize, length: usize) {
    hidden.iter_mut().skip(place).take(length).for_each(|hidden| *hidden = true);
}

/// The text with one mark for each stretch that is hidden; secrets that overlap are one stretch.
fn without(text: &str, hidden: &[bool]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (at, letter) in text.char_indices() {
        let is_hidden = hidden.get(at).is_none_or(|hidden| *hidden);
        match (was_hidden, is_hidden) {
            (_, false) => shown.push(letter),
            (false, true) => shown.push_str(NOT_SHOWN),
            (true, true) => {}
        }
        was_hidden = is_hidden;
    }
    shown
}

/// Where something of this form begins, and how long it is.
fn begins(text: &str, (belongs, begin): Form) -> impl Iterator<Item = (usize, usize)> {
    let mut next = 0;
    text.as_bytes().split(move |b| !belongs(*b)).filter_map(move |run| {
        let start = next;
        next += run.len() + 1;
        begin(run).map(|at| (start + at, run.len() - at))
    })
}

/// `cfast_` and 16 letters or more, where a word begins.
fn client_secret(run: &[u8]) -> Option<usize> {
    let is_start =
        |at: usize| at.checked_sub(1).and_then(|before| run.get(before)).is_none_or(|b| !b.is_ascii_alphanumeric());
    (0..run.len()).find(|at| {
        let token = run.get(*at..).and_then(|rest| rest.strip_prefix(b"cfast_"));
        token.is_some_and(|rest| rest.len() >= 16) && is_start(*at)
    })
}

/// `cf`, one to six lower-case letters, `_`, and 16 letters or more.
fn prefixed_token(run: &[u8]) -> Option<usize> {
    (0..run.len()).find(|at| {
        let Some(after) = run.get(*at..).and_then(|rest| rest.strip_prefix(b"cf")) else { return false };
        let kind = after.iter().take_while(|b| b.is_ascii_lowercase()).take(7).count();
        let (kind, rest) = after.split_at_checked(kind).unwrap_or_default();
        // `cfz_google-analytics_v4`: cookies of Cloudflare Zaraz are named so.
        (1..=6).contains(&kind.len()) && kind != b"z" && kind != b"zs" && rest.len() > 16 && rest.starts_with(b"_")
    })
}

/// A first part that is JSON (`{"` in base64url) and long enough to be a header, and another part or more.
fn json_web_token(run: &[u8]) -> Option<usize> {
    let mut start = 0;
    run.split(|b| *b == b'.').find_map(|part| {
        let json = part.windows(3).position(|letters| letters == b"eyJ").map(|at| start + at);
        start += part.len() + 1;
        json.filter(|at| start - at > 16 && start < run.len() && run.len() - at >= 32)
    })
}
