//! Frames of pixel data: where each lies (PS3.3 C.7.6.3, PS3.5 section 8 and A.4), so that one range read fetches
//! one, and how its bytes become samples for a screen.
//!
//! Ranges count from the start of the pixel value (native) or of its first item (encapsulated), the place that
//! [`crate::Written::pixel_offset`] gives. Compressed bytes go to a [`Decoder`], so that a server can decode them where
//! they do no harm. Not here: windowing, and video.

mod colour;
mod decode;
mod format;
mod fragments;
mod palette;

use std::ops::Range;

use arno_codecs::{DecodeError, Decoder, InProcess};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

pub use arno_codecs::MAX_FRAME_BYTES;
pub use format::PixelFormat;
pub use palette::Palette;

use crate::attributes::whole;
use crate::instance::Instance;
use crate::summary::Summary;
use crate::syntax::is_encapsulated;

/// Why a frame cannot be found or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The instance has no pixel data.
    #[error("no pixel data")]
    NoPixels,
    /// An attribute that describes the pixels is absent or has an impossible value.
    #[error("{0} is missing or impossible")]
    Description(Tag),
    /// The frame number is not below the number of frames.
    #[error("no frame {frame}, there are {count}")]
    NoSuchFrame {
        /// Asked for, counted from zero.
        frame: u32,
        /// Present.
        count: u32,
    },
    /// Several fragments per frame and no table that says which.
    #[error("{fragments} fragments cannot be assigned to {frames} frames")]
    Unassigned {
        /// Fragments found.
        fragments: usize,
        /// Frames declared.
        frames: u32,
    },
    /// Show the frame elsewhere: this compression or sample size is not decoded here.
    #[error(
        "frames in transfer syntax {transfer_syntax} with {bits_allocated} bits allocated are not decoded"
    )]
    NotDecodable {
        /// Transfer syntax UID.
        transfer_syntax: String,
        /// Bits Allocated (0028,0100).
        bits_allocated: u16,
    },
    /// The compressed bytes are broken, or decode to another size than described.
    #[error("the encoded frame is damaged")]
    Damaged,
    /// A frame beyond [`MAX_FRAME_BYTES`].
    #[error("a frame has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The decoder's process failed; the next frame may be tried.
    #[error(transparent)]
    Decoder(DecodeError),
}

/// Where the frames of one instance lie, and how to decode them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLayout {
    /// Common to all frames.
    pub format: PixelFormat,
    /// Number of frames, at least 1.
    pub count: u32,
    /// The colours of PALETTE COLOR, for [`Palette::apply`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub palette: Option<Palette>,
    extent: Extent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Extent {
    /// Frames follow each other without gaps, in bits because of single-bit samples.
    Native { frame_bits: u64 },
    /// One range of whole fragment items per frame.
    Fragments(Vec<Range<u64>>),
}

/// One decoded frame: samples row by row, colour interleaved as RGB, little endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Height in pixels.
    pub rows: u16,
    /// Width in pixels.
    pub columns: u16,
    /// 1 to 4.
    pub samples_per_pixel: u16,
    /// 1, 2, 4 or 8; single-bit samples become bytes of 0 and 1.
    pub bytes_per_sample: u8,
    /// Whether samples are two's complement, extended to the full width.
    pub signed: bool,
    /// Whether samples are IEEE 754 numbers of 4 or 8 bytes.
    pub float: bool,
    /// `rows × columns × samples_per_pixel × bytes_per_sample` bytes.
    pub bytes: Vec<u8>,
}

impl FrameLayout {
    /// Finds the frames of an instance, native or encapsulated.
    ///
    /// # Errors
    /// [`FrameError`] if the pixels are not described or fragments cannot be assigned to frames.
    pub fn of(instance: &Instance) -> Result<Self, FrameError> {
        let format = PixelFormat::of(instance)?;
        let pixels = instance.pixels.as_ref().ok_or(FrameError::NoPixels)?;
        let count = frame_count(whole(&instance.header, tags::NUMBER_OF_FRAMES))?;
        if !pixels.encapsulated {
            return Ok(Self::native(format, count).coloured(instance));
        }
        let ranges = fragments::frame_ranges(instance, pixels, count)?;
        let layout = Self {
            format,
            count,
            palette: None,
            extent: Extent::Fragments(ranges),
        };
        Ok(layout.coloured(instance))
    }

