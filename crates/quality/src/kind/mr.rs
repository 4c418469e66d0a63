//! MR: diffusion, ADC, dynamic contrast, then weighting by inversion, echo and repetition time.

use super::{Hints, Kind, Recognised};
use crate::attributes::Attributes;

/// Echo Time (0018,0081), Repetition Time (0018,0080), Inversion Time (0018,0082), Flip Angle (0018,1314), in ms and degrees.
const ECHO_TIME: &str = "00180081";
const REPETITION_TIME: &str = "00180080";
const INVERSION_TIME: &str = "00180082";
/// Scanning Sequence (0018,0020).
const SCANNING_SEQUENCE: &str = "00180020";
/// Diffusion b-value (0018,9087).
const B_VALUE: &str = "00189087";
/// Contrast/Bolus Agent (0018,0010).
const CONTRAST: &str = "00180010";
/// Number of Temporal Positions (0020,0105).
const TEMPORAL_POSITIONS: &str = "00200105";

/// Echo times from here on weight by T2 (spin echo).
const LONG_ECHO_MS: f64 = 60.0;
/// Echo times up to here do not.
const SHORT_ECHO_MS: f64 = 35.0;
/// Repetition times from here on hide T1.
const LONG_REPETITION_MS: f64 = 2000.0;
/// Repetition times up to here weight by T1.
const SHORT_REPETITION_MS: f64 = 1000.0;
/// Inversion times from here on null fluid.
const FLUID_INVERSION_MS: f64 = 1600.0;
/// Gradient echoes from here on weight by T2*.
const LONG_GRADIENT_ECHO_MS: f64 = 12.0;
/// More time points than a series before and after contrast has.
const LEAST_TIME_POINTS: f64 = 3.0;

pub(super) fn recognise(attributes: &Attributes, hints: &Hints) -> Recognised {
    special(attributes, hints)
        .or_else(|| weighting(attributes, hints))
        .or_else(|| described(hints))
        .unwrap_or_else(Recognised::unknown)
}

/// What Image Type and attributes of their own tell.
fn special(attributes: &Attributes, hints: &Hints) -> Option<Recognised> {
    if hints.is_type(&["LOCALIZER"]) || hints.says_beginning(&["LOCALI", "SCOUT", "SURVEY"]) {
        return Some(Recognised::of(
            Kind::Localizer,
            &["ImageType or a description says localizer"],
        ));
    }
    if hints.is_type(&["ADC", "ADC_UNSPECIFIED"]) || hints.says(&["ADC", "DADC", "EADC"]) {
        return Some(Recognised::of(
            Kind::Adc,
            &["ImageType or a description says ADC"],
        ));
    }
    if hints.is_type(&["SUBTRACT", "SUBTRACTION", "MIP", "PROJECTION IMAGE"]) {
        return Some(Recognised::of(
            Kind::Derived,
            &["ImageType says a computed picture"],
        ));
    }
    let is_diffusion = hints.is_type(&["DIFFUSION", "TRACEW", "DWI"])
        || attributes.number(B_VALUE).is_some()
        || hints.says_beginning(&["DWI", "DIFF", "EP_B", "TRACEW"])
        || hints.says(&["DTI"]);
    if is_diffusion {
        let evidence = match attributes.number(B_VALUE) {
            Some(_) => "a b-value is given",
            None => "ImageType, sequence or a description says diffusion",
        };
        return Some(Recognised::of(Kind::Diffusion, &[evidence]));
    }
    let time_points = attributes.number(TEMPORAL_POSITIONS).unwrap_or_default();
    if time_points >= LEAST_TIME_POINTS || hints.says(&["DCE", "DYN", "DYNAMIC", "VIBRANT"]) {
        let evidence = match time_points >= LEAST_TIME_POINTS {
            true => "NumberOfTemporalPositions is 3 or more",
            false => "a description says dynamic",
        };
        return Some(Recognised::of(Kind::DynamicContrast, &[evidence]));
    }
    let is_susceptible = hints.says(&["SWI", "SWAN", "T2*", "HEMO"]) || hints.is_type(&["SWI"]);
    is_susceptible
        .then(|| Recognised::of(Kind::Susceptibility, &["a description says susceptibility"]))
}

/// What the times of the acquisition tell.
fn weighting(attributes: &Attributes, hints: &Hints) -> Option<Recognised> {
    let echo = attributes.number(ECHO_TIME).filter(|time| *time > 0.0)?;
    let repetition = attributes
        .number(REPETITION_TIME)
        .filter(|time| *time > 0.0)?;
    let inversion = attributes.number(INVERSION_TIME).unwrap_or_default();
    let sequence: Vec<String> = attributes.texts(SCANNING_SEQUENCE);
    let is_gradient =
        sequence.iter().any(|value| value == "GR") && !sequence.iter().any(|value| value == "SE");
    let kind = match (is_gradient, echo, repetition) {
        _ if inversion >= FLUID_INVERSION_MS && echo >= LONG_ECHO_MS => Kind::Flair,
        (true, echo, _) if echo >= LONG_GRADIENT_ECHO_MS => Kind::Susceptibility,
        (true, _, _) => Kind::T1,
        (false, echo, repetition) if echo >= LONG_ECHO_MS && repetition >= LONG_REPETITION_MS => {
            Kind::T2
        }
        (false, echo, repetition) if echo <= SHORT_ECHO_MS && repetition <= SHORT_REPETITION_MS => {
            Kind::T1
        }
        (false, echo, repetition) if echo <= SHORT_ECHO_MS && repetition >= LONG_REPETITION_MS => {
            Kind::ProtonDensity
        }
        _ => return None,
    };
    let mut found = Recognised::of(kind, &[]);
    found.evidence.push(format!(
        "EchoTime is {echo:.0} ms, RepetitionTime {repetition:.0} ms"
    ));
    if inversion > 0.0 {
        found
            .evidence
            .push(format!("InversionTime is {inversion:.0} ms"));
    }
    Some(with_contrast(found, attributes, hints))
}

fn with_contrast(mut found: Recognised, attributes: &Attributes, hints: &Hints) -> Recognised {
    let has_agent = attributes.text(CONTRAST).is_some();
    if found.kind == Kind::T1 && (has_agent || hints.says(&["GD", "+C", "POST", "KM", "CE"])) {
        found.kind = Kind::T1Contrast;
        found.evidence.push(match has_agent {
            true => "ContrastBolusAgent is given".to_owned(),
            false => "a description says contrast".to_owned(),
        });
    }
    found
}

/// What is left is what people wrote.
fn described(hints: &Hints) -> Option<Recognised> {
    let kind = if hints.says_beginning(&["FLAIR"]) {
        Kind::Flair
    } else if hints.says_beginning(&["T1", "MPRAGE", "VIBE"]) {
        Kind::T1
    } else if hints.says_beginning(&["T2", "HASTE", "SSFSE"]) {
        Kind::T2
    } else if hints.says(&["PD", "PDW"]) {
        Kind::ProtonDensity
    } else {
        return None;
    };
    Some(Recognised::of(kind, &["a description says so"]))
}
