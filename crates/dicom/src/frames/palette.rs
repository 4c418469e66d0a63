//! The colours behind PALETTE COLOR (PS3.3 C.7.6.3.1.5 and .6), also as segments (C.7.9.2).
//!
//! Not here: supplemental palettes, which colour only part of the samples, and ICC profiles.

use dicom_core::{Tag, value::Value};
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::{Frame, FrameError};
use crate::attributes::numbers;
use crate::instance::Header;

/// Most entries: the index has 16 bits (PS3.3 C.7.6.3.1.5, where 0 stands for this many).
const MAX_ENTRIES: usize = 1 << 16;

/// Segments that one segment may copy. A table has a few dozen; each copy is a walk.
const MAX_COPIED: usize = 1024;

/// Longest value of a channel: every entry as a segment of its own.
const MAX_CHANNEL_BYTES: usize = 6 * MAX_ENTRIES;

/// Red, green and blue, by index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Palette {
    /// The sample that shows the first colour; smaller ones show it too.
    first: i32,
    /// Number of colours; samples beyond show the last.
    entries: usize,
    /// Bits of a colour: 8 or 16.
    bits: u16,
    /// As in the file, so that a long palette of few segments stays short.
    channels: [Channel; 3],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Channel {
    Entries(Vec<u16>),
    Segments(Vec<u16>),
}

