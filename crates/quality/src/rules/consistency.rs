//! Whether what a series says fits together: pixels and their description, modality and SOP class, no twin elsewhere.

use super::Verdict;
use crate::facts::{SeriesFacts, Twin};

pub(super) fn pixels_are_readable(facts: &SeriesFacts) -> Verdict {
    let images: Vec<_> = facts.instances.iter().filter(|i| i.has_pixels).collect();
    if images.is_empty() {
        return Verdict::NotApplicable;
    }
    let broken: Vec<_> = images.iter().filter(|image| !image.is_readable).collect();
    Verdict::failed_if(
        broken.len(),
        || {
            format!(
                "images in whose pixels no frames are found: {}",
                broken.len()
            )
        },
        broken.iter().map(|image| image.uid.as_str()),
    )
}

fn twins(facts: &SeriesFacts, detail: &str, of: fn(&Twin) -> bool) -> Verdict {
    if !facts.instances.iter().any(|i| i.has_pixels) {
        return Verdict::NotApplicable;
    }
    let twins: Vec<_> = facts.twins.iter().filter(|twin| of(twin)).collect();
    Verdict::failed_if(
        twins.len(),
        || format!("series {detail}: {}", twins.len()),
        twins.iter().map(|twin| twin.series_uid.as_str()),
    )
}

pub(super) fn has_no_exact_twin(facts: &SeriesFacts) -> Verdict {
    twins(facts, "with images of exactly these pixels", |twin| {
        twin.same_instances > 0
    })
}

pub(super) fn has_no_near_twin(facts: &SeriesFacts) -> Verdict {
    twins(facts, "of other studies that look the same", |twin| {
        twin.same_instances == 0
    })
}

/// Modalities that a SOP class stands for (PS3.3 A.1.3 and PS3.4 B.5); all classes of the storage service begin alike.
const CLASSES: [(&str, &[&str]); 27] = [
    ("1", &["CR", "DX", "MG", "IO", "PX", "RG"]),
    ("1.1", &["DX", "PX"]),
    ("1.1.1", &["DX", "PX"]),
    ("1.2", &["MG"]),
    ("1.2.1", &["MG"]),
    ("2", &["CT"]),
    ("2.1", &["CT"]),
    ("2.2", &["CT"]),
    ("3.1", &["US", "IVUS"]),
    ("4", &["MR"]),
    ("4.1", &["MR"]),
    ("4.2", &["MR"]),
    ("4.3", &["MR"]),
    ("4.4", &["MR"]),
    ("6.1", &["US", "IVUS"]),
    ("12.1", &["XA"]),
    ("12.2", &["RF"]),
    ("13.1.3", &["MG", "CT"]),
    ("20", &["NM"]),
    ("66.4", &["SEG"]),
    ("77.1.6", &["SM"]),
    ("128", &["PT"]),
    ("130", &["PT"]),
    ("481.2", &["RTDOSE"]),
    ("481.3", &["RTSTRUCT"]),
    ("481.5", &["RTPLAN"]),
    ("88.33", &["SR"]),
];
const STORAGE: &str = "1.2.840.10008.5.1.4.1.1.";

pub(super) fn modality_fits_class(facts: &SeriesFacts) -> Verdict {
    let class = facts.sop_class().strip_prefix(STORAGE);
    let known = CLASSES.iter().find(|(known, _)| Some(*known) == class);
    let Some((_, modalities)) = known else {
        return Verdict::NotApplicable;
    };
    let modality = facts.modality();
    let fits = modalities.contains(&modality.as_str());
    Verdict::failed_if(
        if fits {
            0
        } else {
            facts.instances.len().max(1)
        },
        || format!("the SOP class is of {}", modalities.join(", ")),
        facts.instances.iter().map(|instance| instance.uid.as_str()),
    )
}
