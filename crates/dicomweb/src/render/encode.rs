//! Pictures to the two formats that every browser shows. The encoders are the crates'; here are only their calls.

use jpeg_encoder::{ColorType, Encoder};

use super::Picture;

/// An encoder refused a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// JPEG has 16 bits for an edge.
    #[error("the picture cannot be encoded as JPEG")]
    Jpeg(#[source] jpeg_encoder::EncodingError),
    /// The edges must not be zero.
    #[error("the picture cannot be encoded as PNG")]
    Png(#[source] png::EncodingError),
    /// An edge beyond what the format can say.
    #[error("the picture is too large for this format")]
    TooLarge,
}

/// Baseline JPEG.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, EncodeError> {
    let edge = |edge: u32| u16::try_from(edge).map_err(|_| EncodeError::TooLarge);
    let colour = match picture.channels {
        1 => ColorType::Luma,
        _ => ColorType::Rgb,
    };
    let mut out = Vec::with_capacity(picture.bytes.len() / 4);
    Encoder::new(&mut out, quality)
        .encode(
            &picture.bytes,
            edge(picture.width)?,
            edge(picture.height)?,
            colour,
        )
        .map_err(EncodeError::Jpeg)?;
    Ok(out)
}

/// PNG of 8 bits a sample.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_png(picture: &Picture) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(picture.bytes.len() / 2);
    let mut encoder = png::Encoder::new(&mut out, picture.width, picture.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match picture.channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    let mut writer = encoder.write_header().map_err(EncodeError::Png)?;
    writer
        .write_image_data(&picture.bytes)
        .map_err(EncodeError::Png)?;
    writer.finish().map_err(EncodeError::Png)?;
    Ok(out)
}
