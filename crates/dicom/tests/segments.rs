//! Segmentations as small generated headers: kinds, segments, frames, limits.

mod support;

use arno_dicom::{
    Geometry, Instance,
    planes::planes,
    segments::{MAX_SEGMENTS, SegmentError, SegmentationKind, SourceFrame, segmentation},
};
use support::Coding;

const BINARY_CLASS: &str = "1.2.840.10008.5.1.4.1.1.66.4";
const LABEL_MAP_CLASS: &str = "1.2.840.10008.5.1.4.1.1.66.7";

fn code(coding: Coding, meaning: &str) -> Vec<u8> {
    coding.item(&coding.text((0x0008, 0x0104), "LO", meaning))
}

fn segment(coding: Coding, number: u16, label: &str) -> Vec<u8> {
    let color: Vec<u8> = [65_535, 32_896, 32_896]
        .into_iter()
        .flat_map(|part| coding.u16(part))
        .collect();
    let content = [
        coding.number((0x0062, 0x0004), number),
        coding.text((0x0062, 0x0005), "LO", label),
        coding.element((0x0062, 0x000D), "US", &color),
        coding.sequence((0x0062, 0x000F), &code(coding, "Liver")),
    ];
    coding.item(&content.concat())
}

/// A frame of a segment at a height, derived from images.
fn frame(coding: Coding, number: Option<u16>, z: &str, sources: &[&str]) -> Vec<u8> {
    let source = |uid: &&str| {
        let name = coding.text((0x0008, 0x1155), "UI", uid);
        coding.item(&[name, coding.text((0x0008, 0x1160), "IS", "3")].concat())
    };
    let sources: Vec<u8> = sources.iter().flat_map(source).collect();
    let derivation = coding.item(&coding.sequence((0x0008, 0x2112), &sources));
    let position = coding.text((0x0020, 0x0032), "DS", &format!("1\\2\\{z}"));
    let mut content = coding.sequence((0x0008, 0x9124), &derivation);
    content.extend(coding.sequence((0x0020, 0x9113), &coding.item(&position)));
    if let Some(number) = number {
        let item = coding.item(&coding.number((0x0062, 0x000B), number));
        content.extend(coding.sequence((0x0062, 0x000A), &item));
    }
    coding.item(&content)
}

