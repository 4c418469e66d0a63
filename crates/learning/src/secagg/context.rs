//! Who takes part in which round, and what it asks: the public facts that every mask and share is bound to.
//!
//! Not here: whether the participants' keys are genuine. The node compares them with the transparency log before it builds
//! a [`RoundContext`].

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SecaggError, text};

/// Most nodes in one round. Shamir over GF(256) allows 255; sealed shares grow with the square of it, 0.5 MiB per node here.
pub const MAX_PARTICIPANTS: usize = 128;

/// Fewest nodes in one round: the sum over one node would be that node's own vector.
const MIN_PARTICIPANTS: usize = 2;

/// Separates this digest from every other use of SHA-256 in Arno.
const CONTEXT_LABEL: &[u8] = b"arno secagg context 1";

/// A node in a round: the 16 bytes of its id. JSON: base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParticipantId(#[serde(with = "text")] pub [u8; 16]);

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParticipantId({self})")
    }
}

/// A node and its public X25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The node.
    pub node: ParticipantId,
    /// Its long-lived X25519 public key (RFC 7748). JSON: base64.
    #[serde(with = "text")]
    pub agreement_public: [u8; 32],
}

/// The public facts of one round of one analysis: 2 to [`MAX_PARTICIPANTS`] participants, in order of their ids, without
/// repetition. Made only by [`RoundContext::new`], also when read from JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Facts", into = "Facts")]
pub struct RoundContext {
    facts: Facts,
    digest: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    #[serde(with = "text")]
    analysis: [u8; 16],
    round: u32,
    #[serde(with = "text")]
    question: [u8; 32],
    participants: Vec<Participant>,
}

impl RoundContext {
    /// A round of an analysis (its 16-byte id). `question` is the SHA-256 of what the round asks (recipe, coefficients,
    /// cohort), so that no mask serves two questions. The order of the participants does not matter.
    pub fn new(
        analysis: [u8; 16],
        round: u32,
        question: [u8; 32],
        participants: Vec<Participant>,
    ) -> Result<Self, SecaggError> {
        Self::try_from(Facts {
            analysis,
            round,
            question,
            participants,
        })
    }

    /// The participants, in order of their ids.
    pub fn participants(&self) -> &[Participant] {
        &self.facts.participants
    }

    /// The number of the round within its analysis.
    pub fn round(&self) -> u32 {
        self.facts.round
    }

    /// How many nodes must contribute, and answer the unmask request: the majority, `n / 2 + 1`, which is never below 2.
    pub fn threshold(&self) -> usize {
        self.participants().len() / 2 + 1
    }

    /// SHA-256 over all facts. What a node remembers to know a repeated round from a new one.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Place of a node among the participants, from 0.
    pub(super) fn place(&self, node: ParticipantId) -> Result<usize, SecaggError> {
        let found = self
            .participants()
            .binary_search_by_key(&node, |participant| participant.node);
        found.map_err(|_| SecaggError::NotAParticipant(node))
    }

    /// The node at a place.
    pub(super) fn node(&self, place: usize) -> ParticipantId {
        self.facts.participants[place].node
    }
}

impl TryFrom<Facts> for RoundContext {
    type Error = SecaggError;

    fn try_from(mut facts: Facts) -> Result<Self, SecaggError> {
        facts.check_count()?;
        facts
            .participants
            .sort_by_key(|participant| participant.node);
        facts.check_unique()?;
        let digest = facts.digest();
        Ok(Self { facts, digest })
    }
}

impl From<RoundContext> for Facts {
    fn from(context: RoundContext) -> Self {
        context.facts
    }
}

impl Facts {
    fn check_count(&self) -> Result<(), SecaggError> {
        match self.participants.len() {
            few if few < MIN_PARTICIPANTS => Err(SecaggError::TooFewParticipants(few)),
            many if many > MAX_PARTICIPANTS => Err(SecaggError::TooManyParticipants(many)),
            _ => Ok(()),
        }
    }

    /// One node under two ids would count as two survivors, so keys must differ too.
    fn check_unique(&self) -> Result<(), SecaggError> {
        for (place, one) in self.participants.iter().enumerate() {
            let mut others = self.participants[..place].iter();
            if others.any(|other| {
                other.node == one.node || other.agreement_public == one.agreement_public
            }) {
                return Err(SecaggError::DuplicateParticipant(one.node));
            }
        }
        Ok(())
    }

    /// All fields have a fixed length, so the concatenation is unambiguous.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(CONTEXT_LABEL);
        hash.update(self.analysis);
        hash.update(self.round.to_le_bytes());
        hash.update(self.question);
        for participant in &self.participants {
            hash.update(participant.node.0);
            hash.update(participant.agreement_public);
        }
        hash.finalize().into()
    }
}
