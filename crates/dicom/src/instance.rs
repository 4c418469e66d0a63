//! One SOP instance in memory: header elements parsed, pixel element kept as raw bytes (PS3.10 section 7).
//!
//! Reading goes `meta` (where is the data set) → `scan` (is it sound) → `header` (elements). Elements after
//! pixel data (padding, digital signatures that no longer hold) and group lengths are dropped.

use std::io::{self, Read as _};

use bytes::Bytes;
use dicom_core::VR;
use dicom_dictionary_std::uids;

use crate::element::{LONG_HEADER, UNDEFINED};
use crate::encode::{write_data_set, write_element_header};
pub use crate::error::ReadError;
use crate::scan::{PixelSpan, Scan, scan};
use crate::syntax::{Encoding, lookup};
use crate::{header, meta};

/// The data set of an instance without its pixel data element.
pub type Header = dicom_object::InMemDicomObject;

/// Bytes of a deflated data set once inflated. Deflate shrinks up to a thousandfold, so 256 KB could claim
/// this much; whoever reads many files at once bounds how many.
pub const MAX_INFLATED_BYTES: u64 = 256 << 20;

/// The pixel data element (7FE0,0010), (7FE0,0008) or (7FE0,0009) exactly as it was encoded in the file:
/// tag, VR, length and value, encapsulated or native. Copied, never re-encoded.
#[derive(Debug, Clone)]
pub struct PixelElement {
    /// The whole element in the transfer syntax of the instance.
    pub encoded: Bytes,
    /// Offset of the value (native) or of the first item (encapsulated) in `encoded`.
    pub value_offset: usize,
    /// Whether the value is a sequence of fragments (undefined length).
    pub encapsulated: bool,
}

impl PixelElement {
    /// Its value (native), or its items (encapsulated).
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.encoded.get(self.value_offset..).unwrap_or_default()
    }

    /// The four bytes of its tag, as they are encoded.
    pub(crate) fn tag(&self) -> [u8; 4] {
        self.encoded.first_chunk().copied().unwrap_or_default()
    }
}

/// One SOP instance: what `read` lets through and what `write` puts out.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Transfer syntax UID (0002,0010); Explicit VR Little Endian if the file was deflated.
    pub transfer_syntax: String,
    /// All data set elements but pixel data and what follows it.
    pub header: Header,
    /// The pixel data, if the instance has any.
    pub pixels: Option<PixelElement>,
}

/// An encoded instance and where its pixel value starts, for range reads of single frames.
#[derive(Debug, Clone)]
pub struct Written {
    /// The Part 10 file.
    pub bytes: Vec<u8>,
    /// Offset in `bytes` of the native pixel value or of the first encapsulated item.
    pub pixel_offset: Option<u64>,
}

impl Instance {
    /// Parses one Part 10 file (or a bare data set) within the limits of [`crate::scan`].
    ///
    /// # Errors
    /// [`ReadError`] names what is wrong and at which byte offset and tag.
    pub fn read(bytes: Bytes) -> Result<Self, ReadError> {
        let opening = meta::open(&bytes)?;
        if opening.syntax.deflated {
            let inflated = inflate(&bytes[opening.data_set..], MAX_INFLATED_BYTES)?;
            let syntax = uids::EXPLICIT_VR_LITTLE_ENDIAN.to_owned();
            return read_data_set(&inflated, 0, Encoding::ExplicitLittle, syntax);
        }
        read_data_set(
            &bytes,
            opening.data_set,
            opening.syntax.encoding,
            opening.transfer_syntax,
        )
    }

    /// Encodes the instance as a Part 10 file with Arno's implementation class UID.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        self.write_with_pixel_offset().bytes
    }

    /// Writes the instance as [`Instance::write`] encodes it, without a copy of its pixels.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_to(&self, out: &mut impl io::Write) -> io::Result<()> {
        let mut header = Vec::with_capacity(TYPICAL_HEADER_BYTES);
        meta::write_meta(&mut header, &self.header, &self.transfer_syntax);
        write_data_set(
            &mut header,
            &self.header,
            encoding_of(&self.transfer_syntax),
        );
        out.write_all(&header)?;
        match &self.pixels {
            Some(pixels) => out.write_all(&pixels.encoded),
            None => Ok(()),
        }
    }

    /// Encodes the instance and says where the pixel value lies in the file.
    #[must_use]
    pub fn write_with_pixel_offset(&self) -> Written {
        let pixel_bytes = self
            .pixels
            .as_ref()
            .map_or(0, |pixels| pixels.encoded.len());
        let mut bytes = Vec::with_capacity(TYPICAL_HEADER_BYTES + pixel_bytes);
        meta::write_meta(&mut bytes, &self.header, &self.transfer_syntax);
        write_data_set(&mut bytes, &self.header, encoding_of(&self.transfer_syntax));
        let pixel_offset = self
            .pixels
            .as_ref()
            .map(|pixels| (bytes.len() + pixels.value_offset) as u64);
        if let Some(pixels) = &self.pixels {
            bytes.extend_from_slice(&pixels.encoded);
        }
        Written {
            bytes,
            pixel_offset,
        }
    }
}

