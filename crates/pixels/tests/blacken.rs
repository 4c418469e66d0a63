//! Black boxes in frames of every interpretation: black inside, untouched outside, and still a sound instance.

use arno_codecs::InProcess;
use arno_dicom::{Header, Instance, PixelElement, check};
use arno_pixels::{BlackenError, Frames, Region, blacken};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use proptest::prelude::{Strategy, proptest};

const COLUMNS: u16 = 6;
const ROWS: u16 = 4;

/// How the pixels of a test are described.
#[derive(Debug, Clone, Copy)]
struct Described {
    photometric: &'static str,
    samples: u16,
    bits: (u16, u16),
    signed: u16,
    planar: u16,
    frames: u16,
}

const GREY: Described = Described {
    photometric: "MONOCHROME2",
    samples: 1,
    bits: (8, 8),
    signed: 0,
    planar: 0,
    frames: 1,
};

const COLOUR: Described = Described {
    photometric: "RGB",
    samples: 3,
    ..GREY
};

fn header(described: Described) -> Header {
    let number = |tag: Tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
    let text = |tag: Tag, vr, value: &str| DataElement::new(tag, vr, value);
    Header::from_element_iter([
        text(
            tags::SOP_CLASS_UID,
            VR::UI,
            uids::MULTI_FRAME_GRAYSCALE_BYTE_SECONDARY_CAPTURE_IMAGE_STORAGE,
        ),
        text(tags::SOP_INSTANCE_UID, VR::UI, "1.2.3.1"),
        text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3.2"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.3"),
        text(tags::PATIENT_ID, VR::LO, "1"),
        text(tags::MODALITY, VR::CS, "OT"),
        number(tags::SAMPLES_PER_PIXEL, described.samples),
        text(
            tags::PHOTOMETRIC_INTERPRETATION,
            VR::CS,
            described.photometric,
        ),
        number(tags::PLANAR_CONFIGURATION, described.planar),
        text(
            tags::NUMBER_OF_FRAMES,
            VR::IS,
            &described.frames.to_string(),
        ),
        number(tags::ROWS, ROWS),
        number(tags::COLUMNS, COLUMNS),
        number(tags::BITS_ALLOCATED, described.bits.0),
        number(tags::BITS_STORED, described.bits.1),
        number(tags::HIGH_BIT, described.bits.1 - 1),
        number(tags::PIXEL_REPRESENTATION, described.signed),
        number(tags::LARGEST_IMAGE_PIXEL_VALUE, 200),
    ])
}

fn instance(described: Described, value: &[u8]) -> Instance {
    let (group, element) = (0x7FE0_u16.to_le_bytes(), 0x0010_u16.to_le_bytes());
    let length = u32::try_from(value.len()).expect("short").to_le_bytes();
    let encoded = [&group[..], &element, b"OW\0\0", &length, value].concat();
    Instance {
        transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN.to_owned(),
        header: header(described),
        pixels: Some(PixelElement {
            encoded: encoded.into(),
            value_offset: 12,
            encapsulated: false,
        }),
    }
}

fn is_in(region: Region, pixel: usize) -> bool {
    let (x, y) = (
        pixel as u32 % u32::from(COLUMNS),
        pixel as u32 / u32::from(COLUMNS),
    );
    (region.x..region.x + region.width).contains(&x)
        && (region.y..region.y + region.height).contains(&y)
}

/// Blackens a box in every frame of pixels that are all `fill`, writes, reads, and compares each decoded pixel.
fn check_black(described: Described, fill: &[u8], black: &[u8]) {
    let region = Region::everywhere(2, 1, 3, 2);
    let bits = u64::from(described.bits.0) * u64::from(ROWS * COLUMNS * described.frames);
    let bytes = (bits
        * if described.photometric.ends_with("422") {
            2
        } else {
            u64::from(described.samples)
        })
    .div_ceil(8);
    let value: Vec<u8> = fill.iter().copied().cycle().take(bytes as usize).collect();
    let before = instance(described, &value);
    let after = blacken(&before, &[region], &InProcess).expect("blackened");
    assert_eq!(after.pixels, 6 * u64::from(described.frames));
    let read = Instance::read(after.instance.write().into()).expect("readable");
    assert_eq!(check(&read), Ok(()), "{described:?}");
    assert!(read.header.get(tags::LARGEST_IMAGE_PIXEL_VALUE).is_none());
    for frame in 0..u32::from(described.frames) {
        let (old, new) = (
            before.frame(frame).expect("old"),
            read.frame(frame).expect("new"),
        );
        let width = usize::from(new.samples_per_pixel) * usize::from(new.bytes_per_sample);
        let pixels = old.bytes.chunks(width).zip(new.bytes.chunks(width));
        for (at, (old, new)) in pixels.enumerate() {
            let expect = if is_in(region, at) { black } else { old };
            assert_eq!(new, expect, "{described:?}, frame {frame}, pixel {at}");
        }
    }
}

