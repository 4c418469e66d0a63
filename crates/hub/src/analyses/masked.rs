//! The masked part of a round: whose keys it is bound to, what a contribution must look like, and the sum.
//!
//! The hub sees masked vectors and, once enough nodes helped to unmask it, their sum; never one site's vector.

use std::sync::Arc;

use arno_domain::{AnalysisId, NodeId};
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{Moments, NewtonSums},
    secagg::{
        Contribution, Participant, ParticipantId, RoundContext, SecaggError, UnmaskRequest,
        Unmasking, aggregate,
    },
};
use arno_protocol::{
    Base64,
    federation::{AnswerBody, RoundTask},
};
use arno_store::{
    StoreError,
    hub::{
        analyses::{self, RoundRow},
        members::Member,
    },
};

use crate::Hub;

/// Why a masked message or a sum is not usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MaskedError {
    /// Not the JSON that was asked for.
    #[error("the masked message is malformed")]
    Malformed,
    /// It names another node than the one that sent it.
    #[error("the masked message names another node than its sender")]
    OtherNode,
    /// A participant is no member any more.
    #[error("a participant of the round is not a member")]
    NotAMember,
    /// The protocol refuses it.
    #[error(transparent)]
    Secagg(#[from] SecaggError),
}

/// The node's id in the words of secure aggregation.
pub(crate) fn participant(node: NodeId) -> ParticipantId {
    ParticipantId(*node.as_bytes())
}

/// The public facts of a round, as each node makes them from its question.
pub(crate) fn context(
    members: &[Arc<Member>],
    analysis: AnalysisId,
    round: &RoundRow,
) -> Result<RoundContext, MaskedError> {
    let of = (*analysis.as_bytes(), round.round);
    context_of(members, of, round.task.sha256(), &round.participants)
}

/// The same of whatever is added up: its id and round, the digest of what is asked, and who takes part, in order of their ids.
pub(crate) fn context_of(
    members: &[Arc<Member>],
    (id, round): ([u8; 16], u32),
    question: [u8; 32],
    participants: &[NodeId],
) -> Result<RoundContext, MaskedError> {
    let of = |node: &NodeId| {
        let member = members.iter().find(|member| member.card.node == *node);
        let agreement_public = *member
            .ok_or(MaskedError::NotAMember)?
            .card
            .agreement_key
            .as_bytes();
        Ok(Participant {
            node: participant(*node),
            agreement_public,
        })
    };
    let participants = participants
        .iter()
        .map(of)
        .collect::<Result<Vec<_>, MaskedError>>()?;
    Ok(RoundContext::new(id, round, question, participants)?)
}

/// Values of one contribution.
fn length(task: &RoundTask) -> usize {
    match task {
        RoundTask::Moments => Moments::LEN,
        RoundTask::Newton(_) => NewtonSums::LEN,
        RoundTask::Evaluate(models) => models.len() * ScoreHistogram::LEN,
    }
}

/// Whether a contribution has the form that its round asks for, so that the sum will not fail because of it.
pub(crate) async fn check_contribution(
    hub: &Hub,
    (analysis, round): (AnalysisId, u32),
    node: NodeId,
    payload: &Base64,
) -> Result<Result<(), MaskedError>, StoreError> {
    let round = analyses::round(&hub.database, analysis, round).await?;
    let members = hub.members().await;
    let check = || {
        let contribution: Contribution = parse(payload)?;
        if contribution.from != participant(node) {
            return Err(MaskedError::OtherNode);
        }
        Ok(contribution.check(&context(&members, analysis, &round)?, length(&round.task))?)
    };
    Ok(check())
}

/// Whether the help to unmask is of the node that sent it.
pub(crate) fn check_unmasking(node: NodeId, payload: &Base64) -> Result<(), MaskedError> {
    let unmasking: Unmasking = parse(payload)?;
    if unmasking.from == participant(node) {
        Ok(())
    } else {
        Err(MaskedError::OtherNode)
    }
}

/// What each survivor is asked, in the order of `survivors`.
pub(crate) fn unmask_requests(
    context: &RoundContext,
    answers: &[(NodeId, AnswerBody)],
    survivors: &[NodeId],
) -> Result<Vec<Base64>, MaskedError> {
    let contributions = contributions(answers, survivors)?;
    let request = |node: &NodeId| {
        let request = UnmaskRequest::new(context, &contributions, participant(*node))?;
        Ok(Base64(
            serde_json::to_vec(&request).map_err(|_| MaskedError::Malformed)?,
        ))
    };
    survivors.iter().map(request).collect()
}

/// The sum of the survivors' vectors. Takes milliseconds of computing: call it off the async threads.
pub(crate) fn total(
    context: &RoundContext,
    contributed: &[(NodeId, AnswerBody)],
    unmasked: &[(NodeId, AnswerBody)],
    survivors: &[NodeId],
) -> Result<Vec<f64>, MaskedError> {
    let contributions = contributions(contributed, survivors)?;
    let unmaskings = unmasked.iter().filter_map(|(_, answer)| match answer {
        AnswerBody::Unmasking { payload } => Some(parse::<Unmasking>(payload)),
        _ => None,
    });
    let unmaskings = unmaskings.collect::<Result<Vec<_>, _>>()?;
    Ok(aggregate(context, &contributions, &unmaskings)?)
}

fn contributions(
    answers: &[(NodeId, AnswerBody)],
    survivors: &[NodeId],
) -> Result<Vec<Contribution>, MaskedError> {
    let of_survivors = answers.iter().filter(|(node, _)| survivors.contains(node));
    let payloads = of_survivors.filter_map(|(_, answer)| match answer {
        AnswerBody::Contribution { payload } => Some(payload),
        _ => None,
    });
    payloads.map(parse).collect()
}

/// What a masked message says.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(payload: &Base64) -> Result<T, MaskedError> {
    serde_json::from_slice(&payload.0).map_err(|_| MaskedError::Malformed)
}
