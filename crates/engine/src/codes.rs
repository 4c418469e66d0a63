//! Small numbers in as few bytes as the largest of them needs.

use std::ops::Range;

use crate::bits::Bits;

/// So few codes are compared with each row, many rows at a time; more are looked up, one row after the other.
const FEW: usize = 8;

/// A number a row.
#[derive(Debug, Clone)]
pub(crate) enum Codes {
    One(Vec<u8>),
    Two(Vec<u16>),
    Four(Vec<u32>),
}

impl Codes {
    pub(crate) fn new() -> Self {
        Self::One(Vec::new())
    }

    pub(crate) fn get(&self, row: usize) -> u32 {
        match self {
            Self::One(codes) => u32::from(codes[row]),
            Self::Two(codes) => u32::from(codes[row]),
            Self::Four(codes) => codes[row],
        }
    }

    pub(crate) fn push(&mut self, code: u32) {
        match self {
            Self::One(codes) => match u8::try_from(code) {
                Ok(code) => codes.push(code),
                Err(_) => self.widen_and_push(code),
            },
            Self::Two(codes) => match u16::try_from(code) {
                Ok(code) => codes.push(code),
                Err(_) => self.widen_and_push(code),
            },
            Self::Four(codes) => codes.push(code),
        }
    }

    fn widen_and_push(&mut self, code: u32) {
        *self = match self {
            Self::One(codes) => Self::Two(codes.iter().map(|code| u16::from(*code)).collect()),
            Self::Two(codes) => Self::Four(codes.iter().map(|code| u32::from(*code)).collect()),
            Self::Four(codes) => Self::Four(std::mem::take(codes)),
        };
        self.push(code);
    }

    /// Appends rows of other codes.
    pub(crate) fn extend(&mut self, from: &Self, rows: Range<usize>) {
        match (self, from) {
            (Self::One(to), Self::One(from)) => to.extend_from_slice(&from[rows]),
            (Self::Two(to), Self::Two(from)) => to.extend_from_slice(&from[rows]),
            (Self::Four(to), Self::Four(from)) => to.extend_from_slice(&from[rows]),
            (to, from) => rows.for_each(|row| to.push(from.get(row))),
        }
    }

    /// Rows whose code is wanted, with an answer for each code.
    pub(crate) fn rows(&self, is_wanted: &[bool]) -> Bits {
        match self {
            Self::One(codes) => rows(codes, is_wanted),
            Self::Two(codes) => rows(codes, is_wanted),
            Self::Four(codes) => rows(codes, is_wanted),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(codes) => codes.len(),
            Self::Two(codes) => codes.len(),
            Self::Four(codes) => codes.len(),
        }
    }

    pub(crate) fn shrink(&mut self) {
        match self {
            Self::One(codes) => codes.shrink_to_fit(),
            Self::Two(codes) => codes.shrink_to_fit(),
            Self::Four(codes) => codes.shrink_to_fit(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::One(codes) => codes.capacity(),
            Self::Two(codes) => codes.capacity() * 2,
            Self::Four(codes) => codes.capacity() * 4,
        }
    }
}

/// A code as a place in a table.
pub(crate) trait Code: Copy + PartialEq {
    /// The code of a place; none where it needs more bytes.
    fn of(place: usize) -> Option<Self>;
    fn place(self) -> usize;
}

impl Code for u8 {
    fn of(place: usize) -> Option<Self> {
        Self::try_from(place).ok()
    }

    fn place(self) -> usize {
        usize::from(self)
    }
}

impl Code for u16 {
    fn of(place: usize) -> Option<Self> {
        Self::try_from(place).ok()
    }

    fn place(self) -> usize {
        usize::from(self)
    }
}

impl Code for u32 {
    fn of(place: usize) -> Option<Self> {
        Self::try_from(place).ok()
    }

    fn place(self) -> usize {
        self as usize
    }
}

fn rows<C: Code>(codes: &[C], is_wanted: &[bool]) -> Bits {
    let wanted = is_wanted.iter().enumerate().filter(|(_, wanted)| **wanted);
    let wanted: Vec<C> = wanted.filter_map(|(place, _)| C::of(place)).collect();
    match wanted.len() {
        0 => Bits::none(codes.len()),
        1..=FEW => marked(codes, |group, marks| {
            for wanted in &wanted {
                for (mark, code) in marks.iter_mut().zip(group) {
                    *mark |= u8::from(code == wanted);
                }
            }
        }),
        _ => marked(codes, |group, marks| {
            for (mark, code) in marks.iter_mut().zip(group) {
                *mark = u8::from(is_wanted[code.place()]);
            }
        }),
    }
}

/// Rows of a group, of which each is marked with one or nought.
const GROUP: usize = 64;

/// Rows that are marked, group by group.
pub(crate) fn marked<T>(values: &[T], mark: impl Fn(&[T], &mut [u8; GROUP])) -> Bits {
    let words = values.chunks(GROUP).map(|group| {
        let mut marks = [0; GROUP];
        mark(group, &mut marks);
        packed(&marks)
    });
    Bits::from_words(words.collect(), values.len())
}

/// The lowest bits of bytes side by side: the product moves those of eight bytes into the highest one.
fn packed(marks: &[u8; GROUP]) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = marks.as_chunks();
    let word =
        |word, eight: &[u8; 8]| word << 8 | u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56;
    eights.iter().rev().fold(0, word)
}
