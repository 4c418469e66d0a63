//! RLE Lossless (PS3.5 annex G): one segment for each byte of each sample. Single-bit samples stay packed.

use crate::{DecodeError, FrameFormat, Layout, Samples};

/// Number of segments and up to 15 offsets, four bytes each.
const HEADER_BYTES: usize = 64;

/// Decodes one frame; the result is little endian with one plane per sample.
pub(crate) fn decode(format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let planes = usize::from(format.samples_per_pixel);
    let pixels = usize::from(format.rows) * usize::from(format.columns);
    let (width, plane_bytes, layout) = match format.bits_allocated {
        1 if planes == 1 => (1, pixels.div_ceil(8), Layout::PackedBits),
        8 | 16 | 32 | 64 => {
            let width = usize::from(format.bytes_per_sample());
            (width, pixels * width, Layout::Planar)
        }
        _ => return Err(DecodeError::Unsupported("samples that end inside a byte")),
    };
    let mut out = vec![0; planes * plane_bytes];
    for index in 0..planes * width {
        let segment = segment(bytes, index, planes * width).ok_or(DecodeError::Damaged)?;
        // The most significant byte of a sample comes first.
        let byte = width - 1 - index % width;
        let plane = &mut out[index / width * plane_bytes..][..plane_bytes];
        let mut places = plane.iter_mut().skip(byte).step_by(width);
        unpack(segment, &mut places).ok_or(DecodeError::Damaged)?;
    }
    Ok(Samples {
        bytes: out,
        layout,
        colour: format.colour,
    })
}

fn segment(bytes: &[u8], index: usize, count: usize) -> Option<&[u8]> {
    let numbers = bytes.get(..HEADER_BYTES)?.as_chunks::<4>().0;
    let number = |at: usize| {
        numbers
            .get(at)
            .map(|unit| u32::from_le_bytes(*unit) as usize)
    };
    if number(0)? != count {
        return None;
    }
    let end = if index + 1 < count {
        number(index + 2)?
    } else {
        bytes.len()
    };
    bytes.get(number(index + 1)?..end)
}

/// PackBits (PS3.5 G.3.2) until every place is filled; `None` if the segment ends before.
fn unpack<'a>(
    mut segment: &[u8],
    places: &mut impl ExactSizeIterator<Item = &'a mut u8>,
) -> Option<()> {
    while places.len() > 0 {
        let (&code, rest) = segment.split_first()?;
        let length = usize::from(code);
        match code {
            0..=127 => {
                let literal = rest.get(..=length)?;
                literal
                    .iter()
                    .zip(places.by_ref())
                    .for_each(|(byte, place)| *place = *byte);
                segment = &rest[length + 1..];
            }
            128 => segment = rest,
            129..=255 => {
                let (byte, rest) = rest.split_first()?;
                places
                    .by_ref()
                    .take(257 - length)
                    .for_each(|place| *place = *byte);
                segment = rest;
            }
        }
    }
    Some(())
}
