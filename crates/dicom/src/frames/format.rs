//! How the samples of every frame of an instance are laid out (PS3.3 C.7.6.3.1 and C.7.6.24, PS3.5 section 8).

use arno_codecs::{Colour, FrameFormat};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::FrameError;
use crate::attributes::{text, whole};
use crate::instance::{Instance, PixelElement, encoding_of};
use crate::summary::Summary;
use crate::syntax::Encoding;

/// How the samples of every frame are laid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// Transfer syntax UID.
    pub transfer_syntax: String,
    /// Height in pixels.
    pub rows: u16,
    /// Width in pixels.
    pub columns: u16,
    /// 1, or 3 for colour, 4 at most.
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
    /// Whether native bytes are big endian, in words of 16 bits or of the sample where that is wider.
    pub big_words: bool,
    /// Whether samples are IEEE 754 numbers: Float Pixel Data or Double Float Pixel Data.
    #[serde(default)]
    pub float: bool,
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
        let encoding = encoding_of(&instance.transfer_syntax);
        let bits_allocated = whole16(tags::BITS_ALLOCATED).unwrap_or(0);
        Self {
            transfer_syntax: instance.transfer_syntax.clone(),
            rows: whole16(tags::ROWS).unwrap_or(0),
            columns: whole16(tags::COLUMNS).unwrap_or(0),
            samples_per_pixel: whole16(tags::SAMPLES_PER_PIXEL).unwrap_or(1),
            bits_allocated,
            bits_stored: whole16(tags::BITS_STORED).unwrap_or(bits_allocated),
            signed: whole16(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: whole16(tags::PLANAR_CONFIGURATION) == Some(1),
            photometric: text(header, tags::PHOTOMETRIC_INTERPRETATION)
                .unwrap_or_default()
                .to_ascii_uppercase(),
            big_words: encoding.is_big()
                && (bits_allocated > 8 || pixel_vr(pixels) == Some(VR::OW)),
            float: is_float(pixels, encoding),
        }
        .validated()
    }

    /// The same from a summary. Native big endian words of 8-bit samples cannot be told from bytes there and are
    /// taken as bytes, and floating-point pixels as whole numbers.
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
            float: false,
        }
        .validated()
    }

    pub(super) fn validated(self) -> Result<Self, FrameError> {
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
    pub(super) fn unit_bits(&self) -> u64 {
        match self.swapped_bytes() {
            Some(_) if self.bits_allocated <= 16 => 16,
            _ => 8,
        }
    }

    /// In units of how many bytes native bytes are big endian.
    pub(super) fn swapped_bytes(&self) -> Option<usize> {
        let unit = match self.bits_allocated {
            32 => 4,
            64 => 8,
            _ => 2,
        };
        self.big_words.then_some(unit)
    }

    /// The same for a decoder.
    pub(super) fn coded(&self) -> Option<FrameFormat> {
        let colour = match self.photometric.as_str() {
            "RGB" => Colour::Rgb,
            ybr if ybr.starts_with("YBR_FULL") => Colour::Ybr,
            _ => Colour::Other,
        };
        Some(FrameFormat {
            rows: self.rows,
            columns: self.columns,
            samples_per_pixel: u8::try_from(self.samples_per_pixel).ok()?,
            bits_allocated: u8::try_from(self.bits_allocated).ok()?,
            colour,
        })
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

fn is_float(pixels: &PixelElement, encoding: Encoding) -> bool {
    /// The two elements of floating-point pixels (PS3.3 C.7.6.24 and C.7.6.25).
    const FLOATS: [Tag; 2] = [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];
    pixels
        .encoded
        .first_chunk()
        .is_some_and(|tag| FLOATS.contains(&encoding.tag(*tag)))
}
