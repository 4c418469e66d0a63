//! Small numbers in as few bytes as the largest of them needs.

use std::ops::Range;

use crate::{bits::Bits, truths::Truths};

/// Bits of a place in a table of truths.
pub(crate) const YES: u8 = 1;
pub(crate) const NO: u8 = 2;

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

    /// Looks every row up in a table of truths, one byte a code.
    pub(crate) fn look_up(&self, table: &[u8]) -> Truths {
        match self {
            Self::One(codes) => look_up(codes, table),
            Self::Two(codes) => look_up(codes, table),
            Self::Four(codes) => look_up(codes, table),
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
pub(crate) trait Code: Copy {
    fn place(self) -> usize;
}

impl Code for u8 {
    fn place(self) -> usize {
        usize::from(self)
    }
}

impl Code for u16 {
    fn place(self) -> usize {
        usize::from(self)
    }
}

impl Code for u32 {
    fn place(self) -> usize {
        self as usize
    }
}

fn look_up<C: Code>(codes: &[C], table: &[u8]) -> Truths {
    truths(codes, |code| table[code.place()])
}

/// One truth a value, 64 to a word.
pub(crate) fn truths<T: Copy>(values: &[T], truth: impl Fn(T) -> u8) -> Truths {
    let words = values.len().div_ceil(64);
    let (mut yes, mut no) = (Vec::with_capacity(words), Vec::with_capacity(words));
    for group in values.chunks(64) {
        let (mut yeses, mut noes) = (0_u64, 0_u64);
        for (bit, value) in group.iter().enumerate() {
            let truth = truth(*value);
            yeses |= u64::from(truth & YES) << bit;
            noes |= u64::from(truth >> 1) << bit;
        }
        yes.push(yeses);
        no.push(noes);
    }
    Truths {
        yes: Bits::from_words(yes, values.len()),
        no: Bits::from_words(no, values.len()),
    }
}
