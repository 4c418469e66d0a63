//! Whether a segmentation or structure set fits the images that it points at (PS3.3 A.51, C.8.8.5).

use super::Verdict;
use crate::facts::{KeptSeries, Plane, SeriesFacts};

/// Frame of Reference UID (0020,0052).
const FRAME_OF_REFERENCE: &str = "00200052";
/// Referenced Frame of Reference Sequence (3006,0010) of a structure set.
const REFERENCED_FRAMES: &str = "30060010";
/// Normals that differ by a larger share of a right angle are other planes.
const SAME_NORMAL: f64 = 1e-2;
/// Spacings that differ by a larger share are other spacings.
const SAME_SPACING: f64 = 1e-2;

fn is_asked(facts: &SeriesFacts) -> bool {
    matches!(facts.modality().as_str(), "SEG" | "RTSTRUCT")
}

pub(super) fn references_are_kept(facts: &SeriesFacts) -> Verdict {
    if !is_asked(facts) {
        return Verdict::NotApplicable;
    }
    if facts.references.is_empty() {
        return Verdict::failed_if(1, || "it points at no series".to_owned(), []);
    }
    let is_lost =
        |kept: &Option<KeptSeries>| kept.as_ref().is_none_or(|kept| !kept.has_all_instances);
    let lost: Vec<_> = facts
        .references
        .iter()
        .filter(|one| is_lost(&one.kept))
        .collect();
    Verdict::failed_if(
        lost.len(),
        || {
            format!(
                "{} of {} series are not here, or not whole",
                lost.len(),
                facts.references.len()
            )
        },
        lost.iter().map(|one| one.series_uid.as_str()),
    )
}

pub(super) fn fits(facts: &SeriesFacts) -> Verdict {
    let kept: Vec<_> = facts
        .references
        .iter()
        .filter_map(|one| Some((one.series_uid.as_str(), one.kept.as_ref()?)))
        .collect();
    if !is_asked(facts) || kept.is_empty() {
        return Verdict::NotApplicable;
    }
    let reasons: Vec<_> = kept
        .iter()
        .filter_map(|(uid, kept)| Some((*uid, misfit(facts, kept)?)))
        .collect();
    Verdict::failed_if(
        reasons.len(),
        || reasons.first().map_or("", |(_, reason)| *reason).to_owned(),
        reasons.iter().map(|(uid, _)| *uid),
    )
}

fn misfit(facts: &SeriesFacts, kept: &KeptSeries) -> Option<&'static str> {
    let frame = facts.attributes.text(FRAME_OF_REFERENCE).or_else(|| {
        let frames = facts.attributes.items(REFERENCED_FRAMES);
        frames.first()?.text(FRAME_OF_REFERENCE)
    });
    if let (Some(own), Some(other)) = (&frame, &kept.frame_of_reference)
        && own != other
    {
        return Some("it has another frame of reference than the images");
    }
    let (own, other) = (own_plane(facts)?, kept.plane?);
    if !is_parallel(&own, &other) {
        return Some("its planes are not parallel to the images");
    }
    let pairs = own.spacing_mm.iter().zip(&other.spacing_mm);
    if pairs
        .into_iter()
        .any(|(a, b)| (a - b).abs() > SAME_SPACING * b)
    {
        return Some("its pixels have another size than those of the images");
    }
    let matrix = facts.instances.first()?.matrix;
    let is_other = matrix[0] > 0 && kept.matrix[0] > 0 && matrix != kept.matrix;
    is_other.then_some("it has another matrix than the images")
}

fn own_plane(facts: &SeriesFacts) -> Option<Plane> {
    let of_instance = facts.instances.first().and_then(|instance| instance.plane);
    facts.frames.first().copied().or(of_instance)
}

fn is_parallel(one: &Plane, other: &Plane) -> bool {
    let cosine: f64 = one
        .normal()
        .iter()
        .zip(other.normal())
        .map(|(a, b)| a * b)
        .sum();
    (cosine.abs() - 1.0).abs() < SAME_NORMAL
}
