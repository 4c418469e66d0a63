//! Elements to JSON text (PS3.18 F.2.2 to F.2.7).
//!
//! Numbers in text (IS, DS) become JSON numbers where they are numbers and stay strings where not (F.2.3); so do
//! numbers that JSON does not have. Text is UTF-8 whatever the file had, and (0008,0005) says so.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dicom_core::header::Header as _;
use dicom_core::value::{PrimitiveValue, Value};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::mem::InMemElement;

use super::MAX_INLINE_BYTES;
use crate::encode::little_endian;
use crate::instance::{Header, Instance, PixelElement, encoding_of};
use crate::syntax::is_multi_valued_text;

/// Room for a typical header of 300 elements, so that the text rarely moves.
const TYPICAL_BYTES: usize = 32 << 10;

/// Longest number in text that is copied as it stands: DS has 16 characters, and this many cannot overflow.
const MAX_COPIED_NUMBER: usize = 32;

/// Beyond 2^53 readers that keep numbers as doubles would change them, so such numbers are strings.
const MAX_EXACT: u64 = 1 << 53;

/// The text of one JSON object as it grows.
pub(super) struct Writer {
    text: String,
    /// Path of the data set that is being written: empty, or `00081140/1/`.
    path: String,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            text: String::with_capacity(TYPICAL_BYTES),
            path: String::new(),
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn instance(&mut self, instance: &Instance) {
        self.text.push('{');
        self.elements(instance.header.iter());
        if let Some(pixels) = &instance.pixels {
            let tag = encoding_of(&instance.transfer_syntax).tag(pixels.tag());
            self.name(tag);
            self.vr(pixel_vr(pixels, instance));
            self.pointer(tag);
            self.text.push('}');
        }
        self.text.push('}');
    }

