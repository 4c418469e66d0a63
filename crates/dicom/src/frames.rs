//! Frames of pixel data: where each lies (PS3.3 C.7.6.3, PS3.5 section 8 and A.4), so that one range read fetches
//! one, and how its bytes become samples for a screen.
//!
//! Ranges count from the start of the pixel value (native) or of its first item (encapsulated), the place that
//! [`crate::Written::pixel_offset`] gives. Not here: windowing, palettes, and JPEG 2000, JPEG-LS or video.

mod decode;
mod fragments;
mod jpeg;
mod rle;

use std::ops::Range;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::attributes::{text, whole};
use crate::instance::{Instance, PixelElement, encoding_of};
use crate::summary::Summary;
use crate::syntax::is_encapsulated;

/// Decoded bytes of one frame: a 16-bit mosaic of 8192 × 16384. Whole-slide tiles and projections are far smaller.
pub const MAX_FRAME_BYTES: u64 = 256 << 20;

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
}

/// How the samples of every frame are laid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// Transfer syntax UID.
    pub transfer_syntax: String,
    /// Height in pixels.
    pub rows: u16,
    /// Width in pixels.
    pub columns: u16,
    /// 1, or 3 for colour.
    pub samples_per_pixel: u16,
    /// Bits per sample in the file: 1, 8, 16, 32 or 64.
    pub bits_allocated: u16,
    /// Bits of them that carry the sample.
    pub bits_stored: u16,
    /// Whether samples are two's complement.
    pub signed: bool,
    /// Whether colour comes plane by plane (Planar Configuration 1).
    pub planar: bool,
    /// Photometric Interpretation (0028,0004), upper case, empty if absent.
    pub photometric: String,
    /// Whether native bytes come in big endian 16-bit words.
    pub big_words: bool,
}

/// Where the frames of one instance lie, and how to decode them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLayout {
    /// Common to all frames.
    pub format: PixelFormat,
    /// Number of frames, at least 1.
    pub count: u32,
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
    /// 1 or 3.
    pub samples_per_pixel: u16,
    /// 1 or 2; single-bit samples become bytes of 0 and 1.
    pub bytes_per_sample: u8,
    /// Whether samples are two's complement, extended to the full width.
    pub signed: bool,
    /// `rows × columns × samples_per_pixel × bytes_per_sample` bytes.
    pub bytes: Vec<u8>,
}

