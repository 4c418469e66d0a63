//! Attributes of one instance as DICOM JSON (PS3.18 annex F), read leniently: what is absent or malformed is `None`.

use serde_json::{Map, Value};

/// Longest text that is looked at.
const MAX_TEXT_CHARS: usize = 256;
/// Items of one sequence that are looked at.
const MAX_ITEMS: usize = 65_536;

/// The attributes of an instance or of an item of a sequence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// From the JSON text of one instance; empty when it is none.
    #[must_use]
    pub fn parse(json: &[u8]) -> Self {
        Self(serde_json::from_slice(json).unwrap_or_default())
    }

    fn values(&self, tag: &str) -> &[Value] {
        let values = self.0.get(tag).and_then(|element| element.get("Value"));
        values.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// All texts of an element, trimmed; none where it holds anything else.
    #[must_use]
    pub fn texts(&self, tag: &str) -> Vec<String> {
        let texts = self.values(tag).iter().filter_map(Value::as_str);
        texts
            .map(|text| text.trim().chars().take(MAX_TEXT_CHARS).collect())
            .collect()
    }

    /// The first text, if it is not empty.
    #[must_use]
    pub fn text(&self, tag: &str) -> Option<String> {
        let first = self.texts(tag).into_iter().next()?;
        (!first.is_empty()).then_some(first)
    }

    /// The same in capital letters.
    #[must_use]
    pub fn word(&self, tag: &str) -> Option<String> {
        Some(self.text(tag)?.to_uppercase())
    }

    /// All numbers of an element, also where they are written as texts.
    #[must_use]
    pub fn numbers(&self, tag: &str) -> Vec<f64> {
        let number = |value: &Value| {
            let number = match value {
                Value::String(text) => text.trim().parse().ok(),
                other => other.as_f64(),
            };
            number.filter(|number: &f64| number.is_finite())
        };
        self.values(tag).iter().filter_map(number).collect()
    }

    /// The first number.
    #[must_use]
    pub fn number(&self, tag: &str) -> Option<f64> {
        self.numbers(tag).first().copied()
    }

    /// An element with exactly `N` numbers.
    #[must_use]
    pub fn vector<const N: usize>(&self, tag: &str) -> Option<[f64; N]> {
        self.numbers(tag).try_into().ok()
    }

    /// Items of a sequence.
    #[must_use]
    pub fn items(&self, tag: &str) -> Vec<Self> {
        let items = self.values(tag).iter().take(MAX_ITEMS);
        items
            .filter_map(|item| Some(Self(item.as_object()?.clone())))
            .collect()
    }

    /// Whether the element is there at all, with a value or without.
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        self.0.contains_key(tag)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Attributes;

    /// Attributes from pairs of a tag and its values as JSON.
    pub(crate) fn attributes(pairs: &[(&str, serde_json::Value)]) -> Attributes {
        let pairs = pairs.iter().map(|(tag, value)| {
            let values = if value.is_array() {
                value.clone()
            } else {
                serde_json::json!([value])
            };
            ((*tag).to_owned(), serde_json::json!({ "Value": values }))
        });
        Attributes(pairs.collect())
    }

    #[test]
    fn odd_json_is_nothing() {
        for text in ["", "[]", "{\"00080060\":1}", "{\"00080060\":{\"Value\":3}}"] {
            assert_eq!(Attributes::parse(text.as_bytes()).text("00080060"), None);
        }
        let read = Attributes::parse(br#"{"00180050":{"vr":"DS","Value":["2.5",1]}}"#);
        assert_eq!(read.numbers("00180050"), [2.5, 1.0]);
    }
}
