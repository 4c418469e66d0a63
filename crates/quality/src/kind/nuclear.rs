//! PET: with or without correction for attenuation (PS3.3 C.8.9.1, Corrected Image).

use super::{Hints, Kind, Recognised};
use crate::attributes::Attributes;

/// Corrected Image (0028,0051).
const CORRECTED_IMAGE: &str = "00280051";
/// Attenuation Correction Method (0054,1101).
const METHOD: &str = "00541101";
/// Units (0054,1001).
const UNITS: &str = "00541001";

pub(super) fn recognise(attributes: &Attributes, hints: &Hints) -> Recognised {
    if hints.modality == "NM" {
        return Recognised::unknown();
    }
    let corrections = attributes.texts(CORRECTED_IMAGE);
    let mut found = if !corrections.is_empty() {
        let is_corrected = corrections.iter().any(|value| value == "ATTN");
        let (kind, evidence) = match is_corrected {
            true => (Kind::PetCorrected, "CorrectedImage holds ATTN"),
            false => (Kind::PetUncorrected, "CorrectedImage lacks ATTN"),
        };
        Recognised::of(kind, &[evidence])
    } else if let Some(method) = attributes.word(METHOD) {
        match method.as_str() {
            "NONE" => Recognised::of(
                Kind::PetUncorrected,
                &["AttenuationCorrectionMethod is NONE"],
            ),
            _ => Recognised::of(
                Kind::PetCorrected,
                &["AttenuationCorrectionMethod is given"],
            ),
        }
    } else if hints.says(&["NAC", "UNCORRECTED"]) {
        Recognised::of(Kind::PetUncorrected, &["a description says uncorrected"])
    } else if hints.says(&["AC"]) {
        Recognised::of(Kind::PetCorrected, &["a description says corrected"])
    } else {
        return Recognised::unknown();
    };
    if attributes.word(UNITS).as_deref() == Some("BQML") {
        found.details.push("becquerel per millilitre".to_owned());
    }
    found
}
