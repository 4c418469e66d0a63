//! Removing faces from synthetic heads: gone is what shows a face, kept is the brain, and what is not as it should be waits.

mod enhanced;
mod head;

use arno_codecs::InProcess;
use arno_dicom::planes::FunctionalGroups;
use arno_dicom::{Instance, check};
use arno_pixels::{
    CoarseSlice, Cut, MOST_SLICES, SliceBudget, WhyNot, deface, face_views, find_cut,
};
use dicom_dictionary_std::{tags, uids};
use enhanced::{FrameTypes, enhanced};
use head::{
    AXIAL, CHIN, CORONAL, EARS, EYES, NASION, NOSE_TIP, Part, SAGITTAL, Scan, V3, faceless,
    part_at, turned,
};

/// Of the brain, by volume.
const MOST_BRAIN_TOUCHED: f64 = 0.001;

fn cut_of(instances: &[Instance]) -> Result<Cut, WhyNot> {
    find_cut(small(instances)?)
}

fn small(instances: &[Instance]) -> Result<Vec<CoarseSlice>, WhyNot> {
    let budget = SliceBudget::default();
    let slices = instances
        .iter()
        .map(|one| CoarseSlice::of(one, &InProcess, &budget));
    let slices: Vec<Vec<CoarseSlice>> = slices.collect::<Result<_, _>>()?;
    Ok(slices.concat())
}

fn samples(instance: &Instance) -> Vec<u16> {
    let value = instance.pixels.as_ref().expect("pixels").value();
    let words = value.chunks_exact(2);
    words
        .map(|word| u16::from_le_bytes([word[0], word[1]]))
        .collect()
}

/// Takes the face off a head that is turned as `place` says (from the patient's coordinates to those of the head), and looks at
/// each pixel of each slice.
fn check_removed(scan: Scan, place: impl Fn(V3) -> V3, back: impl Fn(V3) -> V3) {
    let instances = scan.of(|point| part_at(place(point)));
    let cut = cut_of(&instances).expect("a face");
    for gone in [NOSE_TIP, CHIN, EYES[0], EYES[1], EARS[0], EARS[1]] {
        let is_ear = EARS.contains(&gone);
        assert!(
            cut.takes(back(gone)) || is_ear && !cut.takes_ears(),
            "{gone:?} of {scan:?}"
        );
    }
    let kept = [
        [0.0, 0.0, 88.0],
        [0.0, 94.0, 0.0],
        [0.0, -94.0, 20.0],
        [0.0, -20.0, -50.0],
        [0.0, 20.0, -180.0],
    ];
    for kept in kept {
        assert!(!cut.takes(back(kept)), "{kept:?} of {scan:?}");
    }
    let (mut brain, mut touched, mut face) = (0_u32, 0_u32, 0_u32);
    for (number, before) in instances.iter().enumerate() {
        let after = deface(before, &cut, &InProcess).expect("defaced");
        let pixels = samples(before).into_iter().zip(samples(&after.instance));
        for (at, (old, new)) in pixels.enumerate() {
            let columns = usize::from(scan.columns);
            let point = scan.point(number, at / columns, at % columns);
            let is_taken = cut.takes(point);
            assert_eq!(
                new,
                if is_taken {
                    if scan.modality == "CT" { 24 } else { 0 }
                } else {
                    old
                }
            );
            let part = part_at(place(point));
            brain += u32::from(part == Part::Brain);
            touched += u32::from(part == Part::Brain && is_taken);
            face += u32::from(part == Part::Soft && is_taken);
        }
    }
    assert!(
        f64::from(touched) <= MOST_BRAIN_TOUCHED * f64::from(brain),
        "{touched} of {brain}"
    );
    assert!(face > 0);
}

fn check_upright(scan: Scan) {
    check_removed(scan, |point| point, |point| point);
}

fn check_turned(scan: Scan, axis: usize, degrees: f64) {
    check_removed(
        scan,
        |point| turned(point, axis, -degrees),
        |point| turned(point, axis, degrees),
    );
}

#[test]
fn a_face_goes_from_slices_of_every_direction() {
    check_upright(AXIAL);
    check_upright(Scan {
        modality: "MR",
        ..AXIAL
    });
    check_upright(SAGITTAL);
    check_upright(CORONAL);
}

#[test]
fn heads_nod_lean_and_turn() {
    check_turned(AXIAL, 0, 12.0);
    check_turned(AXIAL, 0, -12.0);
    check_turned(AXIAL, 1, 8.0);
    check_turned(SAGITTAL, 2, -10.0);
}

#[test]
fn slices_may_be_oblique_and_the_gantry_tilted() {
    let [row, column] = AXIAL.directions;
    check_upright(Scan {
        directions: [row, turned(column, 0, 15.0)],
        step: turned(AXIAL.step, 0, 15.0),
        ..AXIAL
    });
    check_upright(Scan {
        directions: [row, turned(column, 0, 15.0)],
        ..AXIAL
    });
}

