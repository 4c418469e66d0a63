//! A node's secrets, and what is derived from them for one round (HKDF-SHA-256, RFC 5869).
//!
//! Every derivation is bound to the round's digest and has its own label, so that revealing one seed says nothing about
//! another. Deterministic: a node that restarts makes the same contribution again.

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{ParticipantId, RoundContext, SecaggError};

/// A 32-byte seed of one mask.
pub(super) type Seed = [u8; 32];

/// Bytes of a ChaCha20-Poly1305 nonce (RFC 8439).
pub(super) const NONCE_BYTES: usize = 12;

/// What a node keeps secret for secure aggregation. Not printable.
#[derive(Clone)]
pub struct NodeSecret {
    agreement: StaticSecret,
    mask: [u8; 32],
}

impl fmt::Debug for NodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSecret(..)")
    }
}

impl NodeSecret {
    /// From the node's X25519 secret key and 32 further random bytes that serve for nothing else.
    pub fn new(agreement_secret: [u8; 32], mask_secret: [u8; 32]) -> Self {
        Self {
            agreement: StaticSecret::from(agreement_secret),
            mask: mask_secret,
        }
    }

    /// The public X25519 key that belongs into [`super::Participant`].
    pub fn agreement_public(&self) -> [u8; 32] {
        PublicKey::from(&self.agreement).to_bytes()
    }

    /// Place of this node in the round, if the round names it with the right key.
    pub(super) fn place_in(
        &self,
        context: &RoundContext,
        me: ParticipantId,
    ) -> Result<usize, SecaggError> {
        let place = context.place(me)?;
        let named = context.participants()[place].agreement_public;
        if named == self.agreement_public() {
            Ok(place)
        } else {
            Err(SecaggError::NotMyKey)
        }
    }

    /// The node's seeds of a round, by place: at its own place the seed of its own mask, elsewhere that of the pair mask.
    pub(super) fn seeds(
        &self,
        context: &RoundContext,
        place: usize,
    ) -> Result<Vec<Seed>, SecaggError> {
        let places = 0..context.participants().len();
        places
            .map(|other| match other == place {
                true => Ok(self.own(context, b"self mask", &context.node(place).0)),
                false => self.pair_seed(context, place, other),
            })
            .collect()
    }

    /// Key of the stream from which the coefficients of the sharing polynomial of seed `slot` come. Independent of the
    /// seeds: a rebuilt seed must not tell the polynomial of another.
    pub(super) fn polynomial_key(&self, context: &RoundContext, slot: ParticipantId) -> Seed {
        self.own(context, b"polynomial", &slot.0)
    }

    /// Nonce of the sealed share for `to`. Keys serve for one round and direction; a nonce from the mask secret keeps them
    /// safe even for a node that was restored with another mask secret and shares other seeds.
    pub(super) fn nonce(&self, context: &RoundContext, to: ParticipantId) -> [u8; NONCE_BYTES] {
        let bytes = self.own(context, b"nonce", &to.0);
        std::array::from_fn(|at| bytes[at])
    }

    /// Key under which `from` seals a share to `to`; one of the two is the holder of this secret, at place `me`, the other is at place `other`.
    pub(super) fn seal_key(
        &self,
        context: &RoundContext,
        other: usize,
        from: ParticipantId,
        to: ParticipantId,
    ) -> Result<[u8; 32], SecaggError> {
        let shared = self.shared(context, other)?;
        Ok(derive(context, &shared, &[b"seal", &from.0, &to.0]))
    }

    fn pair_seed(
        &self,
        context: &RoundContext,
        place: usize,
        other: usize,
    ) -> Result<Seed, SecaggError> {
        let shared = self.shared(context, other)?;
        let (low, high) = (
            context.node(place.min(other)),
            context.node(place.max(other)),
        );
        Ok(derive(context, &shared, &[b"pair mask", &low.0, &high.0]))
    }

    fn shared(&self, context: &RoundContext, other: usize) -> Result<[u8; 32], SecaggError> {
        let public = PublicKey::from(context.participants()[other].agreement_public);
        let shared = self.agreement.diffie_hellman(&public);
        let usable = shared.was_contributory();
        usable
            .then(|| shared.to_bytes())
            .ok_or(SecaggError::WeakKey(context.node(other)))
    }

    fn own(&self, context: &RoundContext, label: &[u8], id: &[u8; 16]) -> [u8; 32] {
        derive(context, &self.mask, &[label, id])
    }
}

/// What `owner` publishes of its seed in `slot`, so that false shares are noticed. The seed has 256 bits and stays hidden.
pub(super) fn commitment(
    context: &RoundContext,
    owner: ParticipantId,
    slot: ParticipantId,
    seed: &Seed,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"arno secagg commitment 1");
    hash.update(context.digest());
    hash.update(owner.0);
    hash.update(slot.0);
    hash.update(seed);
    hash.finalize().into()
}

fn derive(context: &RoundContext, secret: &[u8; 32], info: &[&[u8]]) -> [u8; 32] {
    let mut key = [0; 32];
    let expanded =
        Hkdf::<Sha256>::new(Some(context.digest()), secret).expand_multi_info(info, &mut key);
    expanded.expect("32 bytes are within HKDF's limit of 255 blocks");
    key
}
