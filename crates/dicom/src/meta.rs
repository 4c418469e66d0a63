//! File meta information (PS3.10 section 7.1): where the data set starts and how it is encoded, and a fresh
//! group 0002 when writing. Of what a file says there, only the transfer syntax is believed.
//!
//! Bare data sets without preamble or meta are taken too, if they start with group 0008.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::element::{
    ElementHeader, HeaderError, SHORT_HEADER, UNDEFINED, is_known_vr, read_header,
};
use crate::error::{NotDicom, Problem, ReadError};
use crate::syntax::{Encoding, Syntax, lookup};

/// Bytes before the `DICM` prefix.
const PREAMBLE: usize = 128;
const PREFIX: &[u8; 4] = b"DICM";
/// Arno's Implementation Class UID: a random UUID as PS3.5 annex B.2 allows.
pub const IMPLEMENTATION_CLASS_UID: &str = "2.25.99675453468191287528455155557755506972";
/// Arno's Implementation Version Name.
pub const IMPLEMENTATION_VERSION_NAME: &str = "ARNO_0_1";
/// Longest legal UID (PS3.5 section 9.1).
const MAX_UID: usize = 64;

/// Where the data set starts and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) transfer_syntax: String,
    /// As the data set turned out to be; its headers may differ from what the transfer syntax says.
    pub(crate) syntax: Syntax,
    pub(crate) data_set: usize,
}

/// Finds the data set of a Part 10 file or of a bare data set.
pub(crate) fn open(bytes: &[u8]) -> Result<Opening, ReadError> {
    let start = meta_start(bytes)?;
    let Meta {
        transfer_syntax,
        data_set,
    } = read_meta(bytes, start)?;
    if data_set == bytes.len() {
        return Err(ReadError::NotDicom(NotDicom::NoDataSet));
    }
    let first = first_bytes(bytes, data_set);
    let available = bytes.len() - data_set;
    let Some(uid) = transfer_syntax else {
        let encoding = guess(first, available, data_set > start)
            .ok_or_else(|| without_syntax(bytes, start, data_set))?;
        return Ok(native(encoding, data_set));
    };
    let declared =
        lookup(&uid).ok_or_else(|| ReadError::UnsupportedTransferSyntax { uid: shown(&uid) })?;
    if declared.deflated {
        return Ok(Opening {
            transfer_syntax: uid,
            syntax: declared,
            data_set,
        });
    }
    let encoding = correct(declared.encoding, first, available);
    if uid == declared.encoding.native_uid() {
        return Ok(native(encoding, data_set));
    }
    Ok(Opening {
        transfer_syntax: uid,
        syntax: Syntax {
            encoding,
            deflated: false,
        },
        data_set,
    })
}

fn native(encoding: Encoding, data_set: usize) -> Opening {
    let syntax = Syntax {
        encoding,
        deflated: false,
    };
    Opening {
        transfer_syntax: encoding.native_uid().to_owned(),
        syntax,
        data_set,
    }
}

fn without_syntax(bytes: &[u8], start: usize, data_set: usize) -> ReadError {
    if start == data_set {
        return ReadError::NotDicom(if looks_like_text(bytes) {
            NotDicom::Text
        } else {
            NotDicom::NoSignature
        });
    }
    let offset = data_set as u64;
    ReadError::Malformed {
        offset,
        tag: tags::TRANSFER_SYNTAX_UID,
        problem: Problem::NoTransferSyntax,
    }
}

/// Only a legal UID is shown: anything else in that place may be text about a person.
pub(crate) fn shown(uid: &str) -> String {
    let legal = uid.len() <= MAX_UID
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if legal {
        uid.to_owned()
    } else {
        "(illegal UID)".to_owned()
    }
}

fn meta_start(bytes: &[u8]) -> Result<usize, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::NotDicom(NotDicom::Empty));
    }
    let after_prefix = |at: usize| bytes.get(at..at + PREFIX.len()) == Some(PREFIX);
    Ok([PREAMBLE, 0]
        .into_iter()
        .find(|at| after_prefix(*at))
        .map_or(0, |at| at + PREFIX.len()))
}

struct Meta {
    transfer_syntax: Option<String>,
    /// First byte after group 0002.
    data_set: usize,
}

/// Passes the elements of group 0002, whatever its group length claims.
fn read_meta(bytes: &[u8], start: usize) -> Result<Meta, ReadError> {
    let mut meta = Meta {
        transfer_syntax: None,
        data_set: start,
    };
    while bytes[meta.data_set..].starts_with(&[0x02, 0x00]) {
        let at = meta.data_set;
        let header = meta_header(bytes, at)?;
        let value = at + header.size;
        let rest = &bytes[value..];
        let end = header.length as usize;
        let field = rest.get(..end).ok_or(ReadError::Truncated {
            offset: at as u64,
            tag: header.tag,
            declared: u64::from(header.length),
            available: rest.len() as u64,
        })?;
        if header.tag == tags::TRANSFER_SYNTAX_UID {
            meta.transfer_syntax = Some(uid_text(field).ok_or(ReadError::Malformed {
                offset: at as u64,
                tag: header.tag,
                problem: Problem::NoTransferSyntax,
            })?);
        }
        meta.data_set = value + end;
    }
    Ok(meta)
}

/// Group 0002 is explicit VR little endian; some writers forget the VR.
fn meta_header(bytes: &[u8], at: usize) -> Result<ElementHeader, ReadError> {
    let rest = &bytes[at..];
    let explicit = rest
        .get(4..6)
        .is_some_and(|code| is_known_vr([code[0], code[1]]));
    let encoding = if explicit {
        Encoding::ExplicitLittle
    } else {
        Encoding::ImplicitLittle
    };
    read_header(rest, encoding).map_err(|error| {
        let (tag, needed) = match error {
            HeaderError::Short { tag, needed } => (tag, needed),
            HeaderError::NoVr { tag } => (tag, SHORT_HEADER),
        };
        ReadError::Truncated {
            offset: at as u64,
            tag,
            declared: needed as u64,
            available: rest.len() as u64,
        }
    })
}