#[test]
fn the_root_of_the_nose_is_found_within_a_finger_s_breadth() {
    let cut = cut_of(&AXIAL.of(part_at)).unwrap();
    let json = serde_json::to_value(cut).unwrap();
    let found: V3 = serde_json::from_value(json["nasion_mm"].clone()).unwrap();
    let apart = |i: usize| (found[i] - NASION[i]).powi(2);
    let apart_mm = (apart(0) + apart(1) + apart(2)).sqrt();
    assert!(apart_mm < 8.0, "{found:?}");
    assert_eq!(serde_json::from_value::<Cut>(json).unwrap(), cut);
}

#[test]
fn the_order_of_files_and_repeats_of_a_place_change_nothing() {
    let instances = AXIAL.of(part_at);
    let cut = cut_of(&instances).unwrap();
    let mut shuffled: Vec<Instance> = instances.iter().rev().chain(&instances).cloned().collect();
    shuffled.swap(3, 40);
    assert_eq!(cut_of(&shuffled), Ok(cut));
}

fn check_waits(instances: &[Instance], why: WhyNot) {
    assert_eq!(cut_of(instances), Err(why));
}

#[test]
fn what_is_not_one_whole_head_waits() {
    let whole = AXIAL.of(part_at);
    let without = |range: std::ops::Range<usize>| -> Vec<Instance> {
        let kept = whole
            .iter()
            .enumerate()
            .filter(|(at, _)| !range.contains(at));
        kept.map(|(_, one)| one.clone()).collect()
    };
    check_waits(&[], WhyNot::TooFew);
    check_waits(&whole[..8], WhyNot::TooFew);
    check_waits(&without(40..41), WhyNot::Uneven);
    check_waits(&without(70..88), WhyNot::CutOff);
    check_waits(&AXIAL.of(|_| Part::Air), WhyNot::NoHead);
    check_waits(&AXIAL.of(faceless), WhyNot::NoFace);
    let mut mixed = whole.clone();
    mixed.extend(Scan { rows: 120, ..AXIAL }.of(part_at));
    check_waits(&mixed, WhyNot::Mixed);
}

#[test]
fn a_field_that_ends_at_the_brow_or_below_the_nose_waits() {
    let narrow = Scan {
        rows: 92,
        centre: [0.0, 0.0, -30.0],
        ..AXIAL
    };
    assert!(cut_of(&narrow.of(part_at)).is_err());
    let high = Scan {
        slices: 40,
        centre: [0.0, 0.0, 40.0],
        ..AXIAL
    };
    check_waits(&high.of(part_at), WhyNot::NoFace);
}

#[test]
fn a_head_that_does_not_lie_as_its_slices_say_waits() {
    let mirrored = |axis: usize| {
        move |point: V3| {
            let mut point = point;
            point[axis] = -point[axis];
            part_at(point)
        }
    };
    assert!(cut_of(&AXIAL.of(mirrored(1))).is_err(), "face down");
    let upside_down = Scan {
        centre: [0.0, 0.0, 30.0],
        ..AXIAL
    };
    assert!(cut_of(&upside_down.of(mirrored(2))).is_err(), "feet first");
    let turned = AXIAL.of(|point| part_at(turned(point, 2, 40.0)));
    assert_eq!(cut_of(&turned), Err(WhyNot::Tilted));
}

