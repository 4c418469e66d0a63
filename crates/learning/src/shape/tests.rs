//! Shape features of solids whose figures are known, drawn on a pixel grid as a reader would.

use std::f64::consts::PI;

use super::{FEATURES, features};
use crate::reading::{Contour, Ratings, Reading, Split};

/// A reading with these outlines.
pub(crate) fn reading(
    pixel_spacing_mm: f64,
    slice_spacing_mm: f64,
    contours: Vec<Contour>,
) -> Reading {
    let ratings = Ratings {
        subtlety: 5,
        internal_structure: 1,
        calcification: 6,
        sphericity: 4,
        margin: 4,
        lobulation: 1,
        spiculation: 1,
        texture: 5,
        malignancy: 4,
    };
    Reading {
        patient_id: "P1".into(),
        study_uid: "1.2".into(),
        series_uid: "1.2.3".into(),
        nodule: "1".into(),
        reader: 1,
        split: Split::Train,
        ratings,
        pixel_spacing_mm,
        slice_spacing_mm,
        contours,
    }
}

/// An ellipse of 400 points, rounded to whole pixels.
fn ellipse(z_mm: f64, [a, b]: [f64; 2]) -> Contour {
    let point = |step: i32| {
        let (sin, cos) = (f64::from(step) * PI / 200.0).sin_cos();
        [
            (2000.0 + a * cos).round() as i32,
            (2000.0 + b * sin).round() as i32,
        ]
    };
    Contour {
        z_mm,
        inclusion: true,
        points: (0..400).map(point).collect(),
    }
}

fn square(z_mm: f64, inclusion: bool, [from, to]: [i32; 2]) -> Contour {
    Contour {
        z_mm,
        inclusion,
        points: vec![[from, from], [to, from], [to, to], [from, to]],
    }
}

/// Compares with the expected features, each within its own part of 1.
fn check(name: &str, reading: &Reading, expect: [f64; FEATURES], tolerance: f64) {
    let found = features(reading).unwrap();
    for (at, (found, expect)) in found.iter().zip(expect).enumerate() {
        let feature = super::FEATURE_NAMES[at];
        assert!(
            (found - expect).abs() < tolerance,
            "{name} {feature}: {found}, expected {expect}"
        );
    }
}

#[test]
fn a_ball() {
    // Radius 20 mm in 80 slices of 0.5 mm, each through its middle; 0.05 mm pixels.
    let heights = (0..80).map(|slice| (f64::from(slice) - 39.5) * 0.5);
    let disc = |z: f64| ellipse(z, [(400.0 - z * z).sqrt() / 0.05; 2]);
    let ball = reading(0.05, 0.5, heights.map(disc).collect());
    let volume = 4.0 / 3.0 * PI * 8000.0;
    // Slice areas are 1 − t², t from −1 to 1: mean 2/3, mean square 8/15.
    let variation = ((8.0f64 / 15.0 - 4.0 / 9.0) / (4.0 / 9.0)).sqrt();
    check(
        "ball",
        &ball,
        [
            volume.ln(),
            40f64.ln(),
            1.0,
            variation,
            1.0,
            1.0,
            1.0,
            1.0,
            1.0,
        ],
        0.02,
    );
}

#[test]
fn a_cylinder() {
    // Elliptic base with axes 30 mm and 15 mm, height 10 mm in 10 slices.
    let base = [300.0, 150.0];
    let cylinder = reading(
        0.05,
        1.0,
        (0..10).map(|z| ellipse(f64::from(z), base)).collect(),
    );
    let area = PI * 15.0 * 7.5;
    // Ramanujan's approximation of the perimeter is exact to 1e-5 here.
    let perimeter = PI * (3.0 * 22.5 - ((3.0 * 15.0 + 7.5) * (15.0 + 3.0 * 7.5f64)).sqrt());
    let volume = area * 10.0;
    let surface = perimeter * 10.0 + 2.0 * area;
    // Points lie in the middle of slices, so the first and the last are 9 mm apart.
    let diameter = 30f64.hypot(9.0);
    let sphericity = (36.0 * PI * volume * volume).cbrt() / surface;
    let roundness = 4.0 * PI * area / (perimeter * perimeter);
    let expect = [
        volume.ln(),
        diameter.ln(),
        sphericity,
        0.0,
        roundness,
        1.0,
        1.0,
        0.5,
        10.0 / diameter,
    ];
    check("cylinder", &cylinder, expect, 0.02);
}

#[test]
fn a_square_in_one_slice_is_exact() {
    let slab = reading(0.5, 2.0, vec![square(-7.0, true, [10, 30])]);
    let volume: f64 = 200.0;
    let surface = 40.0 * 2.0 + 2.0 * 100.0;
    let diameter = 200f64.sqrt();
    let sphericity = (36.0 * PI * volume * volume).cbrt() / surface;
    let expect = [
        volume.ln(),
        diameter.ln(),
        sphericity,
        0.0,
        PI / 4.0,
        1.0,
        1.0,
        1.0,
        2.0 / diameter,
    ];
    check("slab", &slab, expect, 1e-12);
}

#[test]
fn a_hole_and_a_notch_lower_solidity() {
    let whole = features(&reading(1.0, 1.0, vec![square(0.0, true, [0, 10])])).unwrap();
    let hollow = [square(0.0, true, [0, 10]), square(0.0, false, [3, 8])];
    let hollow = features(&reading(1.0, 1.0, hollow.to_vec())).unwrap();
    assert!((hollow[0] - 75f64.ln()).abs() < 1e-12);
    assert!((hollow[6] - 0.75).abs() < 1e-12);
    assert_eq!(hollow[5], whole[5]);

    let notch = vec![[0, 0], [10, 0], [10, 10], [5, 5], [0, 10]];
    let notch = features(&reading(
        1.0,
        1.0,
        vec![Contour {
            points: notch,
            ..square(0.0, true, [0, 10])
        }],
    ))
    .unwrap();
    assert!((notch[6] - 0.75).abs() < 1e-12);
    assert!((notch[5] - 40.0 / (30.0 + 50f64.sqrt() * 2.0)).abs() < 1e-12);
}

#[test]
fn outlines_that_enclose_nothing_have_no_features() {
    let check = |contours: Vec<Contour>| assert_eq!(features(&reading(1.0, 1.0, contours)), None);
    check(vec![]);
    check(vec![Contour {
        points: vec![[5, 5]],
        ..square(0.0, true, [0, 1])
    }]);
    check(vec![Contour {
        points: vec![[0, 0], [3, 3], [9, 9]],
        ..square(0.0, true, [0, 1])
    }]);
    check(vec![square(0.0, false, [0, 10])]);
    check(vec![
        square(0.0, true, [0, 10]),
        square(0.0, false, [0, 10]),
    ]);
}

#[test]
fn the_order_of_slices_does_not_matter() {
    let mut contours: Vec<_> = (0..5)
        .map(|z| square(f64::from(z), true, [0, 10 + z]))
        .collect();
    let forward = features(&reading(0.7, 1.0, contours.clone())).unwrap();
    contours.swap(0, 3);
    contours.reverse();
    assert_eq!(features(&reading(0.7, 1.0, contours)).unwrap(), forward);
}
