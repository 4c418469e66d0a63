//! Text in and out of a Specific Character Set (0008,0005), PS3.3 C.12.1.1.2 and PS3.5 section 6.1.
//!
//! Reading never fails and never changes the number of values; what the declared set cannot decode is
//! read as Latin-1 (UTF-8 declared) or with `?` in its place. Not here: ISO 2022 code extensions, whose bytes pass
//! through unchanged as Latin-1.

use dicom_core::VR;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

/// How text of one data set is encoded.
#[derive(Debug, Clone)]
pub(crate) struct Charset(SpecificCharacterSet);

impl Charset {
    /// The default repertoire; real files put Latin-1 there, which contains it.
    pub(crate) fn latin() -> Self {
        Self(SpecificCharacterSet::ISO_IR_6)
    }

    /// From the values of (0008,0005). More than one value means code extensions.
    pub(crate) fn from_values(values: &[&str]) -> Self {
        match values {
            [one] => SpecificCharacterSet::from_code(one.trim()).map_or_else(Self::latin, Self),
            _ => Self::latin(),
        }
    }

    /// The set for a VR: those outside PS3.5 section 6.1.2.3 always use the default repertoire.
    fn for_vr(&self, vr: VR) -> SpecificCharacterSet {
        match vr {
            VR::SH | VR::LO | VR::ST | VR::LT | VR::UC | VR::UT | VR::PN => self.0.clone(),
            _ => SpecificCharacterSet::ISO_IR_6,
        }
    }

    /// Text of a whole value field, backslashes included.
    pub(crate) fn decode(&self, bytes: &[u8], vr: VR) -> String {
        if is_plain_ascii(bytes) {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let set = self.for_vr(vr);
        if set == SpecificCharacterSet::ISO_IR_192 {
            return std::str::from_utf8(bytes).map_or_else(|_| decode_latin(bytes), str::to_owned);
        }
        set.decode(bytes)
            .ok()
            .filter(|text| !has_new_backslash(bytes, text))
            .unwrap_or_else(|| ascii_only(bytes))
    }

    /// Bytes of a whole value field, not padded. A character outside the set becomes `?`.
    pub(crate) fn encode(&self, text: &str, vr: VR) -> Vec<u8> {
        if is_plain_ascii(text.as_bytes()) {
            return text.as_bytes().to_vec();
        }
        let set = self.for_vr(vr);
        set.encode(text).unwrap_or_else(|_| encode_each(&set, text))
    }
}

/// ASCII without escape sequences reads the same in every supported set.
fn is_plain_ascii(bytes: &[u8]) -> bool {
    const ESCAPE: u8 = 0x1B;
    bytes.is_ascii() && !bytes.contains(&ESCAPE)
}

fn decode_latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The codec writes what it cannot decode as a backslash and octal digits, which would split the value.
fn has_new_backslash(bytes: &[u8], text: &str) -> bool {
    text.matches('\\').count() > bytes.iter().filter(|byte| **byte == b'\\').count()
}

fn ascii_only(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| {
            if byte.is_ascii() {
                char::from(*byte)
            } else {
                '?'
            }
        })
        .collect()
}

fn encode_each(set: &SpecificCharacterSet, text: &str) -> Vec<u8> {
    let mut buffer = [0; 4];
    text.chars()
        .flat_map(|c| {
            set.encode(c.encode_utf8(&mut buffer))
                .unwrap_or_else(|_| vec![b'?'])
        })
        .collect()
}
