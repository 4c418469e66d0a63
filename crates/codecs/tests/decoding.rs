//! Each format against a picture that other encoders compressed, and what becomes of broken frames.

mod frames;

use arno_codecs::{Codec, Colour, DecodeError, FrameFormat, Layout, Samples, decode};
use proptest::{collection::vec, prelude::any, proptest, sample::Index};

const ROWS: u16 = 6;
const COLUMNS: u16 = 9;

/// A made-up picture: noise in one part, a flat field in the other, so that runs are coded too.
fn picture(rows: u16, columns: u16, samples: u8, bits: u8) -> Vec<u32> {
    let sample = |row: u32, column: u32, sample: u32| {
        if column >= u32::from(columns) / 2 && row >= 2 {
            5
        } else {
            (row * row * 37 + column * 71 + sample * 101 + row * column * 13) % (1 << bits)
        }
    };
    (0..u32::from(rows))
        .flat_map(|row| (0..u32::from(columns)).map(move |column| (row, column)))
        .flat_map(|(row, column)| (0..u32::from(samples)).map(move |s| sample(row, column, s)))
        .collect()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits
        .map(|two| {
            u8::from_str_radix(std::str::from_utf8(two).expect("text"), 16).expect("hexadecimal")
        })
        .collect()
}

fn format(rows: u16, columns: u16, samples_per_pixel: u8, bits_allocated: u8) -> FrameFormat {
    FrameFormat {
        rows,
        columns,
        samples_per_pixel,
        bits_allocated,
        colour: Colour::Other,
    }
}

fn numbers(samples: &Samples, format: &FrameFormat) -> Vec<u32> {
    assert_eq!(samples.layout, Layout::Interleaved);
    let width = usize::from(format.bytes_per_sample());
    let number = |unit: &[u8]| {
        unit.iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
    };
    samples.bytes.chunks(width).map(number).collect()
}

fn check(codec: Codec, frame: &str, size: (u16, u16), samples: u8, bits: u8, allowed: u32) {
    let format = format(size.0, size.1, samples, if bits > 8 { 16 } else { 8 });
    let decoded = decode(codec, &format, &bytes(frame)).expect("decoded");
    let (found, exact) = (
        numbers(&decoded, &format),
        picture(size.0, size.1, samples, bits),
    );
    assert_eq!(found.len(), exact.len());
    let greatest = found.iter().zip(&exact).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(
        greatest <= Some(allowed),
        "{greatest:?} of {allowed}: {found:?}"
    );
}

#[test]
fn lossless_frames_are_exact() {
    let size = (ROWS, COLUMNS);
    for (codec, frame, samples, bits) in [
        (Codec::Jpeg, frames::LOSSLESS_8, 1, 8),
        (Codec::Jpeg, frames::LOSSLESS_SV6_12, 1, 12),
        (Codec::Jpeg, frames::LOSSLESS_16, 1, 16),
        (Codec::Jpeg, frames::LOSSLESS_RGB, 3, 8),
        (Codec::JpegLs, frames::LS_8, 1, 8),
        (Codec::JpegLs, frames::LS_16, 1, 16),
        (Codec::JpegLs, frames::LS_RGB_0, 3, 8),
        (Codec::JpegLs, frames::LS_RGB_1, 3, 8),
        (Codec::JpegLs, frames::LS_RGB_2, 3, 8),
        (Codec::Jpeg2000, frames::J2K_12, 1, 12),
        (Codec::Jpeg2000, frames::J2K_RGB, 3, 8),
        (Codec::Jpeg2000, frames::HT_12, 1, 12),
    ] {
        check(codec, frame, size, samples, bits, 0);
    }
}

#[test]
fn lossy_frames_are_as_near_as_they_were_coded() {
    // Coded with an error of at most 2; with steps of 1 in DCT, where noise costs a few counts.
    check(Codec::JpegLs, frames::LS_NEAR_12, (ROWS, COLUMNS), 1, 12, 2);
    check(Codec::Jpeg, frames::EXTENDED_12, (8, 16), 1, 12, 4);
    check(Codec::Jpeg, frames::BASELINE, (16, 16), 1, 8, 4);
}

