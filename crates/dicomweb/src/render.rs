//! A decoded frame as a picture for people (PS3.18 section 8.3.5, PS3.4 annex N): modality values, window or VOI LUT,
//! inversion, region and size, then JPEG or PNG.
//!
//! Not here: overlays, annotation, presentation states, blending, ICC profiles; palettes are applied before.

mod encode;
mod look;
mod resize;
mod tone;

use arno_dicom::Frame;

pub use encode::{EncodeError, encode_jpeg, encode_png};
pub use look::{Look, Lut};

use crate::rendered::{Rendering, Viewport};

/// Pixels of the largest picture that is made: 64 megapixels, a whole 8192 by 8192 screen.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Quality of JPEG where none is asked for: no visible artefacts, a tenth of the size.
pub const DEFAULT_QUALITY: u8 = 90;

/// An image of 8 bits a sample, grey or RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 1 for grey, 3 for RGB.
    pub channels: u32,
    /// `width × height × channels` bytes.
    pub bytes: Vec<u8>,
}

/// Why a frame is not rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// Samples that no screen shows.
    #[error("frames of {samples} samples a pixel are not rendered")]
    Samples {
        /// Samples per Pixel (0028,0002).
        samples: u16,
    },
    /// The region is not in the image.
    #[error("the region of the viewport lies outside of the image of {columns} by {rows} pixels")]
    Outside {
        /// Columns of the image.
        columns: u16,
        /// Rows of the image.
        rows: u16,
    },
    /// The frame or the picture is too large.
    #[error("pictures have at most {MAX_PIXELS} pixels")]
    TooLarge,
}

/// Renders a decoded frame, whose palette was applied.
///
/// # Errors
/// [`RenderError`].
pub fn render(frame: &Frame, look: &Look, rendering: &Rendering) -> Result<Picture, RenderError> {
    if u64::from(frame.rows) * u64::from(frame.columns) > MAX_PIXELS {
        return Err(RenderError::TooLarge);
    }
    let (channels, bytes) = match frame.samples_per_pixel {
        1 => (1, tone::grey(frame, look, rendering.window)),
        3 => (3, tone::colour(frame, look)),
        samples => return Err(RenderError::Samples { samples }),
    };
    let picture = Picture {
        width: u32::from(frame.columns),
        height: u32::from(frame.rows),
        channels,
        bytes,
    };
    match &rendering.viewport {
        None => Ok(picture),
        Some(viewport) => fit(&picture, viewport, frame),
    }
}

fn fit(picture: &Picture, viewport: &Viewport, frame: &Frame) -> Result<Picture, RenderError> {
    let outside = RenderError::Outside {
        columns: frame.columns,
        rows: frame.rows,
    };
    resize::fit(picture, viewport).ok_or(outside)
}

#[cfg(test)]
mod tests;
