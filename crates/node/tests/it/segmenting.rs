//! Segmentations on series: which there are, on which slice each frame lies, and their pixels by the route of frames.

use arno_protocol::node::{
    SeriesDetail,
    segmentations::{SegmentationKind, SeriesPlacement, SeriesSegmentation},
};
use axum::http::StatusCode;

use crate::api::Api;
use crate::support::dicom::{EDGE, MEIER, NOVAK, Slice, long, part_10, series, text};

const SEG: &str = "1.2.840.10008.5.1.4.1.1.66.4";
const LABEL_MAP: &str = "1.2.840.10008.5.1.4.1.1.66.7";

fn number(tag: u32, value: u16) -> Vec<u8> {
    let header = [
        &tag.to_le_bytes()[2..],
        &tag.to_le_bytes()[..2],
        b"US\x02\x00",
    ]
    .concat();
    [&header[..], &value.to_le_bytes()].concat()
}

fn sequence(tag: u32, items: &[Vec<u8>]) -> Vec<u8> {
    let item = |content: &Vec<u8>| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0], &length[..], content].concat()
    };
    long(
        tag,
        "SQ",
        &items.iter().map(item).collect::<Vec<_>>().concat(),
    )
}

/// A frame for each slice: of a segment, or none; the slice by name, or by its place alone.
struct Frame {
    segment: Option<u16>,
    slice: Slice,
    by_name: bool,
}

impl Frame {
    fn group(&self) -> Vec<u8> {
        let mut group = Vec::new();
        if self.by_name {
            let uid = text(0x0008_1155, "UI", &self.slice.instance_uid());
            let source = sequence(0x0008_2112, &[uid]);
            group.extend(sequence(0x0008_9124, &[source]));
        }
        let place = text(
            0x0020_0032,
            "DS",
            &format!("-10\\-20\\{}", self.slice.z_mm()),
        );
        group.extend(sequence(0x0020_9113, &[place]));
        if let Some(segment) = self.segment {
            group.extend(sequence(0x0062_000A, &[number(0x0062_000B, segment)]));
        }
        group
    }
}

/// A segmentation in the study of its slices, whose series has a number; `pixels` are those of all frames.
fn segmentation(class: &str, kind: &str, series: u32, frames: &[Frame], pixels: &[u8]) -> Vec<u8> {
    let slice = frames[0].slice;
    let uid = format!("{}.{series}", slice.study_uid());
    let bits = if kind == "BINARY" { 1 } else { 8 };
    let segment = |number_: u16| {
        let color: Vec<u8> = [65_535u16, 32_896, 32_896]
            .iter()
            .flat_map(|part| part.to_le_bytes())
            .collect();
        let lab = [&[0x62, 0x00, 0x0D, 0x00], &b"US\x06\x00"[..], &color].concat();
        [
            number(0x0062_0004, number_),
            text(0x0062_0005, "LO", "Liver"),
            lab,
        ]
        .concat()
    };
    let shared = [
        sequence(0x0020_9116, &[text(0x0020_0037, "DS", "1\\0\\0\\0\\1\\0")]),
        sequence(0x0028_9110, &[text(0x0028_0030, "DS", "2\\2")]),
    ];
    let set = [
        text(0x0008_0016, "UI", class),
        text(0x0008_0018, "UI", &format!("{uid}.1")),
        text(0x0008_0020, "DA", "20250312"),
        text(0x0008_0060, "CS", "SEG"),
        text(0x0010_0010, "PN", slice.person.name),
        text(0x0010_0020, "LO", slice.person.id),
        text(0x0020_000D, "UI", &slice.study_uid()),
        text(0x0020_000E, "UI", &uid),
        number(0x0028_0002, 1),
        text(0x0028_0004, "CS", "MONOCHROME2"),
        text(0x0028_0008, "IS", &frames.len().to_string()),
        number(0x0028_0010, EDGE),
        number(0x0028_0011, EDGE),
        number(0x0028_0100, bits),
        number(0x0028_0101, bits),
        number(0x0028_0102, bits - 1),
        number(0x0028_0103, 0),
        text(0x0062_0001, "CS", kind),
        sequence(0x0062_0002, &[segment(1), segment(2)]),
        sequence(0x5200_9229, &[shared.concat()]),
        sequence(
            0x5200_9230,
            &frames.iter().map(Frame::group).collect::<Vec<_>>(),
        ),
        long(0x7FE0_0010, "OB", pixels),
    ];
    part_10(class, &format!("{uid}.1"), &set.concat())
}