#[test]
fn a_colour_transform_that_was_undone_is_told() {
    let described = FrameFormat {
        colour: Colour::Ybr,
        ..format(ROWS, COLUMNS, 3, 8)
    };
    let decoded = decode(Codec::Jpeg2000, &described, &bytes(frames::J2K_RGB)).unwrap();
    assert_eq!(decoded.colour, Colour::Rgb);
}

#[test]
fn run_lengths_are_decoded_for_every_width() {
    // A segment for each byte, most significant first: 1, 2, 3, 4 of one sample.
    let frame = |segments: u8| {
        let mut frame = vec![0; 64];
        frame[0] = segments;
        for segment in 0..segments {
            frame[4 + 4 * usize::from(segment)] = 64 + 2 * segment;
            frame.extend_from_slice(&[0, segment + 1]);
        }
        frame
    };
    for (bits, expected) in [(8, &[1][..]), (16, &[2, 1]), (32, &[4, 3, 2, 1])] {
        let format = format(1, 1, 1, bits);
        let decoded = decode(Codec::Rle, &format, &frame(bits / 8)).unwrap();
        assert_eq!(decoded.bytes, expected);
    }
    let packed = decode(Codec::Rle, &format(2, 3, 1, 1), &frame(1)).unwrap();
    assert_eq!((packed.layout, packed.bytes), (Layout::PackedBits, vec![1]));
}

#[test]
fn another_size_than_described_is_refused_before_memory_is_taken() {
    for (codec, frame) in [
        (Codec::Jpeg, frames::LOSSLESS_16),
        (Codec::Jpeg, frames::EXTENDED_12),
        (Codec::JpegLs, frames::LS_16),
        (Codec::Jpeg2000, frames::J2K_12),
    ] {
        let other = format(ROWS + 4, COLUMNS, 1, 16);
        assert_eq!(
            decode(codec, &other, &bytes(frame)),
            Err(DecodeError::Damaged)
        );
    }
    let giant = format(u16::MAX, u16::MAX, 1, 16);
    assert!(matches!(
        decode(Codec::JpegLs, &giant, &[]),
        Err(DecodeError::TooLarge { .. })
    ));
}

#[test]
fn a_frame_that_ends_early_is_damaged() {
    for (codec, frame) in [
        (Codec::Jpeg, frames::LOSSLESS_16),
        (Codec::Jpeg, frames::EXTENDED_12),
        (Codec::JpegLs, frames::LS_16),
    ] {
        let whole = bytes(frame);
        let size = if frame == frames::EXTENDED_12 {
            (8, 16)
        } else {
            (ROWS, COLUMNS)
        };
        let format = format(size.0, size.1, 1, 16);
        for length in 0..whole.len() - 8 {
            let outcome = decode(codec, &format, &whole[..length]);
            assert_eq!(
                outcome,
                Err(DecodeError::Damaged),
                "{length} of {}",
                whole.len()
            );
        }
    }
}

proptest! {
    /// JPEG 2000 is not among them: its library is trusted in a cage only.
    #[test]
    fn changed_frames_never_panic(
        which in 0_usize..9,
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let (codec, frame, samples) = [
            (Codec::Jpeg, frames::LOSSLESS_8, 1),
            (Codec::Jpeg, frames::LOSSLESS_SV6_12, 1),
            (Codec::Jpeg, frames::LOSSLESS_RGB, 3),
            (Codec::Jpeg, frames::EXTENDED_12, 1),
            (Codec::Jpeg, frames::BASELINE, 1),
            (Codec::JpegLs, frames::LS_8, 1),
            (Codec::JpegLs, frames::LS_NEAR_12, 1),
            (Codec::JpegLs, frames::LS_RGB_1, 3),
            (Codec::JpegLs, frames::LS_RGB_2, 3),
        ][which];
        let mut frame = bytes(frame);
        for (at, value) in changes {
            let at = at.index(frame.len());
            frame[at] = value;
        }
        for (rows, columns) in [(ROWS, COLUMNS), (8, 16), (16, 16)] {
            let _ = decode(codec, &format(rows, columns, samples, 16), &frame);
        }
    }
}
