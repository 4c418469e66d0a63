//! How the header says that a frame is to be looked at: rescale, window or VOI LUT, inversion (PS3.3 C.11.1, C.11.2,
//! C.7.6.16.2.9 and .10). Anything odd is left out: an image without a window is shown from its least to its greatest value.

use arno_dicom::Header;
use dicom_core::{
    Tag,
    value::{PrimitiveValue, Value},
};
use dicom_dictionary_std::tags;

use crate::rendered::{Shape, Window};

/// Most entries of a lookup table: 16 bits.
const MAX_ENTRIES: usize = 1 << 16;

/// How a frame is to be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// Rescale Slope (0028,1053).
    pub slope: f64,
    /// Rescale Intercept (0028,1052).
    pub intercept: f64,
    /// Modality LUT (0028,3000), instead of the rescale.
    pub modality_lut: Option<Lut>,
    /// The header's first window.
    pub window: Option<Window>,
    /// The header's first VOI LUT (0028,3010); a window comes first.
    pub voi_lut: Option<Lut>,
    /// Whether the least value is white.
    pub inverted: bool,
    /// Bits Stored (0028,0101).
    pub bits_stored: u16,
}

/// A lookup table (PS3.3 C.11.1.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lut {
    /// The value of the first entry; smaller ones have it too, and those beyond the last have the last.
    pub first: i64,
    /// Bits of an entry.
    pub bits: u16,
    /// The entries, at least one.
    pub entries: Vec<u16>,
}

impl Lut {
    /// The entry of a value.
    #[must_use]
    pub fn entry(&self, value: f64) -> u16 {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "saturates, and is clamped next"
        )]
        let index = (value.round() as i64).saturating_sub(self.first);
        let last = self.entries.len().saturating_sub(1);
        let index = usize::try_from(index.max(0)).unwrap_or(last).min(last);
        self.entries.get(index).copied().unwrap_or_default()
    }
}

impl Look {
    /// Reads what the header says of a frame, counted from zero.
    #[must_use]
    pub fn of(header: &Header, frame: u32, bits_stored: u16) -> Self {
        let places = Places::of(header, frame);
        let modality_lut = places.lut(tags::MODALITY_LUT_SEQUENCE);
        let photometric = text(header, tags::PHOTOMETRIC_INTERPRETATION);
        let shape = text(header, tags::PRESENTATION_LUT_SHAPE);
        Self {
            slope: places
                .number(tags::RESCALE_SLOPE)
                .filter(|slope| *slope != 0.0)
                .unwrap_or(1.0),
            intercept: places.number(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
            modality_lut,
            window: places.window(),
            voi_lut: places.lut(tags::VOILUT_SEQUENCE),
            inverted: match shape.as_deref() {
                Some("INVERSE") => true,
                Some("IDENTITY") => false,
                _ => photometric.as_deref() == Some("MONOCHROME1"),
            },
            bits_stored,
        }
    }
}

/// Where an attribute of a frame can stand: its own functional groups, those of all frames, the data set itself.
struct Places<'a>(Vec<&'a Header>);

/// Functional groups that are looked into.
const GROUPS: [Tag; 2] = [
    tags::FRAME_VOILUT_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
];

impl<'a> Places<'a> {
    fn of(header: &'a Header, frame: u32) -> Self {
        let index = usize::try_from(frame).unwrap_or(usize::MAX);
        let own = items(header, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(index);
        let shared = items(header, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
        let groups = own.into_iter().chain(shared);
        let inner =
            groups.flat_map(|group| GROUPS.iter().filter_map(|tag| items(group, *tag).first()));
        Self(inner.chain([header]).collect())
    }

    fn number(&self, tag: Tag) -> Option<f64> {
        self.0.iter().find_map(|place| number(place, tag))
    }

    fn window(&self) -> Option<Window> {
        self.0.iter().find_map(|place| {
            let shape = text(place, tags::VOILUT_FUNCTION);
            let window = Window {
                center: number(place, tags::WINDOW_CENTER)?,
                width: number(place, tags::WINDOW_WIDTH)?,
                shape: shape
                    .and_then(|shape| Shape::of(&shape))
                    .unwrap_or(Shape::Linear),
            };
            window.is_usable().then_some(window)
        })
    }

    fn lut(&self, tag: Tag) -> Option<Lut> {
        let mut first = self.0.iter().filter_map(|place| items(place, tag).first());
        first.find_map(lut)
    }
}

fn lut(item: &Header) -> Option<Lut> {
    let descriptor = numbers(item, tags::LUT_DESCRIPTOR)?;
    let [count, first, bits] = descriptor.as_slice() else {
        return None;
    };
    let (count, bits) = (whole(*count)?, whole(*bits)?);
    let count = if count == 0 {
        MAX_ENTRIES
    } else {
        usize::try_from(count).ok()?
    };
    let bits = u16::try_from(bits)
        .ok()
        .filter(|bits| matches!(bits, 8..=16))?;
    let mut entries = words(item, tags::LUT_DATA)?;
    if count > MAX_ENTRIES || entries.len() < count {
        return None;
    }
    entries.truncate(count);
    Some(Lut {
        first: whole(*first)?,
        bits,
        entries,
    })
}

fn whole(number: f64) -> Option<i64> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "descriptors have 16 bits, and the cast saturates"
    )]
    (number.fract() == 0.0).then_some(number as i64)
}

fn words(item: &Header, tag: Tag) -> Option<Vec<u16>> {
    match item.get(tag)?.value() {
        Value::Primitive(PrimitiveValue::U16(words)) => Some(words.to_vec()),
        Value::Primitive(PrimitiveValue::I16(words)) => {
            Some(words.iter().map(|word| word.cast_unsigned()).collect())
        }
        Value::Primitive(PrimitiveValue::U8(bytes)) => {
            let pairs = bytes.as_chunks::<2>().0.iter();
            Some(pairs.map(|pair| u16::from_le_bytes(*pair)).collect())
        }
        _ => None,
    }
}

fn items(header: &Header, tag: Tag) -> &[Header] {
    header
        .get(tag)
        .and_then(|element| element.items())
        .unwrap_or_default()
}

fn numbers(header: &Header, tag: Tag) -> Option<Vec<f64>> {
    header.get(tag)?.to_multi_float64().ok()
}

fn number(header: &Header, tag: Tag) -> Option<f64> {
    let first = *numbers(header, tag)?.first()?;
    first.is_finite().then_some(first)
}

fn text(header: &Header, tag: Tag) -> Option<String> {
    let value = header.get(tag)?.to_str().ok()?;
    let first = value.split('\\').next().unwrap_or_default();
    Some(
        first
            .trim_matches(|c: char| c == '\0' || c.is_whitespace())
            .to_ascii_uppercase(),
    )
}
