//! Which sample values are black (PS3.3 C.7.6.3.1.2).
//!
//! Black is the darkest value that the stored bits can say, not the darkest of this frame: the same for every instance of
//! a kind, so that nobody can learn from it what it covers.

use arno_dicom::frames::{Palette, PixelFormat};
use arno_dicom::{Frame, Instance};
use dicom_dictionary_std::tags;

use crate::blacken::BlackenError;

/// Indices of a palette have at most this many bits (PS3.3 C.7.6.3.1.5).
const MAX_INDEX_BITS: u16 = 16;

/// The samples of one black pixel, each as the bits of its container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Black {
    pub(crate) samples: [u64; 3],
}

/// Black in the native frames of an instance.
pub(crate) fn black(
    instance: &Instance,
    format: &PixelFormat,
    palette: Option<&Palette>,
) -> Result<Black, BlackenError> {
    let photometric = format.photometric.as_str();
    let grey = |sample: u64| Ok([sample, 0, 0]);
    let samples = match (photometric, format.samples_per_pixel) {
        ("MONOCHROME2", 1) => grey(lowest(format)),
        ("MONOCHROME1", 1) => grey(highest(format)),
        ("PALETTE COLOR", 1) => {
            let palette = palette.ok_or(BlackenError::Palette)?;
            grey(darkest_index(format, palette)?)
        }
        ("RGB", 3) => Ok([lowest(format); 3]),
        ("YBR_FULL" | "YBR_FULL_422", 3) => Ok([0, middle(format), middle(format)]),
        ("YBR_PARTIAL_422", 3) => Ok([footroom(format), middle(format), middle(format)]),
        _ => Err(BlackenError::Interpretation),
    }?;
    let shift = low_bit(instance, format);
    let container = ones(format.bits_allocated);
    Ok(Black {
        samples: samples.map(|sample| (sample << shift) & container),
    })
}

fn ones(bits: u16) -> u64 {
    u64::MAX >> (64 - bits.clamp(1, 64))
}

/// The smallest value: zero, or the most negative, its sign filled up to the left.
fn lowest(format: &PixelFormat) -> u64 {
    match format.signed {
        true => u64::MAX << (format.bits_stored - 1),
        false => 0,
    }
}

fn highest(format: &PixelFormat) -> u64 {
    match format.signed {
        true => ones(format.bits_stored) >> 1,
        false => ones(format.bits_stored),
    }
}

/// No colour: half of the range.
fn middle(format: &PixelFormat) -> u64 {
    1 << (format.bits_stored - 1)
}

/// Black of studio video: 16 of 256.
fn footroom(format: &PixelFormat) -> u64 {
    1 << format.bits_stored.saturating_sub(4)
}

/// Where the stored bits begin: above bit 0 only in old files, whose High Bit says so (PS3.5 section 8.1.1).
fn low_bit(instance: &Instance, format: &PixelFormat) -> u32 {
    let high_bit = instance.header.get(tags::HIGH_BIT);
    let high_bit = high_bit.and_then(|element| element.to_int::<u16>().ok());
    high_bit
        .filter(|high_bit| *high_bit < format.bits_allocated)
        .and_then(|high_bit| (high_bit + 1).checked_sub(format.bits_stored))
        .unwrap_or(0)
        .into()
}

/// The index of the darkest colour, the first of several.
fn darkest_index(format: &PixelFormat, palette: &Palette) -> Result<u64, BlackenError> {
    let bits = format.bits_stored.min(MAX_INDEX_BITS);
    let all = 0..=u16::try_from(ones(bits)).unwrap_or(u16::MAX);
    // Looked up as unsigned words: a palette for signed indices has its first one below zero, and the index that is
    // found here is read back the same way only if it has no sign.
    if format.signed {
        return Err(BlackenError::Palette);
    }
    let indices = Frame {
        rows: 1,
        // A palette takes samples as they come; the size of the frame says nothing to it.
        columns: u16::MAX,
        samples_per_pixel: 1,
        bytes_per_sample: 2,
        signed: false,
        float: false,
        bytes: all.flat_map(u16::to_le_bytes).collect(),
    };
    let colours = palette.apply(&indices).map_err(|_| BlackenError::Palette)?;
    let width = usize::from(colours.bytes_per_sample);
    let pixels = colours.bytes.chunks_exact(3 * width);
    let brightness = |pixel: &[u8]| {
        let channel = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, b| sum << 8 | u64::from(*b))
        };
        pixel.chunks_exact(width).map(channel).sum::<u64>()
    };
    let darkest = pixels
        .enumerate()
        .min_by_key(|(_, pixel)| brightness(pixel));
    darkest
        .map(|(index, _)| index as u64)
        .ok_or(BlackenError::Palette)
}
