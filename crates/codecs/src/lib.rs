//! Decoding of one compressed frame (PS3.5 section 8.2 and annex A.4): JPEG, JPEG-LS, JPEG 2000, HTJ2K, RLE.
//!
//! A frame goes in as the bytes of its fragments and what the header says of them; samples come out as coded. Colour
//! spaces, palettes, unused bits and native frames are the caller's (`arno-dicom`). Frames come from strangers: a
//! server decodes them in a [`cage`], a child process that can do nothing but compute.

pub mod cage;
mod format;
mod jpeg;
mod jpeg2000;
mod jpegls;
mod rle;

pub use format::{Codec, Colour, DecodeError, FrameFormat, Layout, MAX_FRAME_BYTES, Samples};

/// What decodes frames: this process, or a caged child.
pub trait Decoder {
    /// Decodes the joined fragments of one frame.
    ///
    /// # Errors
    /// [`DecodeError`]; whatever it is, the next frame may be tried.
    fn decode(
        &self,
        codec: Codec,
        format: &FrameFormat,
        bytes: &[u8],
    ) -> Result<Samples, DecodeError>;
}

/// Decodes in this process: for tests and tools that trust their files.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Decoder for InProcess {
    fn decode(
        &self,
        codec: Codec,
        format: &FrameFormat,
        bytes: &[u8],
    ) -> Result<Samples, DecodeError> {
        decode(codec, format, bytes)
    }
}

/// Decodes one frame.
///
/// # Errors
/// [`DecodeError::TooLarge`] before memory is taken, [`DecodeError::Unsupported`] for parts of a format that are not
/// decoded, [`DecodeError::Damaged`] for the rest.
pub fn decode(codec: Codec, format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let expected = format.decoded_bytes();
    if expected > MAX_FRAME_BYTES {
        return Err(DecodeError::TooLarge {
            limit: MAX_FRAME_BYTES,
        });
    }
    let samples = match codec {
        Codec::Jpeg => jpeg::decode(format, bytes),
        Codec::JpegLs => jpegls::decode(format, bytes),
        Codec::Jpeg2000 => jpeg2000::decode(format, bytes),
        Codec::Rle => rle::decode(format, bytes),
    }?;
    let packed = samples.layout == Layout::PackedBits;
    if packed || samples.bytes.len() as u64 == expected {
        Ok(samples)
    } else {
        Err(DecodeError::Damaged)
    }
}
