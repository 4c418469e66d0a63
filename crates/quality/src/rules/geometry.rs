//! Whether slices make one volume: places, gaps, overlaps, orientation, spacing, matrix.

use super::Verdict;
use crate::{
    facts::{InstanceFacts, Plane, SeriesFacts},
    stack::Stack,
};

/// A distance above the usual one by this factor is a gap.
const GAP_FACTOR: f64 = 1.5;
/// A distance below the usual one by this factor is an overlap.
const OVERLAP_FACTOR: f64 = 0.5;
/// Fewer places make no stack.
const LEAST_PLACES: usize = 3;
/// Direction cosines that differ by more are other directions; scanners write six digits.
const SAME_DIRECTION: f64 = 1e-3;
/// Spacings that differ by a larger share are other spacings.
const SAME_SPACING: f64 = 1e-3;

pub(super) fn is_known(facts: &SeriesFacts) -> Verdict {
    if !facts.is_cross_sectional() {
        return Verdict::NotApplicable;
    }
    let placed_frames = facts.frames.len() > 1;
    let lost = |instance: &&InstanceFacts| instance.has_pixels && instance.plane.is_none();
    let lost: Vec<_> = facts
        .instances
        .iter()
        .filter(lost)
        .filter(|_| !placed_frames)
        .collect();
    Verdict::failed_if(
        lost.len(),
        || format!("images that do not say where they lie: {}", lost.len()),
        lost.iter().map(|instance| instance.uid.as_str()),
    )
}

/// The stack of slices that are parallel; others have a rule of their own.
fn parallel(facts: &SeriesFacts) -> Option<Stack> {
    let is_asked = facts.is_cross_sectional() && odd_orientations(facts).is_empty();
    let stack = Stack::of(facts).filter(|_| is_asked)?;
    (stack.places.len() >= LEAST_PLACES).then_some(stack)
}

pub(super) fn has_no_gaps(facts: &SeriesFacts) -> Verdict {
    let Some((stack, usual)) = parallel(facts).and_then(|stack| {
        let usual = stack.usual_mm()?;
        Some((stack, usual))
    }) else {
        return Verdict::NotApplicable;
    };
    let distances = stack.distances();
    let gaps: Vec<_> = distances
        .iter()
        .filter(|distance| **distance > usual * GAP_FACTOR)
        .collect();
    let widest = gaps.iter().fold(0.0, |widest: f64, gap| widest.max(**gap));
    let at = distances.iter().enumerate();
    let at = at.filter(|(_, distance)| **distance > usual * GAP_FACTOR);
    let examples = at.filter_map(|(at, _)| uid_at(facts, &stack, at));
    Verdict::failed_if(
        gaps.len(),
        || {
            let count = gaps.len();
            format!("gaps: {count}, the widest of {widest:.1} mm where {usual:.1} mm are usual")
        },
        examples.collect::<Vec<_>>(),
    )
}

pub(super) fn has_no_overlaps(facts: &SeriesFacts) -> Verdict {
    let Some((stack, usual)) = parallel(facts).and_then(|stack| {
        let usual = stack.usual_mm()?;
        Some((stack, usual))
    }) else {
        return Verdict::NotApplicable;
    };
    let images = stack.usual_images();
    let crowded = |at: &usize| stack.places[*at].images.len() > images;
    let distances = stack.distances();
    let near = |at: &usize| {
        distances
            .get(*at)
            .is_some_and(|distance| *distance < usual * OVERLAP_FACTOR)
    };
    let found: Vec<usize> = (0..stack.places.len())
        .filter(|at| crowded(at) || near(at))
        .collect();
    Verdict::failed_if(
        found.len(),
        || {
            let count = found.len();
            format!(
                "places with more than {images} images, or nearer than half of {usual:.1} mm: {count}"
            )
        },
        found
            .iter()
            .filter_map(|at| uid_at(facts, &stack, *at))
            .collect::<Vec<_>>(),
    )
}

fn uid_at<'a>(facts: &'a SeriesFacts, stack: &Stack, at: usize) -> Option<&'a str> {
    let image = *stack.places.get(at)?.images.last()?;
    // Frames of a multi-frame instance have no UID of their own.
    let is_instance = facts.frames.len() <= 1;
    facts
        .instances
        .get(image)
        .filter(|_| is_instance)
        .map(|instance| instance.uid.as_str())
}

fn planes(facts: &SeriesFacts) -> Vec<(Option<&str>, Plane)> {
    if facts.frames.len() > 1 {
        return facts.frames.iter().map(|plane| (None, *plane)).collect();
    }
    let instances = facts.instances.iter();
    instances
        .filter_map(|instance| Some((Some(instance.uid.as_str()), instance.plane?)))
        .collect()
}

/// Planes whose orientation is not that of the one in the middle.
fn odd_orientations(facts: &SeriesFacts) -> Vec<Option<&str>> {
    odd(facts, |one, other| {
        let pairs = one.orientation.iter().zip(&other.orientation);
        pairs
            .into_iter()
            .all(|(a, b)| (a - b).abs() < SAME_DIRECTION)
    })
}

fn odd(facts: &SeriesFacts, is_same: impl Fn(&Plane, &Plane) -> bool) -> Vec<Option<&str>> {
    let planes = planes(facts);
    let Some((_, middle)) = planes.get(planes.len() / 2).copied() else {
        return Vec::new();
    };
    let others = planes.into_iter();
    others
        .filter(|(_, plane)| !is_same(plane, &middle))
        .map(|(uid, _)| uid)
        .collect()
}

fn is_comparable(facts: &SeriesFacts) -> bool {
    facts.is_cross_sectional() && planes(facts).len() > 1
}

pub(super) fn has_one_orientation(facts: &SeriesFacts) -> Verdict {
    if !is_comparable(facts) {
        return Verdict::NotApplicable;
    }
    let odd = odd_orientations(facts);
    Verdict::failed_if(
        odd.len(),
        || {
            format!(
                "images with another orientation than the one in the middle: {}",
                odd.len()
            )
        },
        odd.iter().filter_map(|uid| *uid),
    )
}

pub(super) fn has_one_spacing(facts: &SeriesFacts) -> Verdict {
    if !is_comparable(facts) {
        return Verdict::NotApplicable;
    }
    let odd = odd(facts, |one, other| {
        let pairs = one.spacing_mm.iter().zip(&other.spacing_mm);
        pairs
            .into_iter()
            .all(|(a, b)| (a - b).abs() <= SAME_SPACING * b)
    });
    Verdict::failed_if(
        odd.len(),
        || {
            format!(
                "images with another spacing than the one in the middle: {}",
                odd.len()
            )
        },
        odd.iter().filter_map(|uid| *uid),
    )
}

pub(super) fn has_one_matrix(facts: &SeriesFacts) -> Verdict {
    let images: Vec<_> = facts.instances.iter().filter(|i| i.has_pixels).collect();
    if images.len() < 2 || !facts.is_cross_sectional() {
        return Verdict::NotApplicable;
    }
    let middle = images[images.len() / 2].matrix;
    let odd = || images.iter().filter(|image| image.matrix != middle);
    Verdict::failed_if(
        odd().count(),
        || {
            format!(
                "images with another matrix than the one in the middle: {}",
                odd().count()
            )
        },
        odd().map(|image| image.uid.as_str()),
    )
}
