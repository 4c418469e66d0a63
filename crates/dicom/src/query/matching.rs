//! One key against one attribute, by its VR (PS3.4 C.2.2.2.1 to C.2.2.2.6).

use dicom_core::Tag;
use serde_json::Value;

use super::name::{fuzzy_name_matches, name_matches};
use super::range::{RangeKind, range_matches};
use super::wildcard::{has_wildcards, wildcard_matches};
use crate::element::dictionary_vr;

/// The key that asks for an attribute without a value (PS3.4 C.2.2.2.6).
const EMPTY_KEY: &str = "\"\"";

/// Whether an attribute, if there is one, has a value that the key means. Several values in a key are alternatives; of
/// several values of an attribute, one is enough.
pub(super) fn value_matches(attribute: Option<&Value>, tag: Tag, key: &str, fuzzy: bool) -> bool {
    let key = key.trim_matches([' ', '\0']);
    if is_universal(key) {
        return true;
    }
    let values = attribute.and_then(|attribute| attribute.get("Value")?.as_array());
    let mut values = values
        .into_iter()
        .flatten()
        .filter(|value| !value.is_null())
        .peekable();
    if key == EMPTY_KEY {
        return values.peek().is_none();
    }
    let vr = vr_of(attribute, tag);
    values.any(|value| {
        alternatives(key, vr).any(|one| one_matches(value, vr, one.trim_matches(' '), fuzzy))
    })
}

/// No value, or nothing but `*` (PS3.4 C.2.2.2.3).
fn is_universal(key: &str) -> bool {
    key.bytes().all(|byte| byte == b'*')
}

/// The VR as the attribute has it, else as the dictionary.
fn vr_of(attribute: Option<&Value>, tag: Tag) -> Kind {
    let vr = attribute.and_then(|attribute| attribute.get("vr")?.as_str());
    match vr {
        Some(vr) => Kind::of(vr),
        None => dictionary_vr(tag, false).map_or(Kind::Text, |vr| Kind::of(vr.to_string())),
    }
}

/// VRs by how they match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Range(RangeKind),
    Number,
    /// No wildcards: UI, AS, AT.
    Exact,
    /// Wildcards, a backslash separates.
    Text,
    /// Wildcards, a backslash is text.
    LongText,
}

impl Kind {
    fn of(vr: &str) -> Self {
        match vr {
            "PN" => Self::Name,
            "DA" => Self::Range(RangeKind::Date),
            "TM" => Self::Range(RangeKind::Time),
            "DT" => Self::Range(RangeKind::DateTime),
            "IS" | "DS" | "US" | "SS" | "UL" | "SL" | "UV" | "SV" | "FL" | "FD" => Self::Number,
            "UI" | "AS" | "AT" => Self::Exact,
            "LT" | "ST" | "UT" | "UR" => Self::LongText,
            _ => Self::Text,
        }
    }
}

fn alternatives(key: &str, kind: Kind) -> impl Iterator<Item = &str> {
    let separator = if kind == Kind::LongText { '\0' } else { '\\' };
    key.split(separator)
}

fn one_matches(value: &Value, kind: Kind, key: &str, fuzzy: bool) -> bool {
    match kind {
        Kind::Name if fuzzy => fuzzy_name_matches(value, key),
        Kind::Name => name_matches(value, key),
        Kind::Number => number_matches(value, key),
        Kind::Range(range) => value
            .as_str()
            .is_some_and(|value| range_matches(value, key, range)),
        Kind::Exact => value
            .as_str()
            .is_some_and(|value| value.eq_ignore_ascii_case(key)),
        Kind::Text | Kind::LongText => value.as_str().is_some_and(|value| text_matches(value, key)),
    }
}

fn text_matches(value: &str, key: &str) -> bool {
    let value = value.trim_matches(' ');
    if has_wildcards(key) {
        wildcard_matches(key, value)
    } else {
        value == key
    }
}

/// Numbers match by what they are, however they are written; what is no number by its text.
#[allow(
    clippy::float_cmp,
    reason = "the same number, not a near one, is asked for"
)]
fn number_matches(value: &Value, key: &str) -> bool {
    let number = match value {
        Value::String(text) if text == key => return true,
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    number.is_some() && number == key.parse::<f64>().ok()
}