fn shared(coding: Coding) -> Vec<u8> {
    let orientation = coding.text((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0");
    let spacing = coding.text((0x0028, 0x0030), "DS", "2\\3");
    let groups = [
        coding.sequence((0x0020, 0x9116), &coding.item(&orientation)),
        coding.sequence((0x0028, 0x9110), &coding.item(&spacing)),
    ];
    coding.item(&groups.concat())
}

fn read(coding: Coding, class: &str, kind: &str, segments: &[u8], frames: &[u8]) -> Instance {
    let set = [
        coding.text((0x0008, 0x0016), "UI", class),
        coding.text((0x0008, 0x0018), "UI", "1.2.3.4.5"),
        coding.text((0x0020, 0x0052), "UI", "1.2.3.9"),
        coding.text((0x0062, 0x0001), "CS", kind),
        coding.sequence((0x0062, 0x0002), segments),
        coding.number((0x0062, 0x000E), 200),
        coding.sequence((0x5200, 0x9229), &shared(coding)),
        coding.sequence((0x5200, 0x9230), frames),
    ];
    Instance::read(coding.file(&set.concat()).into()).expect("readable")
}

#[test]
fn kinds_are_told_apart() {
    let check = |class: &str, kind: &str, expect: Result<SegmentationKind, SegmentError>| {
        let instance = read(Coding::Explicit, class, kind, &[], &[]);
        assert_eq!(
            segmentation(&instance.header).map(|table| table.kind),
            expect,
            "{kind}"
        );
    };
    check(BINARY_CLASS, "BINARY", Ok(SegmentationKind::Binary));
    check(
        BINARY_CLASS,
        "FRACTIONAL",
        Ok(SegmentationKind::Fractional { maximum: 200 }),
    );
    check(LABEL_MAP_CLASS, "LABELMAP", Ok(SegmentationKind::LabelMap));
    check(BINARY_CLASS, "LABELMAP", Ok(SegmentationKind::LabelMap));
    check(BINARY_CLASS, "NEWS", Err(SegmentError::NotSegmentation));
    check(
        "1.2.840.10008.5.1.4.1.1.2",
        "",
        Err(SegmentError::NotSegmentation),
    );
}

#[test]
fn segments_and_the_places_of_frames_are_read_in_every_coding() {
    for coding in support::CODINGS {
        let segments = [segment(coding, 1, "Tumour"), segment(coding, 7, "")].concat();
        let frames = [
            frame(coding, Some(7), "30", &["1.2.8"]),
            frame(coding, Some(1), "33.5", &["1.2.8", "1.2.9"]),
            frame(coding, Some(1), "no number", &[]),
        ];
        let table =
            segmentation(&read(coding, BINARY_CLASS, "BINARY", &segments, &frames.concat()).header);
        let table = table.expect("a segmentation");
        assert_eq!(table.frame_of_reference.as_deref(), Some("1.2.3.9"));
        let named: Vec<_> = table
            .segments
            .iter()
            .map(|s| (s.number, s.label.as_str(), s.property.as_str()))
            .collect();
        assert_eq!(named, [(1, "Tumour", "Liver"), (7, "", "Liver")]);
        assert_eq!(table.segments[0].color_rgb, Some([255, 255, 255]));
        let [first, second, third] = &table.frames[..] else {
            panic!("three frames");
        };
        assert_eq!((first.segment, second.segment), (Some(7), Some(1)));
        let source = SourceFrame {
            instance_uid: "1.2.8".to_owned(),
            frame: 3,
        };
        assert_eq!(
            (&first.source, &second.source),
            (&Some(source), &None),
            "of several none is the slice"
        );
        let place = Geometry {
            position_mm: [1.0, 2.0, 33.5],
            orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            spacing_mm: [2.0, 3.0],
        };
        assert_eq!((second.geometry, third.geometry), (Some(place), None));
    }
}

#[test]
fn a_label_map_has_no_segment_per_frame_and_its_frames_have_places() {
    let coding = Coding::Explicit;
    let frames = frame(coding, None, "5", &[]);
    let instance = read(
        coding,
        LABEL_MAP_CLASS,
        "LABELMAP",
        &segment(coding, 3, "x"),
        &frames,
    );
    let table = segmentation(&instance.header).expect("a segmentation");
    assert_eq!((table.frames.len(), table.frames[0].segment), (1, None));
    assert_eq!(planes(&instance.header), [table.frames[0].geometry]);
}

#[test]
fn there_are_not_too_many_segments() {
    let coding = Coding::Explicit;
    let of = |count: usize| {
        coding
            .item(&coding.number((0x0062, 0x0004), 1))
            .repeat(count)
    };
    let found = MAX_SEGMENTS + 1;
    let check = |count: usize, expect: Option<SegmentError>| {
        let instance = read(coding, BINARY_CLASS, "BINARY", &of(count), &[]);
        assert_eq!(segmentation(&instance.header).err(), expect, "{count}");
    };
    check(MAX_SEGMENTS, None);
    check(found, Some(SegmentError::TooManySegments { found }));
}

#[test]
fn a_single_image_has_one_plane_if_it_says_where() {
    let coding = Coding::Explicit;
    let check = |orientation: &str, spacing: &str, expect: bool| {
        let set = [
            coding.text((0x0020, 0x0032), "DS", "1\\2\\3"),
            coding.text((0x0020, 0x0037), "DS", orientation),
            coding.text((0x0028, 0x0030), "DS", spacing),
        ];
        let instance = Instance::read(coding.file(&set.concat()).into()).expect("readable");
        let found = planes(&instance.header);
        assert_eq!(
            (found.len(), found[0].is_some()),
            (1, expect),
            "{orientation} {spacing}"
        );
    };
    check("1\\0\\0\\0\\1\\0", "1\\1", true);
    check("1\\0\\0\\1\\0\\0", "1\\1", false);
    check("1\\0\\0\\0\\1\\0", "0\\1", false);
    check("1\\0\\0\\0\\1\\0", "1", false);
}
