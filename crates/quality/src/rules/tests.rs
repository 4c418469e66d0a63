//! One series that keeps every rule, and what each kind of dirt does to it.

use serde_json::{Value, json};

use super::{RULES, Rule, check_series};
use crate::{
    attributes::tests::attributes,
    facts::{InstanceFacts, KeptSeries, Plane, ReferencedSeries, SeriesFacts, Twin},
};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const SEG: &str = "1.2.840.10008.5.1.4.1.1.66.4";
const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

fn plane(z: f64) -> Plane {
    Plane {
        position_mm: [-100.0, -100.0, z],
        orientation: AXIAL,
        spacing_mm: [0.7, 0.7],
    }
}

fn slice(number: i64) -> InstanceFacts {
    InstanceFacts {
        uid: format!("2.25.{number}"),
        sop_class: CT.into(),
        number: Some(number),
        plane: Some(plane(number as f64 * 2.0)),
        matrix: [512, 512],
        frames: 1,
        has_pixels: true,
        is_readable: true,
    }
}

fn header(more: &[(&'static str, Value)]) -> crate::Attributes {
    let pairs = [
        ("00080060", json!("CT")),
        ("00180015", json!("CHEST")),
        ("00100040", json!("F")),
        ("00101010", json!("061Y")),
    ];
    attributes(&[&pairs, more].concat())
}

fn good() -> SeriesFacts {
    SeriesFacts {
        instances: (1..=12).map(slice).collect(),
        attributes: header(&[]),
        ..SeriesFacts::default()
    }
}

/// Rules that a series breaks, with how often.
fn broken(facts: &SeriesFacts) -> Vec<(String, u64)> {
    let failed = check_series(facts).failed.into_iter();
    failed
        .map(|(rule, failure)| (rule, failure.count))
        .collect()
}

fn check(change: impl FnOnce(&mut SeriesFacts), expect: &[(&str, u64)]) {
    let mut facts = good();
    change(&mut facts);
    let expect: Vec<_> = expect
        .iter()
        .map(|(rule, count)| ((*rule).to_owned(), *count))
        .collect();
    assert_eq!(broken(&facts), expect);
}

#[test]
fn a_good_series_keeps_every_rule() {
    check(|_| (), &[]);
    let report = check_series(&good());
    assert!(
        report.passed.contains(&"slice_gap".to_owned()),
        "{report:?}"
    );
    assert!(
        !report.passed.contains(&"segmentation_fits".to_owned()),
        "it is none"
    );
}

#[test]
fn ids_are_unique_words() {
    for rule in &RULES {
        assert_eq!(Rule::of(rule.id).unwrap().title, rule.title);
        assert!(
            rule.id
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
        );
    }
}

#[test]
fn missing_slices_are_counted() {
    check(
        |facts| {
            facts.instances.remove(5);
        },
        &[("series_complete", 1), ("slice_gap", 1)],
    );
    check(
        |facts| {
            facts.instances.remove(0);
        },
        &[("series_complete", 1)],
    );
    check(
        |facts| facts.attributes = header(&[("00201209", json!(14))]),
        &[("expected_count", 2)],
    );
}

#[test]
fn numbers_through_a_whole_study_or_by_two_are_no_holes() {
    let renumber = |facts: &mut SeriesFacts, of: fn(i64) -> i64| {
        for instance in &mut facts.instances {
            instance.number = instance.number.map(of);
        }
    };
    check(|facts| renumber(facts, |number| number + 400), &[]);
    check(|facts| renumber(facts, |number| number * 2), &[]);
    check(|facts| renumber(facts, |number| number * 1000), &[]);
}

#[test]
fn two_images_in_one_place_are_an_overlap_unless_all_places_hold_two() {
    check(
        |facts| facts.instances.push(slice(4)),
        &[("instance_number_once", 1), ("slice_overlap", 1)],
    );
    check(
        |facts| {
            let second = facts.instances.clone().into_iter().map(|mut slice| {
                slice.number = slice.number.map(|number| number + 12);
                slice
            });
            facts.instances.extend(second.collect::<Vec<_>>());
        },
        &[],
    );
}

#[test]
fn slices_that_are_not_alike_are_told() {
    check(
        |facts| {
            let plane = facts.instances[2].plane.as_mut().unwrap();
            plane.orientation = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        },
        &[("one_orientation", 1)],
    );
    check(
        |facts| facts.instances[2].plane.as_mut().unwrap().spacing_mm = [0.5, 0.5],
        &[("one_spacing", 1)],
    );
    check(
        |facts| facts.instances[2].matrix = [256, 256],
        &[("one_matrix", 1)],
    );
    check(
        |facts| facts.instances[0].plane = None,
        &[("geometry_known", 1)],
    );
    check(
        |facts| facts.instances[2].is_readable = false,
        &[("pixels_readable", 1)],
    );
}

#[test]
fn dirt_in_the_header_is_told_without_quoting_it() {
    let with = |tag: &'static str, value: Value| {
        move |facts: &mut SeriesFacts| {
            facts.attributes = attributes(&[
                ("00080060", json!("CT")),
                ("00180015", json!("CHEST")),
                (tag, value),
            ]);
        }
    };
    check(with("00100040", json!("6657")), &[("sex_value", 1)]);
    check(with("00100040", json!("0000")), &[("sex_value", 1)]);
    check(with("00101010", json!("999Y")), &[("age_value", 1)]);
    check(
        with("00080060", json!("MR")),
        &[("modality_fits_class", 12), ("kind_known", 1)],
    );
    check(with("00180015", json!("RUMPF")), &[("body_part_known", 1)]);
    let mut facts = good();
    with("00100040", json!("6657"))(&mut facts);
    let text = serde_json::to_string(&check_series(&facts).failed).unwrap();
    assert!(!text.contains("6657"), "{text}");
}

#[test]
fn twins_are_exact_or_near() {
    let twin = |same_instances| Twin {
        series_uid: "2.25.99".into(),
        same_instances,
    };
    check(
        move |facts| facts.twins = vec![twin(3)],
        &[("exact_duplicate", 1)],
    );
    check(
        move |facts| facts.twins = vec![twin(0)],
        &[("near_duplicate", 1)],
    );
}

fn segmentation(kept: Option<KeptSeries>) -> SeriesFacts {
    let mut instance = slice(1);
    instance.sop_class = SEG.into();
    instance.plane = None;
    SeriesFacts {
        instances: vec![instance],
        attributes: attributes(&[("00080060", json!("SEG")), ("00200052", json!("1.2.3"))]),
        frames: vec![plane(2.0), plane(4.0)],
        references: vec![ReferencedSeries {
            series_uid: "2.25.7".into(),
            kept,
        }],
        ..SeriesFacts::default()
    }
}

#[test]
fn a_segmentation_fits_its_images() {
    let kept = || KeptSeries {
        frame_of_reference: Some("1.2.3".into()),
        plane: Some(plane(0.0)),
        matrix: [512, 512],
        has_all_instances: true,
    };
    let of = |change: fn(&mut KeptSeries)| {
        let mut kept = kept();
        change(&mut kept);
        broken(&segmentation(Some(kept)))
    };
    let misfit = vec![("segmentation_fits".to_owned(), 1)];
    assert_eq!(of(|_| ()), []);
    assert_eq!(
        of(|kept| kept.frame_of_reference = Some("1.2.4".into())),
        misfit
    );
    assert_eq!(of(|kept| kept.matrix = [256, 256]), misfit);
    assert_eq!(
        of(|kept| kept.plane.as_mut().unwrap().spacing_mm = [1.4, 1.4]),
        misfit
    );
    let lost = vec![("references_kept".to_owned(), 1)];
    assert_eq!(of(|kept| kept.has_all_instances = false), lost);
    assert_eq!(broken(&segmentation(None)), lost);
}
