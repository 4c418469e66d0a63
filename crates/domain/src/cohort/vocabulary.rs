//! Words that help to write: short names of fields, and values that fields with short lists of our own or of DICOM's hold. Any value
//! may be asked for; these are what is suggested.

use super::{Entity, Field};
use crate::model::typos;

/// Short names and the fields that they stand for.
const SHORT: [(&str, &str); 2] = [
    ("stage", "stage_group"),
    // Days from diagnosis to death, or to the last contact of the living.
    ("followed", "overall_survival_days"),
];

/// The name of the field that is meant.
pub(super) fn field_name(name: &str) -> &str {
    SHORT
        .iter()
        .find(|(short, _)| *short == name)
        .map_or(name, |(_, name)| name)
}

/// Short names, for completion.
pub(super) fn short_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHORT.into_iter()
}

/// The entity that a wrong name is one letter away from.
pub(super) fn near_entity(name: &str) -> Option<&'static str> {
    let mut names = Entity::ALL.into_iter().map(Entity::as_str);
    names.find(|known| name.len() <= known.len() + 1 && typos(name, known) <= 1)
}

/// Values by the names of their fields.
const WORDS: [(&str, &[&str]); 30] = [
    ("sex", &["F", "M", "O"]),
    ("menopausal_status", &["pre", "peri", "post"]),
    ("laterality", &["left", "right", "both", "midline"]),
    (
        "diagnosis_basis",
        &["histology", "cytology", "imaging", "clinical", "autopsy"],
    ),
    ("primary_tumour", YES_NO),
    ("stage_group", &["0", "I", "II", "III", "IV"]),
    ("t_category", &["T0", "Tis", "T1", "T2", "T3", "T4", "TX"]),
    ("n_category", &["N0", "N1", "N2", "N3", "NX"]),
    ("m_category", &["M0", "M1", "MX"]),
    ("stage_kind", &["clinical", "pathological"]),
    ("grade", &["G1", "G2", "G3", "G4", "GX", "low", "high"]),
    ("margins", &["negative", "close", "positive"]),
    ("residual_tumour", &["R0", "R1", "R2", "RX"]),
    (
        "biomarker_result",
        &["positive", "negative", "equivocal", "mutated", "wild"],
    ),
    ("er_status", &["positive", "negative"]),
    ("pr_status", &["positive", "negative"]),
    ("her2_status", &["positive", "negative", "equivocal"]),
    (
        "modality",
        &[
            "CT", "MR", "PT", "MG", "US", "CR", "DX", "NM", "XA", "SM", "SEG", "RTSTRUCT", "SR",
        ],
    ),
    ("image_laterality", &["L", "R", "U", "B"]),
    (
        "view_position",
        &["CC", "MLO", "ML", "LM", "AP", "PA", "LL"],
    ),
    ("synthetic", YES_NO),
    ("contrast", YES_NO),
    ("annotation_kind", &["SEG", "RTSTRUCT", "SR"]),
    (
        "annotation_maker",
        &["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"],
    ),
    ("recist_response", &["CR", "PR", "SD", "PD", "NE"]),
    (
        "bi_rads",
        &["0", "1", "2", "3", "4", "4A", "4B", "4C", "5", "6"],
    ),
    (
        "treatment_kind",
        &[
            "surgery",
            "radiotherapy",
            "chemotherapy",
            "hormone",
            "targeted",
            "immunotherapy",
            "ablation",
            "watchful",
        ],
    ),
    (
        "treatment_intent",
        &["curative", "palliative", "neoadjuvant", "adjuvant"],
    ),
    ("vital_status", &["alive", "dead"]),
    (
        "event_kind",
        &[
            "recurrence",
            "metastasis",
            "progression",
            "new_primary",
            "other",
        ],
    ),
];

const YES_NO: &[&str] = &["yes", "no"];

/// Values of a field that are worth suggesting to everybody.
#[must_use]
pub fn words_of(field: Field) -> &'static [&'static str] {
    if field.kind() == super::FieldKind::Flag {
        return YES_NO;
    }
    let known = WORDS.iter().find(|(name, _)| *name == field.as_str());
    known.map_or(&[], |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::{Field, SHORT, WORDS};

    #[test]
    fn every_name_is_a_field() {
        for name in WORDS.iter().map(|(name, _)| name) {
            assert!(Field::parse(name).is_ok(), "{name}");
        }
        for (short, name) in SHORT {
            assert!(Field::parse(name).is_ok() && Field::parse(short).is_err());
        }
    }
}
