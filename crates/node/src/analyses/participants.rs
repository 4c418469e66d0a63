//! Who takes part in a round: each node says so itself, by its own signed card, and its keys are those that were first
//! seen of it. So a hub cannot swap a key to look behind a mask without every node noticing.

use arno_domain::{NodeId, Signed};
use arno_learning::secagg::{MAX_PARTICIPANTS, Participant, ParticipantId};
use arno_protocol::federation::NodeCard;
use arno_store::node::KnownNode;

use super::{Refused, Stop};
use crate::Node;

impl Node {
    /// Verifies all cards and pins their keys.
    pub(crate) async fn participants(
        &self,
        cards: &[Signed<NodeCard>],
    ) -> Result<Vec<Participant>, Stop> {
        let cards = verified(cards)?;
        let own = cards.iter().find(|card| card.node == self.id());
        let is_own = |card: &NodeCard| {
            card.signing_key == self.keys().signing.public()
                && card.agreement_key == self.keys().agreement
        };
        if !own.is_some_and(is_own) {
            let reason = "this node is not among the participants with its own keys";
            return Err(Refused::new("not_a_participant", reason).into());
        }
        let known: Vec<_> = cards.iter().map(known).collect();
        if let Some(node) = self.store().pin_nodes(&known, self.now()).await? {
            let reason = format!("the keys of {node} are not those that it had before");
            return Err(Refused::new("changed_keys", reason).into());
        }
        Ok(cards.iter().map(participant).collect())
    }
}

/// Cards that are signed with the keys that they name, in order of their nodes, each once.
fn verified(cards: &[Signed<NodeCard>]) -> Result<Vec<NodeCard>, Refused> {
    if cards.len() > MAX_PARTICIPANTS {
        return Err(Refused::new(
            "bad_participants",
            format!("a round has at most {MAX_PARTICIPANTS} participants"),
        ));
    }
    let bad = || {
        Refused::new(
            "bad_participants",
            "a participant's card is not signed by itself",
        )
    };
    let mut verified: Vec<NodeCard> = Vec::with_capacity(cards.len());
    for signed in cards {
        let card = signed
            .verify(&signed.unverified().map_err(|_| bad())?.signing_key)
            .map_err(|_| bad())?;
        if verified.last().is_some_and(|last| last.node >= card.node) {
            return Err(Refused::new(
                "bad_participants",
                "participants must be sorted by their ids, each once",
            ));
        }
        verified.push(card);
    }
    Ok(verified)
}

fn known(card: &NodeCard) -> KnownNode {
    KnownNode {
        node: card.node,
        signing_key: card.signing_key.to_string(),
        agreement_key: arno_domain::hex::encode(card.agreement_key.as_bytes()),
    }
}

fn participant(card: &NodeCard) -> Participant {
    Participant {
        node: participant_id(card.node),
        agreement_public: *card.agreement_key.as_bytes(),
    }
}

/// A node's id as `arno-learning` writes it.
pub(crate) fn participant_id(node: NodeId) -> ParticipantId {
    ParticipantId(*node.as_bytes())
}