fn uid_text(field: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    (!text.is_empty() && text.len() <= MAX_UID).then(|| text.to_owned())
}

fn first_bytes(bytes: &[u8], at: usize) -> [u8; SHORT_HEADER] {
    bytes[at..].first_chunk().copied().unwrap_or_default()
}

/// The encoding of a data set that does not say. A bare one must start with group 0008, as every instance does; after
/// file meta information it may start with anything.
fn guess(first: [u8; SHORT_HEADER], available: usize, has_meta: bool) -> Option<Encoding> {
    let has_vr = is_known_vr([first[4], first[5]]);
    let implicit_fits = fits_implicit(first, available);
    match [first[0], first[1]] {
        [0x08, 0x00] if has_vr => Some(Encoding::ExplicitLittle),
        [0x08, 0x00] if implicit_fits => Some(Encoding::ImplicitLittle),
        [0x00, 0x08] if has_vr => Some(Encoding::ExplicitBig),
        _ if has_meta && has_vr => Some(Encoding::ExplicitLittle),
        _ if has_meta && implicit_fits => Some(Encoding::ImplicitLittle),
        _ => None,
    }
}

/// Some writers name a transfer syntax with explicit VRs and leave them out, or the other way round; the first header
/// tells.
fn correct(declared: Encoding, first: [u8; SHORT_HEADER], available: usize) -> Encoding {
    let has_vr = is_known_vr([first[4], first[5]]);
    let implicit_fits = fits_implicit(first, available);
    match declared {
        Encoding::ExplicitLittle if !has_vr && implicit_fits => Encoding::ImplicitLittle,
        Encoding::ImplicitLittle if has_vr && !implicit_fits => Encoding::ExplicitLittle,
        other => other,
    }
}

fn fits_implicit(first: [u8; SHORT_HEADER], available: usize) -> bool {
    let length = u32::from_le_bytes([first[4], first[5], first[6], first[7]]);
    length == UNDEFINED || length as usize <= available.saturating_sub(SHORT_HEADER)
}

/// Printable from the start on, in ASCII or UTF-8.
fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(PREAMBLE)];
    head.iter()
        .all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C))
}

/// Appends preamble, prefix and file meta information (PS3.10 table 7.1-1).
pub(crate) fn write_meta(out: &mut Vec<u8>, header: &InMemDicomObject, transfer_syntax: &str) {
    out.resize(out.len() + PREAMBLE, 0);
    out.extend_from_slice(PREFIX);
    let group_length = out.len();
    write_element(
        out,
        tags::FILE_META_INFORMATION_GROUP_LENGTH,
        VR::UL,
        &[0; 4],
    );
    let start = out.len();
    write_long_element(out, tags::FILE_META_INFORMATION_VERSION, VR::OB, &[0, 1]);
    write_text(
        out,
        tags::MEDIA_STORAGE_SOP_CLASS_UID,
        VR::UI,
        &uid_of(header, tags::SOP_CLASS_UID),
    );
    write_text(
        out,
        tags::MEDIA_STORAGE_SOP_INSTANCE_UID,
        VR::UI,
        &uid_of(header, tags::SOP_INSTANCE_UID),
    );
    write_text(out, tags::TRANSFER_SYNTAX_UID, VR::UI, transfer_syntax);
    write_text(
        out,
        tags::IMPLEMENTATION_CLASS_UID,
        VR::UI,
        IMPLEMENTATION_CLASS_UID,
    );
    write_text(
        out,
        tags::IMPLEMENTATION_VERSION_NAME,
        VR::SH,
        IMPLEMENTATION_VERSION_NAME,
    );
    let length = u32::try_from(out.len() - start).expect("seven short elements");
    out[group_length + SHORT_HEADER..start].copy_from_slice(&length.to_le_bytes());
}

/// Only of text: numbers under such a tag would be listed, and listed otherwise after padding.
fn uid_of(header: &InMemDicomObject, tag: Tag) -> String {
    let text = header
        .get(tag)
        .filter(|element| !matches!(element.vr(), VR::OB | VR::OW | VR::UN | VR::SQ))
        .and_then(|element| element.to_str().ok());
    text.map(|text| {
        text.trim_matches(['\0', ' '])
            .chars()
            .take(MAX_UID)
            .collect()
    })
    .unwrap_or_default()
}

fn write_text(out: &mut Vec<u8>, tag: Tag, vr: VR, text: &str) {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(if vr == VR::UI { 0 } else { b' ' });
    }
    write_element(out, tag, vr, &bytes);
}

fn write_element(out: &mut Vec<u8>, tag: Tag, vr: VR, value: &[u8]) {
    write_tag_and_vr(out, tag, vr);
    let length = u16::try_from(value.len()).expect("UIDs and names are cut to 64 characters");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(value);
}

fn write_long_element(out: &mut Vec<u8>, tag: Tag, vr: VR, value: &[u8]) {
    write_tag_and_vr(out, tag, vr);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&u32::try_from(value.len()).expect("two bytes").to_le_bytes());
    out.extend_from_slice(value);
}

fn write_tag_and_vr(out: &mut Vec<u8>, tag: Tag, vr: VR) {
    out.extend_from_slice(&tag.group().to_le_bytes());
    out.extend_from_slice(&tag.element().to_le_bytes());
    out.extend_from_slice(&vr.to_bytes());
}
