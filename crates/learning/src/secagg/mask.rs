//! The masks: the ChaCha20 key stream (RFC 8439) of a seed, read as 128-bit words, added or subtracted modulo 2^128.

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};

use super::keys::Seed;
use crate::fixed::WORD_BYTES;

/// Words made at a time: one page of key stream.
const BATCH_WORDS: usize = 4096 / WORD_BYTES;

/// Whether a mask is put on with plus or with minus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

impl Sign {
    /// The sign with which the node at `place` applies its pair mask with the node at `other`: the two cancel in the sum.
    pub(super) fn of_pair(place: usize, other: usize) -> Self {
        if other > place {
            Self::Plus
        } else {
            Self::Minus
        }
    }

    /// The sign that takes the mask off again.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Plus => Self::Minus,
            Self::Minus => Self::Plus,
        }
    }
}

/// Adds the mask of a seed to the words, or subtracts it.
pub(super) fn apply(words: &mut [u128], seed: &Seed, sign: Sign) {
    let mut stream = stream(seed);
    for batch in words.chunks_mut(BATCH_WORDS) {
        let mut bytes = [[0; WORD_BYTES]; BATCH_WORDS];
        let bytes = &mut bytes[..batch.len()];
        stream.apply_keystream(bytes.as_flattened_mut());
        for (word, mask) in batch.iter_mut().zip(bytes) {
            let mask = u128::from_le_bytes(*mask);
            *word = match sign {
                Sign::Plus => word.wrapping_add(mask),
                Sign::Minus => word.wrapping_sub(mask),
            };
        }
    }
}

/// The key stream of a seed. The nonce is zero because a seed serves for one stream only.
pub(super) fn stream(seed: &Seed) -> ChaCha20 {
    ChaCha20::new(seed.into(), &[0; 12].into())
}
