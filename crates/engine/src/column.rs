//! A column: distinct values, and for each row which of them it has.
//!
//! Place 0 of a dictionary stands for "not recorded". Numbers that hardly repeat are kept as they are instead, with NaN for what is not
//! recorded: a dictionary of them would be larger than the column.

use std::{collections::HashMap, ops::Range, sync::Arc};

use crate::{
    Kind, Test, Value,
    bits::Bits,
    codes::{Codes, marked},
    truth::Truth,
};

/// Distinct numbers from which a dictionary is no longer worth it: two bytes a row no longer do.
const MAX_CODED_NUMBERS: usize = 1 << 16;
/// The place of what is not recorded.
pub(crate) const NOT_RECORDED: u32 = 0;

#[derive(Debug)]
pub(crate) enum Column {
    Coded(Coded),
    Plain(Vec<f64>),
}

/// The rows of a column without its dictionary.
#[derive(Debug)]
pub(crate) enum Rows {
    Coded(Codes),
    Plain(Vec<f64>),
}

#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) dictionary: Dictionary,
    /// How many rows have each value.
    pub(crate) uses: Vec<u32>,
    pub(crate) codes: Codes,
}

#[derive(Debug)]
pub(crate) enum Dictionary {
    Words(Vec<Arc<str>>, HashMap<Arc<str>, u32>),
    Numbers(Vec<f64>, HashMap<u64, u32>),
}

impl Column {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::Coded(Coded {
            dictionary: match kind {
                Kind::Words => Dictionary::Words(vec!["".into()], HashMap::new()),
                Kind::Numbers => Dictionary::Numbers(vec![f64::NAN], HashMap::new()),
            },
            uses: vec![0],
            codes: Codes::new(),
        })
    }

    /// Appends a row; its value has been checked to be of this column's kind.
    pub(crate) fn push(&mut self, value: Option<Value<'_>>) {
        match self {
            Self::Plain(numbers) => numbers.push(match value {
                Some(Value::Number(number)) => number,
                _ => f64::NAN,
            }),
            Self::Coded(coded) => {
                let place = coded.place(value);
                coded.uses[place as usize] += 1;
                coded.codes.push(place);
            }
        }
    }

    /// Takes the rows out; the dictionary stays.
    pub(crate) fn take(&mut self) -> Rows {
        match self {
            Self::Plain(numbers) => Rows::Plain(std::mem::take(numbers)),
            Self::Coded(coded) => Rows::Coded(std::mem::replace(&mut coded.codes, Codes::new())),
        }
    }

    /// Appends rows that were taken out.
    pub(crate) fn keep(&mut self, taken: &Rows, rows: Range<usize>) {
        match (self, taken) {
            (Self::Plain(numbers), Rows::Plain(taken)) => numbers.extend_from_slice(&taken[rows]),
            (Self::Coded(coded), Rows::Coded(taken)) => coded.codes.extend(taken, rows),
            // A column becomes plain in `settle` alone, and no rows are out then.
            (Self::Plain(_), Rows::Coded(_)) | (Self::Coded(_), Rows::Plain(_)) => {}
        }
    }

    /// Does not append rows that were taken out.
    pub(crate) fn forget(&mut self, taken: &Rows, rows: Range<usize>) {
        if let (Self::Coded(coded), Rows::Coded(taken)) = (self, taken) {
            rows.for_each(|row| coded.uses[taken.get(row) as usize] -= 1);
        }
    }

    /// Gives back memory that is not used, and keeps numbers that hardly repeat as they are.
    pub(crate) fn settle(&mut self) {
        match self {
            Self::Plain(numbers) => numbers.shrink_to_fit(),
            Self::Coded(coded) => match &coded.dictionary {
                Dictionary::Numbers(numbers, _) if numbers.len() > MAX_CODED_NUMBERS => {
                    let rows = 0..coded.codes.len();
                    let plain = rows.map(|row| numbers[coded.codes.get(row) as usize]);
                    *self = Self::Plain(plain.collect());
                }
                _ => {
                    coded.codes.shrink();
                    coded.uses.shrink_to_fit();
                }
            },
        }
    }

    /// Rows of which a test is true, or false: every distinct value is asked once, and the rows are looked up.
    pub(crate) fn test(&self, test: &Test, truth: Truth) -> Bits {
        let wanted = Some(truth == Truth::Yes);
        match self {
            Self::Plain(numbers) => marked(numbers, |group, marks| {
                for (mark, number) in marks.iter_mut().zip(group) {
                    *mark = u8::from(holds(test, Value::Number(*number)) == wanted);
                }
            }),
            Self::Coded(coded) => {
                let dictionary = &coded.dictionary;
                let holds = |place| dictionary.value(place).and_then(|value| holds(test, value));
                let places = 0..dictionary.len();
                let is_wanted: Vec<_> = places.map(|place| holds(place) == wanted).collect();
                coded.codes.rows(&is_wanted)
            }
        }
    }

    /// The number of a row, if there is one.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        let number = match self {
            Self::Plain(numbers) => numbers[row],
            Self::Coded(coded) => match coded.dictionary.value(coded.codes.get(row) as usize) {
                Some(Value::Number(number)) => number,
                Some(Value::Word(_)) | None => return None,
            },
        };
        (!number.is_nan()).then_some(number)
    }

    /// How many rows have a value.
    pub(crate) fn recorded(&self) -> u64 {
        match self {
            Self::Plain(numbers) => numbers.iter().filter(|number| !number.is_nan()).count() as u64,
            Self::Coded(coded) => coded.uses.iter().skip(1).map(|uses| u64::from(*uses)).sum(),
        }
    }

    /// Whether a row has a value.
    pub(crate) fn is_recorded(&self, row: usize) -> bool {
        match self {
            Self::Plain(numbers) => !numbers[row].is_nan(),
            Self::Coded(coded) => coded.codes.get(row) != NOT_RECORDED,
        }
    }

    /// Bytes held, those of the dictionary included.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Plain(numbers) => numbers.capacity() * size_of::<f64>(),
            Self::Coded(coded) => {
                coded.codes.bytes()
                    + coded.uses.capacity() * size_of::<u32>()
                    + coded.dictionary.bytes()
            }
        }
    }
}

