//! Tokens that were found good, remembered until they expire, so that a warm request pays for one hash and no
//! signature. Pure.

use std::collections::HashMap;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

/// SHA-256 of a token: the memory never holds the credential itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole token, its signature included.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// How many tokens one generation holds. Two generations of callers with short names take well under 1 MiB.
const GENERATION: usize = 2_000;

/// A bounded memory in two generations: when the young one is full it becomes the old one, and what was old is
/// forgotten. What is forgotten is only checked again.
#[derive(Debug)]
pub struct VerifiedTokens<T> {
    young: HashMap<Digest, (Rc<T>, i64)>,
    old: HashMap<Digest, (Rc<T>, i64)>,
}

impl<T> Default for VerifiedTokens<T> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T> VerifiedTokens<T> {
    /// What is remembered of a token, unless it has expired by `now` (seconds since the epoch).
    #[must_use]
    pub fn find(&self, digest: &Digest, now: i64) -> Option<Rc<T>> {
        let (known, expires) = self.young.get(digest).or_else(|| self.old.get(digest))?;
        (now < *expires).then(|| Rc::clone(known))
    }

    /// Remembers a token until `expires` (seconds since the epoch).
    pub fn remember(&mut self, digest: Digest, known: Rc<T>, expires: i64) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, (known, expires));
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
