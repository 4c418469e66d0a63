//! Frames: where they lie and what their samples are, for native layouts and each decoder.

mod support;

use arno_codecs::InProcess;
use arno_dicom::frames::{FrameLayout, PixelFormat};
use arno_dicom::{FrameError, Instance, summarise};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use support::{Coding, file};

const EXPLICIT: Coding = Coding::Explicit;

/// Text for photometric interpretation and frames, numbers for the rest.
type Change<'a> = (Tag, Result<u16, &'a str>);

fn instance(syntax: &str, coding: Coding, pixels: &[u8], changes: &[Change]) -> Instance {
    let bytes = file(syntax, &[coding.image_header(), pixels.to_vec()].concat());
    let mut instance = Instance::read(bytes.into()).expect("readable");
    for (tag, value) in changes {
        match value {
            Ok(number) => drop(instance.header.put(DataElement::new(
                *tag,
                VR::US,
                PrimitiveValue::from(*number),
            ))),
            Err(text) => drop(instance.header.put_str(*tag, VR::CS, *text)),
        }
    }
    instance
}

fn native(value: &[u8], changes: &[Change]) -> Instance {
    instance(
        EXPLICIT.uid(),
        EXPLICIT,
        &EXPLICIT.element((0x7FE0, 0x0010), "OW", value),
        changes,
    )
}

fn size(rows: u16, columns: u16, bits: u16) -> Vec<Change<'static>> {
    let stored = (tags::BITS_STORED, Ok(bits));
    vec![
        (tags::ROWS, Ok(rows)),
        (tags::COLUMNS, Ok(columns)),
        (tags::BITS_ALLOCATED, Ok(bits)),
        stored,
    ]
}

