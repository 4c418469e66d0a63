//! Text in and out of a Specific Character Set (0008,0005), PS3.3 C.12.1.1.2 and PS3.5 section 6.1.
//!
//! Reading never fails and never changes the number of values; what the declared set cannot decode is
//! read as Latin-1 (UTF-8 declared) or with `?` in its place. Sets that are only read (code extensions and the two youngest
//! Latin ones) leave the header as UTF-8: see [`Charset::rewritten_as`].

mod iso2022;

use dicom_core::VR;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

use iso2022::{Extension, Repertoire};

/// The term for UTF-8.
pub(crate) const UTF8_TERM: &str = "ISO_IR 192";

/// Sets without code extensions that hold more than one script.
const STANDING_ALONE: [&str; 3] = [UTF8_TERM, "GB18030", "GBK"];

/// How text of one data set is encoded.
#[derive(Debug, Clone)]
pub(crate) enum Charset {
    /// One set, in which text is also written.
    Single(SpecificCharacterSet),
    /// Sets that escape sequences switch between, or one that dicom-rs does not have. Written as UTF-8.
    Extended(Extension),
}

impl Charset {
    /// The default repertoire; real files put Latin-1 there, which contains it.
    pub(crate) fn latin() -> Self {
        Self::Single(SpecificCharacterSet::ISO_IR_6)
    }

    /// From the values of (0008,0005). More than one value, or one that says ISO 2022, means code extensions.
    pub(crate) fn from_values(values: &[&str]) -> Self {
        let terms: Vec<String> = values.iter().map(|value| normal(value)).collect();
        if let [one] = terms.as_slice()
            && let Some(set) = SpecificCharacterSet::from_code(one)
            && !one.starts_with("ISO 2022")
        {
            return Self::Single(set);
        }
        // Sets that stand alone (PS3.3 table C.12-5) leave no room for others, whatever is said besides.
        let alone = terms
            .iter()
            .find(|term| STANDING_ALONE.contains(&term.as_str()));
        if let Some(set) = alone.and_then(|term| SpecificCharacterSet::from_code(term)) {
            return Self::Single(set);
        }
        let known: Vec<Repertoire> = terms
            .iter()
            .filter_map(|term| Repertoire::from_term(term))
            .collect();
        match known.as_slice() {
            [] | [Repertoire::Ascii] => Self::latin(),
            _ => Self::Extended(Extension::new(&known)),
        }
    }

    /// The term that (0008,0005) must have in a header read with this set, if not the file's.
    pub(crate) fn rewritten_as(&self) -> Option<&'static str> {
        matches!(self, Self::Extended(_)).then_some(UTF8_TERM)
    }

    /// Text of a whole value field, backslashes included.
    pub(crate) fn decode(&self, bytes: &[u8], vr: VR) -> String {
        if is_plain_ascii(bytes) {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        match self {
            _ if !is_extensible(vr) => decode_with(&SpecificCharacterSet::ISO_IR_6, bytes),
            Self::Single(set) => decode_with(set, bytes),
            Self::Extended(extension) => extension.decode(bytes, vr == VR::PN),
        }
    }

    /// Bytes of a whole value field, not padded. A character outside the set becomes `?`.
    pub(crate) fn encode(&self, text: &str, vr: VR) -> Vec<u8> {
        if is_plain_ascii(text.as_bytes()) {
            return text.as_bytes().to_vec();
        }
        let set = match self {
            _ if !is_extensible(vr) => SpecificCharacterSet::ISO_IR_6,
            Self::Single(set) => set.clone(),
            Self::Extended(_) => SpecificCharacterSet::ISO_IR_192,
        };
        set.encode(text).unwrap_or_else(|_| encode_each(&set, text))
    }
}

/// VRs outside PS3.5 section 6.1.2.3 always use the default repertoire.
fn is_extensible(vr: VR) -> bool {
    matches!(
        vr,
        VR::SH | VR::LO | VR::ST | VR::LT | VR::UC | VR::UT | VR::PN
    )
}

/// `ISO-IR 100`, `ISO_2022_IR_100` and the like, as some writers spell it: terms have one underscore or none.
fn normal(term: &str) -> String {
    let spaced = term.trim_matches([' ', '\0']).replace(['_', '-'], " ");
    match spaced.strip_prefix("ISO IR ") {
        Some(number) => format!("ISO_IR {number}"),
        None => spaced,
    }
}

/// ASCII without escape sequences reads the same in every supported set.
fn is_plain_ascii(bytes: &[u8]) -> bool {
    bytes.is_ascii() && !bytes.contains(&iso2022::ESCAPE)
}

fn decode_with(set: &SpecificCharacterSet, bytes: &[u8]) -> String {
    if *set == SpecificCharacterSet::ISO_IR_192 {
        return std::str::from_utf8(bytes).map_or_else(|_| decode_latin(bytes), str::to_owned);
    }
    set.decode(bytes)
        .ok()
        .filter(|text| !has_new_backslash(bytes, text))
        .unwrap_or_else(|| ascii_only(bytes))
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
