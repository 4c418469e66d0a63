//! The values that metadata points at (PS3.18 F.2.6), found by the paths that it gives.

use bytes::Bytes;
use dicom_core::Tag;
use dicom_core::value::Value;
use dicom_object::mem::InMemElement;

use crate::encode::{encoded_fragments, little_endian};
use crate::instance::{Header, Instance, encoding_of};
use crate::scan::{MAX_DEPTH, MAX_VALUE_BYTES};

/// The bytes of the value at a path such as `7FE00010` or `00880200/1/7FE00010`, little endian; fragments as
/// they are encoded, offset table first. Nothing if there is no such value, or only a sequence.
#[must_use]
pub fn bulk(instance: &Instance, path: &str) -> Option<Bytes> {
    let mut steps = path.split('/').take(2 * MAX_DEPTH + 1);
    let mut tag = parse_tag(steps.next()?)?;
    let mut header = &instance.header;
    let is_top_level = !path.contains('/');
    if is_top_level && let Some(bytes) = pixel_bytes(instance, tag) {
        return Some(bytes);
    }
    while let Some(number) = steps.next() {
        header = item(header, tag, number)?;
        tag = parse_tag(steps.next()?)?;
    }
    value_bytes(header.get(tag)?)
}

fn item<'a>(header: &'a Header, tag: Tag, number: &str) -> Option<&'a Header> {
    let index = number.parse::<usize>().ok()?.checked_sub(1)?;
    header.get(tag)?.items()?.get(index)
}

fn value_bytes(element: &InMemElement) -> Option<Bytes> {
    match element.value() {
        Value::Primitive(value) if value.calculate_byte_len() <= MAX_VALUE_BYTES => {
            Some(little_endian(value).into())
        }
        Value::PixelSequence(pixels) => Some(encoded_fragments(pixels).into()),
        _ => None,
    }
}

fn pixel_bytes(instance: &Instance, tag: Tag) -> Option<Bytes> {
    let pixels = instance.pixels.as_ref()?;
    let encoding = encoding_of(&instance.transfer_syntax);
    if encoding.tag(pixels.tag()) != tag {
        return None;
    }
    if !encoding.is_big() {
        return Some(pixels.encoded.slice(pixels.value_offset..));
    }
    crate::transcode::little_endian_pixels(instance).map(Bytes::from)
}

/// Eight hexadecimal digits.
pub(crate) fn parse_tag(text: &str) -> Option<Tag> {
    let is_hex = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let half = |range| u16::from_str_radix(text.get(range)?, 16).ok();
    is_hex
        .then(|| Some(Tag(half(0..4)?, half(4..8)?)))
        .flatten()
}
