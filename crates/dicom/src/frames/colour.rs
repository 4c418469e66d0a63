//! Colour samples in one order and one colour space: interleaved RGB (PS3.3 C.7.6.3.1.2).

use arno_codecs::{Colour, Layout, Samples};

use super::{FrameError, PixelFormat};

/// Planes to interleaved samples of `width` bytes.
pub(super) fn interleave(bytes: &[u8], planes: usize, width: usize) -> Vec<u8> {
    if planes == 1 {
        return bytes.to_vec();
    }
    let plane = bytes.len() / planes;
    let sample = |at: usize| bytes[at..].iter().take(width).copied();
    (0..plane / width * width)
        .step_by(width)
        .flat_map(|at| (0..planes).flat_map(move |p| sample(p * plane + at)))
        .collect()
}

/// Two pixels in four bytes, Y₁ Y₂ C_B C_R, to three samples a pixel.
pub(super) fn expand_422(format: &PixelFormat, bytes: Vec<u8>) -> Result<Samples, FrameError> {
    if format.bits_allocated != 8 {
        return Err(format.not_decodable());
    }
    let pixels = bytes.as_chunks::<4>().0.iter();
    Ok(Samples {
        bytes: pixels
            .flat_map(|[y1, y2, cb, cr]| [*y1, *cb, *cr, *y2, *cb, *cr])
            .collect(),
        layout: Layout::Interleaved,
        colour: Colour::Ybr,
    })
}

/// The inverse of PS3.3 C.7.6.3.1.2, "YBR_FULL", for samples of 8 bits.
pub(super) fn ybr_to_rgb(bytes: &[u8]) -> Vec<u8> {
    let pixels = bytes.as_chunks::<3>().0.iter();
    pixels.flat_map(|pixel| to_rgb(*pixel)).collect()
}

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
