//! The second message of a round: told who survived, a node reveals its shares of exactly those seeds that stand in the way
//! of the sum. Never both kinds for one node: of a survivor its own seed and the pair seeds with nodes that dropped out.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Contribution, NodeSecret, ParticipantId, RoundContext, SecaggError, contribute::open, text,
};

/// What the hub asks of each survivor after it stopped waiting for contributions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmaskRequest {
    /// The nodes whose contributions make the sum.
    pub survivors: Vec<ParticipantId>,
    /// All other participants.
    pub dropped: Vec<ParticipantId>,
    /// The shares that the survivors sealed to this node, one each.
    pub shares_for_me: Vec<RelayedShare>,
}

/// A sealed share on its way from the hub to its receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayedShare {
    /// The node that sealed it.
    pub from: ParticipantId,
    /// See [`super::SealedShare::ciphertext`].
    #[serde(with = "text")]
    pub ciphertext: Vec<u8>,
}

/// A survivor's answer: the shares it reveals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmasking {
    /// The node that answers.
    pub from: ParticipantId,
    /// Its shares: of every survivor one of the own seed, and one per node that dropped out.
    pub shares: Vec<RevealedShare>,
}

/// One share of one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealedShare {
    /// The survivor whose seed it is.
    pub owner: ParticipantId,
    /// Which seed: the owner's own (`slot` equals `owner`), or that of the pair mask with the node `slot`, which dropped out.
    pub slot: ParticipantId,
    /// The share. JSON: base64.
    #[serde(with = "text")]
    pub share: [u8; 32],
}

impl UnmaskRequest {
    /// The request for the survivor `to`, given all contributions that make the sum.
    pub fn new(
        context: &RoundContext,
        contributions: &[Contribution],
        to: ParticipantId,
    ) -> Result<Self, SecaggError> {
        let place = context.place(to)?;
        let survivors: Vec<_> = contributions
            .iter()
            .map(|contribution| contribution.from)
            .collect();
        let all = context
            .participants()
            .iter()
            .map(|participant| participant.node);
        let dropped: Vec<_> = all.filter(|node| !survivors.contains(node)).collect();
        let relayed = contributions
            .iter()
            .map(|contribution| relay(contribution, place));
        let shares_for_me = relayed.collect::<Result<_, _>>()?;
        let request = Self {
            survivors,
            dropped,
            shares_for_me,
        };
        request.check(context, to)?;
        Ok(request)
    }

    /// SHA-256 over survivors and dropped nodes: what a node remembers, to answer one request per context only.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"arno secagg unmask request 1");
        for list in [&self.survivors, &self.dropped] {
            let mut sorted = list.clone();
            sorted.sort();
            hash.update((sorted.len() as u64).to_le_bytes());
            sorted.iter().for_each(|node| hash.update(node.0));
        }
        hash.finalize().into()
    }

    fn check(&self, context: &RoundContext, me: ParticipantId) -> Result<(), SecaggError> {
        check_fates(context, &self.survivors, &self.dropped)?;
        if self.survivors.contains(&me) {
            Ok(())
        } else {
            Err(SecaggError::NotASurvivor)
        }
    }

    fn share_from(&self, node: ParticipantId) -> Result<&RelayedShare, SecaggError> {
        let mut matching = self.shares_for_me.iter().filter(|share| share.from == node);
        match (matching.next(), matching.next()) {
            (Some(share), None) => Ok(share),
            _ => Err(SecaggError::NotOneMessage(node)),
        }
    }
}

fn relay(contribution: &Contribution, receiver: usize) -> Result<RelayedShare, SecaggError> {
    let from = contribution.from;
    let sealed = contribution
        .shares
        .get(receiver)
        .ok_or(SecaggError::Malformed(from))?;
    Ok(RelayedShare {
        from,
        ciphertext: sealed.ciphertext.clone(),
    })
}

/// Every participant is in exactly one of the lists, nobody else is, and enough survive.
pub(super) fn check_fates(
    context: &RoundContext,
    survivors: &[ParticipantId],
    dropped: &[ParticipantId],
) -> Result<(), SecaggError> {
    let listed = || survivors.iter().chain(dropped);
    listed().try_for_each(|node| context.place(*node).map(|_| ()))?;
    for participant in context.participants() {
        if listed().filter(|node| **node == participant.node).count() != 1 {
            return Err(SecaggError::UnclearFate(participant.node));
        }
    }
    let (survivors, threshold) = (survivors.len(), context.threshold());
    if survivors < threshold {
        Err(SecaggError::TooFewSurvivors {
            survivors,
            threshold,
        })
    } else {
        Ok(())
    }
}

/// Opens the shares meant for this node and reveals those that the sum needs. See the module's rule: one request per context.
pub fn unmask(
    context: &RoundContext,
    me: ParticipantId,
    secret: &NodeSecret,
    request: &UnmaskRequest,
) -> Result<Unmasking, SecaggError> {
    secret.place_in(context, me)?;
    request.check(context, me)?;
    let mut shares = Vec::new();
    for owner in &request.survivors {
        let relayed = request.share_from(*owner)?;
        let opened = open(context, me, secret, *owner, &relayed.ciphertext)?;
        for slot in slots(*owner, &request.dropped) {
            shares.push(RevealedShare {
                owner: *owner,
                slot,
                share: opened[context.place(slot)?],
            });
        }
    }
    Ok(Unmasking { from: me, shares })
}

/// The seeds of a survivor that must be rebuilt: its own, and those of its pair masks with nodes that dropped out.
pub(super) fn slots(
    owner: ParticipantId,
    dropped: &[ParticipantId],
) -> impl Iterator<Item = ParticipantId> {
    std::iter::once(owner).chain(dropped.iter().copied())
}
