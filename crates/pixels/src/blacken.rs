//! An instance with some of its pixels overwritten, and nothing else of it changed that does not follow from that.

use arno_codecs::Decoder;
use arno_dicom::transcode::{TranscodeError, transcode};
use arno_dicom::{FrameError, FrameLayout, Instance, PixelElement};
use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use crate::black::black;
use crate::paint::{Canvas, Samples};
use crate::region::{Frames, Region};

/// What becomes untrue, or shows in small what was overwritten.
pub(crate) const GONE: [Tag; 5] = [
    tags::SMALLEST_IMAGE_PIXEL_VALUE,
    tags::LARGEST_IMAGE_PIXEL_VALUE,
    tags::SMALLEST_PIXEL_VALUE_IN_SERIES,
    tags::LARGEST_PIXEL_VALUE_IN_SERIES,
    tags::ICON_IMAGE_SEQUENCE,
];

/// An instance whose regions are black.
#[derive(Debug, Clone)]
pub struct Blackened {
    /// The instance: in Explicit VR Little Endian where its frames were compressed or big endian, else as it was.
    pub instance: Instance,
    /// Pixels that were overwritten, counted once per region and frame.
    pub pixels: u64,
}

/// Why nothing was overwritten. Where it is not the regions' fault, nobody can make this instance clean here: a person
/// refuses it or keeps it away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlackenError {
    /// The frames are compressed in a way that is not decoded, or damaged.
    #[error("its frames cannot be decoded, so nothing can be overwritten in them")]
    NotDecodable(#[source] TranscodeError),
    /// The pixels are not described, or there are none.
    #[error("its frames cannot be found, so nothing can be overwritten in them")]
    Layout(#[source] FrameError),
    /// An interpretation, a sample size or a kind of sample of which it is not known what is black.
    #[error("it is not known what is black in its pixels")]
    Interpretation,
    /// A palette that cannot be used.
    #[error("its palette cannot be read, so it is not known what is black")]
    Palette,
    /// A region lies in no frame.
    #[error("there is no frame {frame}: it has {count}")]
    NoSuchFrame {
        /// Asked for, counted from zero.
        frame: u32,
        /// Present.
        count: u32,
    },
    /// A region of which no pixel lies in the frame.
    #[error(
        "region {index} lies outside of the frame, which has {columns} columns and {rows} rows"
    )]
    Outside {
        /// Which region, counted from zero.
        index: usize,
        /// Of the frame.
        rows: u16,
        /// Of the frame.
        columns: u16,
    },
}

impl BlackenError {
    /// Whether other regions could do: otherwise the instance is to be refused or kept away.
    #[must_use]
    pub fn is_about_regions(&self) -> bool {
        matches!(self, Self::NoSuchFrame { .. } | Self::Outside { .. })
    }
}

/// Overwrites regions with black. Compressed frames are decoded first, all of them, with this decoder. A region that
/// reaches beyond the frame is cut off at its edge.
///
/// # Errors
/// [`BlackenError`]: then nothing was overwritten.
pub fn blacken(
    instance: &Instance,
    regions: &[Region],
    decoder: &dyn Decoder,
) -> Result<Blackened, BlackenError> {
    // What cannot be overwritten is not decoded first.
    let layout = FrameLayout::of(instance).map_err(BlackenError::Layout)?;
    let regions = inside(regions, &layout)?;
    let mut native = native(instance, decoder)?;
    let layout = FrameLayout::of(&native).map_err(BlackenError::Layout)?;
    let black = black(&native, &layout.format, layout.palette.as_ref())?;
    let samples = Samples::of(&layout.format).filter(|_| !layout.format.float);
    let samples = samples.ok_or(BlackenError::Interpretation)?;
    let missing = BlackenError::Layout(FrameError::Damaged);
    let PixelElement {
        encoded,
        value_offset,
        encapsulated,
    } = native.pixels.take().ok_or_else(|| missing.clone())?;
    let mut bytes = encoded.to_vec();
    let mut canvas = Canvas {
        value: bytes
            .get_mut(value_offset..)
            .ok_or_else(|| missing.clone())?,
        format: &layout.format,
        black,
    };
    let mut pixels = 0;
    for region in regions {
        for frame in region.frames.numbers(layout.count) {
            canvas
                .paint(samples, frame, region)
                .ok_or_else(|| missing.clone())?;
            pixels += region.area();
        }
    }
    for tag in GONE {
        native.header.remove_element(tag);
    }
    native.pixels = Some(PixelElement {
        encoded: bytes.into(),
        value_offset,
        encapsulated,
    });
    Ok(Blackened {
        instance: native,
        pixels,
    })
}

/// The regions cut off at the edges of the frames.
fn inside(regions: &[Region], layout: &FrameLayout) -> Result<Vec<Region>, BlackenError> {
    let (rows, columns, count) = (layout.format.rows, layout.format.columns, layout.count);
    let clip = |(index, region): (usize, &Region)| match region.frames {
        Frames::One(frame) if frame >= count => Err(BlackenError::NoSuchFrame { frame, count }),
        _ => region.clipped(rows, columns).ok_or(BlackenError::Outside {
            index,
            rows,
            columns,
        }),
    };
    regions.iter().enumerate().map(clip).collect()
}

/// The instance with native little endian pixels.
pub(crate) fn native(instance: &Instance, decoder: &dyn Decoder) -> Result<Instance, BlackenError> {
    match instance.transfer_syntax.as_str() {
        uids::IMPLICIT_VR_LITTLE_ENDIAN | uids::EXPLICIT_VR_LITTLE_ENDIAN => Ok(instance.clone()),
        _ => transcode(instance, uids::EXPLICIT_VR_LITTLE_ENDIAN, decoder)
            .map_err(BlackenError::NotDecodable),
    }
}
