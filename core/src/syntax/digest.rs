//! A digest: tells texts apart without keeping them.

use blake2::{Blake2b256, Digest as _};

use crate::syntax::text::push_hex;

/// BLAKE2b-256 of a text (RFC 7693): whoever keeps it does not keep a credential. It is as strong as SHA-256, and in Wasm,
/// which has words of 64 bits and no instructions for either, some four times as fast here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Blake2b256::digest(text.as_bytes()).into())
    }

    /// Its first half as text, where a digest only has to tell a few things apart.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = String::with_capacity(32);
        push_hex(&mut text, self.0.get(..16).unwrap_or_default());
        text
    }

    /// Which of so many places is its own: it is evenly spread already, so its first bits are as good as any hash of it.
    #[must_use]
    pub fn place(&self, places: usize) -> usize {
        let [first, second, ..] = self.0;
        usize::from(u16::from_le_bytes([first, second])) % places
    }
}
