//! Bytes of one frame to samples: byte order, packed bits, unused high bits, colour planes and YBR colour.

use std::io::Read as _;

use dicom_dictionary_std::uids;

use super::{Frame, FrameError, MAX_FRAME_BYTES, PixelFormat, jpeg, rle};

/// Samples as they come out of a decompressor or a native value, before colour is put right.
pub(super) struct Samples {
    pub(super) bytes: Vec<u8>,
    pub(super) planar: bool,
    pub(super) is_rgb: bool,
}

/// Decodes a native frame whose first bit is `first_bit` of the first byte, or of the first word where bytes come
/// in big endian words.
pub(super) fn native(
    format: &PixelFormat,
    bytes: &[u8],
    first_bit: usize,
) -> Result<Frame, FrameError> {
    check_size(format)?;
    let frame_bits = usize::try_from(format.frame_bits()).map_err(|_| FrameError::Damaged)?;
    let swapped = format.big_words.then(|| swap_pairs(bytes));
    let bytes = swapped.as_deref().unwrap_or(bytes);
    let bytes = match format.bits_allocated {
        1 => unpack_bits(bytes, first_bit, frame_bits)?,
        8 | 16 => bytes
            .get(first_bit / 8..)
            .and_then(|rest| rest.get(..frame_bits / 8))
            .ok_or(FrameError::Damaged)?
            .to_vec(),
        _ => return Err(format.not_decodable()),
    };
    finish(
        format,
        Samples {
            bytes,
            planar: format.planar,
            is_rgb: false,
        },
    )
}

/// Decodes the joined fragments of one frame.
pub(super) fn encapsulated(format: &PixelFormat, bytes: &[u8]) -> Result<Frame, FrameError> {
    check_size(format)?;
    match format.transfer_syntax.as_str() {
        uids::RLE_LOSSLESS => finish(format, rle::decode(format, bytes)?),
        uids::JPEG_BASELINE8_BIT
        | uids::JPEG_EXTENDED12_BIT
        | uids::JPEG_LOSSLESS
        | uids::JPEG_LOSSLESS_SV1 => finish(format, jpeg::decode(format, bytes)?),
        uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN => native(format, bytes, 0),
        uids::DEFLATED_IMAGE_FRAME_COMPRESSION => native(format, &inflate(format, bytes)?, 0),
        _ => Err(format.not_decodable()),
    }
}

/// Samples are held as 8 or 16 bits, so this also bounds what any decompressor here may produce.
fn check_size(format: &PixelFormat) -> Result<(), FrameError> {
    let bytes_per_sample = u64::from(format.bits_allocated.div_ceil(8));
    let decoded = format.pixels() * u64::from(format.samples_per_pixel) * bytes_per_sample;
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

/// Swaps the bytes of each word.
fn swap_pairs(bytes: &[u8]) -> Vec<u8> {
    bytes
        .as_chunks::<2>()
        .0
        .iter()
        .flat_map(|[high, low]| [*low, *high])
        .collect()
}

fn finish(format: &PixelFormat, samples: Samples) -> Result<Frame, FrameError> {
    let bytes_per_sample: u8 = if format.bits_allocated <= 8 { 1 } else { 2 };
    let bytes = put_colour_right(format, samples, usize::from(bytes_per_sample))?;
    let expected =
        format.pixels() * u64::from(format.samples_per_pixel) * u64::from(bytes_per_sample);
    if bytes.len() as u64 != expected {
        return Err(FrameError::Damaged);
    }
    Ok(Frame {
        rows: format.rows,
        columns: format.columns,
        samples_per_pixel: format.samples_per_pixel,
        bytes_per_sample,
        signed: format.signed,
        bytes: clear_unused_bits(format, bytes),
    })
}

fn put_colour_right(
    format: &PixelFormat,
    samples: Samples,
    bytes_per_sample: usize,
) -> Result<Vec<u8>, FrameError> {
    if format.samples_per_pixel != 3 || samples.is_rgb {
        return Ok(samples.bytes);
    }
    let is_ybr = format.photometric.starts_with("YBR_FULL");
    match (bytes_per_sample, is_ybr) {
        (1, true) if format.is_422() && !samples.planar => Ok(expand_422(&samples.bytes)),
        (1, true) => Ok(interleave(samples, 1)
            .as_chunks::<3>()
            .0
            .iter()
            .flat_map(|pixel| to_rgb(*pixel))
            .collect()),
        (_, true) => Err(format.not_decodable()),
        (_, false) => Ok(interleave(samples, bytes_per_sample)),
    }
}

fn interleave(samples: Samples, bytes_per_sample: usize) -> Vec<u8> {
    let Samples { bytes, planar, .. } = samples;
    if !planar {
        return bytes;
    }
    let plane = bytes.len() / 3;
    let sample = |at: usize| bytes[at..].iter().take(bytes_per_sample).copied();
    (0..plane)
        .step_by(bytes_per_sample)
        .flat_map(|at| (0..3).flat_map(move |p| sample(p * plane + at)))
        .collect()
}

/// Two pixels in four bytes: Y₁ Y₂ C_B C_R.
fn expand_422(bytes: &[u8]) -> Vec<u8> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|[y1, y2, cb, cr]| [to_rgb([*y1, *cb, *cr]), to_rgb([*y2, *cb, *cr])])
        .flatten()
        .collect()
}

/// The inverse of PS3.3 C.7.6.3.1.2, "YBR_FULL".
fn to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=255 first"
    )]
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| v.round().clamp(0.0, 255.0) as u8)
}

/// Old files keep overlays in the bits above Bits Stored: those are cleared, or filled with the sign.
fn clear_unused_bits(format: &PixelFormat, bytes: Vec<u8>) -> Vec<u8> {
    let unused = u32::from(format.bits_allocated.saturating_sub(format.bits_stored));
    if format.bits_allocated != 16 || unused == 0 {
        return bytes;
    }
    let clear = |sample: u16| {
        let shifted = sample << unused;
        if format.signed {
            (shifted.cast_signed() >> unused).cast_unsigned()
        } else {
            shifted >> unused
        }
    };
    bytes
        .as_chunks::<2>()
        .0
        .iter()
        .flat_map(|unit| clear(u16::from_le_bytes(*unit)).to_le_bytes())
        .collect()
}
