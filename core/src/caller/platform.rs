//! The runtime's own word on a caller. Where Access protects the Worker itself, Cloudflare's runtime knows whom it let in, and needs no
//! issuer, no key and no signature to say so (Workers, `ctx.access`).
//!
//! The word itself names the application. Who the person is, the runtime tells when it is asked (`getIdentity()`), and nothing else
//! does: of the token that comes along, Access has seen the signature, but the relay has not.

use std::rc::Rc;

use serde_json::Value;

use crate::caller::identity::Caller;
use crate::caller::token::{LEEWAY_SECONDS, age_limit, said, unauthenticated};
use crate::outcomes::problem::{Code, Refusal};
use crate::syntax::field::is_plain_value;
use crate::syntax::json;
use crate::syntax::text::quoted;

/// An identity is asked for anew after this time, in seconds: whoever has left a group keeps its rights for no longer.
const KEPT_SECONDS: i64 = 300;

/// Servers take 8 KiB of headers and more; half of that is for groups, in bytes.
const LONGEST_GROUPS: usize = 4096;

/// No id of Access is longer, and no e-mail address, in bytes. At 4,096 people, all that is remembered is 20 MiB, and without groups 4.
const LONGEST_NAME: usize = 512;

/// What the runtime's word must say, and what else the relay wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformPolicy {
    /// AUD tags. If there are any, the word must be for one of them.
    pub audience: Vec<String>,
    /// How long after its `iat` an identity opens anything, in seconds.
    pub max_token_age_seconds: Option<i64>,
    /// Whether the API is told who calls.
    pub identity_headers: bool,
    /// Whether the API is told the groups of who calls.
    pub groups: bool,
}

/// The runtime's word: Access let this caller in.
#[derive(Debug, Clone)]
pub struct Word<A> {
    /// The AUD tag of the application that let the caller in; empty where the runtime names none.
    pub aud: String,
    /// What tells who it is.
    pub access: A,
}

impl PlatformPolicy {
    /// Whether the relay has to know who the caller is.
    #[must_use]
    pub const fn asks_who(&self) -> bool {
        self.identity_headers || self.groups || self.max_token_age_seconds.is_some()
    }

    /// Whether a word for this application lets a caller in.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, aud: &str) -> Result<(), Refusal> {
        if aud.is_empty() {
            return Err(unauthenticated("ctx.access names no AUD tag"));
        }
        let is_meant = self.audience.is_empty() || self.audience.iter().any(|audience| audience == aud);
        if is_meant {
            Ok(())
        } else {
            let reason = format!("ctx.access is for {}, which access.audience does not list", quoted(aud));
            Err(unauthenticated(reason).by("access.audience"))
        }
    }
}

/// Who somebody is, as the runtime has told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Who it is.
    pub caller: Rc<Caller>,
    /// Until when that may be kept, in seconds since the epoch.
    pub until: i64,
    /// What the log should say besides: groups that were left out.
    pub warnings: Vec<String>,
}

/// Reads what the runtime said at `now` (seconds since the epoch): the members `user_uuid`, `email`, `groups` and `iat` of an identity
/// (Access, "get-identity"), each of which may be missing; or nothing, for a service token has no identity.
///
/// # Errors
/// `identity_unavailable` where it names nobody; `unauthenticated` where it is too old.
pub fn read(identity: Option<&str>, policy: &PlatformPolicy, now: i64) -> Result<Told, Refusal> {
    let until = now + KEPT_SECONDS;
    let Some(identity) = identity else {
        let caller = Rc::new(Caller::Service { common_name: None });
        return Ok(Told { caller, until, warnings: Vec::new() });
    };
    let (identity, _) = json::read(identity.as_bytes()).map_err(|_| unavailable("getIdentity() gave no JSON"))?;
    let mut warnings = Vec::new();
    let [sub, email] = ["user_uuid", "email"].map(|member| name(&identity, member, &mut warnings));
    if sub.is_none() && email.is_none() {
        return Err(unavailable("getIdentity() names nobody: no user_uuid and no email that a header can tell"));
    }
    let too_old = check_age(identity.get("iat"), policy, now)?;
    let groups = identity.get("groups").filter(|_| policy.groups).and_then(|groups| list(groups, &mut warnings));
    Ok(Told { caller: Rc::new(Caller::User { sub, email, groups }), until: until.min(too_old), warnings })
}

/// A name of a person, if the API can be told it: what it would not be told names nobody.
fn name(identity: &Value, member: &str, warnings: &mut Vec<String>) -> Option<String> {
    let text = said(identity.get(member).and_then(Value::as_str).map(str::to_owned))?;
    if is_plain_value(&text) && text.len() <= LONGEST_NAME {
        return Some(text);
    }
    warnings.push(format!("{member} of the identity is left out: it cannot be a header's value"));
    None
}

/// A refusal, for nobody has said who the caller is.
pub fn unavailable(why: &str) -> Refusal {
    Refusal::new(Code::IdentityUnavailable, why)
}

/// Until when an identity of this `iat` opens anything.
fn check_age(iat: Option<&Value>, policy: &PlatformPolicy, now: i64) -> Result<i64, Refusal> {
    let Some(oldest) = policy.max_token_age_seconds else { return Ok(i64::MAX) };
    let iat = iat.and_then(Value::as_i64);
    if iat.is_some_and(|iat| iat > now + LEEWAY_SECONDS) {
        return Err(unauthenticated("iat of the identity is in the future"));
    }
    age_limit("iat of the identity", iat, oldest, now)
}

/// The names of groups, joined by commas, as one header's value; nothing where there is none, or too much.
fn list(groups: &Value, warnings: &mut Vec<String>) -> Option<String> {
    let (mut names, mut left_out) = (Vec::new(), 0);
    for group in groups.as_array().into_iter().flatten() {
        // Some identity providers have texts in place of tables.
        match group.as_str().or_else(|| group.get("name").and_then(Value::as_str)) {
            // Whoever reads the list takes it apart at commas, and may know quotes.
            Some(name) if is_plain_value(name) && !name.contains([',', '"']) => names.push(name),
            _ => left_out += 1,
        }
    }
    if left_out > 0 {
        warnings.push(format!(
            "x-forwarded-groups lacks {left_out} of the caller's groups: a name must be plain ASCII without comma and quote"
        ));
    }
    let list = names.join(",");
    if list.len() > LONGEST_GROUPS {
        warnings.push(format!(
            "x-forwarded-groups is left out: the caller's groups need {} bytes, and {LONGEST_GROUPS} pass",
            list.len()
        ));
        return None;
    }
    said(Some(list))
}
