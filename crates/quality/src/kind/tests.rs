//! Headers as scanners write them, and the kinds that they tell.

use serde_json::{Value, json};

use super::{Kind, recognise};
use crate::attributes::tests::attributes;

fn check(pairs: &[(&str, Value)], expect: Kind) {
    let found = recognise(&attributes(pairs));
    assert_eq!(found.kind, expect, "{pairs:?}");
    assert_eq!(
        found.evidence.is_empty(),
        expect == Kind::Unknown,
        "{found:?}"
    );
}

fn mr(more: &[(&'static str, Value)], expect: Kind) {
    let pairs = [&[("00080060", json!("MR"))], more].concat();
    check(&pairs, expect);
}

fn times(sequence: &str, echo: f64, repetition: f64, inversion: f64) -> Vec<(&'static str, Value)> {
    vec![
        ("00180020", json!(sequence)),
        ("00180081", json!(echo)),
        ("00180080", json!(repetition)),
        ("00180082", json!(inversion)),
    ]
}

#[test]
fn times_of_the_acquisition_tell_the_weighting() {
    mr(&times("SE", 12.0, 550.0, 0.0), Kind::T1);
    mr(&times("SE", 98.0, 4500.0, 0.0), Kind::T2);
    mr(&times("SE", 14.0, 3000.0, 0.0), Kind::ProtonDensity);
    mr(&times("IR", 120.0, 9000.0, 2500.0), Kind::Flair);
    mr(&times("GR", 2.3, 5.0, 0.0), Kind::T1);
    mr(&times("GR", 20.0, 700.0, 0.0), Kind::Susceptibility);
    mr(&times("SE", 45.0, 1500.0, 0.0), Kind::Unknown);
    let contrast = [("00180010", json!("GADOVIST"))];
    mr(
        &[times("GR", 2.3, 5.0, 0.0), contrast.to_vec()].concat(),
        Kind::T1Contrast,
    );
}

#[test]
fn what_the_acquisition_says_goes_before_what_people_wrote() {
    let described = [("0008103E", json!("T1 axial"))];
    mr(
        &[times("SE", 98.0, 4500.0, 0.0), described.to_vec()].concat(),
        Kind::T2,
    );
    mr(&described, Kind::T1);
}

#[test]
fn diffusion_maps_and_dynamics_are_told_apart() {
    mr(
        &[(
            "00080008",
            json!(["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]),
        )],
        Kind::Adc,
    );
    mr(
        &[("00080008", json!(["ORIGINAL", "PRIMARY", "DIFFUSION"]))],
        Kind::Diffusion,
    );
    mr(&[("00189087", json!(800))], Kind::Diffusion);
    mr(&[("00200105", json!(5))], Kind::DynamicContrast);
    mr(&[("0008103E", json!("localizer"))], Kind::Localizer);
    mr(&[], Kind::Unknown);
}

#[test]
fn ct_has_contrast_a_phase_and_a_kernel() {
    let ct = |more: &[(&'static str, Value)]| {
        let pairs = [&[("00080060", json!("CT"))], more].concat();
        let found = recognise(&attributes(&pairs));
        (found.kind, found.details.join(", "))
    };
    assert_eq!(ct(&[]), (Kind::CtNative, String::new()));
    assert_eq!(
        ct(&[
            ("00180010", json!("ULTRAVIST")),
            ("0008103E", json!("Liver PORTAL 3.0 B30f")),
            ("00181210", json!("B30f"))
        ]),
        (Kind::CtContrast, "portal venous, soft kernel".to_owned())
    );
    assert_eq!(ct(&[("00181210", json!("BONEPLUS"))]).1, "sharp kernel");
    assert_eq!(ct(&[("00181210", json!("FC51"))]).1, "sharp kernel");
    assert_eq!(
        ct(&[("00080008", json!(["ORIGINAL", "PRIMARY", "LOCALIZER"]))]).0,
        Kind::Localizer
    );
}

#[test]
fn pet_is_corrected_or_not() {
    let pet =
        |more: (&'static str, Value), expect| check(&[("00080060", json!("PT")), more], expect);
    pet(
        ("00280051", json!(["DECY", "ATTN", "SCAT"])),
        Kind::PetCorrected,
    );
    pet(("00280051", json!(["DECY"])), Kind::PetUncorrected);
    pet(("0008103E", json!("WB NAC")), Kind::PetUncorrected);
    pet(("0008103E", json!("WB")), Kind::Unknown);
}
