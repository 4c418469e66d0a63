//! Whether a series is whole, as far as it says itself: instance numbers and announced counts.

use std::collections::BTreeMap;

use super::Verdict;
use crate::facts::{InstanceFacts, SeriesFacts};

/// Images in Acquisition (0020,1002).
const IMAGES_IN_ACQUISITION: &str = "00201002";
/// Number of Series Related Instances (0020,1209).
const SERIES_RELATED_INSTANCES: &str = "00201209";
/// Fewer numbers than this follow no order that one could miss a number in.
const LEAST_NUMBERED: usize = 3;
/// A series with more holes than images counts in another way (such as by a position or a time).
const MOST_HOLES_PER_IMAGE: i64 = 1;

pub(super) fn numbers_have_no_holes(facts: &SeriesFacts) -> Verdict {
    let mut numbers: Vec<i64> = facts.instances.iter().filter_map(|i| i.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else {
        return Verdict::NotApplicable;
    };
    if numbers.len() < LEAST_NUMBERED || !facts.is_cross_sectional() {
        return Verdict::NotApplicable;
    }
    let count = numbers.len() as i64;
    let step = usual_step(&numbers);
    let expected = last.saturating_sub(first) / step + 1;
    // What begins at 2 or 3 lacks its first images; what begins far off is numbered through a whole study.
    let before = if step == 1 && (2..=3).contains(&first) {
        first - 1
    } else {
        0
    };
    let missing = expected.saturating_sub(count).saturating_add(before);
    if missing > count * MOST_HOLES_PER_IMAGE {
        return Verdict::NotApplicable;
    }
    Verdict::failed_if(
        usize::try_from(missing).unwrap_or_default(),
        || format!("{count} of {} numbered images are here", count + missing),
        [],
    )
}

/// The commonest distance between neighbouring numbers: some scanners count by two.
fn usual_step(numbers: &[i64]) -> i64 {
    let mut steps: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in numbers.windows(2) {
        *steps.entry(pair[1].saturating_sub(pair[0])).or_default() += 1;
    }
    let most = steps
        .into_iter()
        .max_by_key(|(step, count)| (*count, -step));
    most.map_or(1, |(step, _)| step.max(1))
}

pub(super) fn numbers_are_used_once(facts: &SeriesFacts) -> Verdict {
    let mut seen: BTreeMap<(i64, String), Vec<&InstanceFacts>> = BTreeMap::new();
    for instance in &facts.instances {
        let Some(number) = instance.number else {
            continue;
        };
        let place = instance
            .plane
            .map(|plane| format!("{:.2?}", plane.position_mm));
        let key = (number, place.unwrap_or_default());
        seen.entry(key).or_default().push(instance);
    }
    if seen.is_empty() || !facts.is_cross_sectional() {
        return Verdict::NotApplicable;
    }
    let repeated: Vec<_> = seen.values().filter(|same| same.len() > 1).collect();
    let examples = repeated.iter().flat_map(|same| same.iter());
    Verdict::failed_if(
        repeated.len(),
        || format!("numbers that stand for several images: {}", repeated.len()),
        examples.map(|instance| instance.uid.as_str()),
    )
}

pub(super) fn count_is_as_announced(facts: &SeriesFacts) -> Verdict {
    let announced = |tag: &str| facts.attributes.number(tag).filter(|count| *count >= 1.0);
    let Some(expected) = announced(SERIES_RELATED_INSTANCES).or_else(|| {
        // An acquisition may give several series, which is why fewer images than it had are no failure.
        announced(IMAGES_IN_ACQUISITION).filter(|_| facts.instances.len() > 1)
    }) else {
        return Verdict::NotApplicable;
    };
    let frames = |instance: &InstanceFacts| u64::from(instance.frames.max(1));
    let here: u64 = facts.instances.iter().map(frames).sum();
    let is_exact = facts.attributes.number(SERIES_RELATED_INSTANCES).is_some();
    let expected = expected as u64;
    let missing = expected.saturating_sub(match is_exact {
        true => facts.instances.len() as u64,
        false => here,
    });
    if !is_exact && missing > 0 && here * 2 < expected {
        return Verdict::NotApplicable;
    }
    Verdict::failed_if(
        usize::try_from(missing).unwrap_or(usize::MAX),
        || format!("{expected} announced, {missing} of them are not here"),
        [],
    )
}
