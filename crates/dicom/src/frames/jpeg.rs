//! JPEG baseline, extended (8 bit) and lossless (PS3.5 A.4.1) through `jpeg-decoder`, which is asked for the size
//! before it may decode: a JPEG of 200 bytes can claim 65,535 × 65,535 pixels.

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat as JpegFormat};

use super::decode::Samples;
use super::{FrameError, MAX_FRAME_BYTES, PixelFormat};

/// Decodes one frame; colour comes out as RGB.
pub(super) fn decode(format: &PixelFormat, bytes: &[u8]) -> Result<Samples, FrameError> {
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(usize::try_from(MAX_FRAME_BYTES).unwrap_or(usize::MAX));
    if format.samples_per_pixel == 3 {
        decoder.set_color_transform(colour(format, bytes));
    }
    decoder
        .read_info()
        .map_err(|error| failure(format, &error))?;
    let info = decoder.info().ok_or(FrameError::Damaged)?;
    let samples = match info.pixel_format {
        JpegFormat::L8 | JpegFormat::L16 => 1,
        JpegFormat::RGB24 => 3,
        JpegFormat::CMYK32 => return Err(format.not_decodable()),
    };
    if (info.height, info.width, samples) != (format.rows, format.columns, format.samples_per_pixel)
    {
        return Err(FrameError::Damaged);
    }
    let decoded = decoder.decode().map_err(|error| failure(format, &error))?;
    let bytes = fit_width(format, decoded, info.pixel_format)?;
    Ok(Samples {
        bytes,
        planar: false,
        is_rgb: true,
    })
}

/// What the samples are: as the header says, except that many call JFIF data, which is always YC_BC_R, RGB.
fn colour(format: &PixelFormat, bytes: &[u8]) -> ColorTransform {
    let is_jfif = bytes.get(6..10) == Some(b"JFIF");
    if format.photometric == "RGB" && !is_jfif {
        ColorTransform::RGB
    } else {
        ColorTransform::YCbCr
    }
}

fn failure(format: &PixelFormat, error: &jpeg_decoder::Error) -> FrameError {
    match error {
        jpeg_decoder::Error::Unsupported(_) => format.not_decodable(),
        _ => FrameError::Damaged,
    }
}

/// Bytes per sample as the header says: 8-bit JPEG may fill 16 bits allocated; 16-bit output is native endian.
fn fit_width(
    format: &PixelFormat,
    decoded: Vec<u8>,
    jpeg: JpegFormat,
) -> Result<Vec<u8>, FrameError> {
    match (jpeg, format.bits_allocated) {
        (JpegFormat::L8 | JpegFormat::RGB24, 8) => Ok(decoded),
        (JpegFormat::L8, 16) => Ok(decoded.into_iter().flat_map(|sample| [sample, 0]).collect()),
        (JpegFormat::L16, 16) => {
            let units = decoded.as_chunks::<2>().0.iter();
            Ok(units
                .flat_map(|unit| u16::from_ne_bytes(*unit).to_le_bytes())
                .collect())
        }
        _ => Err(format.not_decodable()),
    }
}
