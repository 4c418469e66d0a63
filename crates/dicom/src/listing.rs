//! A header as rows of text, for people who compare it before and after de-identification. Patient data: for the data
//! manager's page only, never for logs.

use dicom_core::Tag;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::header::Header as _;
use dicom_core::value::{PrimitiveValue, Value};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_object::mem::InMemElement;
use serde::{Deserialize, Serialize};

use crate::instance::Header;

/// Characters shown of one value: two lines of a wide table.
pub const MAX_VALUE_CHARS: usize = 200;
/// Numbers shown of one value, for the same reason.
const MAX_NUMBERS: usize = 32;

/// One element as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementText {
    /// Where it is, items counted from one: `(0008,1140)[1].(0008,1155)`.
    pub path: String,
    /// `(gggg,eeee)`.
    pub tag: String,
    /// Keyword of PS3.6; empty for private elements.
    pub name: String,
    /// Value representation, such as `PN`.
    pub vr: String,
    /// Values joined by `\`, cut with `…` after [`MAX_VALUE_CHARS`]; `<n bytes>` for binary, `<n items>` for sequences.
    pub value: String,
}

/// Lists elements in order of tag, those of items after their sequence, at most `max_elements`.
#[must_use]
pub fn list(header: &Header, max_elements: usize) -> Vec<ElementText> {
    let mut rows = Vec::new();
    append(&mut rows, header, "", max_elements);
    rows
}

fn append(rows: &mut Vec<ElementText>, header: &Header, prefix: &str, max_elements: usize) {
    for element in header {
        if rows.len() == max_elements {
            return;
        }
        let row = element_text(element, prefix);
        let path = row.path.clone();
        rows.push(row);
        for (index, item) in element.items().unwrap_or_default().iter().enumerate() {
            append(rows, item, &format!("{path}[{}].", index + 1), max_elements);
        }
    }
}

fn element_text(element: &InMemElement, prefix: &str) -> ElementText {
    let tag = element.tag();
    ElementText {
        path: format!("{prefix}{tag}"),
        tag: tag.to_string(),
        name: keyword(tag),
        vr: element.vr().to_string().to_owned(),
        value: value_text(element),
    }
}

fn keyword(tag: Tag) -> String {
    StandardDataDictionary
        .by_tag(tag)
        .map(|entry| entry.alias().to_owned())
        .unwrap_or_default()
}

fn value_text(element: &InMemElement) -> String {
    match element.value() {
        Value::Sequence(sequence) => format!("<{} items>", sequence.items().len()),
        Value::PixelSequence(pixels) => format!("<{} fragments>", pixels.fragments().len()),
        Value::Primitive(value) => primitive_text(value),
    }
}

fn primitive_text(value: &PrimitiveValue) -> String {
    match value {
        PrimitiveValue::Str(text) => cut(text),
        PrimitiveValue::Strs(texts) => {
            let shown = texts.iter().take(MAX_VALUE_CHARS + 1).map(String::as_str);
            cut(&shown.collect::<Vec<_>>().join("\\"))
        }
        PrimitiveValue::U8(bytes) => format!("<{} bytes>", bytes.len()),
        numbers if numbers.multiplicity() as usize > MAX_NUMBERS => {
            format!("<{} bytes>", numbers.calculate_byte_len())
        }
        numbers => cut(&numbers.to_str()),
    }
}

fn cut(text: &str) -> String {
    let text = text.trim_end_matches(['\0', ' ']);
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
