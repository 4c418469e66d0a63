//! One element or item header out of untrusted bytes (PS3.5 section 7.1 and 7.5). Reads at most 12 bytes,
//! allocates nothing and judges nothing but what those bytes say.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use crate::syntax::{Encoding, has_short_length};

/// Item (PS3.5 table 7.5-1).
pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
/// Item delimitation item.
pub(crate) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
/// Sequence delimitation item.
pub(crate) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Length field that stands for "until the delimiter".
pub(crate) const UNDEFINED: u32 = 0xFFFF_FFFF;

/// Bytes of the shortest element header and of every item header.
pub(crate) const SHORT_HEADER: usize = 8;
/// Bytes of an explicit VR header with a 32-bit length.
pub(crate) const LONG_HEADER: usize = 12;

/// A decoded element header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementHeader {
    pub(crate) tag: Tag,
    /// As encoded; `None` where the encoding is implicit.
    pub(crate) vr: Option<VR>,
    /// Length field, [`UNDEFINED`] included.
    pub(crate) length: u32,
    /// Bytes of the header itself.
    pub(crate) size: usize,
}

/// Why the bytes at hand are no element header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// Fewer bytes than the header needs.
    Short { tag: Tag, needed: usize },
    /// No value representation where there must be one.
    NoVr { tag: Tag },
}

/// Reads the header at the start of `bytes`; delimiters and items have no VR in any encoding.
pub(crate) fn read_header(bytes: &[u8], encoding: Encoding) -> Result<ElementHeader, HeaderError> {
    let (tag, field) = read_tag_and_field(bytes, encoding)?;
    if tag.0 == ITEM.0 || !encoding.is_explicit() {
        return Ok(ElementHeader {
            tag,
            vr: None,
            length: encoding.u32(field),
            size: SHORT_HEADER,
        });
    }
    let vr = explicit_vr([field[0], field[1]]).ok_or(HeaderError::NoVr { tag })?;
    if has_short_length(vr) {
        let length = u32::from(encoding.u16([field[2], field[3]]));
        return Ok(ElementHeader {
            tag,
            vr: Some(vr),
            length,
            size: SHORT_HEADER,
        });
    }
    let long = bytes
        .get(SHORT_HEADER..LONG_HEADER)
        .and_then(|b| b.try_into().ok());
    let long = long.ok_or(HeaderError::Short {
        tag,
        needed: LONG_HEADER,
    })?;
    Ok(ElementHeader {
        tag,
        vr: Some(vr),
        length: encoding.u32(long),
        size: LONG_HEADER,
    })
}

fn read_tag_and_field(bytes: &[u8], encoding: Encoding) -> Result<(Tag, [u8; 4]), HeaderError> {
    let Some(&[a, b, c, d, e, f, g, h]) = bytes.first_chunk::<SHORT_HEADER>() else {
        return Err(HeaderError::Short {
            tag: Tag(0, 0),
            needed: SHORT_HEADER,
        });
    };
    Ok((encoding.tag([a, b, c, d]), [e, f, g, h]))
}

/// The VR of an explicit header. VRs younger than the dictionary have 32-bit lengths (PS3.5 section 7.1.2)
/// and are kept as unknown.
fn explicit_vr(code: [u8; 2]) -> Option<VR> {
    let unknown = code.iter().all(u8::is_ascii_uppercase).then_some(VR::UN);
    VR::from_binary(code).or(unknown)
}

/// Whether these two bytes are a VR that the dictionary knows.
pub(crate) fn is_known_vr(code: [u8; 2]) -> bool {
    VR::from_binary(code).is_some()
}

/// The VR of PS3.6 for a tag; `signed` is Pixel Representation (0028,0103) for those that follow it.
pub(crate) fn dictionary_vr(tag: Tag, signed: bool) -> Option<VR> {
    let vr = StandardDataDictionary.by_tag(tag)?.vr();
    Some(match vr {
        VirtualVr::Xs if signed => VR::SS,
        other => other.relaxed(),
    })
}

/// Pixel Data, Float Pixel Data and Double Float Pixel Data.
pub(crate) fn is_pixel_data(tag: Tag) -> bool {
    matches!(
        tag,
        tags::PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA
    )
}
