//! Bytes of one frame to samples: byte order, packed bits, unused high bits; compressed bytes through a decoder.

use std::io::Read as _;

use arno_codecs::{Codec, Colour, DecodeError, Decoder, Layout, Samples};
use dicom_dictionary_std::uids;

use super::{Frame, FrameError, MAX_FRAME_BYTES, PixelFormat, colour};

/// Decodes a native frame whose first bit is `first_bit` of the first byte, or of the first word where bytes come
/// in big endian words.
pub(super) fn native(
    format: &PixelFormat,
    bytes: &[u8],
    first_bit: usize,
) -> Result<Frame, FrameError> {
    check_size(format)?;
    let frame_bits = usize::try_from(format.frame_bits()).map_err(|_| FrameError::Damaged)?;
    let swapped = format.swapped_bytes().map(|unit| swap(bytes, unit));
    let bytes = swapped.as_deref().unwrap_or(bytes);
    let bytes = match format.bits_allocated {
        1 => unpack_bits(bytes, first_bit, frame_bits)?,
        8 | 16 | 32 | 64 => bytes
            .get(first_bit / 8..)
            .and_then(|rest| rest.get(..frame_bits / 8))
            .ok_or(FrameError::Damaged)?
            .to_vec(),
        _ => return Err(format.not_decodable()),
    };
    let coded = format.coded().ok_or(FrameError::Damaged)?;
    if format.is_422() && !format.planar {
        return finish(format, colour::expand_422(format, bytes)?);
    }
    let layout = if format.planar {
        Layout::Planar
    } else {
        Layout::Interleaved
    };
    let samples = Samples {
        bytes,
        layout,
        colour: coded.colour,
    };
    finish(format, samples)
}

/// Decodes the joined fragments of one frame.
pub(super) fn encapsulated(
    format: &PixelFormat,
    bytes: &[u8],
    decoder: &dyn Decoder,
) -> Result<Frame, FrameError> {
    check_size(format)?;
    match format.transfer_syntax.as_str() {
        uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN => native(format, bytes, 0),
        uids::DEFLATED_IMAGE_FRAME_COMPRESSION => native(format, &inflate(format, bytes)?, 0),
        syntax => {
            let codec = Codec::of(syntax).ok_or_else(|| format.not_decodable())?;
            let coded = format.coded().ok_or(FrameError::Damaged)?;
            let samples = decoder
                .decode(codec, &coded, bytes)
                .map_err(|error| failure(format, error))?;
            finish(format, samples)
        }
    }
}

fn failure(format: &PixelFormat, error: DecodeError) -> FrameError {
    match error {
        DecodeError::Unsupported(_) => format.not_decodable(),
        DecodeError::Damaged => FrameError::Damaged,
        DecodeError::TooLarge { limit } => FrameError::TooLarge { limit },
        error => FrameError::Decoder(error),
    }
}

/// Bounds what any decompressor may produce.
fn check_size(format: &PixelFormat) -> Result<(), FrameError> {
    let decoded = format.coded().map_or(0, |coded| coded.decoded_bytes());
    if decoded > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge {
            limit: MAX_FRAME_BYTES,
        });
    }
    Ok(())
}

fn inflate(format: &PixelFormat, bytes: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut inflated = Vec::new();
    let decoder = flate2::read::DeflateDecoder::new(bytes);
    decoder
        .take(format.frame_bits().div_ceil(8))
        .read_to_end(&mut inflated)
        .map_err(|_| FrameError::Damaged)?;
    Ok(inflated)
}

/// Bit 0 of a byte is the first sample (PS3.5 section 8.1.1).
fn unpack_bits(bytes: &[u8], first_bit: usize, count: usize) -> Result<Vec<u8>, FrameError> {
    if bytes.len() * 8 < first_bit + count {
        return Err(FrameError::Damaged);
    }
    Ok((first_bit..first_bit + count)
        .map(|bit| (bytes[bit / 8] >> (bit % 8)) & 1)
        .collect())
}

/// Turns the bytes of each unit round.
fn swap(bytes: &[u8], unit: usize) -> Vec<u8> {
    bytes
        .chunks_exact(unit)
        .flat_map(|unit| unit.iter().rev().copied())
        .collect()
}

fn finish(format: &PixelFormat, samples: Samples) -> Result<Frame, FrameError> {
    let coded = format.coded().ok_or(FrameError::Damaged)?;
    let width = usize::from(coded.bytes_per_sample());
    let bytes = match samples.layout {
        Layout::PackedBits => {
            let count = usize::try_from(format.frame_bits()).map_err(|_| FrameError::Damaged)?;
            unpack_bits(&samples.bytes, 0, count)?
        }
        Layout::Planar => {
            colour::interleave(&samples.bytes, format.samples_per_pixel.into(), width)
        }
        Layout::Interleaved => samples.bytes,
    };
    let is_ybr = format.samples_per_pixel == 3 && samples.colour == Colour::Ybr;
    let bytes = match (is_ybr, width) {
        (false, _) => bytes,
        (true, 1) => colour::ybr_to_rgb(&bytes),
        (true, _) => return Err(format.not_decodable()),
    };
    if bytes.len() as u64 != coded.decoded_bytes() {
        return Err(FrameError::Damaged);
    }
    Ok(Frame {
        rows: format.rows,
        columns: format.columns,
        samples_per_pixel: format.samples_per_pixel,
        bytes_per_sample: coded.bytes_per_sample(),
        signed: format.signed,
        float: format.float,
        bytes: clear_unused_bits(format, bytes),
    })
}

/// Old files keep overlays in the bits above Bits Stored: those are cleared, or filled with the sign.
fn clear_unused_bits(format: &PixelFormat, bytes: Vec<u8>) -> Vec<u8> {
    let unused = u32::from(format.bits_allocated.saturating_sub(format.bits_stored));
    if unused == 0 || format.float {
        return bytes;
    }
    match format.bits_allocated {
        8 => clear::<1>(&bytes, unused, format.signed),
        16 => clear::<2>(&bytes, unused, format.signed),
        32 => clear::<4>(&bytes, unused, format.signed),
        64 => clear::<8>(&bytes, unused, format.signed),
        _ => bytes,
    }
}

fn clear<const WIDTH: usize>(bytes: &[u8], unused: u32, signed: bool) -> Vec<u8> {
    let above = 64 - 8 * u32::try_from(WIDTH).unwrap_or(8) + unused;
    let clear = |unit: &[u8; WIDTH]| {
        let sample = unit
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            << above;
        let sample = if signed {
            (sample.cast_signed() >> above).cast_unsigned()
        } else {
            sample >> above
        };
        let mut cleared = [0; WIDTH];
        cleared.copy_from_slice(&sample.to_le_bytes()[..WIDTH]);
        cleared
    };
    bytes.as_chunks().0.iter().flat_map(clear).collect()
}
