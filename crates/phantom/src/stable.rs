//! Randomness and UIDs that depend on the seed and on names only, never on order, time or threads.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A generator of its own for each named thing (patient, series, ...).
pub(crate) fn rng(seed: u64, name: &[&str]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(seed, name))
}

/// A UID under the UUID root (PS3.5 B.2): `2.25.` and 128 bits.
pub(crate) fn uid(seed: u64, name: &[&str]) -> String {
    let digest = digest(seed, name);
    let bits = digest
        .iter()
        .take(16)
        .fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
    format!("2.25.{bits}")
}

fn digest(seed: u64, name: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for part in name {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}
