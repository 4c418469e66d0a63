//! Fragments of encapsulated pixel data to frames (PS3.5 A.4): by the Basic Offset Table, the Extended Offset Table
//! (PS3.3 C.7.6.3.1.8), or one fragment per frame.

use std::ops::Range;

use dicom_core::Tag;
use dicom_core::value::{PrimitiveValue, Value};
use dicom_dictionary_std::tags;

use super::FrameError;
use crate::element::SHORT_HEADER;
use crate::header::fragment_items;
use crate::instance::{Instance, PixelElement};
use crate::syntax::Encoding;

/// Encapsulated syntaxes are all explicit little endian (PS3.5 A.4).
const ENCODING: Encoding = Encoding::ExplicitLittle;

/// Ranges of whole items for each frame, counted from the first item (the offset table).
pub(super) fn frame_ranges(
    instance: &Instance,
    pixels: &PixelElement,
    frames: u32,
) -> Result<Vec<Range<u64>>, FrameError> {
    let mut items = fragment_items(&pixels.encoded[pixels.value_offset..], ENCODING);
    let table = items.next().ok_or(FrameError::Damaged)?;
    let first = item_bytes(table);
    let ends: Vec<u64> = items
        .scan(first, |at, item| {
            Some(std::mem::replace(at, *at + item_bytes(item)) + item_bytes(item))
        })
        .collect();
    let fragments = Fragments { first, ends };
    if frames as usize == fragments.ends.len() {
        return Ok(fragments.one_each());
    }
    if frames == 1 && !fragments.ends.is_empty() {
        return Ok(std::iter::once(first..fragments.end()).collect());
    }
    let unassigned = FrameError::Unassigned {
        fragments: fragments.ends.len(),
        frames,
    };
    let offsets = if table.is_empty() {
        extended_offsets(instance)
    } else {
        basic_offsets(table)
    };
    offsets
        .filter(|offsets| offsets.len() == frames as usize)
        .and_then(|offsets| fragments.by(&offsets))
        .ok_or(unassigned)
}

fn item_bytes(item: &[u8]) -> u64 {
    (SHORT_HEADER + item.len()) as u64
}

fn basic_offsets(table: &[u8]) -> Option<Vec<u64>> {
    Some(
        table
            .as_chunks::<4>()
            .0
            .iter()
            .map(|unit| u64::from(ENCODING.u32(*unit)))
            .collect(),
    )
}

fn extended_offsets(instance: &Instance) -> Option<Vec<u64>> {
    /// Extended Offset Table.
    const TABLE: Tag = tags::EXTENDED_OFFSET_TABLE;
    match instance.header.get(TABLE)?.value() {
        Value::Primitive(PrimitiveValue::U64(offsets)) => Some(offsets.to_vec()),
        _ => None,
    }
}

/// Fragment items behind the offset table.
struct Fragments {
    /// Start of the first.
    first: u64,
    /// First byte after each.
    ends: Vec<u64>,
}

impl Fragments {
    fn end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(self.first)
    }

    fn starts(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.first).chain(self.ends.iter().copied())
    }

    fn one_each(&self) -> Vec<Range<u64>> {
        self.starts()
            .zip(&self.ends)
            .map(|(start, end)| start..*end)
            .collect()
    }

    /// Frames that start at these offsets from the first fragment; `None` unless each is the start of a fragment and they
    /// rise.
    fn by(&self, offsets: &[u64]) -> Option<Vec<Range<u64>>> {
        let starts: Option<Vec<u64>> = offsets
            .iter()
            .map(|offset| self.start_at(*offset))
            .collect();
        let starts = starts?;
        let ends = starts.iter().skip(1).copied().chain([self.end()]);
        let ranges: Vec<Range<u64>> = starts
            .iter()
            .copied()
            .zip(ends)
            .map(|(start, end)| start..end)
            .collect();
        ranges
            .iter()
            .all(|range| range.start < range.end)
            .then_some(ranges)
    }

    fn start_at(&self, offset: u64) -> Option<u64> {
        let start = self.first.checked_add(offset)?;
        let is_start = start == self.first || self.ends.binary_search(&start).is_ok();
        (is_start && start < self.end()).then_some(start)
    }
}

/// The bytes of a frame without the item headers between its fragments.
pub(super) fn payload(items: &[u8]) -> Vec<u8> {
    fragment_items(items, ENCODING).flatten().copied().collect()
}
