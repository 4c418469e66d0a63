//! One value of JSON (RFC 8259), read so that its place is known when it breaks off: the trail holds the keys and numbers that lead to
//! where the parser is. Keys that come twice are noted, since readers differ on which one counts (RFC 8259, section 4).
//!
//! Depth is bounded by `serde_json` (128 levels), size by whoever hands over the bytes.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Longer texts are documents and pictures: nothing that is looked at.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// Where the parser is, and which keys came twice.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) steps: Vec<Step>,
    /// Paths, from where the entry begins.
    pub(super) doubled: Vec<String>,
    /// How many steps lead to the entry.
    pub(super) base: usize,
}

impl Trail {
    /// The path within the entry.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().skip(self.base) {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(&clean(key)),
                Step::Key(key) => path.extend([".", &clean(key)]),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// A key as it may be printed: names of elements are letters, and what else stands there may be anything.
fn clean(key: &str) -> String {
    let is_name = key.len() <= 64
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if is_name { key.to_owned() } else { "?".into() }
}

/// Reads a value, leaving its trail. On an error the trail stays where the parser stopped.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a>(pub(super) &'a RefCell<Trail>);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        let text = if text.len() > MAX_TEXT_BYTES {
            ""
        } else {
            text
        };
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            self.0.borrow_mut().steps.push(Step::Index(values.len()));
            let next = list.next_element_seed(self)?;
            self.0.borrow_mut().steps.pop();
            match next {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.borrow_mut().steps.push(Step::Key(key.clone()));
            let value = map.next_value_seed(self)?;
            let mut trail = self.0.borrow_mut();
            if values.insert(key, value).is_some() {
                let path = trail.path();
                trail.doubled.push(path);
            }
            trail.steps.pop();
        }
        Ok(Value::Object(values))
    }
}

/// What is wrong where the parser stopped. `serde_json` tells kinds apart by text alone.
pub(super) fn broken(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("recursion limit") {
        return "nested deeper than 128 levels, which no resource is: leave it out".into();
    }
    if text.starts_with("number out of range") {
        return "a number that is larger than any that can be kept".into();
    }
    if error.is_data() {
        return "something else stands where a bundle has an object, or its list of entries".into();
    }
    if error.is_eof() {
        return "it ends in the middle: was the file cut off while it was copied?".into();
    }
    let (line, column) = (error.line(), error.column());
    format!(
        "no JSON from line {line}, character {column} on: is the file UTF-8, and written by a program?"
    )
}