fn with<'a>(mut changes: Vec<Change<'a>>, more: &[Change<'a>]) -> Vec<Change<'a>> {
    changes.extend_from_slice(more);
    changes
}

#[test]
fn native_frames_are_ranges() {
    let changes = with(size(3, 2, 16), &[(tags::NUMBER_OF_FRAMES, Err("3"))]);
    let value: Vec<u8> = (0..36).collect();
    let instance = native(&value, &changes);
    let layout = FrameLayout::of(&instance).unwrap();
    assert_eq!(
        layout,
        FrameLayout::from_summary(&summarise(&instance).unwrap()).unwrap()
    );
    assert_eq!(
        (layout.count, layout.value_bytes(), layout.range(2).unwrap()),
        (3, 36, 24..36)
    );
    assert_eq!(instance.frame(2).unwrap().bytes, value[24..]);
    assert_eq!(
        layout.range(3),
        Err(FrameError::NoSuchFrame { frame: 3, count: 3 })
    );
    let written = instance.write_with_pixel_offset();
    let at = usize::try_from(written.pixel_offset.unwrap()).unwrap();
    assert_eq!(
        layout
            .decode(1, &written.bytes[at + 12..at + 24], &InProcess)
            .unwrap()
            .bytes,
        value[12..24]
    );
    let stored = serde_json::to_string(&layout).unwrap();
    assert_eq!(
        serde_json::from_str::<FrameLayout>(&stored).unwrap(),
        layout
    );
}

#[test]
fn single_bits_are_unpacked_across_byte_borders() {
    // Three frames of 3 × 1 bits: 110, 011, 001 from the lowest bit on.
    let changes = with(size(3, 1, 1), &[(tags::NUMBER_OF_FRAMES, Err("3"))]);
    let instance = native(&[0b0011_0011, 0b0000_0001], &changes);
    let frames: Vec<Vec<u8>> = (0..3)
        .map(|frame| instance.frame(frame).unwrap().bytes)
        .collect();
    assert_eq!(frames, [[1, 1, 0], [0, 1, 1], [0, 0, 1]]);
    assert_eq!(FrameLayout::of(&instance).unwrap().range(2).unwrap(), 0..2);
}

#[test]
fn big_endian_words_are_swapped_also_for_odd_frames_of_bytes() {
    let pixels = Coding::Big.element((0x7FE0, 0x0010), "OW", &[2, 1, 4, 3, 6, 5]);
    let changes = with(size(1, 3, 8), &[(tags::NUMBER_OF_FRAMES, Err("2"))]);
    let instance = instance(Coding::Big.uid(), Coding::Big, &pixels, &changes);
    assert_eq!(instance.frame(0).unwrap().bytes, [1, 2, 3]);
    assert_eq!(instance.frame(1).unwrap().bytes, [4, 5, 6]);
}

#[test]
fn bits_above_bits_stored_are_cleared_or_sign_extended() {
    let value = [0xFF, 0xF7, 0x00, 0xF8];
    let cases = [(0, [0xFF, 0x07, 0x00, 0x08]), (1, [0xFF, 0x07, 0x00, 0xF8])];
    for (representation, expected) in cases {
        let more = [
            (tags::BITS_STORED, Ok(12)),
            (tags::PIXEL_REPRESENTATION, Ok(representation)),
        ];
        let frame = native(&value, &with(size(1, 2, 16), &more))
            .frame(0)
            .unwrap();
        assert_eq!(
            (frame.bytes, frame.signed),
            (expected.to_vec(), representation == 1)
        );
    }
}

#[test]
fn colour_becomes_interleaved_rgb() {
    let colour = |photometric, planar, value: &[u8]| {
        let more = [
            (tags::SAMPLES_PER_PIXEL, Ok(3)),
            (tags::PLANAR_CONFIGURATION, Ok(planar)),
            (tags::PHOTOMETRIC_INTERPRETATION, Err(photometric)),
        ];
        native(value, &with(size(1, 2, 8), &more))
            .frame(0)
            .unwrap()
            .bytes
    };
    assert_eq!(colour("RGB", 0, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(colour("RGB", 1, &[1, 4, 2, 5, 3, 6]), [1, 2, 3, 4, 5, 6]);
    // Pure red and neutral grey.
    assert_eq!(
        colour("YBR_FULL", 0, &[76, 85, 255, 128, 128, 128]),
        [254, 0, 0, 128, 128, 128]
    );
    assert_eq!(
        colour("YBR_FULL_422", 0, &[10, 200, 128, 128]),
        [10, 10, 10, 200, 200, 200]
    );
}

#[test]
fn wide_and_floating_samples_keep_their_width() {
    let value: Vec<u8> = (0..8).collect();
    let frame = native(&value, &size(1, 2, 32)).frame(0).unwrap();
    assert_eq!(
        (frame.bytes_per_sample, frame.float, frame.bytes),
        (4, false, value.clone())
    );
    let big = Coding::Big.element((0x7FE0, 0x0010), "OW", &value);
    let big = instance(Coding::Big.uid(), Coding::Big, &big, &size(1, 2, 32))
        .frame(0)
        .unwrap();
    assert_eq!(big.bytes, [3, 2, 1, 0, 7, 6, 5, 4]);
    let number = 1.5_f32.to_le_bytes();
    let pixels = EXPLICIT.element((0x7FE0, 0x0008), "OF", &number);
    let float = instance(EXPLICIT.uid(), EXPLICIT, &pixels, &size(1, 1, 32))
        .frame(0)
        .unwrap();
    assert_eq!((float.float, float.bytes), (true, number.to_vec()));
}

#[test]
fn a_palette_colours_indices_also_from_segments() {
    // Four colours from index 10 on: plain, and as a start and a line of three more.
    let plain = [0, 300, 600, 900];
    let segments = [0, 1, 0, 1, 3, 900];
    for (element, table) in [(0x1201, &plain[..]), (0x1221, &segments)] {
        let mut indexed = native(
            &[0, 10, 12, 99],
            &with(
                size(2, 2, 8),
                &[(tags::PHOTOMETRIC_INTERPRETATION, Err("PALETTE COLOR"))],
            ),
        );
        for channel in 0..3 {
            let put = |header: &mut arno_dicom::Header, element, words: &[u16]| {
                let value = PrimitiveValue::U16(words.iter().copied().collect());
                header.put(DataElement::new(Tag(0x0028, element), VR::OW, value));
            };
            put(&mut indexed.header, 0x1101 + channel, &[4, 10, 16]);
            put(&mut indexed.header, element + channel, table);
        }
        let layout = FrameLayout::of(&indexed).unwrap();
        let frame = indexed.frame(0).unwrap();
        assert_eq!(frame.bytes, [0, 10, 12, 99], "a decoded frame has indices");
        let coloured = layout.palette.unwrap().apply(&frame).unwrap();
        let expected = [0_u16, 0, 600, 900].map(|colour| [colour.to_le_bytes(); 3]);
        assert_eq!(coloured.bytes, expected.as_flattened().as_flattened());
        assert_eq!(
            (coloured.samples_per_pixel, coloured.bytes_per_sample),
            (3, 2)
        );
    }
}

#[test]
fn fragments_are_assigned_to_frames() {
    let fragments: [&[u8]; 3] = [b"aa", b"bbbb", b"cc"];
    let ranges = |table: &[u32], frames: &'static str| {
        let pixels = EXPLICIT.fragments(table, &fragments);
        let instance = instance(
            "1.2.840.10008.1.2.4.90",
            EXPLICIT,
            &pixels,
            &[(tags::NUMBER_OF_FRAMES, Err(frames))],
        );
        let layout = FrameLayout::of(&instance)?;
        let value = instance.pixels.unwrap();
        let value = &value.encoded[value.value_offset..];
        let range = |frame| {
            layout.range(frame).map(|r| {
                value[usize::try_from(r.start).unwrap()..usize::try_from(r.end).unwrap()].to_vec()
            })
        };
        (0..layout.count).map(range).collect::<Result<Vec<_>, _>>()
    };
    let [a, b, c] = fragments.map(|fragment| EXPLICIT.item(fragment));
    let ab = [a.clone(), b.clone()].concat();
    assert_eq!(ranges(&[], "3").unwrap(), [a.clone(), b.clone(), c.clone()]);
    assert_eq!(
        ranges(&[], "1").unwrap(),
        [[ab.clone(), c.clone()].concat()]
    );
    assert_eq!(ranges(&[0, 22], "2").unwrap(), [ab, c.clone()]);
    assert_eq!(ranges(&[0, 10], "2").unwrap(), [a, [b, c].concat()]);
    let unassigned = Err(FrameError::Unassigned {
        fragments: 3,
        frames: 2,
    });
    for table in [
        &[][..],
        &[0],
        &[0, 11],
        &[0, 32],
        &[22, 0],
        &[0, 0],
        &[0, u32::MAX],
    ] {
        assert_eq!(ranges(table, "2"), unassigned, "{table:?}");
    }
}

#[test]
fn run_lengths_are_decoded_and_short_segments_are_damaged() {
    let rle = |segments: &[&[u8]]| {
        let mut numbers = vec![u32::try_from(segments.len()).unwrap()];
        let mut at = 64;
        for segment in segments {
            numbers.push(at);
            at += u32::try_from(segment.len()).unwrap();
        }
        numbers.resize(16, 0);
        let header: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        let fragment = [header, segments.concat()].concat();
        let pixels = EXPLICIT.fragments(&[], &[&fragment]);
        instance("1.2.840.10008.1.2.5", EXPLICIT, &pixels, &size(1, 4, 16)).frame(0)
    };
    // High bytes: four times 1. Low bytes: 10, 11 as they are, then twice 12; 128 means nothing.
    assert_eq!(
        rle(&[&[253, 1], &[1, 10, 11, 128, 255, 12]]).unwrap().bytes,
        [10, 1, 11, 1, 12, 1, 12, 1]
    );
    for segments in [
        &[&[253u8, 1][..]][..],
        &[&[254, 1], &[253, 1]],
        &[&[3, 1], &[253, 1]],
        &[&[], &[]],
    ] {
        assert_eq!(rle(segments), Err(FrameError::Damaged), "{segments:?}");
    }
}

#[test]
fn a_jpeg_must_have_the_size_that_the_header_says() {
    let jpeg = include_bytes!("support/grey_4x3.jpg");
    let decode = |bytes: &[u8], rows| {
        let pixels = EXPLICIT.fragments(&[], &[bytes]);
        instance(
            "1.2.840.10008.1.2.4.50",
            EXPLICIT,
            &pixels,
            &size(rows, 4, 8),
        )
        .frame(0)
    };
    let frame = decode(jpeg, 3).unwrap();
    // The picture holds 0, 20, 40 …, with the losses of JPEG.
    let exact = (0..12u8).map(|index| index * 20);
    assert!(
        frame
            .bytes
            .iter()
            .zip(exact)
            .all(|(found, exact)| found.abs_diff(exact) < 12),
        "{:?}",
        frame.bytes
    );
    assert_eq!(decode(jpeg, 4), Err(FrameError::Damaged));
    assert_eq!(decode(&jpeg[..100], 3), Err(FrameError::Damaged));
    let mut giant = jpeg.to_vec();
    let sof = giant
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .unwrap();
    giant[sof + 5..sof + 9].copy_from_slice(&[0xFF; 4]);
    assert_eq!(decode(&giant, 3), Err(FrameError::Damaged));
}

#[test]
fn other_compressions_are_named() {
    // MPEG-4: a video is no row of frames.
    let syntax = "1.2.840.10008.1.2.4.102";
    let pixels = EXPLICIT.fragments(&[], &[b"mpeg"]);
    let expected = FrameError::NotDecodable {
        transfer_syntax: syntax.to_owned(),
        bits_allocated: 16,
    };
    let instance = instance(syntax, EXPLICIT, &pixels, &[]);
    assert_eq!(instance.frame(0), Err(expected.clone()));
    assert_eq!(
        FrameLayout::from_summary(&summarise(&instance).unwrap()),
        Err(expected)
    );
}

#[test]
fn impossible_descriptions_are_named() {
    let cases: [(Change, Tag); 5] = [
        ((tags::ROWS, Ok(0)), tags::ROWS),
        ((tags::COLUMNS, Ok(0)), tags::COLUMNS),
        ((tags::SAMPLES_PER_PIXEL, Ok(9)), tags::SAMPLES_PER_PIXEL),
        ((tags::BITS_ALLOCATED, Ok(65)), tags::BITS_ALLOCATED),
        ((tags::BITS_STORED, Ok(17)), tags::BITS_STORED),
    ];
    for (change, tag) in cases {
        assert_eq!(
            PixelFormat::of(&native(&[0; 24], &[change])),
            Err(FrameError::Description(tag))
        );
    }
    let zero = native(&[0; 24], &[(tags::NUMBER_OF_FRAMES, Err("0"))]);
    assert_eq!(
        zero.frame(0),
        Err(FrameError::Description(tags::NUMBER_OF_FRAMES))
    );
}

#[test]
fn giant_frames_are_refused_before_memory_is_taken() {
    let pixels = EXPLICIT.fragments(&[], &[b"tiny"]);
    let frame = instance(
        "1.2.840.10008.1.2.5",
        EXPLICIT,
        &pixels,
        &size(u16::MAX, u16::MAX, 16),
    )
    .frame(0);
    assert!(matches!(frame, Err(FrameError::TooLarge { .. })));
}
