//! Entries of a [`crate::scan`] to a dicom-rs data set. Everything that can be wrong with the bytes
//! has been refused before; recursion is as deep as the scan allows.
//!
//! dicom-rs' own reader is not used: it loses its place after binary values of odd length and allocates what
//! lengths declare, so a file could pass the scan and be read differently.

use std::slice::Iter;

use dicom_core::value::{C, DataSetSequence, PixelFragmentSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::element::{ITEM, SHORT_HEADER, read_header};
use crate::scan::Entry;
use crate::syntax::Encoding;
use crate::text::Charset;
use crate::value::read_value;

/// Builds the data set; `bytes` are those that were scanned.
pub(crate) fn build(bytes: &[u8], entries: &[Entry]) -> InMemDicomObject {
    build_data_set(bytes, &mut entries.iter(), &Charset::latin())
}

/// Elements up to the [`Entry::End`] of this item, or to the last entry at the top level.
fn build_data_set(
    bytes: &[u8],
    entries: &mut Iter<'_, Entry>,
    inherited: &Charset,
) -> InMemDicomObject {
    let own = own_charset(bytes, entries.as_slice());
    let charset = own.as_ref().unwrap_or(inherited);
    let mut elements: Vec<InMemElement> = Vec::new();
    while let Some(entry) = entries.next() {
        match *entry {
            Entry::Value {
                tag,
                vr,
                big,
                start,
                length,
            } => {
                let mut value =
                    read_value(&bytes[start..start + length as usize], vr, big, charset);
                if tag == tags::SPECIFIC_CHARACTER_SET {
                    value = charset.rewritten_as().map_or(value, PrimitiveValue::from);
                }
                elements.push(DataElement::new(tag, vr, value));
            }
            Entry::Sequence { tag } => elements.push(build_sequence(bytes, entries, tag, charset)),
            Entry::Fragments { tag, big, start } => {
                elements.push(build_fragments(&bytes[start..], tag, big))
            }
            Entry::Item | Entry::End => break,
        }
    }
    InMemDicomObject::from_element_iter(elements)
}

fn build_sequence(
    bytes: &[u8],
    entries: &mut Iter<'_, Entry>,
    tag: Tag,
    charset: &Charset,
) -> InMemElement {
    let mut items: C<InMemDicomObject> = C::new();
    while let Some(Entry::Item) = entries.next() {
        items.push(build_data_set(bytes, entries, charset));
    }
    DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED))
}

/// The character set that this data set declares, for all of its elements: where they are out of order, (0008,0005) is
/// not the first. The last one counts, as it does in the data set that is built.
fn own_charset(bytes: &[u8], entries: &[Entry]) -> Option<Charset> {
    let (mut depth, mut declared) = (0_u32, None);
    for entry in entries {
        match *entry {
            Entry::Sequence { .. } | Entry::Item => depth += 1,
            Entry::End if depth == 0 => break,
            Entry::End => depth -= 1,
            Entry::Value {
                tag: tags::SPECIFIC_CHARACTER_SET,
                vr,
                big,
                start,
                length,
            } if depth == 0 => {
                declared = Some((vr, big, start..start + length as usize));
            }
            Entry::Value { .. } | Entry::Fragments { .. } => {}
        }
    }
    let (vr, big, place) = declared?;
    Some(charset_of(&read_value(
        &bytes[place],
        vr,
        big,
        &Charset::latin(),
    )))
}

/// The character set that a value of (0008,0005) declares.
pub(crate) fn charset_of(value: &PrimitiveValue) -> Charset {
    match value {
        PrimitiveValue::Strs(values) => {
            Charset::from_values(&values.iter().map(String::as_str).collect::<Vec<_>>())
        }
        PrimitiveValue::Str(value) => Charset::from_values(&value.split('\\').collect::<Vec<_>>()),
        _ => Charset::latin(),
    }
}

/// Fragments of an icon image; the first item is its offset table (PS3.5 A.4).
fn build_fragments(bytes: &[u8], tag: Tag, big: bool) -> InMemElement {
    let encoding = if big {
        Encoding::ExplicitBig
    } else {
        Encoding::ExplicitLittle
    };
    let mut items = fragment_items(bytes, encoding);
    let table = items.next().unwrap_or_default();
    let table: C<u32> = table
        .as_chunks::<4>()
        .0
        .iter()
        .map(|unit| encoding.u32(*unit))
        .collect();
    let fragments: C<Vec<u8>> = items.map(<[u8]>::to_vec).collect();
    DataElement::new(
        tag,
        VR::OB,
        Value::PixelSequence(PixelFragmentSequence::new(table, fragments)),
    )
}

/// The items of an encapsulated value, offset table first, up to the delimiter or the first thing that is none.
pub(crate) fn fragment_items(bytes: &[u8], encoding: Encoding) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let header = read_header(rest, encoding)
            .ok()
            .filter(|header| header.tag == ITEM)?;
        let value = rest.get(SHORT_HEADER..)?.get(..header.length as usize)?;
        rest = &rest[SHORT_HEADER + value.len()..];
        Some(value)
    })
}
