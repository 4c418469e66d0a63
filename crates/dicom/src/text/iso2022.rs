//! Code extensions (ISO 2022, PS3.5 section 6.1.2.5, PS3.3 tables C.12-3 and C.12-4): escape sequences put one set into the
//! lower half of the code table (G0) and one into the upper (G1), until a line, a value or a part of a name ends.
//!
//! The sets themselves are those of dicom-rs; the two Latin ones that it lacks are told by their difference from Latin-1.

use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

/// ESC.
pub(super) const ESCAPE: u8 = 0x1B;

/// A set of characters that can be put into one of the halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repertoire {
    Ascii,
    /// ISO-IR 100, 101, 109, 110, 126, 127, 138, 144, 166: by their term.
    Part(&'static str),
    /// ISO-IR 148.
    Latin5,
    /// ISO-IR 203.
    Latin9,
    /// ISO-IR 13: JIS X 0201.
    Katakana,
    /// ISO-IR 87: JIS X 0208.
    Kanji,
    /// ISO-IR 159: JIS X 0212.
    MoreKanji,
    /// ISO-IR 149: KS X 1001.
    Korean,
    /// ISO-IR 58: GB 2312.
    Chinese,
}

/// The number in a term, the set that it names, and its escape sequences.
type Set = (&'static str, Repertoire, &'static [Sequence]);
type Sequence = (&'static [u8], Half);

/// What each number of a term stands for, and the escape sequences (after ESC) that choose it for one of the halves.
const SETS: [Set; 17] = {
    use Half::{Lower, Upper};
    use Repertoire as R;
    [
        ("6", R::Ascii, &[(b"(B", Lower)]),
        ("100", R::Part("ISO_IR 100"), &[(b"-A", Upper)]),
        ("101", R::Part("ISO_IR 101"), &[(b"-B", Upper)]),
        ("109", R::Part("ISO_IR 109"), &[(b"-C", Upper)]),
        ("110", R::Part("ISO_IR 110"), &[(b"-D", Upper)]),
        ("126", R::Part("ISO_IR 126"), &[(b"-F", Upper)]),
        ("127", R::Part("ISO_IR 127"), &[(b"-G", Upper)]),
        ("138", R::Part("ISO_IR 138"), &[(b"-H", Upper)]),
        ("144", R::Part("ISO_IR 144"), &[(b"-L", Upper)]),
        ("148", R::Latin5, &[(b"-M", Upper)]),
        ("166", R::Part("ISO_IR 166"), &[(b"-T", Upper)]),
        ("203", R::Latin9, &[(b"-b", Upper)]),
        ("13", R::Katakana, &[(b"(J", Lower), (b")I", Upper)]),
        ("87", R::Kanji, &[(b"$B", Lower), (b"$@", Lower)]),
        ("159", R::MoreKanji, &[(b"$(D", Lower)]),
        ("149", R::Korean, &[(b"$)C", Upper)]),
        ("58", R::Chinese, &[(b"$)A", Upper)]),
    ]
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Lower,
    Upper,
}

impl Repertoire {
    /// From a term of (0008,0005) with or without code extensions; an absent first value is ASCII.
    pub(super) fn from_term(term: &str) -> Option<Self> {
        if term.is_empty() {
            return Some(Self::Ascii);
        }
        let number = term
            .strip_prefix("ISO 2022 IR ")
            .or_else(|| term.strip_prefix("ISO_IR "))?;
        SETS.iter()
            .find(|(of, ..)| *of == number)
            .map(|(_, set, _)| *set)
    }

    /// Whether it takes the lower half when it comes first.
    fn is_lower(self) -> bool {
        matches!(self, Self::Ascii | Self::Kanji | Self::MoreKanji)
    }
}

/// Sets in force at the start of every part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extension {
    start: Halves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Halves {
    lower: Repertoire,
    upper: Repertoire,
}

impl Extension {
    /// The first set is in force until escape sequences say otherwise. Writers that name none but later ones start
    /// with the default repertoire, and those that forget escape sequences mean the first set with an upper half.
    pub(super) fn new(sets: &[Repertoire]) -> Self {
        let upper = sets.iter().copied().find(|set| !set.is_lower());
        Self {
            start: Halves {
                lower: Repertoire::Ascii,
                upper: upper.unwrap_or(Repertoire::Part("ISO_IR 100")),
            },
        }
    }

    /// Decodes a whole value field. In names `^` and `=` end a part, too.
    pub(super) fn decode(self, bytes: &[u8], is_name: bool) -> String {
        let mut text = String::with_capacity(bytes.len());
        let mut halves = self.start;
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if let Some((length, half, set)) = escape(rest) {
                match half {
                    Half::Lower => halves.lower = set,
                    Half::Upper => halves.upper = set,
                }
                rest = &rest[length..];
            } else if ends_part(*first, is_name, halves) {
                text.push(char::from(*first));
                halves = self.start;
                rest = &rest[1..];
            } else {
                let (run, set) = run(rest, is_name, halves);
                decode_run(set, run, &mut text);
                rest = &rest[run.len()..];
            }
        }
        text
    }
}

