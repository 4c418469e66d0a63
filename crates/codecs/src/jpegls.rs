//! JPEG-LS, lossless and near-lossless, in all three orders of components (ITU-T T.87; PS3.5 A.4.3).
//!
//! Not decoded: mapping tables, components of different sizes, and colour transforms of the HP encoder, which DICOM
//! does not allow.

mod bits;
mod model;
mod scan;
mod segments;

use segments::{Interleave, Segments};

use crate::{Colour, DecodeError, FrameFormat, Samples};

/// Decodes one frame.
pub(crate) fn decode(format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let mut segments = Segments::new(bytes);
    let count = usize::try_from(format.sample_count()).map_err(|_| DecodeError::Damaged)?;
    let components = usize::from(format.samples_per_pixel);
    let mut samples = Vec::new();
    let mut done = 0;
    while done < components {
        let scan = segments.next_scan()?;
        let frame = segments.frame.as_ref().ok_or(DecodeError::Damaged)?;
        format.expect_size(frame.rows.into(), frame.columns.into(), frame.ids.len())?;
        if u16::from(frame.precision) > u16::from(format.bits_allocated) {
            return Err(DecodeError::Damaged);
        }
        samples.resize(count, 0);
        let together = match scan.interleave {
            Interleave::None => 1,
            Interleave::Line | Interleave::Sample => components,
        };
        if scan.components != together || scan.first != done {
            return Err(DecodeError::Unsupported(
                "a rare order of JPEG-LS components",
            ));
        }
        let data = bytes.get(scan.data_at..).unwrap_or_default();
        let place = (usize::from(format.columns), components);
        segments.at = scan.data_at + scan::decode(&scan, data, place, &mut samples)?;
        done += together;
    }
    let frame = segments.frame.as_ref().ok_or(DecodeError::Damaged)?;
    let is_rgb = frame.ids.eq_ignore_ascii_case(b"RGB");
    let mut samples = format.write(samples.into_iter());
    if is_rgb {
        samples.colour = Colour::Rgb;
    }
    Ok(samples)
}
