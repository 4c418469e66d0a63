//! Instances for clients that accept nothing but uncompressed little endian (PS3.5 A.1 and A.2): big endian pixels
//! turned round, compressed frames decoded, and the attributes that describe them set right (PS3.3 C.7.6.3, C.7.6.1.1.5).
//!
//! Not here: compressing, and how frames are decoded ([`crate::frames`]).

use arno_codecs::Decoder;
use bytes::Bytes;
use dicom_core::value::{PrimitiveValue, Value};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};

use crate::attributes::{text, whole};
use crate::encode::write_element_header;
use crate::frames::{Frame, FrameError, FrameLayout, PixelFormat};
use crate::instance::{Header, Instance, PixelElement, encoding_of};
use crate::syntax::Encoding;

/// Bytes of all decoded frames of one instance: whoever asks for more should ask for frames.
pub const MAX_TRANSCODED_BYTES: u64 = 1 << 30;

/// Why an instance is not available uncompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TranscodeError {
    /// Only the two uncompressed little endian transfer syntaxes are written.
    #[error("instances are transcoded to Implicit or Explicit VR Little Endian only")]
    Target,
    /// The frames cannot be told apart.
    #[error("the frames cannot be found")]
    Layout(#[source] FrameError),
    /// A frame that cannot be decoded.
    #[error("frame {frame} cannot be decoded")]
    Frame {
        /// Counted from zero.
        frame: u32,
        /// Why.
        #[source]
        source: FrameError,
    },
    /// More than [`MAX_TRANSCODED_BYTES`].
    #[error("the decoded frames have more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

/// The same instance in Explicit or Implicit VR Little Endian with native pixels. Compressed icons are left out.
///
/// # Errors
/// [`TranscodeError`].
pub fn transcode(
    instance: &Instance,
    to: &str,
    decoder: &dyn Decoder,
) -> Result<Instance, TranscodeError> {
    let target = match to {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Encoding::ImplicitLittle,
        uids::EXPLICIT_VR_LITTLE_ENDIAN => Encoding::ExplicitLittle,
        _ => return Err(TranscodeError::Target),
    };
    if instance.transfer_syntax == to {
        return Ok(instance.clone());
    }
    let mut transcoded = Instance {
        transfer_syntax: to.to_owned(),
        header: without_fragments(&instance.header),
        pixels: None,
    };
    let Some(pixels) = &instance.pixels else {
        return Ok(transcoded);
    };
    if pixels.encapsulated {
        decode(instance, decoder, target, &mut transcoded)?;
    } else {
        let value = little_endian_pixels(instance).unwrap_or_default();
        let encoding = encoding_of(&instance.transfer_syntax);
        let vr = native_vr(pixels, encoding);
        let tag = encoding.tag(pixels.tag());
        transcoded.pixels = Some(pixel_element(tag, vr, value, target));
    }
    Ok(transcoded)
}

/// The native pixel value in little endian; nothing if there is none.
pub(crate) fn little_endian_pixels(instance: &Instance) -> Option<Vec<u8>> {
    let pixels = instance.pixels.as_ref()?;
    let value = pixels.encoded.get(pixels.value_offset..)?;
    let encoding = encoding_of(&instance.transfer_syntax);
    let mut value = value.to_vec();
    if encoding.is_big() && !pixels.encapsulated {
        let unit = swapped_bytes(instance, native_vr(pixels, encoding));
        value.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
    }
    Some(value)
}

/// In units of how many bytes a big endian value is turned round: samples wider than a word by themselves, words, or
/// single bytes.
fn swapped_bytes(instance: &Instance, vr: VR) -> usize {
    let bits = whole::<u16>(&instance.header, tags::BITS_ALLOCATED).unwrap_or(16);
    match (vr, bits) {
        (VR::OD, _) | (_, 64) => 8,
        (VR::OF, _) | (_, 32) => 4,
        (VR::OW, _) => 2,
        (_, bits) if bits > 8 => 2,
        _ => 1,
    }
}

fn native_vr(pixels: &PixelElement, encoding: Encoding) -> VR {
    match encoding.tag(pixels.tag()) {
        tags::FLOAT_PIXEL_DATA => VR::OF,
        tags::DOUBLE_FLOAT_PIXEL_DATA => VR::OD,
        _ if encoding.is_explicit() && pixels.encoded.get(4..6) == Some(b"OB") => VR::OB,
        _ => VR::OW,
    }
}

fn pixel_element(tag: Tag, vr: VR, mut value: Vec<u8>, encoding: Encoding) -> PixelElement {
    if value.len() % 2 == 1 {
        value.push(0);
    }
    let mut encoded = Vec::with_capacity(value.len() + crate::element::LONG_HEADER);
    let length =
        u32::try_from(value.len()).expect("bounded by MAX_TRANSCODED_BYTES or by the source");
    write_element_header(&mut encoded, tag, vr, length, encoding);
    let value_offset = encoded.len();
    encoded.append(&mut value);
    PixelElement {
        encoded: Bytes::from(encoded),
        value_offset,
        encapsulated: false,
    }
}

fn decode(
    instance: &Instance,
    decoder: &dyn Decoder,
    target: Encoding,
    transcoded: &mut Instance,
) -> Result<(), TranscodeError> {
    let layout = FrameLayout::of(instance).map_err(TranscodeError::Layout)?;
    let mut frames = Frames::default();
    for number in 0..layout.count {
        let frame = decode_frame(instance, &layout, number, decoder).map_err(|source| {
            TranscodeError::Frame {
                frame: number,
                source,
            }
        })?;
        frames.push(&frame, layout.format.bits_allocated == 1);
        if frames.bytes.len() as u64 > MAX_TRANSCODED_BYTES {
            return Err(TranscodeError::TooLarge {
                limit: MAX_TRANSCODED_BYTES,
            });
        }
    }
    let bits = frames.bits_allocated;
    describe(&mut transcoded.header, &layout.format, bits);
    let vr = if bits > 8 { VR::OW } else { VR::OB };
    // In implicit VR, and there alone, pixel data is always OW (PS3.5 A.1).
    transcoded.pixels = Some(pixel_element(tags::PIXEL_DATA, vr, frames.bytes, target));
    Ok(())
}

fn decode_frame(
    instance: &Instance,
    layout: &FrameLayout,
    number: u32,
    decoder: &dyn Decoder,
) -> Result<Frame, FrameError> {
    let pixels = instance.pixels.as_ref().ok_or(FrameError::NoPixels)?;
    let range = layout.range(number)?;
    let range = usize::try_from(range.start)
        .ok()
        .zip(usize::try_from(range.end).ok());
    let bytes = range
        .and_then(|(start, end)| pixels.encoded.get(pixels.value_offset..)?.get(start..end))
        .ok_or(FrameError::Damaged)?;
    layout.decode(number, bytes, decoder)
}

/// Decoded frames one behind the other.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    bits_allocated: u16,
    /// Single-bit samples so far: frames of these share bytes (PS3.5 section 8.1.1).
    bits: usize,
}

