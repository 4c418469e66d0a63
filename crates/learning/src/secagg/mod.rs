//! Secure aggregation: the hub learns the sum of the nodes' vectors and nothing about a single one, even if nodes vanish.
//!
//! After K. Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", ACM CCS 2017: double
//! masking (section 4, "Double-Masking to Protect Security", figure 4), in two messages per node and round instead of four, because
//! the nodes' X25519 keys are long-lived, signed and logged, and need not be advertised anew.
//!
//! 1. [`contribute`]: node `u` sends `y_u = x_u + PRG(b_u) + Σ_{v>u} PRG(s_uv) − Σ_{v<u} PRG(s_uv)` modulo 2^128. The seed
//!    `b_u` is its own, `s_uv` comes from the Diffie-Hellman secret with node `v`. It adds a `t`-of-`n` Shamir share of `b_u`
//!    and of each `s_uv` for every participant, sealed to that participant (the hub only carries them), and a commitment to
//!    each seed.
//! 2. [`unmask`]: told who survived, a node opens its shares and reveals, of each survivor, the share of `b_u`, and of each
//!    `s_uv` only where `v` dropped out. [`aggregate`] rebuilds exactly those seeds from `t` answers and takes their masks
//!    off the sum. So a node may vanish before contributing (it is not in the sum) or after it (its part stays in the sum).
//!
//! Where this differs from figure 4 of the paper: there, a node's whole agreement key is shared and rebuilt if it drops out;
//! here the key is long-lived, so the *survivors* share the one-round pair seeds. What gets revealed is the same.
//!
//! **Protects against** a hub that follows the protocol but looks at everything (section 6.1, honest but curious), together
//! with up to `t − 1` curious nodes; against a late message: a node counted as dropped out stays hidden when its vector
//! arrives after all, since `b_u` is never rebuilt; against a reused mask: every seed is bound to analysis, round,
//! question, participants and their keys.
//!
//! **Does not protect against** `t` or more nodes that collude with the hub (`t` is the majority); a hub that names different survivors to
//! different nodes (section 6.2 adds a round of signatures for that; with a majority threshold such a hub still cannot open
//! the vector of one node among honest ones, but it can learn sums of fewer than `t`); a hub that invents participants (the
//! node must compare the participants' keys with the transparency log); false vectors (no proof of range); nor against what
//! the sum itself tells: of two nodes, each learns the other's part.
//!
//! **Two rules for the caller**, since this module keeps no state. A node contributes once per [`RoundContext`]: if asked
//! again it sends the same bytes, even if its data have changed since. And it answers one [`UnmaskRequest`] per context:
//! a repetition with the same [`UnmaskRequest::digest`] may be answered again, another one never.

mod aggregate;
mod context;
mod contribute;
mod keys;
mod mask;
pub(crate) mod shamir;
#[cfg(test)]
mod tests;
mod text;
mod unmask;

pub use aggregate::aggregate;
pub use context::{MAX_PARTICIPANTS, Participant, ParticipantId, RoundContext};
pub use contribute::{Contribution, MAX_VALUES, SealedShare, contribute};
pub use keys::NodeSecret;
pub use unmask::{RelayedShare, RevealedShare, UnmaskRequest, Unmasking, unmask};

use crate::fixed::FixedError;

/// Why a step of the protocol was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecaggError {
    /// Fewer than two participants: a sum over one node would be that node's own vector.
    #[error("secure aggregation needs at least two participants, this round has {0}")]
    TooFewParticipants(usize),
    /// More than [`MAX_PARTICIPANTS`].
    #[error("a round has at most {MAX_PARTICIPANTS} participants, this one has {0}")]
    TooManyParticipants(usize),
    /// Two participants share an id or a key.
    #[error("participant {0} is listed twice, or its key is")]
    DuplicateParticipant(ParticipantId),
    /// A node that is not among the participants of the round.
    #[error("node {0} does not take part in this round")]
    NotAParticipant(ParticipantId),
    /// The round names another public key for this node than the one it holds.
    #[error("the round names another agreement key for this node than its own")]
    NotMyKey,
    /// A participant's public key is of low order: the shared secret would be known to all.
    #[error("the agreement key of participant {0} is not usable")]
    WeakKey(ParticipantId),
    /// A value cannot be encoded.
    #[error("a value cannot be aggregated")]
    Value(#[from] FixedError),
    /// More than [`MAX_VALUES`].
    #[error("at most {MAX_VALUES} values can be aggregated, these are {0}")]
    TooManyValues(usize),
    /// Too few nodes contributed to keep each one hidden.
    #[error("{survivors} nodes contributed, at least {threshold} are needed")]
    TooFewSurvivors {
        /// Nodes that contributed.
        survivors: usize,
        /// Nodes needed.
        threshold: usize,
    },
    /// This node did not contribute, so it has nothing to unmask.
    #[error("this node is not among the survivors of the round")]
    NotASurvivor,
    /// A participant is in both lists, in neither, or twice in one.
    #[error("participant {0} must be either a survivor or dropped out")]
    UnclearFate(ParticipantId),
    /// There must be exactly one message of this node, and there is none, or more than one.
    #[error("expected exactly one message of node {0}")]
    NotOneMessage(ParticipantId),
    /// A contribution or an unmasking of this node does not have the form that the round asks for.
    #[error("the message of node {0} does not have the form that this round asks for")]
    Malformed(ParticipantId),
    /// A sealed share does not open: altered, or made for another round.
    #[error("the share that node {0} sent does not open")]
    ShareRejected(ParticipantId),
    /// Too few nodes answered the unmask request.
    #[error("{unmaskings} nodes answered the unmask request, at least {threshold} are needed")]
    TooFewUnmaskings {
        /// Answers received.
        unmaskings: usize,
        /// Answers needed.
        threshold: usize,
    },
    /// The shares rebuild another seed than the one that the node committed to: at least one share is false.
    #[error("the shares of node {0} do not rebuild the seed that it committed to")]
    FalseShare(ParticipantId),
}
