//! Frames as pictures of eight bits, for whoever looks for text in them.

use arno_codecs::Decoder;
use arno_dicom::frames::Palette;
use arno_dicom::{Frame, FrameError, FrameLayout, Instance};

/// Share of the samples of more than eight bits that may become plain black, and plain white: text is often the
/// brightest of all, and single hot pixels must not make it grey.
const CUT_SHARE: f64 = 0.005;

/// What a person would see of one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Height in pixels.
    pub rows: u16,
    /// Width in pixels.
    pub columns: u16,
    /// Row by row: one byte a pixel, or red, green and blue.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// Bytes a pixel: 1 or 3; nothing if the bytes are not as many as the size wants.
    #[must_use]
    pub fn channels(&self) -> Option<usize> {
        let pixels = usize::from(self.rows) * usize::from(self.columns);
        [1, 3]
            .into_iter()
            .find(|channels| pixels > 0 && pixels * channels == self.bytes.len())
    }
}

/// Decodes all frames of an instance, one after the other, and hands each over as a picture.
///
/// # Errors
/// What `see` says; [`FrameError`] if a frame cannot be decoded: then nobody has seen all of them.
pub fn each_picture<E: From<FrameError>>(
    instance: &Instance,
    decoder: &dyn Decoder,
    mut see: impl FnMut(u32, Picture) -> Result<(), E>,
) -> Result<FrameLayout, E> {
    let layout = FrameLayout::of(instance)?;
    let value = instance.pixels.as_ref().ok_or(FrameError::NoPixels)?;
    for number in 0..layout.count {
        let range = layout.range(number)?;
        let range = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let bytes = range
            .and_then(|(start, end)| value.value().get(start..end))
            .ok_or(FrameError::Damaged)?;
        let frame = layout.decode(number, bytes, decoder)?;
        see(number, picture(&frame, layout.palette.as_ref())?)?;
    }
    Ok(layout)
}

fn picture(frame: &Frame, palette: Option<&Palette>) -> Result<Picture, FrameError> {
    let coloured = palette.map(|palette| palette.apply(frame)).transpose()?;
    let frame = coloured.as_ref().unwrap_or(frame);
    let is_plain = frame.bytes_per_sample == 1 && !frame.signed;
    let most = frame.bytes.iter().copied().max().unwrap_or(0);
    let bytes = match is_plain {
        // Single bits, and the like.
        true if most < 2 => frame.bytes.iter().map(|bit| bit * u8::MAX).collect(),
        true => frame.bytes.clone(),
        false => stretched(&samples(frame)),
    };
    let picture = Picture {
        rows: frame.rows,
        columns: frame.columns,
        bytes,
    };
    // Two and four samples a pixel are no picture.
    picture.channels().ok_or(FrameError::Damaged)?;
    Ok(picture)
}

fn samples(frame: &Frame) -> Vec<f64> {
    let width = usize::from(frame.bytes_per_sample).max(1);
    let number = |bytes: &[u8]| {
        let bits = bytes
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let above = 64_u32.saturating_sub(u32::from(frame.bytes_per_sample) * 8);
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "for a picture of 256 tones; halves of floating-point samples were checked for by width"
        )]
        match (frame.float, frame.signed) {
            (true, _) if width == 4 => f64::from(f32::from_bits(bits as u32)),
            (true, _) => f64::from_bits(bits),
            (false, true) => ((bits << above).cast_signed() >> above) as f64,
            (false, false) => bits as f64,
        }
    };
    frame.bytes.chunks_exact(width).map(number).collect()
}

/// The tones between the darkest and the brightest, but for a small share of both.
fn stretched(samples: &[f64]) -> Vec<u8> {
    let mut sorted: Vec<f64> = samples.iter().copied().filter(|s| s.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a length, and clamped to 0..=255"
    )]
    let (cut, tone) = ((sorted.len() as f64 * CUT_SHARE) as usize, |share: f64| {
        (share * 255.0).clamp(0.0, 255.0) as u8
    });
    let (Some(low), Some(high)) = (
        sorted.get(cut),
        sorted.get(sorted.len().saturating_sub(cut + 1)),
    ) else {
        return vec![0; samples.len()];
    };
    let span = (high - low).max(f64::MIN_POSITIVE);
    samples.iter().map(|s| tone((s - low) / span)).collect()
}

#[cfg(test)]
mod tests {
    use arno_dicom::Frame;

    use super::picture;

    #[test]
    fn deep_samples_are_stretched_between_their_extremes() {
        let check = |signed, samples: [i16; 4], expect: [u8; 4]| {
            let frame = Frame {
                rows: 2,
                columns: 2,
                samples_per_pixel: 1,
                bytes_per_sample: 2,
                signed,
                float: false,
                bytes: samples.into_iter().flat_map(i16::to_le_bytes).collect(),
            };
            assert_eq!(picture(&frame, None).unwrap().bytes, expect);
        };
        check(true, [-1000, 0, 1000, 3000], [0, 63, 127, 255]);
        check(false, [-1, 0, 0, -1], [255, 0, 0, 255]);
        check(true, [7, 7, 7, 7], [0, 0, 0, 0]);
    }
}