#[test]
fn black_is_right_for_each_kind_of_grey() {
    let mono1 = |described| Described {
        photometric: "MONOCHROME1",
        ..described
    };
    let sized = |bits, signed| Described {
        bits,
        signed,
        ..GREY
    };
    check_black(GREY, &[77], &[0]);
    check_black(mono1(GREY), &[77], &[255]);
    check_black(sized((16, 16), 0), &[1, 2], &[0, 0]);
    check_black(sized((16, 12), 0), &[1, 2], &[0, 0]);
    check_black(mono1(sized((16, 12), 0)), &[1, 2], &[0xFF, 0x0F]);
    check_black(sized((16, 12), 1), &[1, 2], &(-2048_i16).to_le_bytes());
    check_black(sized((16, 16), 1), &[1, 2], &i16::MIN.to_le_bytes());
    check_black(mono1(sized((16, 12), 1)), &[1, 2], &2047_i16.to_le_bytes());
    check_black(sized((32, 32), 0), &[1, 2, 3, 4], &[0; 4]);
    check_black(sized((32, 32), 1), &[1, 2, 3, 4], &i32::MIN.to_le_bytes());
}

#[test]
fn single_bits_and_several_frames() {
    let bits = Described {
        bits: (1, 1),
        frames: 3,
        ..GREY
    };
    check_black(bits, &[0xFF], &[0]);
    let inverted = Described {
        photometric: "MONOCHROME1",
        ..bits
    };
    check_black(inverted, &[0b0101_0000], &[1]);
    check_black(Described { frames: 3, ..GREY }, &[1, 2, 3, 4, 5], &[0]);
    let planes = Described {
        frames: 2,
        planar: 1,
        ..COLOUR
    };
    check_black(planes, &[9, 8, 7], &[0; 3]);
}

#[test]
fn black_is_right_for_each_kind_of_colour() {
    check_black(COLOUR, &[10, 20, 30], &[0; 3]);
    check_black(
        Described {
            planar: 1,
            ..COLOUR
        },
        &[10, 20, 30],
        &[0; 3],
    );
    let deep = Described {
        bits: (16, 16),
        ..COLOUR
    };
    check_black(deep, &[10, 20, 30, 40], &[0; 6]);
    let full = Described {
        photometric: "YBR_FULL",
        ..COLOUR
    };
    check_black(full, &[100, 90, 180], &[0; 3]);
    check_black(Described { planar: 1, ..full }, &[100, 90, 180], &[0; 3]);
}

/// The region begins and ends in the middle of a pair: neighbours keep their brightness and lose their colour.
#[test]
fn pairs_of_pixels_share_their_colour() {
    let described = Described {
        photometric: "YBR_FULL_422",
        ..COLOUR
    };
    let value = [100, 100, 90, 180].repeat(usize::from(ROWS * COLUMNS) / 2);
    let before = instance(described, &value);
    let after = blacken(&before, &[Region::everywhere(1, 0, 2, 1)], &InProcess).unwrap();
    let value = after.instance.pixels.as_ref().unwrap().value();
    assert_eq!(
        value[..12],
        [100, 0, 128, 128, 0, 100, 128, 128, 100, 100, 90, 180]
    );
    let frame = after.instance.frame(0).unwrap();
    assert_eq!(
        frame.bytes[..12],
        [100, 100, 100, 0, 0, 0, 0, 0, 0, 100, 100, 100]
    );
}

#[test]
fn black_of_a_palette_is_its_darkest_entry() {
    let described = Described {
        photometric: "PALETTE COLOR",
        ..GREY
    };
    let value = vec![1; usize::from(ROWS * COLUMNS)];
    let mut before = instance(described, &value);
    let refused = blacken(&before, &[Region::everywhere(0, 0, 1, 1)], &InProcess);
    assert_eq!(refused.unwrap_err(), BlackenError::Palette);
    let descriptor = PrimitiveValue::U16([4_u16, 0, 16].as_slice().into());
    let names = [
        (
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            [500, 900, 10, 0],
        ),
        (
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            [500, 0, 20, 900],
        ),
        (
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            [500, 0, 30, 900_u16],
        ),
    ];
    for (described, data, entries) in names {
        before
            .header
            .put(DataElement::new(described, VR::US, descriptor.clone()));
        before.header.put(DataElement::new(
            data,
            VR::OW,
            PrimitiveValue::U16(entries.as_slice().into()),
        ));
    }
    let after = blacken(&before, &[Region::everywhere(0, 0, 1, 1)], &InProcess).unwrap();
    assert_eq!(after.instance.pixels.unwrap().value()[..2], [2, 1]);
}

