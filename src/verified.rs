//! Tokens that were found good, remembered for a while, so that a warm request pays for one hash and no signature. Pure.

use std::rc::Rc;

use blake2::{Blake2b256, Digest as _};

use crate::trace::push_hex;

/// BLAKE2b-256 of a token (RFC 7693): the memory never holds the credential itself. It is as strong as SHA-256, and in Wasm,
/// which has words of 64 bits and no instructions for either, some four times as fast here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole token, its signature included.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Blake2b256::digest(token.as_bytes()).into())
    }

    /// Its first half as text, where a digest only has to tell a few things apart.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = String::with_capacity(32);
        push_hex(&mut text, self.0.get(..16).unwrap_or_default());
        text
    }

    /// The one slot that may hold this token: a digest is evenly spread already, so its first bits are as good as any
    /// hash of it.
    fn slot(&self) -> usize {
        let [first, second, ..] = self.0;
        usize::from(u16::from_le_bytes([first, second])) % SLOTS
    }
}

/// How many tokens an isolate remembers at most; with short names that is about a quarter of a MiB.
pub const SLOTS: usize = 4096;

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
        let remembered = self.slots.get(digest.slot())?.as_ref()?;
        (remembered.digest == *digest && now < remembered.expires).then(|| Rc::clone(&remembered.known))
    }

    /// Remembers a token until `expires` (seconds since the epoch).
    pub fn remember(&mut self, digest: Digest, known: Rc<T>, expires: i64) {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        if let Some(slot) = self.slots.get_mut(digest.slot()) {
            *slot = Some(Remembered { digest, known, expires });
        }
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}
