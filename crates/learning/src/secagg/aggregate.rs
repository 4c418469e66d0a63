//! The hub's part: adds the masked vectors, rebuilds the seeds of the masks that do not cancel, and takes them off.

use std::collections::HashMap;

use super::{
    Contribution, ParticipantId, RoundContext, SecaggError, Unmasking,
    keys::{Seed, commitment},
    mask::{Sign, apply},
    shamir::{Share, combine, weights},
    unmask::{check_fates, slots},
};
use crate::fixed::{add, decode};

/// The sum of the survivors' vectors. `contributions` are those that the unmask request named, one per survivor; at least
/// [`RoundContext::threshold`] survivors must have answered, it does not matter which.
pub fn aggregate(
    context: &RoundContext,
    contributions: &[Contribution],
    unmaskings: &[Unmasking],
) -> Result<Vec<f64>, SecaggError> {
    let survivors: Vec<_> = contributions
        .iter()
        .map(|contribution| contribution.from)
        .collect();
    let all = context
        .participants()
        .iter()
        .map(|participant| participant.node);
    let dropped: Vec<_> = all.filter(|node| !survivors.contains(node)).collect();
    check_fates(context, &survivors, &dropped)?;
    check_unmaskings(context, &survivors, unmaskings)?;

    let mut sum = sum_of_masked(context, contributions)?;
    let answers = Answers::new(context, unmaskings)?;
    for contribution in contributions {
        for slot in slots(contribution.from, &dropped) {
            let seed = answers.rebuild(context, contribution, slot)?;
            let sign = sign_of(context, contribution.from, slot)?;
            apply(&mut sum, &seed, sign.opposite());
        }
    }
    Ok(decode(&sum))
}

fn sum_of_masked(
    context: &RoundContext,
    contributions: &[Contribution],
) -> Result<Vec<u128>, SecaggError> {
    let values = contributions.first().map_or(0, |first| first.masked.len());
    let mut sum = vec![0; values];
    for contribution in contributions {
        contribution.check(context, values)?;
        add(&mut sum, &contribution.masked);
    }
    Ok(sum)
}

fn check_unmaskings(
    context: &RoundContext,
    survivors: &[ParticipantId],
    unmaskings: &[Unmasking],
) -> Result<(), SecaggError> {
    for (at, unmasking) in unmaskings.iter().enumerate() {
        context.place(unmasking.from)?;
        if !survivors.contains(&unmasking.from) {
            return Err(SecaggError::UnclearFate(unmasking.from));
        }
        if unmaskings[..at]
            .iter()
            .any(|earlier| earlier.from == unmasking.from)
        {
            return Err(SecaggError::NotOneMessage(unmasking.from));
        }
    }
    let (unmaskings, threshold) = (unmaskings.len(), context.threshold());
    if unmaskings < threshold {
        Err(SecaggError::TooFewUnmaskings {
            unmaskings,
            threshold,
        })
    } else {
        Ok(())
    }
}

fn sign_of(
    context: &RoundContext,
    owner: ParticipantId,
    slot: ParticipantId,
) -> Result<Sign, SecaggError> {
    let (place, other) = (context.place(owner)?, context.place(slot)?);
    Ok(if place == other {
        Sign::Plus
    } else {
        Sign::of_pair(place, other)
    })
}

/// The answers of the first `threshold` nodes, which suffice.
struct Answers {
    weights: Vec<u8>,
    by_node: Vec<(ParticipantId, Revealed)>,
}

/// The shares that one node revealed, by owner and slot.
type Revealed = HashMap<(ParticipantId, ParticipantId), Share>;

impl Answers {
    fn new(context: &RoundContext, unmaskings: &[Unmasking]) -> Result<Self, SecaggError> {
        let used = &unmaskings[..context.threshold()];
        let places: Result<Vec<_>, _> = used
            .iter()
            .map(|unmasking| context.place(unmasking.from))
            .collect();
        let by_node = used
            .iter()
            .map(|unmasking| (unmasking.from, revealed(unmasking)));
        Ok(Self {
            weights: weights(&places?),
            by_node: by_node.collect(),
        })
    }

    /// Rebuilds one seed and compares it with the owner's commitment.
    fn rebuild(
        &self,
        context: &RoundContext,
        contribution: &Contribution,
        slot: ParticipantId,
    ) -> Result<Seed, SecaggError> {
        let owner = contribution.from;
        let share = |(from, revealed): &(ParticipantId, Revealed)| {
            revealed
                .get(&(owner, slot))
                .copied()
                .ok_or(SecaggError::Malformed(*from))
        };
        let shares = self
            .by_node
            .iter()
            .map(share)
            .collect::<Result<Vec<_>, _>>()?;
        let seed = combine(&self.weights, &shares);
        let committed = contribution.commitments[context.place(slot)?];
        if commitment(context, owner, slot, &seed) == committed {
            Ok(seed)
        } else {
            Err(SecaggError::FalseShare(owner))
        }
    }
}

fn revealed(unmasking: &Unmasking) -> Revealed {
    unmasking
        .shares
        .iter()
        .map(|share| ((share.owner, share.slot), share.share))
        .collect()
}
