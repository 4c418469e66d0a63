//! JPEG 2000 and HTJ2K (PS3.5 A.4.4, ITU-T T.800 and T.814) through a Rust port of OpenJPEG.
//!
//! The main header is read here first: the library takes memory for what it declares, so its size must be the
//! described one, and the library does not tell whether colour was transformed.

use jpeg2k::{DecodeParameters, Image, ImageComponent};

use crate::{Colour, DecodeError, FrameFormat, Samples};

/// Markers of T.800 table A.2.
const SOC: u16 = 0xFF4F;
const SIZ: u16 = 0xFF51;
const COD: u16 = 0xFF52;
const SOT: u16 = 0xFF90;

/// The first box of a JP2 file, which PS3.5 A.4.4 forbids round the codestream but some writers add.
const JP2_SIGNATURE: &[u8] = b"\0\0\0\x0CjP  ";

/// What the main header says.
struct MainHeader {
    rows: u32,
    columns: u32,
    components: u16,
    subsampled: bool,
    /// Whether the decoder turns the first three components into red, green and blue.
    colour_transform: bool,
}

/// Decodes one frame; samples of signed components are extended.
pub(crate) fn decode(format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let stream = codestream(bytes).ok_or(DecodeError::Damaged)?;
    let header = main_header(stream).ok_or(DecodeError::Damaged)?;
    format.expect_size(header.rows, header.columns, usize::from(header.components))?;
    if header.subsampled {
        return Err(DecodeError::Unsupported("components of different sizes"));
    }
    let parameters = DecodeParameters::new()
        .strict(false)
        .ignore_pclr_cmap_cdef();
    let image = Image::from_bytes_with(stream, parameters).map_err(|_| DecodeError::Damaged)?;
    let mut samples = interleave(format, image.components())?;
    if header.colour_transform {
        samples.colour = Colour::Rgb;
    }
    Ok(samples)
}

fn interleave(format: &FrameFormat, components: &[ImageComponent]) -> Result<Samples, DecodeError> {
    let pixels = usize::from(format.rows) * usize::from(format.columns);
    let fits = |component: &ImageComponent| {
        component.precision() <= u32::from(format.bits_allocated)
            && component.data().len() == pixels
    };
    if components.len() != usize::from(format.samples_per_pixel) || !components.iter().all(fits) {
        return Err(DecodeError::Damaged);
    }
    let planes: Vec<&[i32]> = components.iter().map(ImageComponent::data).collect();
    let samples = (0..pixels).flat_map(|at| planes.iter().map(move |plane| plane[at]));
    Ok(format.write(samples))
}

/// The codestream, without the boxes of a JP2 file that somebody may have put round it.
fn codestream(bytes: &[u8]) -> Option<&[u8]> {
    if !bytes.starts_with(JP2_SIGNATURE) {
        return Some(bytes);
    }
    let start = [SOC.to_be_bytes(), SIZ.to_be_bytes()].concat();
    let at = bytes.windows(4).position(|four| four == start)?;
    bytes.get(at..)
}

fn main_header(stream: &[u8]) -> Option<MainHeader> {
    if number(stream, 0)? != SOC || number(stream, 2)? != SIZ {
        return None;
    }
    let size = segment(stream, 4)?;
    let wide = |at| Some(u32::from(number(size, at)?) << 16 | u32::from(number(size, at + 2)?));
    let components = number(size, 36)?;
    let mut header = MainHeader {
        columns: wide(4)?.checked_sub(wide(12)?)?,
        rows: wide(8)?.checked_sub(wide(16)?)?,
        components,
        subsampled: size[38..].chunks(3).any(|c| c.get(1..) != Some(&[1, 1])),
        colour_transform: false,
    };
    let mut at = 4 + size.len();
    loop {
        let marker = number(stream, at)?;
        if marker == SOT {
            return Some(header);
        }
        let segment = segment(stream, at + 2)?;
        if marker == COD {
            // Length, style, progression, layers, then the transform over components (T.800 A.6.1).
            header.colour_transform = components >= 3 && *segment.get(6)? == 1;
        }
        at += 2 + segment.len();
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|unit| u16::from_be_bytes(*unit))
}

/// A marker segment from its length on, which counts itself.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(number(bytes, at)?);
    let segment = bytes.get(at..)?.get(..length)?;
    (length >= 2).then_some(segment)
}