impl Frames {
    fn push(&mut self, frame: &Frame, single_bits: bool) {
        if !single_bits {
            self.bits_allocated = u16::from(frame.bytes_per_sample) * 8;
            return self.bytes.extend_from_slice(&frame.bytes);
        }
        self.bits_allocated = 1;
        self.bytes
            .resize((self.bits + frame.bytes.len()).div_ceil(8), 0);
        for sample in &frame.bytes {
            self.bytes[self.bits / 8] |= (sample & 1) << (self.bits % 8);
            self.bits += 1;
        }
    }
}

/// Sets what decoding changed.
fn describe(header: &mut Header, format: &PixelFormat, bits_allocated: u16) {
    let mut put = |tag, vr, value: PrimitiveValue| {
        header.put(DataElement::new(tag, vr, value));
    };
    put(tags::BITS_ALLOCATED, VR::US, bits_allocated.into());
    if format.samples_per_pixel > 1 {
        put(tags::PLANAR_CONFIGURATION, VR::US, 0_u16.into());
    }
    if format.samples_per_pixel == 3 && format.photometric.starts_with("YBR") {
        put(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB".into());
    }
    if may_lose(&format.transfer_syntax) && text(header, tags::LOSSY_IMAGE_COMPRESSION).is_none() {
        header.put(DataElement::new(
            tags::LOSSY_IMAGE_COMPRESSION,
            VR::CS,
            PrimitiveValue::from("01"),
        ));
    }
    for tag in [
        tags::EXTENDED_OFFSET_TABLE,
        tags::EXTENDED_OFFSET_TABLE_LENGTHS,
        tags::ENCAPSULATED_PIXEL_DATA_VALUE_TOTAL_LENGTH,
    ] {
        header.remove_element(tag);
    }
}

/// Transfer syntaxes that exist to lose something. A frame of theirs may be complete all the same, but only its
/// sender knows, and then says so.
fn may_lose(transfer_syntax: &str) -> bool {
    const LOSSY: [&str; 5] = [
        uids::JPEG_BASELINE8_BIT,
        uids::JPEG_EXTENDED12_BIT,
        uids::JPEGLS_NEAR_LOSSLESS,
        uids::JPEG2000,
        uids::HTJ2K,
    ];
    LOSSY.contains(&transfer_syntax)
}

/// The header without compressed icons, which a native transfer syntax has no place for.
fn without_fragments(header: &Header) -> Header {
    let kept = header.iter().filter_map(|element| match element.value() {
        Value::PixelSequence(_) => None,
        Value::Sequence(sequence) if sequence.items().iter().any(is_compressed) => None,
        _ => Some(element.clone()),
    });
    Header::from_element_iter(kept)
}

fn is_compressed(item: &Header) -> bool {
    item.iter().any(|element| match element.value() {
        Value::PixelSequence(_) => true,
        Value::Sequence(sequence) => sequence.items().iter().any(is_compressed),
        Value::Primitive(_) => false,
    })
}
