//! The hub's part: adds the masked vectors, rebuilds the seeds of the masks that do not cancel, and takes them off.

use super::{
    Contribution, ParticipantId, RoundContext, SecaggError, Unmasking,
    keys::{Seed, commitment},
    mask::{Sign, apply},
    shamir::combine,
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
    let survivors: Vec<_> = contributions.iter().map(|contribution| contribution.from).collect();
    let all = context.participants().iter().map(|participant| participant.node);
    let dropped: Vec<_> = all.filter(|node| !survivors.contains(node)).collect();
    check_fates(context, &survivors, &dropped)?;
    check_unmaskings(context, &survivors, unmaskings)?;

    let mut sum = sum_of_masked(context, contributions)?;
    for contribution in contributions {
        for slot in slots(contribution.from, &dropped) {
            let seed = rebuild(context, contribution, slot, unmaskings)?;
            let sign = sign_of(context, contribution.from, slot)?;
            apply(&mut sum, &seed, sign.opposite());
        }
    }
    Ok(decode(&sum))
}

fn sum_of_masked(context: &RoundContext, contributions: &[Contribution]) -> Result<Vec<u128>, SecaggError> {
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
        if unmaskings[..at].iter().any(|earlier| earlier.from == unmasking.from) {
            return Err(SecaggError::NotOneMessage(unmasking.from));
        }
    }
    let (unmaskings, threshold) = (unmaskings.len(), context.threshold());
    if unmaskings < threshold { Err(SecaggError::TooFewUnmaskings { unmaskings, threshold }) } else { Ok(()) }
}

fn sign_of(context: &RoundContext, owner: ParticipantId, slot: ParticipantId) -> Result<Sign, SecaggError> {
    let (place, other) = (context.place(owner)?, context.place(slot)?);
    Ok(if place == other { Sign::Plus } else { Sign::of_pair(place, other) })
}

/// Rebuilds one seed from the first `threshold` answers and compares it with the owner's commitment.
fn rebuild(
    context: &RoundContext,
    contribution: &Contribution,
    slot: ParticipantId,
    unmaskings: &[Unmasking],
) -> Result<Seed, SecaggError> {
    let owner = contribution.from;
    let mut shares = Vec::with_capacity(context.threshold());
    for unmasking in &unmaskings[..context.threshold()] {
        let mut revealed = unmasking.shares.iter();
        let share = revealed.find(|share| share.owner == owner && share.slot == slot);
        let share = share.ok_or(SecaggError::Malformed(unmasking.from))?;
        shares.push((context.place(unmasking.from)?, share.share));
    }
    let seed = combine(&shares);
    let committed = contribution.commitments[context.place(slot)?];
    if commitment(context, owner, slot, &seed) == committed { Ok(seed) } else { Err(SecaggError::FalseShare(owner)) }
}