    pub(super) fn object<'a>(&mut self, elements: impl Iterator<Item = &'a InMemElement>) {
        self.text.push('{');
        self.elements(elements);
        self.text.push('}');
    }

    fn elements<'a>(&mut self, elements: impl Iterator<Item = &'a InMemElement>) {
        for element in elements {
            let tag = element.tag();
            if tag.element() != 0 && !matches!(tag.group(), 0x0000 | 0x0002) {
                self.name(tag);
                self.element(element);
            }
        }
    }

    /// The name of an attribute, and the comma that parts it from the one before.
    fn name(&mut self, tag: Tag) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        self.text.push('"');
        push_tag(&mut self.text, tag);
        self.text.push_str("\":");
    }

    fn vr(&mut self, vr: VR) {
        self.text.push_str("{\"vr\":\"");
        self.text.push_str(vr.to_string());
        self.text.push('"');
    }

    /// `{"vr":…}` with what the element holds.
    fn element(&mut self, element: &InMemElement) {
        let (tag, vr) = (element.tag(), element.vr());
        self.vr(vr);
        match element.value() {
            Value::Sequence(sequence) => self.items(tag, sequence.items()),
            Value::PixelSequence(_) => self.pointer(tag),
            Value::Primitive(PrimitiveValue::Empty) => {}
            Value::Primitive(_) if tag == tags::SPECIFIC_CHARACTER_SET => {
                self.text.push_str(",\"Value\":[\"ISO_IR 192\"]");
            }
            Value::Primitive(value) => self.primitive(tag, vr, value),
        }
        self.text.push('}');
    }

    fn items(&mut self, tag: Tag, items: &[Header]) {
        if items.is_empty() {
            return;
        }
        self.text.push_str(",\"Value\":[");
        let parent = self.path.len();
        for (index, item) in items.iter().enumerate() {
            push_tag(&mut self.path, tag);
            push(&mut self.path, format_args!("/{}/", index + 1));
            self.comma(index);
            self.object(item.iter());
            self.path.truncate(parent);
        }
        self.text.push(']');
    }

    fn primitive(&mut self, tag: Tag, vr: VR, value: &PrimitiveValue) {
        match value {
            PrimitiveValue::Str(text) if is_multi_valued_text(vr) => {
                self.texts(vr, text.split('\\'));
            }
            PrimitiveValue::Str(text) => self.texts(vr, std::iter::once(text.as_str())),
            PrimitiveValue::Strs(texts) => self.texts(vr, texts.iter().map(String::as_str)),
            value if is_binary(vr) || matches!(value, PrimitiveValue::U8(_)) => {
                self.bytes(tag, value);
            }
            value => self.numbers(value),
        }
    }

    fn bytes(&mut self, tag: Tag, value: &PrimitiveValue) {
        if value.calculate_byte_len() > MAX_INLINE_BYTES {
            return self.pointer(tag);
        }
        self.text.push_str(",\"InlineBinary\":\"");
        STANDARD.encode_string(little_endian(value), &mut self.text);
        self.text.push('"');
    }

    fn pointer(&mut self, tag: Tag) {
        self.text.push_str(",\"BulkDataURI\":\"bulkdata/");
        self.text.push_str(&self.path);
        push_tag(&mut self.text, tag);
        self.text.push('"');
    }

    /// Values of a text element; one of nothing but padding has no value at all (F.2.5).
    fn texts<'a>(&mut self, vr: VR, texts: impl Iterator<Item = &'a str> + Clone) {
        if texts.clone().all(|text| trimmed(text, vr).is_empty()) {
            return;
        }
        self.text.push_str(",\"Value\":[");
        for (index, text) in texts.enumerate() {
            self.comma(index);
            self.one_text(vr, trimmed(text, vr));
        }
        self.text.push(']');
    }

    fn one_text(&mut self, vr: VR, text: &str) {
        match vr {
            _ if text.is_empty() => self.text.push_str("null"),
            VR::IS | VR::DS => self.number_in_text(text),
            VR::PN => self.person(text),
            _ => self.string(text),
        }
    }

    fn person(&mut self, name: &str) {
        const GROUPS: [&str; 3] = ["\"Alphabetic\":", "\"Ideographic\":", "\"Phonetic\":"];
        self.text.push('{');
        for (group, label) in name.splitn(GROUPS.len(), '=').zip(GROUPS) {
            let group = group.trim_end();
            if !group.is_empty() {
                if !self.text.ends_with('{') {
                    self.text.push(',');
                }
                self.text.push_str(label);
                self.string(group);
            }
        }
        self.text.push('}');
    }

    fn number_in_text(&mut self, text: &str) {
        if text.len() <= MAX_COPIED_NUMBER && is_json_number(text) {
            self.text.push_str(text);
        } else if let Ok(whole) = text.parse::<i64>() {
            push(&mut self.text, format_args!("{whole}"));
        } else {
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    push(&mut self.text, format_args!("{number:?}"));
                }
                _ => self.string(text),
            }
        }
    }

    fn numbers(&mut self, value: &PrimitiveValue) {
        self.text.push_str(",\"Value\":[");
        match value {
            PrimitiveValue::I16(all) => self.each(all, |w, n| w.display(n)),
            PrimitiveValue::U16(all) => self.each(all, |w, n| w.display(n)),
            PrimitiveValue::I32(all) => self.each(all, |w, n| w.display(n)),
            PrimitiveValue::U32(all) => self.each(all, |w, n| w.display(n)),
            PrimitiveValue::I64(all) => self.each(all, |w, n| w.wide(n, n.unsigned_abs())),
            PrimitiveValue::U64(all) => self.each(all, |w, n| w.wide(n, *n)),
            PrimitiveValue::F32(all) => self.each(all, |w, n| w.float(n, f64::from(*n))),
            PrimitiveValue::F64(all) => self.each(all, |w, n| w.float(n, *n)),
            PrimitiveValue::Tags(all) => self.each(all, |w, tag| {
                w.text.push('"');
                push_tag(&mut w.text, *tag);
                w.text.push('"');
            }),
            // Dates and times as dicom-rs keeps them, which only a program can have put there.
            other => self.each(&other.to_multi_str(), |w, text| w.string(text)),
        }
        self.text.push(']');
    }

    fn each<T>(&mut self, values: &[T], write: impl Fn(&mut Self, &T)) {
        for (index, value) in values.iter().enumerate() {
            self.comma(index);
            write(self, value);
        }
    }

    fn display(&mut self, number: &impl std::fmt::Display) {
        push(&mut self.text, format_args!("{number}"));
    }

    fn wide(&mut self, number: &impl std::fmt::Display, magnitude: u64) {
        if magnitude <= MAX_EXACT {
            self.display(number);
        } else {
            push(&mut self.text, format_args!("\"{number}\""));
        }
    }

    /// The shortest text that reads back as the same number of its width.
    fn float(&mut self, number: &impl std::fmt::Debug, value: f64) {
        if value.is_finite() {
            return push(&mut self.text, format_args!("{number:?}"));
        }
        self.text.push_str(match value {
            f64::INFINITY => "\"Infinity\"",
            f64::NEG_INFINITY => "\"-Infinity\"",
            _ => "\"NaN\"",
        });
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }

    /// A JSON string (RFC 8259 section 7).
    fn string(&mut self, text: &str) {
        self.text.push('"');
        let mut copied = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte < 0x20 || matches!(byte, b'"' | b'\\') {
                self.text.push_str(&text[copied..at]);
                self.escaped(byte);
                copied = at + 1;
            }
        }
        self.text.push_str(&text[copied..]);
        self.text.push('"');
    }

    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' => self.text.push_str("\\\""),
            b'\\' => self.text.push_str("\\\\"),
            b'\n' => self.text.push_str("\\n"),
            b'\r' => self.text.push_str("\\r"),
            b'\t' => self.text.push_str("\\t"),
            other => push(&mut self.text, format_args!("\\u{other:04x}")),
        }
    }
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A String takes all that is written.
    let _ = text.write_fmt(what);
}

fn push_tag(text: &mut String, tag: Tag) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for number in [tag.group(), tag.element()] {
        for shift in [12, 8, 4, 0] {
            text.push(char::from(DIGITS[usize::from(number >> shift & 0xF)]));
        }
    }
}

/// VRs that are base64 in JSON (F.2.7).
pub(super) fn is_binary(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB | VR::OW | VR::OF | VR::OD | VR::OL | VR::OV | VR::UN
    )
}

/// Without padding; spaces before long texts are part of them (PS3.5 table 6.2-1).
fn trimmed(text: &str, vr: VR) -> &str {
    let text = text.trim_end_matches([' ', '\0']);
    match vr {
        VR::ST | VR::LT | VR::UT | VR::UC | VR::UR | VR::PN => text,
        _ => text.trim_start_matches(' '),
    }
}

/// `-? (0|[1-9][0-9]*) (\.[0-9]+)?`: what both DICOM and JSON write, without an exponent.
fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole.len() == 1 || !whole.starts_with('0'))
}

/// The VR that the element was encoded with; implicit ones are OW (PS3.5 A.1).
fn pixel_vr(pixels: &PixelElement, instance: &Instance) -> VR {
    if !encoding_of(&instance.transfer_syntax).is_explicit() {
        return crate::element::dictionary_vr(
            encoding_of(&instance.transfer_syntax).tag(pixels.tag()),
            false,
        )
        .unwrap_or(VR::OW);
    }
    pixels
        .encoded
        .get(4..6)
        .and_then(|code| VR::from_binary([code[0], code[1]]))
        .unwrap_or(VR::OB)
}
