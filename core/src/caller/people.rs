//! Whom the runtime has named, remembered for a while by a digest of what came along with the request; and who is being asked for, so that
//! the first requests of one person cause one call.

use std::rc::Rc;

use crate::caller::identity::Caller;
use crate::caller::verified::VerifiedTokens;
use crate::outcomes::problem::Refusal;
use crate::syntax::digest::Digest;

/// A call that is older than this was given up together with its request. Longer than one may take (2 s, `IDENTITY_MS` of
/// `src/workers.rs`).
const GIVEN_UP_SECONDS: i64 = 4;

/// The people of one isolate.
#[derive(Debug, Default)]
pub struct People {
    known: VerifiedTokens<Caller>,
    calls: Vec<Call>,
}

/// A call for an identity.
#[derive(Debug)]
struct Call {
    digest: Digest,
    /// When it began, or ended, in seconds since the epoch.
    at: i64,
    /// What came of it, once it has ended.
    outcome: Option<Result<Rc<Caller>, Refusal>>,
}

/// What to do for who comes with a digest.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// This is who it is.
    Known(Rc<Caller>),
    /// Ask the runtime.
    Ask,
    /// Look again shortly: another request asks, and nobody may await its promise.
    Wait,
    /// This is what the request has heard that was waited for.
    Heard(Result<Rc<Caller>, Refusal>),
}

impl People {
    /// Who came with this digest, at `now` (seconds since the epoch).
    #[must_use]
    pub fn find(&self, digest: &Digest, now: i64) -> Option<Rc<Caller>> {
        self.known.find(digest, now)
    }

    /// What to do for who comes with this digest, and may have waited before. What is not remembered is for those who waited all the same:
    /// a failure, and somebody whose time is nearly over. The next one asks again.
    #[must_use]
    pub fn look(&self, digest: &Digest, waited: bool, now: i64) -> Look {
        if let Some(caller) = self.find(digest, now) {
            return Look::Known(caller);
        }
        match self.calls.iter().find(|call| call.digest == *digest && now - call.at < GIVEN_UP_SECONDS) {
            Some(Call { outcome: None, .. }) => Look::Wait,
            Some(Call { outcome: Some(outcome), .. }) if waited => Look::Heard(outcome.clone()),
            _ => Look::Ask,
        }
    }

    /// Notes that a call begins.
    pub fn begin(&mut self, digest: Digest, now: i64) {
        self.calls.retain(|call| call.digest != digest && now - call.at < GIVEN_UP_SECONDS);
        self.calls.push(Call { digest, at: now, outcome: None });
    }

    /// Notes what came of it, and until when that is remembered, in seconds since the epoch.
    pub fn end(&mut self, digest: Digest, outcome: Result<(Rc<Caller>, i64), Refusal>, now: i64) {
        self.calls.retain(|call| call.digest != digest);
        if let Ok((caller, until)) = &outcome {
            self.known.remember(digest, Rc::clone(caller), *until);
        }
        self.calls.push(Call { digest, at: now, outcome: Some(outcome.map(|(caller, _)| caller)) });
    }

    /// How many calls are under way, or have ended just now.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }
}