#[test]
fn other_modalities_and_pixels_wait() {
    let mut instance = AXIAL.of(part_at).swap_remove(40);
    let text = |tag, value: &str| dicom_core::DataElement::new(tag, dicom_core::VR::CS, value);
    let why = |instance: &Instance| small(std::slice::from_ref(instance)).map(|_| ());
    assert_eq!(why(&instance), Ok(()));
    instance
        .header
        .put(text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME1"));
    assert_eq!(why(&instance), Err(WhyNot::Pixels));
    instance
        .header
        .put(text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"));
    instance.header.put(text(tags::MODALITY, "PT"));
    assert_eq!(why(&instance), Err(WhyNot::Modality));
    instance.header.put(text(tags::MODALITY, "CT"));
    instance.header.remove_element(tags::IMAGE_POSITION_PATIENT);
    assert_eq!(why(&instance), Err(WhyNot::NoPlace));
}

fn image_type_of(instance: &Instance) -> String {
    let element = instance.header.get(tags::IMAGE_TYPE).expect("there");
    element.to_multi_str().expect("text").join("\\")
}

#[test]
fn a_slice_is_derived_only_where_it_was_cut() {
    let instances = AXIAL.of(part_at);
    let cut = cut_of(&instances).unwrap();
    let check_slice = |number: usize, image_type: &str, is_cut: bool| {
        let after = deface(&instances[number], &cut, &InProcess).unwrap();
        assert_eq!(image_type_of(&after.instance), image_type, "{number}");
        assert_eq!(after.pixels > 0, is_cut);
        let read = Instance::read(after.instance.write().into()).unwrap();
        assert_eq!(check(&read), Ok(()));
        assert_eq!(read.transfer_syntax, uids::EXPLICIT_VR_LITTLE_ENDIAN);
        assert_eq!(
            read.header.get(tags::SMALLEST_IMAGE_PIXEL_VALUE).is_none(),
            is_cut
        );
    };
    check_slice(36, "DERIVED\\PRIMARY\\AXIAL", true);
    check_slice(80, "ORIGINAL\\PRIMARY\\AXIAL", false);
}

#[test]
fn a_person_sees_the_head_before_and_after() {
    let slices = AXIAL.of(part_at);
    let cut = cut_of(&slices).unwrap();
    let picture = face_views(small(&slices).unwrap(), &cut).unwrap();
    assert_eq!(picture.channels(), Some(1));
    let (wide, half) = (usize::from(picture.columns), usize::from(picture.rows) / 2);
    let (before, after) = picture.bytes.split_at(wide * half);
    let lit = |tones: &[u8]| tones.iter().filter(|tone| **tone > 0).count();
    assert!(lit(before) > lit(after) && lit(after) > lit(before) / 2);
    // Foreheads are the same, down to above the root of the nose.
    let forehead = wide * (half * 35 / 100);
    assert_eq!(before[..forehead], after[..forehead]);
    assert_eq!(face_views(Vec::new(), &cut), None);
}

/// One enhanced instance of all slices of the scan is cut as the slices by themselves are.
fn check_enhanced(scan: Scan, types: FrameTypes, image_type: &str) {
    let slices = scan.of(part_at);
    let whole = enhanced(&slices, types);
    let cut = cut_of(std::slice::from_ref(&whole)).expect("a face");
    assert_eq!(cut_of(&slices), Ok(cut));
    let after = deface(&whole, &cut, &InProcess).expect("defaced");
    let alone = slices
        .iter()
        .map(|slice| deface(slice, &cut, &InProcess).expect("defaced"));
    let alone: Vec<_> = alone.collect();
    let pixels: Vec<u16> = alone
        .iter()
        .flat_map(|one| samples(&one.instance))
        .collect();
    assert!(samples(&after.instance) == pixels, "{scan:?}");
    assert_eq!(
        after.pixels,
        alone.iter().map(|one| one.pixels).sum::<u64>()
    );
    assert_eq!(image_type_of(&after.instance), image_type);
    let read = Instance::read(after.instance.write().into()).expect("our own");
    assert_eq!(check(&read), Ok(()));
    let expect: Vec<String> = match types {
        FrameTypes::PerFrame => alone
            .iter()
            .map(|one| image_type_of(&one.instance))
            .collect(),
        FrameTypes::Shared => vec![image_type.to_owned(); slices.len()],
    };
    assert_eq!(types_of_frames(&read), expect);
}

fn types_of_frames(instance: &Instance) -> Vec<String> {
    let groups = FunctionalGroups::of(&instance.header);
    let kinds = [
        tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
        tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
    ];
    let types = groups.frames.iter().map(|frame| {
        let item = kinds.iter().find_map(|tag| groups.group(frame, *tag));
        let kind = item.expect("a type").get(tags::FRAME_TYPE).expect("a type");
        kind.to_multi_str().expect("text").join("\\")
    });
    types.collect()
}

#[test]
fn frames_of_an_enhanced_instance_are_slices() {
    check_enhanced(AXIAL, FrameTypes::PerFrame, "MIXED\\PRIMARY\\AXIAL");
    check_enhanced(SAGITTAL, FrameTypes::Shared, "DERIVED\\PRIMARY\\AXIAL");
}

#[test]
fn volumes_of_one_enhanced_instance_are_cut_alike() {
    let slices = AXIAL.of(part_at);
    let twice = enhanced(&[&slices[..], &slices].concat(), FrameTypes::Shared);
    let cut = cut_of(std::slice::from_ref(&twice)).expect("a face");
    let after = samples(&deface(&twice, &cut, &InProcess).unwrap().instance);
    let (first, second) = after.split_at(after.len() / 2);
    assert!(first == second && samples(&twice) != after);
}

#[test]
fn an_enhanced_instance_of_which_a_frame_has_no_place_or_too_many_waits() {
    let mut nowhere = AXIAL.of(part_at);
    nowhere[40].header.put(dicom_core::DataElement::new(
        tags::IMAGE_POSITION_PATIENT,
        dicom_core::VR::DS,
        "",
    ));
    check_waits(&[enhanced(&nowhere, FrameTypes::Shared)], WhyNot::NoPlace);
    let tiny = Scan {
        rows: 4,
        columns: 4,
        slices: MOST_SLICES / 2 + 1,
        ..AXIAL
    };
    let many = enhanced(&tiny.of(part_at), FrameTypes::Shared);
    check_waits(&[many.clone(), many], WhyNot::TooLarge);
}