#[test]
fn one_frame_of_several() {
    let described = Described { frames: 2, ..GREY };
    let before = instance(described, &vec![5; usize::from(2 * ROWS * COLUMNS)]);
    let region = Region {
        frames: Frames::One(1),
        ..Region::everywhere(0, 0, 100, 100)
    };
    let after = blacken(&before, &[region], &InProcess).unwrap().instance;
    assert!(
        after
            .frame(0)
            .unwrap()
            .bytes
            .iter()
            .all(|sample| *sample == 5)
    );
    assert!(
        after
            .frame(1)
            .unwrap()
            .bytes
            .iter()
            .all(|sample| *sample == 0)
    );
}

/// One RLE frame (PS3.5 annex G) as literal runs.
fn rle_frame(samples: &[u8]) -> Vec<u8> {
    let mut frame = [1_u32, 64].map(u32::to_le_bytes).concat();
    frame.resize(64, 0);
    frame.push(u8::try_from(samples.len() - 1).expect("short"));
    frame.extend_from_slice(samples);
    frame.resize(frame.len().next_multiple_of(2), 0);
    frame
}

fn compressed(transfer_syntax: &str, frame: &[u8]) -> Instance {
    let item = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("short").to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, bytes].concat()
    };
    let head = [
        0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF,
    ];
    let end = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    Instance {
        transfer_syntax: transfer_syntax.to_owned(),
        header: header(GREY),
        pixels: Some(PixelElement {
            encoded: [&head[..], &item(&[]), &item(frame), &end].concat().into(),
            value_offset: 12,
            encapsulated: true,
        }),
    }
}

#[test]
fn compressed_frames_are_decoded_first() {
    let samples: Vec<u8> = (1..=24).collect();
    let mut before = compressed(uids::RLE_LOSSLESS, &rle_frame(&samples));
    before.header.put(DataElement::new(
        tags::LOSSY_IMAGE_COMPRESSION,
        VR::CS,
        "01",
    ));
    let after = blacken(&before, &[Region::everywhere(0, 0, 6, 1)], &InProcess).unwrap();
    let read = Instance::read(after.instance.write().into()).unwrap();
    assert_eq!(read.transfer_syntax, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    assert_eq!(
        read.frame(0).unwrap().bytes,
        [&[0; 6], &samples[6..]].concat()
    );
    let lossy = read.header.get(tags::LOSSY_IMAGE_COMPRESSION).unwrap();
    assert_eq!(
        lossy.to_str().unwrap(),
        "01",
        "what was lost once stays lost"
    );
}

#[test]
fn what_cannot_be_overwritten_is_refused() {
    let check = |instance: &Instance, region: Region, is_about_regions: bool| {
        let refused = blacken(instance, &[region], &InProcess).expect_err("refused");
        assert_eq!(refused.is_about_regions(), is_about_regions, "{refused:?}");
    };
    let anywhere = Region::everywhere(0, 0, 1, 1);
    let value = vec![5; 2 * usize::from(ROWS * COLUMNS)];
    let sound = instance(GREY, &value);
    check(&sound, Region::everywhere(6, 0, 1, 1), true);
    check(&sound, Region::everywhere(0, 0, 0, 1), true);
    let second = Region {
        frames: Frames::One(1),
        ..anywhere
    };
    check(&sound, second, true);
    check(&compressed(uids::MPEG4HP41, &[1, 2, 3, 4]), anywhere, false);
    check(
        &compressed(uids::RLE_LOSSLESS, &[1, 2, 3, 4]),
        anywhere,
        false,
    );
    let strange = Described {
        photometric: "HSV",
        ..GREY
    };
    check(&instance(strange, &value), anywhere, false);
    let short = Described {
        frames: 100,
        ..GREY
    };
    check(&instance(short, &value), anywhere, false);
    let mut empty = sound.clone();
    empty.pixels = None;
    check(&empty, anywhere, false);
}

proptest! {
    /// Whatever the boxes: every pixel in one of them is black, every other as it was.
    #[test]
    fn exactly_the_pixels_of_the_boxes_change(boxes in proptest::collection::vec(some_box(), 1..5)) {
        let value: Vec<u8> = (1..=24).collect();
        let after = blacken(&instance(GREY, &value), &boxes, &InProcess).unwrap();
        let frame = after.instance.frame(0).unwrap();
        for (at, (old, new)) in value.iter().zip(&frame.bytes).enumerate() {
            let is_covered = boxes.iter().any(|region| is_in(*region, at));
            assert_eq!(*new, if is_covered { 0 } else { *old });
        }
    }
}

fn some_box() -> impl Strategy<Value = Region> {
    (
        0..u32::from(COLUMNS),
        0..u32::from(ROWS),
        1..9_u32,
        1..9_u32,
    )
        .prop_map(|(x, y, width, height)| Region::everywhere(x, y, width, height))
}