/// Two people, one of whom has a binary segmentation of two segments and a label map.
async fn with_segmentations() -> (Api, String, String) {
    let api = Api::new().await;
    let slices = series(MEIER, 1, 1, 4);
    for slice in [slices.clone(), series(NOVAK, 2, 1, 3)].concat() {
        api.site.put(
            &format!("{}/{}.dcm", slice.study, slice.number),
            slice.file(),
        );
    }
    let frame = |segment, at: usize, by_name| Frame {
        segment,
        slice: slices[at],
        by_name,
    };
    let binary = [
        frame(Some(1), 0, true),
        frame(Some(2), 0, false),
        frame(Some(2), 3, false),
    ];
    // Three frames of 256 bits; the second has its first pixel set.
    let mut bits = vec![0; 96];
    bits[32] = 1;
    api.site.put(
        "1/binary.dcm",
        segmentation(SEG, "BINARY", 8, &binary, &bits),
    );
    let labels = [frame(None, 1, true)];
    let numbers: Vec<u8> = (0..=255u8).map(|at| at % 3).collect();
    api.site.put(
        "1/labels.dcm",
        segmentation(LABEL_MAP, "LABELMAP", 9, &labels, &numbers),
    );
    assert_eq!(api.site.ingest().await, [9, 0, 0, 0]);
    let mut of = api.series_of("CT").await;
    let first: SeriesDetail = api.get(&format!("/v1/series/{}", of[0])).await;
    if first.instances.len() != 4 {
        of.swap(0, 1);
    }
    let [meier, novak] = <[String; 2]>::try_from(of).unwrap();
    (api, meier, novak)
}

#[tokio::test]
async fn frames_lie_on_the_slices_that_they_name_or_that_they_lie_on() {
    let (api, series, other) = with_segmentations().await;
    let detail: SeriesDetail = api.get(&format!("/v1/series/{series}")).await;
    let slice = |at: usize| detail.instances[at].instance_uid.clone();
    let mut found: Vec<SeriesSegmentation> =
        api.get(&format!("/v1/series/{series}/segmentations")).await;
    found.sort_by_key(|segmentation| segmentation.frames.len());
    let [labels, binary] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (labels.kind, binary.kind),
        (SegmentationKind::LabelMap, SegmentationKind::Binary)
    );
    assert_eq!((&labels.problem, binary.elsewhere), (&None, 0));
    let on = |of: &SeriesSegmentation| -> Vec<_> {
        let place = |frame: &arno_protocol::node::segmentations::SegmentationFrame| {
            (
                frame.frame,
                frame.segment,
                of.slices[frame.slice as usize].instance_uid.clone(),
            )
        };
        of.frames.iter().map(place).collect()
    };
    assert_eq!(on(labels), [(1, None, slice(1))]);
    assert_eq!(
        on(binary),
        [
            (1, Some(1), slice(0)),
            (2, Some(2), slice(0)),
            (3, Some(2), slice(3))
        ]
    );
    assert_eq!(binary.grids, [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]);
    let colors: Vec<_> = binary
        .segments
        .iter()
        .map(|segment| (segment.number, segment.color))
        .collect();
    assert_eq!(
        colors,
        [(1, Some([255, 255, 255])), (2, Some([255, 255, 255]))]
    );
    let none: Vec<SeriesSegmentation> = api.get(&format!("/v1/series/{other}/segmentations")).await;
    assert_eq!(none, []);
}

#[tokio::test]
async fn single_bits_and_labels_come_as_bytes() {
    let (api, series, _) = with_segmentations().await;
    let found: Vec<SeriesSegmentation> =
        api.get(&format!("/v1/series/{series}/segmentations")).await;
    for segmentation in found {
        let SeriesSegmentation {
            series_uid,
            instance_uid,
            kind,
            ..
        } = segmentation;
        let frame = if kind == SegmentationKind::Binary {
            2
        } else {
            1
        };
        let path = format!("/v1/series/{series_uid}/instances/{instance_uid}/frames/{frame}");
        let (status, _, bytes) = api.raw("GET", &path, b"").await;
        assert_eq!((status, bytes.len()), (StatusCode::OK, 256));
        let expected = if kind == SegmentationKind::Binary {
            [1, 0, 0, 0]
        } else {
            [0, 1, 2, 0]
        };
        assert_eq!(bytes[..4], expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_series_says_where_its_slices_lie() {
    let (api, series, _) = with_segmentations().await;
    let placement: SeriesPlacement = api.get(&format!("/v1/series/{series}/placements")).await;
    let heights: Vec<f64> = placement
        .frames
        .iter()
        .map(|frame| frame.position_mm[2])
        .collect();
    assert_eq!(heights, [-97.5, -95.0, -92.5, -90.0]);
    assert_eq!(placement.frames[0].spacing_mm, [2.0, 2.0]);
    let (status, ..) = api.raw("GET", "/v1/series/1.2/segmentations", b"").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
