//! Tokens that were found good, remembered for a while, so that a warm request pays for one hash and no signature.

use std::rc::Rc;

use crate::syntax::digest::Digest;

/// How many tokens an isolate remembers at most; with short names that is about a quarter of a MiB.
pub const PLACES: usize = 4096;

/// A bounded memory: a token takes the one slot that its digest names, whoever was there before. What is forgotten is
/// only checked again. Only tokens with a good signature ever take a slot.
#[derive(Debug)]
pub struct VerifiedTokens<T> {
    slots: Vec<Option<Remembered<T>>>,
}

#[derive(Debug)]
struct Remembered<T> {
    digest: Digest,
    known: Rc<T>,
    /// Seconds since the epoch.
    expires: i64,
}

impl<T> Default for VerifiedTokens<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T> VerifiedTokens<T> {
    /// What is remembered of a token, unless it has expired by `now` (seconds since the epoch).
    #[must_use]
    pub fn find(&self, digest: &Digest, now: i64) -> Option<Rc<T>> {
        let remembered = self.slots.get(digest.place(PLACES))?.as_ref()?;
        (remembered.digest == *digest && now < remembered.expires).then(|| Rc::clone(&remembered.known))
    }

    /// Remembers a token until `expires` (seconds since the epoch).
    pub fn remember(&mut self, digest: Digest, known: Rc<T>, expires: i64) {
        if self.slots.is_empty() {
            self.slots.resize_with(PLACES, || None);
        }
        if let Some(slot) = self.slots.get_mut(digest.place(PLACES)) {
            *slot = Some(Remembered { digest, known, expires });
        }
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}
