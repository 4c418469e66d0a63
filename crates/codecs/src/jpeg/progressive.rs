//! Progressive DCT of 8 bits through `jpeg-decoder`: retired in DICOM, but some writers use it all the same.

use jpeg_decoder::{ColorTransform, Decoder, Error};

use crate::{Colour, DecodeError, FrameFormat, MAX_FRAME_BYTES, Samples};

/// Decodes a frame whose size was checked; luminance and differences come out as red, green and blue.
pub(super) fn decode(
    format: &FrameFormat,
    colour: Colour,
    bytes: &[u8],
) -> Result<Samples, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(usize::try_from(MAX_FRAME_BYTES).unwrap_or(usize::MAX));
    match (format.samples_per_pixel, colour) {
        (1, _) => {}
        (3, Colour::Ybr) => decoder.set_color_transform(ColorTransform::YCbCr),
        (3, _) => decoder.set_color_transform(ColorTransform::RGB),
        _ => {
            return Err(DecodeError::Unsupported(
                "progressive JPEG of this many components",
            ));
        }
    }
    let decoded = decoder.decode().map_err(|error| match error {
        Error::Unsupported(_) => DecodeError::Unsupported("a rare kind of progressive JPEG"),
        _ => DecodeError::Damaged,
    })?;
    let mut samples = format.write(decoded.into_iter());
    samples.colour = match colour {
        Colour::Ybr => Colour::Rgb,
        other => other,
    };
    Ok(samples)
}
