//! A decoded frame as a picture, with the look and the palette that its header asks for: for DICOMweb and for review.

use arno_dicom::{Frame, FrameLayout, Header};
use arno_dicomweb::{
    render::{Look, Picture, RenderError, render},
    rendered::Rendering,
};

/// Bits of a colour that a palette gives.
const PALETTE_BITS: u16 = 16;

/// Paints a frame, counted from zero.
///
/// # Errors
/// [`RenderError`] when no screen shows its samples, or the picture would be too large.
pub(crate) fn paint(
    header: &Header,
    layout: &FrameLayout,
    (decoded, frame): (&Frame, u32),
    rendering: &Rendering,
) -> Result<Picture, RenderError> {
    let look = Look::of(header, frame, layout.format.bits_stored);
    let palette = layout.palette.as_ref();
    let Some(coloured) = palette.and_then(|palette| palette.apply(decoded).ok()) else {
        return render(decoded, &look, rendering);
    };
    // Colours of a palette fill their samples, whatever the index has.
    let look = Look {
        bits_stored: PALETTE_BITS,
        ..look
    };
    render(&coloured, &look, rendering)
}
