//! The messages between a cage and its children: a length of eight bytes, then fields of fixed width, then bytes. All
//! numbers are little endian. Neither side believes the other's lengths.

use crate::{Codec, Colour, DecodeError, FrameFormat, Layout, MAX_FRAME_BYTES, Samples};

/// Bytes of the length in front of every message.
pub(super) const LENGTH_BYTES: usize = 8;

/// Codec, rows, columns, samples, bits, colour.
pub(super) const REQUEST_BYTES: usize = 8;

/// Outcome, layout, colour.
const ANSWER_BYTES: usize = 3;

const DECODED: u8 = 0;
const DAMAGED: u8 = 1;
const UNSUPPORTED: u8 = 2;
const TOO_LARGE: u8 = 3;

/// Length and fields of a request; `encoded` bytes follow.
pub(super) fn request(codec: Codec, format: &FrameFormat, encoded: usize) -> Vec<u8> {
    let mut head = ((REQUEST_BYTES + encoded) as u64).to_le_bytes().to_vec();
    head.push(match codec {
        Codec::Jpeg => 0,
        Codec::JpegLs => 1,
        Codec::Jpeg2000 => 2,
        Codec::Rle => 3,
    });
    head.extend_from_slice(&format.rows.to_le_bytes());
    head.extend_from_slice(&format.columns.to_le_bytes());
    head.extend_from_slice(&[
        format.samples_per_pixel,
        format.bits_allocated,
        colour_number(format.colour),
    ]);
    head
}

/// The fields of a request.
pub(super) fn requested(fields: &[u8; REQUEST_BYTES]) -> Option<(Codec, FrameFormat)> {
    let [
        codec,
        r0,
        r1,
        c0,
        c1,
        samples_per_pixel,
        bits_allocated,
        colour,
    ] = *fields;
    let codec = match codec {
        0 => Codec::Jpeg,
        1 => Codec::JpegLs,
        2 => Codec::Jpeg2000,
        3 => Codec::Rle,
        _ => return None,
    };
    let format = FrameFormat {
        rows: u16::from_le_bytes([r0, r1]),
        columns: u16::from_le_bytes([c0, c1]),
        samples_per_pixel,
        bits_allocated,
        colour: colour_of(colour)?,
    };
    Some((codec, format))
}

/// Length and fields of an answer, and the bytes that follow.
pub(super) fn answer(result: Result<Samples, DecodeError>) -> (Vec<u8>, Vec<u8>) {
    let (outcome, layout, colour, bytes) = match result {
        Ok(samples) => {
            let layout = match samples.layout {
                Layout::Interleaved => 0,
                Layout::Planar => 1,
                Layout::PackedBits => 2,
            };
            (
                DECODED,
                layout,
                colour_number(samples.colour),
                samples.bytes,
            )
        }
        Err(DecodeError::Unsupported(_)) => (UNSUPPORTED, 0, 0, Vec::new()),
        Err(DecodeError::TooLarge { .. }) => (TOO_LARGE, 0, 0, Vec::new()),
        Err(_) => (DAMAGED, 0, 0, Vec::new()),
    };
    let mut head = ((ANSWER_BYTES + bytes.len()) as u64).to_le_bytes().to_vec();
    head.extend_from_slice(&[outcome, layout, colour]);
    (head, bytes)
}

/// Bytes that an answer for this format may have.
pub(super) fn longest_answer(format: &FrameFormat) -> u64 {
    ANSWER_BYTES as u64 + format.decoded_bytes()
}

/// What an answer says; [`DecodeError::Crashed`] for what no sound child says.
pub(super) fn samples(format: &FrameFormat, mut answer: Vec<u8>) -> Result<Samples, DecodeError> {
    let Some(&[outcome, layout, colour]) = answer.first_chunk::<ANSWER_BYTES>() else {
        return Err(DecodeError::Crashed);
    };
    match outcome {
        DECODED => {}
        DAMAGED => return Err(DecodeError::Damaged),
        UNSUPPORTED => return Err(DecodeError::Unsupported("a part of its format")),
        TOO_LARGE => {
            return Err(DecodeError::TooLarge {
                limit: MAX_FRAME_BYTES,
            });
        }
        _ => return Err(DecodeError::Crashed),
    }
    answer.drain(..ANSWER_BYTES);
    let (layout, expected) = match layout {
        0 => (Layout::Interleaved, format.decoded_bytes()),
        1 => (Layout::Planar, format.decoded_bytes()),
        2 => (Layout::PackedBits, format.sample_count().div_ceil(8)),
        _ => return Err(DecodeError::Crashed),
    };
    if answer.len() as u64 != expected {
        return Err(DecodeError::Crashed);
    }
    Ok(Samples {
        bytes: answer,
        layout,
        colour: colour_of(colour).ok_or(DecodeError::Crashed)?,
    })
}

fn colour_number(colour: Colour) -> u8 {
    match colour {
        Colour::Rgb => 0,
        Colour::Ybr => 1,
        Colour::Other => 2,
    }
}

fn colour_of(number: u8) -> Option<Colour> {
    match number {
        0 => Some(Colour::Rgb),
        1 => Some(Colour::Ybr),
        2 => Some(Colour::Other),
        _ => None,
    }
}