    /// A palette that cannot be used leaves the frames with their indices.
    fn coloured(self, instance: &Instance) -> Self {
        let is_indexed = self.format.photometric == "PALETTE COLOR";
        Self {
            palette: is_indexed.then(|| Palette::of(&instance.header)).flatten(),
            ..self
        }
    }

    /// Finds the frames from a summary alone, without a palette; native pixel data only.
    ///
    /// # Errors
    /// [`FrameError::NotDecodable`] where fragments must be looked at first.
    pub fn from_summary(summary: &Summary) -> Result<Self, FrameError> {
        let format = PixelFormat::from_summary(summary)?;
        if is_encapsulated(&format.transfer_syntax) {
            return Err(format.not_decodable());
        }
        Ok(Self::native(format, frame_count(summary.frames)?))
    }

    fn native(format: PixelFormat, count: u32) -> Self {
        let frame_bits = format.frame_bits();
        Self {
            format,
            count,
            palette: None,
            extent: Extent::Native { frame_bits },
        }
    }

    /// Bytes that all frames occupy.
    #[must_use]
    pub fn value_bytes(&self) -> u64 {
        match &self.extent {
            Extent::Native { frame_bits } => {
                u64::try_from((u128::from(*frame_bits) * u128::from(self.count)).div_ceil(8))
                    .unwrap_or(u64::MAX)
            }
            Extent::Fragments(ranges) => ranges.last().map_or(0, |range| range.end),
        }
    }

    /// Bytes to read for one frame, counted from the start of the pixel value. Frames of single-bit samples may share
    /// their first and last byte with their neighbours.
    ///
    /// # Errors
    /// [`FrameError::NoSuchFrame`].
    pub fn range(&self, frame: u32) -> Result<Range<u64>, FrameError> {
        let missing = FrameError::NoSuchFrame {
            frame,
            count: self.count,
        };
        if frame >= self.count {
            return Err(missing);
        }
        match &self.extent {
            Extent::Native { frame_bits } => {
                let start = frame_bits
                    .checked_mul(u64::from(frame))
                    .ok_or(missing.clone())?;
                let end = start.checked_add(*frame_bits).ok_or(missing)?;
                let unit = self.format.unit_bits();
                Ok(start / unit * (unit / 8)..end.div_ceil(unit) * (unit / 8))
            }
            Extent::Fragments(ranges) => ranges.get(frame as usize).cloned().ok_or(missing),
        }
    }

    /// Turns the bytes of [`FrameLayout::range`] into samples; compressed ones with this decoder. Indices of a palette
    /// stay indices.
    ///
    /// # Errors
    /// [`FrameError::NotDecodable`] for what is not decoded, [`FrameError::Damaged`] for broken bytes,
    /// [`FrameError::Decoder`] if the decoder itself failed.
    pub fn decode(
        &self,
        frame: u32,
        bytes: &[u8],
        decoder: &dyn Decoder,
    ) -> Result<Frame, FrameError> {
        match &self.extent {
            Extent::Native { frame_bits } => {
                let start = frame_bits.wrapping_mul(u64::from(frame));
                let first_bit = start % self.format.unit_bits();
                decode::native(&self.format, bytes, first_bit as usize)
            }
            Extent::Fragments(_) => {
                decode::encapsulated(&self.format, &fragments::payload(bytes), decoder)
            }
        }
    }
}

fn frame_count(number_of_frames: Option<u32>) -> Result<u32, FrameError> {
    match number_of_frames {
        None => Ok(1),
        Some(0) => Err(FrameError::Description(tags::NUMBER_OF_FRAMES)),
        Some(count) => Ok(count),
    }
}

impl Instance {
    /// Decodes one frame, counted from zero, in this process: for files that are trusted.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn frame(&self, frame: u32) -> Result<Frame, FrameError> {
        let layout = FrameLayout::of(self)?;
        let pixels = self.pixels.as_ref().ok_or(FrameError::NoPixels)?;
        let value = &pixels.encoded[pixels.value_offset..];
        let range = layout.range(frame)?;
        let range = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let bytes = range
            .and_then(|(start, end)| value.get(start..end))
            .ok_or(FrameError::Damaged)?;
        layout.decode(frame, bytes, &InProcess)
    }
}