impl Coded {
    /// The place of a value, which is made where there is none yet.
    fn place(&mut self, value: Option<Value<'_>>) -> u32 {
        let found = match (&mut self.dictionary, value) {
            (Dictionary::Words(words, places), Some(Value::Word(word))) => {
                if let Some(place) = places.get(word) {
                    return *place;
                }
                let (word, place): (Arc<str>, _) = (word.into(), next(words.len()));
                words.push(word.clone());
                places.insert(word, place);
                place
            }
            (Dictionary::Numbers(numbers, places), Some(Value::Number(number)))
                if !number.is_nan() =>
            {
                // One zero: -0.0 is the same number by another name.
                let number = if number == 0.0 { 0.0 } else { number };
                *places.entry(number.to_bits()).or_insert_with(|| {
                    numbers.push(number);
                    next(numbers.len() - 1)
                })
            }
            _ => NOT_RECORDED,
        };
        if found as usize == self.uses.len() {
            self.uses.push(0);
        }
        found
    }
}

/// Rows are fewer than 2^32, and so are their distinct values.
fn next(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl Dictionary {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Words(words, _) => words.len(),
            Self::Numbers(numbers, _) => numbers.len(),
        }
    }

    /// The value of a place; none for what is not recorded.
    pub(crate) fn value(&self, place: usize) -> Option<Value<'_>> {
        if place == NOT_RECORDED as usize {
            return None;
        }
        match self {
            Self::Words(words, _) => words.get(place).map(|word| Value::Word(word)),
            Self::Numbers(numbers, _) => numbers.get(place).map(|number| Value::Number(*number)),
        }
    }

    fn bytes(&self) -> usize {
        /// What an entry of a hash map takes beside key and value, and the room that it leaves.
        const ENTRY_BYTES: usize = 8;
        /// The two counters before a shared text.
        const COUNTERS_BYTES: usize = 16;
        match self {
            Self::Words(words, places) => {
                let text = words.iter().map(|word| word.len() + COUNTERS_BYTES);
                text.sum::<usize>()
                    + words.capacity() * size_of::<Arc<str>>()
                    + places.capacity() * (size_of::<(Arc<str>, u32)>() + ENTRY_BYTES)
            }
            Self::Numbers(numbers, places) => {
                numbers.capacity() * size_of::<f64>()
                    + places.capacity() * (size_of::<(u64, u32)>() + ENTRY_BYTES)
            }
        }
    }
}

/// What a test says of a value; a test of words says nothing of numbers, and the other way round.
fn holds(test: &Test, value: Value<'_>) -> Option<bool> {
    match (test, value) {
        (_, Value::Number(number)) if number.is_nan() => None,
        (Test::Recorded, _) => Some(true),
        (Test::OneOf(wanted), Value::Word(word)) => Some(wanted.contains(word)),
        (Test::Range(range), Value::Number(number)) => Some(range.holds(number)),
        (Test::OneOf(_), Value::Number(_)) | (Test::Range(_), Value::Word(_)) => None,
    }
}
