//! Single attributes out of a header: text trimmed, numbers finite, anything odd is `None`.
//!
//! Lenient on purpose: a malformed optional value must not keep an image out. What must hold is in
//! [`crate::check`].

use dicom_core::Tag;
use dicom_core::value::{PrimitiveValue, Value};

use crate::instance::Header;
use crate::syntax::is_multi_valued_text;

/// Longest text taken into a summary; PS3.5 allows 64 characters for most attributes.
const MAX_TEXT_CHARS: usize = 1024;
/// No attribute read here (millimetres, tesla, Hounsfield units, times in ms) comes near this.
const MAX_NUMBER: f64 = 1e12;

fn primitive(header: &Header, tag: Tag) -> Option<&PrimitiveValue> {
    match header.get(tag)?.value() {
        Value::Primitive(value) => Some(value),
        _ => None,
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace())
}

/// Values of a text element, each trimmed. Values set by a program may still be joined by backslashes.
pub(crate) fn texts(header: &Header, tag: Tag) -> Vec<&str> {
    let is_multi_valued = header
        .get(tag)
        .is_some_and(|element| is_multi_valued_text(element.vr()));
    match primitive(header, tag) {
        Some(PrimitiveValue::Strs(values)) => values.iter().map(|value| trim(value)).collect(),
        Some(PrimitiveValue::Str(value)) if is_multi_valued => {
            value.split('\\').map(trim).collect()
        }
        Some(PrimitiveValue::Str(value)) => vec![trim(value)],
        _ => Vec::new(),
    }
}

/// The first value, if it has any text.
pub(crate) fn text(header: &Header, tag: Tag) -> Option<String> {
    let first = *texts(header, tag).first()?;
    (!first.is_empty()).then(|| first.chars().take(MAX_TEXT_CHARS).collect())
}

/// All values of a number element, if every one is a finite number.
pub(crate) fn numbers(header: &Header, tag: Tag) -> Option<Vec<f64>> {
    let numbers = match primitive(header, tag)? {
        PrimitiveValue::Strs(_) | PrimitiveValue::Str(_) => texts(header, tag)
            .into_iter()
            .map(|text| text.parse().ok())
            .collect::<Option<Vec<f64>>>()?,
        binary => binary.to_multi_float64().ok()?,
    };
    numbers
        .iter()
        .all(|number| number.is_finite() && number.abs() <= MAX_NUMBER)
        .then_some(numbers)
}

/// The first value of a number element.
pub(crate) fn number(header: &Header, tag: Tag) -> Option<f64> {
    numbers(header, tag)?.first().copied()
}

/// A number element with exactly `N` values.
pub(crate) fn vector<const N: usize>(header: &Header, tag: Tag) -> Option<[f64; N]> {
    numbers(header, tag)?.try_into().ok()
}

/// The first value, if it is a whole number that fits.
pub(crate) fn whole<T: TryFrom<i64>>(header: &Header, tag: Tag) -> Option<T> {
    let number = number(header, tag)?;
    // MAX_NUMBER keeps this far below 2^53, where f64 stops being exact.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and bounded"
    )]
    (number.fract() == 0.0).then(|| T::try_from(number as i64).ok())?
}

/// Items of a sequence; none if absent or not a sequence.
pub(crate) fn items(header: &Header, tag: Tag) -> &[Header] {
    header
        .get(tag)
        .and_then(|element| element.items())
        .unwrap_or_default()
}
