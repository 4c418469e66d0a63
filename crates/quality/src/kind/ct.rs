//! CT: localizers, contrast and its phase, kernel.

use super::{Hints, Kind, Recognised};
use crate::attributes::Attributes;

/// Contrast/Bolus Agent (0018,0010), its sequence (0018,0012), Volume (0018,1041), Route (0018,1040).
const CONTRAST: [&str; 2] = ["00180010", "00181041"];
const CONTRAST_AGENT_SEQUENCE: &str = "00180012";
/// Convolution Kernel (0018,1210).
const KERNEL: &str = "00181210";
/// Digits of a maker's kernel from which on edges are enhanced (Siemens B60, Br59 …).
const SHARP_FROM: u32 = 60;
/// And up to which noise is smoothed.
const SOFT_TO: u32 = 40;

/// Words for phases, as people write them.
const PHASES: [(&str, &[&str]); 5] = [
    (
        "native",
        &[
            "NATIVE",
            "NATIV",
            "UNENHANCED",
            "NONCONTRAST",
            "NC",
            "PLAIN",
        ],
    ),
    ("arterial", &["ARTERIAL", "ART", "ARTERIELL"]),
    (
        "portal venous",
        &[
            "PORTAL",
            "VENOUS",
            "VEN",
            "PV",
            "PVP",
            "PORTALVENOUS",
            "PORTOVENOUS",
        ],
    ),
    ("delayed", &["DELAYED", "DELAY", "LATE", "EQUILIBRIUM"]),
    ("nephrographic", &["NEPHROGRAPHIC", "EXCRETORY"]),
];

pub(super) fn recognise(attributes: &Attributes, hints: &Hints) -> Recognised {
    if hints.is_type(&["LOCALIZER"]) {
        return Recognised::of(Kind::Localizer, &["ImageType holds LOCALIZER"]);
    }
    if hints.is_type(&["SCREEN SAVE", "SECONDARY"])
        && hints.is_type(&["DERIVED"])
        && !hints.is_type(&["AXIAL"])
    {
        return Recognised::of(Kind::Derived, &["ImageType is DERIVED\\SECONDARY"]);
    }
    let agent = CONTRAST.iter().any(|tag| {
        let text = attributes.word(tag).unwrap_or_default();
        let number = attributes.number(tag).unwrap_or_default();
        (!text.is_empty() && !matches!(text.as_str(), "NO" | "NONE" | "N" | "0")) || number > 0.0
    });
    let agent = agent || !attributes.items(CONTRAST_AGENT_SEQUENCE).is_empty();
    let phase = PHASES.iter().find(|(_, words)| hints.says(words));
    let mut found = match (agent, phase) {
        (true, _) => Recognised::of(Kind::CtContrast, &["ContrastBolusAgent is given"]),
        (false, Some((phase, _))) if *phase != "native" => {
            Recognised::of(Kind::CtContrast, &["a description names a contrast phase"])
        }
        (false, _) => Recognised::of(Kind::CtNative, &["no contrast agent is given"]),
    };
    found
        .details
        .extend(phase.map(|(phase, _)| (*phase).to_owned()));
    if let Some(kernel) = kernel(attributes) {
        found.details.push(kernel.to_owned());
        found.evidence.push("ConvolutionKernel".to_owned());
    }
    found
}

/// Whether a kernel smooths or sharpens, by the makers' names.
fn kernel(attributes: &Attributes) -> Option<&'static str> {
    let name = attributes.word(KERNEL)?;
    const SHARP: [&str; 6] = ["BONE", "LUNG", "EDGE", "DETAIL", "SHARP", "YC"];
    const SOFT: [&str; 4] = ["STANDARD", "SOFT", "SMOOTH", "STND"];
    if SHARP.iter().any(|word| name.contains(word)) {
        return Some("sharp kernel");
    }
    if SOFT.iter().any(|word| name.contains(word)) {
        return Some("soft kernel");
    }
    let digits: String = name
        .chars()
        .skip_while(|char| !char.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let is_canon = name.starts_with("FC");
    let number: u32 = digits.parse().ok()?;
    match number {
        // Canon counts otherwise: FC01 to FC19 are of the body, FC30 and more of bone and lung.
        number if is_canon => Some(if number < 20 {
            "soft kernel"
        } else {
            "sharp kernel"
        }),
        number if number >= SHARP_FROM => Some("sharp kernel"),
        number if number <= SOFT_TO => Some("soft kernel"),
        _ => Some("medium kernel"),
    }
}
