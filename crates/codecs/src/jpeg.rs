//! JPEG (PS3.5 A.4.1, ITU-T T.81): looks at the frame header and chooses who decodes. `jpeg-decoder` does neither 12 bits
//! nor lossless colour, and does not give colour as it is coded, so it is left with progressive frames.

mod bits;
mod dct;
mod lossless;
mod progressive;
mod segments;

use segments::{Frame, Process, Segments};

use crate::{Colour, DecodeError, FrameFormat, Samples};

/// Decodes one frame; colour stays as it is coded, and the result says which it is.
pub(crate) fn decode(format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let frame = Segments::frame_of(bytes)?;
    format.expect_size(
        frame.rows.into(),
        frame.columns.into(),
        frame.components.len(),
    )?;
    if u16::from(frame.precision) > u16::from(format.bits_allocated) {
        return Err(DecodeError::Damaged);
    }
    let colour = colour(format.colour, &frame);
    let mut samples = match (frame.process, frame.precision) {
        (Process::Lossless, 2..=16) => lossless::decode(format, bytes),
        (Process::Sequential, 8 | 12) => dct::decode(format, bytes),
        (Process::Progressive, 8) => return progressive::decode(format, colour, bytes),
        (Process::Other, _) => Err(DecodeError::Unsupported(
            "an arithmetic or hierarchical JPEG",
        )),
        _ => Err(DecodeError::Unsupported("a JPEG of this precision")),
    }?;
    samples.colour = colour;
    Ok(samples)
}

/// What the samples are: as the header says, but many headers call JFIF data, which is always luminance and
/// differences, RGB; and components that are called R, G and B are just that.
fn colour(described: Colour, frame: &Frame) -> Colour {
    let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
    match ids.as_slice() {
        [_, _, _] if ids.eq_ignore_ascii_case(b"RGB") => Colour::Rgb,
        [_, _, _] if frame.is_jfif => Colour::Ybr,
        _ => described,
    }
}
