//! RLE Lossless (PS3.5 annex G). dicom-rs' decoder panics on short segments, so this one is ours.

use super::decode::Samples;
use super::{FrameError, PixelFormat};

/// Number of segments and up to 15 offsets, four bytes each.
const HEADER_BYTES: usize = 64;

/// Decodes one frame; the result is little endian with one plane per colour.
pub(super) fn decode(format: &PixelFormat, bytes: &[u8]) -> Result<Samples, FrameError> {
    let bytes_per_sample = match format.bits_allocated {
        8 => 1,
        16 => 2,
        _ => return Err(format.not_decodable()),
    };
    let pixels = usize::try_from(format.pixels()).map_err(|_| FrameError::Damaged)?;
    let segments = usize::from(format.samples_per_pixel) * bytes_per_sample;
    let plane_bytes = pixels * bytes_per_sample;
    let mut out = vec![0; usize::from(format.samples_per_pixel) * plane_bytes];
    for index in 0..segments {
        let segment = segment(bytes, index, segments).ok_or(FrameError::Damaged)?;
        // The most significant byte of a sample comes first.
        let byte = bytes_per_sample - 1 - index % bytes_per_sample;
        let plane = &mut out[index / bytes_per_sample * plane_bytes..][..plane_bytes];
        let mut places = plane.iter_mut().skip(byte).step_by(bytes_per_sample);
        unpack(segment, &mut places).ok_or(FrameError::Damaged)?;
    }
    Ok(Samples {
        bytes: out,
        planar: format.samples_per_pixel > 1,
        is_rgb: false,
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