impl PixelFormat {
    /// Reads the description of the pixels.
    ///
    /// # Errors
    /// [`FrameError::NoPixels`] without pixel data, [`FrameError::Description`] if the description is unusable.
    pub fn of(instance: &Instance) -> Result<Self, FrameError> {
        let pixels = instance.pixels.as_ref().ok_or(FrameError::NoPixels)?;
        let header = &instance.header;
        let whole16 = |tag| whole::<u16>(header, tag);
        let is_big = encoding_of(&instance.transfer_syntax).is_big();
        Self {
            transfer_syntax: instance.transfer_syntax.clone(),
            rows: whole16(tags::ROWS).unwrap_or(0),
            columns: whole16(tags::COLUMNS).unwrap_or(0),
            samples_per_pixel: whole16(tags::SAMPLES_PER_PIXEL).unwrap_or(1),
            bits_allocated: whole16(tags::BITS_ALLOCATED).unwrap_or(0),
            bits_stored: whole16(tags::BITS_STORED)
                .or(whole16(tags::BITS_ALLOCATED))
                .unwrap_or(0),
            signed: whole16(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: whole16(tags::PLANAR_CONFIGURATION) == Some(1),
            photometric: text(header, tags::PHOTOMETRIC_INTERPRETATION)
                .unwrap_or_default()
                .to_ascii_uppercase(),
            big_words: is_big && pixel_vr(pixels) == Some(VR::OW),
        }
        .validated()
    }

    /// The same from a summary. Native big endian words of 8-bit samples cannot be told from bytes there and are
    /// taken as bytes.
    ///
    /// # Errors
    /// [`FrameError::Description`] if the description is unusable.
    pub fn from_summary(summary: &Summary) -> Result<Self, FrameError> {
        let bits_allocated = summary.bits_allocated.unwrap_or(0);
        Self {
            transfer_syntax: summary.transfer_syntax.clone(),
            rows: summary.rows.unwrap_or(0),
            columns: summary.columns.unwrap_or(0),
            samples_per_pixel: summary.samples_per_pixel.unwrap_or(1),
            bits_allocated,
            bits_stored: summary.bits_stored.unwrap_or(bits_allocated),
            signed: summary.pixel_signed.unwrap_or(false),
            planar: summary.planar.unwrap_or(false),
            photometric: summary
                .photometric
                .clone()
                .unwrap_or_default()
                .to_ascii_uppercase(),
            big_words: encoding_of(&summary.transfer_syntax).is_big() && bits_allocated > 8,
        }
        .validated()
    }

    fn validated(self) -> Result<Self, FrameError> {
        let conditions = [
            (self.rows > 0, tags::ROWS),
            (self.columns > 0, tags::COLUMNS),
            (
                matches!(self.samples_per_pixel, 1..=4),
                tags::SAMPLES_PER_PIXEL,
            ),
            (matches!(self.bits_allocated, 1..=64), tags::BITS_ALLOCATED),
            (
                matches!(self.bits_stored, 1..=64) && self.bits_stored <= self.bits_allocated,
                tags::BITS_STORED,
            ),
        ];
        match conditions.iter().find(|(holds, _)| !holds) {
            Some((_, tag)) => Err(FrameError::Description(*tag)),
            None => Ok(self),
        }
    }

    /// Rows times columns.
    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// Whether two neighbouring pixels share their colour samples (PS3.3 C.7.6.3.1.2).
    pub(crate) fn is_422(&self) -> bool {
        self.samples_per_pixel == 3
            && matches!(
                self.photometric.as_str(),
                "YBR_FULL_422" | "YBR_PARTIAL_422"
            )
    }

    /// Bits of one uncompressed frame in the file.
    pub(crate) fn frame_bits(&self) -> u64 {
        let samples = if self.is_422() {
            2
        } else {
            u64::from(self.samples_per_pixel)
        };
        self.pixels() * samples * u64::from(self.bits_allocated)
    }

    /// What must be read whole: words where bytes are swapped in them, else bytes.
    fn unit_bits(&self) -> u64 {
        if self.big_words { 16 } else { 8 }
    }

    pub(crate) fn not_decodable(&self) -> FrameError {
        let transfer_syntax = self.transfer_syntax.clone();
        FrameError::NotDecodable {
            transfer_syntax,
            bits_allocated: self.bits_allocated,
        }
    }
}

fn pixel_vr(pixels: &PixelElement) -> Option<VR> {
    VR::from_binary([*pixels.encoded.get(4)?, *pixels.encoded.get(5)?])
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
            return Ok(Self::native(format, count));
        }
        let ranges = fragments::frame_ranges(instance, pixels, count)?;
        Ok(Self {
            format,
            count,
            extent: Extent::Fragments(ranges),
        })
    }

    /// Finds the frames from a summary alone; native pixel data only.
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

    /// Turns the bytes of [`FrameLayout::range`] into samples.
    ///
    /// # Errors
    /// [`FrameError::NotDecodable`] for what this crate does not decode, [`FrameError::Damaged`] for broken bytes.
    pub fn decode(&self, frame: u32, bytes: &[u8]) -> Result<Frame, FrameError> {
        match &self.extent {
            Extent::Native { frame_bits } => {
                let start = frame_bits.wrapping_mul(u64::from(frame));
                let first_bit = start % self.format.unit_bits();
                decode::native(&self.format, bytes, first_bit as usize)
            }
            Extent::Fragments(_) => decode::encapsulated(&self.format, &fragments::payload(bytes)),
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
    /// Decodes one frame, counted from zero.
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
        layout.decode(frame, bytes)
    }
}
