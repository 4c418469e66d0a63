//! A node's first message of a round: its masked vector, and the shares of its seeds for the other participants.

use chacha20poly1305::{
    ChaCha20Poly1305,
    aead::{Aead, KeyInit, Payload},
};
use serde::{Deserialize, Serialize};

use super::{
    NodeSecret, ParticipantId, RoundContext, SecaggError,
    keys::{NONCE_BYTES, Seed, commitment},
    mask::{Sign, apply},
    shamir::{Share, split},
    text,
};
use crate::fixed::encode;

/// Most values in one vector: 16 MiB masked, enough for the updates of a model with a million weights.
pub const MAX_VALUES: usize = 1 << 20;

/// Bytes that ChaCha20-Poly1305 adds to a text (RFC 8439 section 2.8).
const TAG_BYTES: usize = 16;

/// What a node sends to the hub for one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// The node.
    pub from: ParticipantId,
    /// Its vector under all its masks: fixed-point words modulo 2^128. JSON: base64 of little-endian bytes.
    #[serde(with = "text::words")]
    pub masked: Vec<u128>,
    /// SHA-256 commitments to its seeds, by place of the participants. JSON: base64 of their concatenation.
    #[serde(with = "text::list")]
    pub commitments: Vec<[u8; 32]>,
    /// A sealed share of its seeds for each participant, itself included, by place of the participants.
    pub shares: Vec<SealedShare>,
}

/// The shares of one node's seeds for one receiver; only the receiver can open them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedShare {
    /// The receiver.
    pub to: ParticipantId,
    /// 12-byte nonce, then ChaCha20-Poly1305 of 32 bytes per participant. JSON: base64.
    #[serde(with = "text")]
    pub ciphertext: Vec<u8>,
}

/// Masks `values` for a round and shares the seeds of the masks. Deterministic: the same input gives the same bytes. See
/// the module's rule: once per context.
pub fn contribute(
    context: &RoundContext,
    me: ParticipantId,
    secret: &NodeSecret,
    values: &[f64],
) -> Result<Contribution, SecaggError> {
    if values.len() > MAX_VALUES {
        return Err(SecaggError::TooManyValues(values.len()));
    }
    let place = secret.place_in(context, me)?;
    let seeds = secret.seeds(context, place)?;
    let mut masked = encode(values)?;
    put_on_masks(&mut masked, &seeds, place);
    let commitments =
        (0..seeds.len()).map(|slot| commitment(context, me, context.node(slot), &seeds[slot]));
    let shares = seal_shares(context, me, secret, &seeds)?;
    Ok(Contribution {
        from: me,
        masked,
        commitments: commitments.collect(),
        shares,
    })
}

impl Contribution {
    /// Whether a contribution of `values` values has the form that the round asks for. The hub calls it on arrival, so that
    /// a broken message is refused to its sender rather than found when the sum is made.
    pub fn check(&self, context: &RoundContext, values: usize) -> Result<(), SecaggError> {
        context.place(self.from)?;
        let nodes = context.participants();
        let sealed_bytes = NONCE_BYTES + nodes.len() * size_of::<Share>() + TAG_BYTES;
        let fits = self.masked.len() == values
            && self.commitments.len() == nodes.len()
            && self.shares.len() == nodes.len()
            && self
                .shares
                .iter()
                .zip(nodes)
                .all(|(share, node)| share.to == node.node)
            && self
                .shares
                .iter()
                .all(|share| share.ciphertext.len() == sealed_bytes);
        if fits {
            Ok(())
        } else {
            Err(SecaggError::Malformed(self.from))
        }
    }
}

fn put_on_masks(words: &mut [u128], seeds: &[Seed], place: usize) {
    for (slot, seed) in seeds.iter().enumerate() {
        let sign = if slot == place {
            Sign::Plus
        } else {
            Sign::of_pair(place, slot)
        };
        apply(words, seed, sign);
    }
}

/// One sealed text per participant, holding its share of each seed in order of the slots.
fn seal_shares(
    context: &RoundContext,
    me: ParticipantId,
    secret: &NodeSecret,
    seeds: &[Seed],
) -> Result<Vec<SealedShare>, SecaggError> {
    let by_slot: Vec<Vec<Share>> = (0..seeds.len())
        .map(|slot| {
            let polynomial = secret.polynomial_key(context, context.node(slot));
            split(&seeds[slot], &polynomial, context.threshold(), seeds.len())
        })
        .collect();
    let receivers = 0..seeds.len();
    receivers
        .map(|to| {
            let text: Vec<u8> = by_slot.iter().flat_map(|shares| shares[to]).collect();
            seal(context, me, secret, to, &text)
        })
        .collect()
}

fn seal(
    context: &RoundContext,
    me: ParticipantId,
    secret: &NodeSecret,
    receiver: usize,
    text: &[u8],
) -> Result<SealedShare, SecaggError> {
    let to = context.node(receiver);
    let key = secret.seal_key(context, receiver, me, to)?;
    let nonce = secret.nonce(context, to);
    let bound = associated_data(context, me, to);
    let payload = Payload {
        msg: text,
        aad: &bound,
    };
    let sealed = ChaCha20Poly1305::new(&key.into()).encrypt(&nonce.into(), payload);
    let sealed = sealed.expect("a share is far below the cipher's limit of 256 GiB");
    Ok(SealedShare {
        to,
        ciphertext: [nonce.as_slice(), &sealed].concat(),
    })
}

/// Opens the shares that `from` sealed to the holder of `secret`: one per slot, in order of the participants.
pub(super) fn open(
    context: &RoundContext,
    me: ParticipantId,
    secret: &NodeSecret,
    from: ParticipantId,
    ciphertext: &[u8],
) -> Result<Vec<Share>, SecaggError> {
    let rejected = SecaggError::ShareRejected(from);
    let key = secret.seal_key(context, context.place(from)?, from, me)?;
    let (nonce, sealed) = ciphertext
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(rejected.clone())?;
    let bound = associated_data(context, from, me);
    let payload = Payload {
        msg: sealed,
        aad: &bound,
    };
    let text = ChaCha20Poly1305::new(&key.into()).decrypt(&(*nonce).into(), payload);
    let text = text.map_err(|_| rejected.clone())?;
    let (shares, rest) = text.as_chunks::<32>();
    let fits = rest.is_empty() && shares.len() == context.participants().len();
    if fits {
        Ok(shares.to_vec())
    } else {
        Err(rejected)
    }
}

fn associated_data(context: &RoundContext, from: ParticipantId, to: ParticipantId) -> Vec<u8> {
    [context.digest().as_slice(), &from.0, &to.0].concat()
}