/// The escape sequence at the start: its bytes, the half it fills, and with what.
fn escape(bytes: &[u8]) -> Option<(usize, Half, Repertoire)> {
    let after = bytes.strip_prefix(&[ESCAPE])?;
    SETS.iter().find_map(|(_, set, sequences)| {
        let (sequence, half) = sequences
            .iter()
            .find(|(bytes, _)| after.starts_with(bytes))?;
        Some((1 + sequence.len(), *half, *set))
    })
}

/// Whether the sets in force end here (PS3.5 section 6.1.2.5.3). The two bytes of a kanji may look like any delimiter
/// but a control character.
fn ends_part(byte: u8, is_name: bool, halves: Halves) -> bool {
    match byte {
        b'\t' | b'\n' | b'\r' | 0x0C => true,
        b'\\' => !is_wide(halves.lower),
        b'^' | b'=' => is_name && !is_wide(halves.lower),
        _ => false,
    }
}

/// Sets of two bytes in the lower half.
fn is_wide(set: Repertoire) -> bool {
    matches!(set, Repertoire::Kanji | Repertoire::MoreKanji)
}

/// Bytes from the start on that one set decodes. Runs never mix the halves.
fn run(bytes: &[u8], is_name: bool, halves: Halves) -> (&[u8], Repertoire) {
    let is_upper = bytes[0] >= 0x80;
    let belongs = |at: usize| {
        let byte = bytes[at];
        byte != ESCAPE
            && (byte >= 0x80) == is_upper
            && (at == 0 || !ends_part(byte, is_name, halves))
    };
    let length = (0..bytes.len())
        .take_while(|at| belongs(*at))
        .count()
        .max(1);
    let set = if is_upper { halves.upper } else { halves.lower };
    (&bytes[..length], set)
}

fn decode_run(set: Repertoire, run: &[u8], text: &mut String) {
    let decoded = match set {
        Repertoire::Ascii => None,
        Repertoire::Part(term) => with(term, run),
        Repertoire::Latin5 => return latin(run, &LATIN5, text),
        Repertoire::Latin9 => return latin(run, &LATIN9, text),
        // JIS X 0201 has a yen sign for the backslash and an overline for the tilde, but writers mean ASCII.
        Repertoire::Katakana if run[0] < 0x80 => None,
        Repertoire::Katakana => with("ISO_IR 13", run),
        Repertoire::Kanji => with("ISO_IR 87", &[b"\x1B$B", run].concat()),
        Repertoire::MoreKanji => with("ISO_IR 87", &[b"\x1B$(D", run].concat()),
        Repertoire::Korean => with("ISO_IR 149", run),
        Repertoire::Chinese => with("GB18030", run),
    };
    match decoded {
        Some(decoded) => text.push_str(&decoded),
        None => text.extend(run.iter().map(|byte| plain(*byte))),
    }
}

/// What a set decodes, if all of it; the codec marks what it cannot with backslashes, of which runs have none.
fn with(term: &str, run: &[u8]) -> Option<String> {
    let set = SpecificCharacterSet::from_code(term)?;
    set.decode(run).ok().filter(|text| !text.contains('\\'))
}

fn plain(byte: u8) -> char {
    if byte.is_ascii() {
        char::from(byte)
    } else {
        '?'
    }
}

type Differences<const N: usize> = [(u8, char); N];

/// Where Latin-5 (ISO 8859-9) is not Latin-1: Turkish letters.
const LATIN5: Differences<6> = [
    (0xD0, 'Ğ'),
    (0xDD, 'İ'),
    (0xDE, 'Ş'),
    (0xF0, 'ğ'),
    (0xFD, 'ı'),
    (0xFE, 'ş'),
];

/// Where Latin-9 (ISO 8859-15) is not Latin-1.
const LATIN9: Differences<8> = [
    (0xA4, '€'),
    (0xA6, 'Š'),
    (0xA8, 'š'),
    (0xB4, 'Ž'),
    (0xB8, 'ž'),
    (0xBC, 'Œ'),
    (0xBD, 'œ'),
    (0xBE, 'Ÿ'),
];

fn latin(run: &[u8], differences: &[(u8, char)], text: &mut String) {
    text.extend(run.iter().map(|byte| {
        let other = differences.iter().find(|(of, _)| of == byte);
        other.map_or(char::from(*byte), |(_, c)| *c)
    }));
}