/// Where a channel is described and where its entries are, plain and as segments.
const CHANNELS: [(Tag, Tag, Tag); 3] = [
    (
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
    (
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
    (
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
];

impl Palette {
    /// Reads the palette of an instance; `None` if there is none that can be used.
    #[must_use]
    pub fn of(header: &Header) -> Option<Self> {
        let (entries, first, bits) = descriptor(header, CHANNELS[0].0)?;
        let channel = |(described, plain, segmented): (Tag, Tag, Tag)| {
            let same = descriptor(header, described)? == (entries, first, bits);
            let channel = match raw(header, plain) {
                Some(bytes) => Channel::Entries(plain_entries(&bytes, entries, bits)),
                None => Channel::Segments(segment_numbers(&raw(header, segmented)?, bits)),
            };
            (same && channel.expand(entries, bits).is_some()).then_some(channel)
        };
        let [red, green, blue] = CHANNELS.map(channel);
        Some(Self {
            first,
            entries,
            bits,
            channels: [red?, green?, blue?],
        })
    }

    /// Replaces indices by colours: three samples a pixel, as wide as the palette's.
    ///
    /// # Errors
    /// [`FrameError::Damaged`] if the frame has no indices of 8 or 16 bits.
    pub fn apply(&self, frame: &Frame) -> Result<Frame, FrameError> {
        if frame.samples_per_pixel != 1 || frame.float {
            return Err(FrameError::Damaged);
        }
        let expand = |channel: &Channel| channel.expand(self.entries, self.bits);
        let tables: Option<Vec<_>> = self.channels.iter().map(expand).collect();
        let tables = tables.ok_or(FrameError::Damaged)?;
        let width = if self.bits > 8 { 2 } else { 1 };
        let colour = |sample: i32| {
            let index = i64::from(sample) - i64::from(self.first);
            let index = usize::try_from(index).unwrap_or(0).min(self.entries - 1);
            let colours = tables.iter().map(move |table| table[index].to_le_bytes());
            colours.flat_map(move |bytes| bytes.into_iter().take(width))
        };
        let bytes = indices(frame)?.into_iter().flat_map(colour).collect();
        Ok(Frame {
            samples_per_pixel: 3,
            bytes_per_sample: if self.bits > 8 { 2 } else { 1 },
            signed: false,
            bytes,
            ..*frame
        })
    }
}

fn indices(frame: &Frame) -> Result<Vec<i32>, FrameError> {
    let pairs = || frame.bytes.as_chunks::<2>().0.iter();
    let samples = match (frame.bytes_per_sample, frame.signed) {
        (1, false) => frame.bytes.iter().map(|b| i32::from(*b)).collect(),
        (1, true) => frame
            .bytes
            .iter()
            .map(|b| i32::from(b.cast_signed()))
            .collect(),
        (2, false) => pairs().map(|b| i32::from(u16::from_le_bytes(*b))).collect(),
        (2, true) => pairs().map(|b| i32::from(i16::from_le_bytes(*b))).collect(),
        _ => return Err(FrameError::Damaged),
    };
    Ok(samples)
}

/// Entries, first index, bits.
fn descriptor(header: &Header, tag: Tag) -> Option<(usize, i32, u16)> {
    let numbers = numbers(header, tag)?;
    let [entries, first, bits] = numbers.as_slice() else {
        return None;
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the values have 16 bits, and the conversion saturates"
    )]
    let (entries, first, bits) = (*entries as u16, *first as i32, *bits as u16);
    let entries = if entries == 0 {
        MAX_ENTRIES
    } else {
        entries.into()
    };
    matches!(bits, 8 | 16).then_some((entries, first, bits))
}

/// A value as little endian bytes.
fn raw(header: &Header, tag: Tag) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = match header.get(tag)?.value() {
        // Words are kept as numbers, whatever their order in the file was.
        Value::Primitive(value) => match value.uint16_slice() {
            Ok(words) => Some(words.iter().flat_map(|word| word.to_le_bytes()).collect()),
            Err(_) => value.uint8_slice().ok().map(<[u8]>::to_vec),
        },
        _ => None,
    };
    bytes.filter(|bytes| bytes.len() <= MAX_CHANNEL_BYTES)
}

fn words(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs.map(|pair| u16::from_le_bytes(*pair)).collect()
}

/// Eight-bit entries come two a word, but some writers give each its own.
fn plain_entries(bytes: &[u8], entries: usize, bits: u16) -> Vec<u16> {
    if bits == 8 && bytes.len() < 2 * entries {
        bytes.iter().map(|byte| u16::from(*byte)).collect()
    } else {
        words(bytes)
    }
}

/// The numbers of segments: bytes for colours of 8 bits.
fn segment_numbers(bytes: &[u8], bits: u16) -> Vec<u16> {
    if bits == 8 {
        bytes.iter().map(|byte| u16::from(*byte)).collect()
    } else {
        words(bytes)
    }
}

impl Channel {
    /// Exactly `entries` colours.
    fn expand(&self, entries: usize, bits: u16) -> Option<Vec<u16>> {
        let mut all = match self {
            Self::Entries(all) => all.clone(),
            Self::Segments(numbers) => {
                let mut out = Vec::new();
                let wide = if bits == 8 { 1 } else { 0 };
                expand_segments(numbers, numbers.len(), wide, true, entries, &mut out)?;
                out
            }
        };
        (all.len() >= entries).then(|| {
            all.truncate(entries);
            all
        })
    }
}

/// Appends up to `most` entries of segments: discrete (0), linear (1), and copies of earlier ones (2).
fn expand_segments(
    numbers: &[u16],
    count: usize,
    bytes: usize,
    may_copy: bool,
    most: usize,
    out: &mut Vec<u16>,
) -> Option<()> {
    let (mut at, mut done) = (0, 0);
    while done < count && at < numbers.len() && out.len() < most {
        let (kind, length) = (*numbers.get(at)?, usize::from(*numbers.get(at + 1)?));
        at += 2;
        done += 1;
        match kind {
            0 => {
                out.extend_from_slice(numbers.get(at..at + length)?);
                at += length;
            }
            1 => {
                let (from, to) = (i64::from(*out.last()?), i64::from(*numbers.get(at)?));
                let steps = i64::try_from(length).ok()?;
                for step in 1..=steps {
                    let value = from * steps + (to - from) * step;
                    // Rounded to the nearest; both ends have 16 bits.
                    out.push(u16::try_from((2 * value + steps) / (2 * steps)).ok()?);
                }
                at += 1;
            }
            2 if may_copy && length <= MAX_COPIED => {
                let low = *numbers.get(at..)?.first()?;
                // The offset counts bytes, its low half first; 8-bit segments have it in four bytes.
                let (offset, taken) = if bytes == 1 {
                    let parts = numbers.get(at..at + 4)?;
                    let offset = parts
                        .iter()
                        .rev()
                        .fold(0, |sum, part| sum << 8 | usize::from(*part));
                    (offset, 4)
                } else {
                    (
                        usize::from(*numbers.get(at + 1)?) << 16 | usize::from(low),
                        2,
                    )
                };
                let start = if bytes == 1 { offset } else { offset / 2 };
                expand_segments(numbers.get(start..)?, length, bytes, false, most, out)?;
                at += taken;
            }
            _ => return None,
        }
    }
    Some(())
}