/// Where the data set starts in a Part 10 file, after the file meta information.
///
/// # Errors
/// [`ReadError`] when it is no such file.
pub fn data_set_start(part10: &[u8]) -> Result<usize, ReadError> {
    Ok(meta::open(part10)?.data_set)
}

/// A deflated Part 10 file as one in Explicit VR Little Endian, the data set byte by byte as it was before it was deflated; nothing
/// when the file is not deflated.
///
/// # Errors
/// [`ReadError`] when it cannot be inflated or read.
pub fn inflated(part10: &Bytes) -> Result<Option<Bytes>, ReadError> {
    let opening = meta::open(part10)?;
    if !opening.syntax.deflated {
        return Ok(None);
    }
    let data_set = inflate(&part10[opening.data_set..], MAX_INFLATED_BYTES)?;
    let syntax = uids::EXPLICIT_VR_LITTLE_ENDIAN;
    let instance = read_data_set(&data_set, 0, Encoding::ExplicitLittle, syntax.to_owned())?;
    let mut bytes = Vec::with_capacity(TYPICAL_HEADER_BYTES + data_set.len());
    meta::write_meta(&mut bytes, &instance.header, syntax);
    bytes.extend_from_slice(&data_set);
    Ok(Some(bytes.into()))
}

/// Room for most headers, so that writing rarely moves the pixels.
const TYPICAL_HEADER_BYTES: usize = 16 << 10;

/// Encapsulated syntaxes, and those nobody knows, have explicit little endian headers (PS3.5 A.4).
pub(crate) fn encoding_of(transfer_syntax: &str) -> Encoding {
    lookup(transfer_syntax).map_or(Encoding::ExplicitLittle, |syntax| syntax.encoding)
}

fn read_data_set(
    bytes: &Bytes,
    start: usize,
    encoding: Encoding,
    syntax: String,
) -> Result<Instance, ReadError> {
    let Scan { entries, pixels } = scan(bytes, start, encoding)?;
    Ok(Instance {
        header: header::build(bytes, &entries),
        pixels: pixels.map(|span| {
            let pixels = pixel_element(bytes, span);
            match encoding_of(&syntax) {
                declared if declared == encoding => pixels,
                declared => with_header_of(&pixels, encoding, declared),
            }
        }),
        transfer_syntax: syntax,
    })
}

fn pixel_element(bytes: &Bytes, span: PixelSpan) -> PixelElement {
    PixelElement {
        encoded: bytes.slice(span.start..span.end),
        value_offset: span.value - span.start,
        encapsulated: span.encapsulated,
    }
}

/// The same value after the element header that its transfer syntax asks for and its writer did not use.
fn with_header_of(pixels: &PixelElement, from: Encoding, to: Encoding) -> PixelElement {
    let value = &pixels.encoded[pixels.value_offset..];
    let (vr, length) = if pixels.encapsulated {
        (VR::OB, UNDEFINED)
    } else {
        (VR::OW, u32::try_from(value.len()).unwrap_or(UNDEFINED - 1))
    };
    let mut encoded = Vec::with_capacity(LONG_HEADER + value.len());
    write_element_header(&mut encoded, from.tag(pixels.tag()), vr, length, to);
    let value_offset = encoded.len();
    encoded.extend_from_slice(value);
    PixelElement {
        encoded: encoded.into(),
        value_offset,
        encapsulated: pixels.encapsulated,
    }
}

pub(crate) fn inflate(deflated: &[u8], limit: u64) -> Result<Bytes, ReadError> {
    let mut inflated = Vec::new();
    let mut decoder = flate2::read::DeflateDecoder::new(deflated).take(limit + 1);
    decoder
        .read_to_end(&mut inflated)
        .map_err(|_| ReadError::DamagedDeflate)?;
    if inflated.len() as u64 > limit {
        return Err(ReadError::InflatesTooLarge { limit });
    }
    Ok(Bytes::from(inflated))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{ReadError, inflate};

    #[test]
    fn a_deflate_bomb_stops_at_the_limit() {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 2000);
        assert_eq!(
            inflate(&bomb, 1000),
            Err(ReadError::InflatesTooLarge { limit: 1000 })
        );
        assert_eq!(inflate(&bomb, 1 << 20).unwrap().len(), 1 << 20);
    }
}
