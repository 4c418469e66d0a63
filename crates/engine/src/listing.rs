//! Listed values of a column, and how many patients of a selection have each: the bars that a search shows.
//!
//! What is listed is chosen once for an index, whatever is asked later. A patient counts with at most so many of the values, so that what
//! one patient can change is bounded. Only patients are counted, which takes half the time of a [`crate::Facet`].

use std::collections::HashMap;

use crate::{
    ColumnId, Index, Selection, Value,
    codes::{Code, Codes},
    column::Column,
    runs::Runs,
};

/// The cell of what is not listed.
const NOT_LISTED: u32 = u32::MAX;
/// So many cells are the bits of one word.
const MAX_BITS: usize = 64;

/// Values of a column in an order of one's own.
#[derive(Debug, Clone)]
pub struct Listing {
    column: ColumnId,
    cells: usize,
    of: CellOf,
}

#[derive(Debug, Clone)]
enum CellOf {
    /// For each place of the column's dictionary.
    Places(Places),
    /// Numbers between limits, in ascending order: one cell below the first, one from the last on.
    Steps(Vec<f64>),
}

#[derive(Debug, Clone)]
struct Places {
    cells: Vec<u32>,
    /// The same as one bit each, if there are bits enough.
    bits: Vec<u64>,
}

impl Listing {
    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }
}

impl Index {
    /// Lists these words of a column, each a cell, in this order. It is of this index as it is now: a changed one wants a new list.
    #[must_use]
    pub fn listing(&self, column: ColumnId, words: &[String]) -> Listing {
        let cells: HashMap<&str, u32> = words.iter().map(String::as_str).zip(0..).collect();
        let cell_of = |value: Option<Value<'_>>| match value {
            Some(Value::Word(word)) => cells.get(word).copied().unwrap_or(NOT_LISTED),
            Some(Value::Number(_)) | None => NOT_LISTED,
        };
        Listing {
            column,
            cells: words.len(),
            of: CellOf::Places(self.places(column, cell_of)),
        }
    }

    /// Lists the numbers of a column between limits in ascending order: a cell below the first, and one from the last on.
    #[must_use]
    pub fn steps(&self, column: ColumnId, limits: Vec<f64>) -> Listing {
        Listing {
            column,
            cells: limits.len() + 1,
            of: CellOf::Steps(limits),
        }
    }

    /// Patients of all that have a value in a column.
    #[must_use]
    pub fn patients_with(&self, column: ColumnId) -> u64 {
        let everybody = self.everybody();
        let runs = self.runs(&everybody, column);
        let column = &self.columns[column.at()];
        let mut with = 0;
        let add = |any, row| any || column.is_recorded(row);
        runs.each(false, add, |_, any| with += u64::from(any));
        with
    }

    /// For each word of a column, how many patients have it, among all; in no order.
    #[must_use]
    pub fn patients_by_word(&self, column: ColumnId) -> Vec<(&str, u64)> {
        let (mut words, mut next) = (Vec::new(), 0..);
        let places = self.places(column, |value| match value {
            Some(Value::Word(word)) => {
                words.push(word);
                next.next().unwrap_or(NOT_LISTED)
            }
            Some(Value::Number(_)) | None => NOT_LISTED,
        });
        let listing = Listing {
            column,
            cells: words.len(),
            of: CellOf::Places(places),
        };
        let counts = self.patients_by(&self.everybody(), &listing, u32::MAX);
        words
            .into_iter()
            .zip(counts)
            .filter(|(_, patients)| *patients > 0)
            .collect()
    }

    /// What each place of a column's dictionary is.
    fn places<'a>(
        &'a self,
        column: ColumnId,
        cell_of: impl FnMut(Option<Value<'a>>) -> u32,
    ) -> Places {
        let cells: Vec<_> = match &self.columns[column.at()] {
            Column::Coded(coded) => {
                let places = 0..coded.dictionary.len();
                let values = places.map(|place| coded.dictionary.value(place));
                values.map(cell_of).collect()
            }
            Column::Plain(_) => Vec::new(),
        };
        let bits = cells.iter().map(|cell| bit(*cell)).collect();
        Places { cells, bits }
    }

    /// How many patients of a selection have what each cell lists; each patient counts in at most `most` cells.
    #[must_use]
    pub fn patients_by(&self, selection: &Selection, listing: &Listing, most: u32) -> Vec<u64> {
        let runs = self.runs(selection, listing.column);
        let tally = Tally::new(listing.cells, most);
        match (&self.columns[listing.column.at()], &listing.of) {
            (Column::Coded(coded), CellOf::Places(places)) => {
                tally.by_code(&runs, &coded.codes, places)
            }
            (Column::Coded(coded), CellOf::Steps(limits)) => {
                let places = self.places(listing.column, |value| match value {
                    Some(Value::Number(number)) => step(limits, number),
                    Some(Value::Word(_)) | None => NOT_LISTED,
                });
                tally.by_code(&runs, &coded.codes, &places)
            }
            (Column::Plain(numbers), CellOf::Steps(limits)) => {
                let cell_of = |row: usize| step(limits, numbers[row]);
                tally.counted(&runs, |row| bit(cell_of(row)), cell_of)
            }
            (Column::Plain(_), CellOf::Places(_)) => tally.patients,
        }
    }
}

/// Patients by cell, one patient after the other.
struct Tally {
    patients: Vec<u64>,
    /// For each cell, the number of the last patient who was counted in it.
    last: Vec<u32>,
    most: u32,
    number: u32,
    used: u32,
}

impl Tally {
    fn new(cells: usize, most: u32) -> Self {
        Self {
            patients: vec![0; cells],
            last: vec![0; cells],
            // In no more cells than there are.
            most: most.min(u32::try_from(cells).unwrap_or(u32::MAX)),
            number: 0,
            used: 0,
        }
    }

    fn begin(&mut self) {
        self.number += 1;
        self.used = 0;
    }

    /// Whether the patient may be counted in a further cell.
    fn add(&mut self, cell: u32) -> bool {
        if let Some(last) = self.last.get_mut(cell as usize)
            && *last != self.number
            && self.used < self.most
        {
            *last = self.number;
            self.used += 1;
            self.patients[cell as usize] += 1;
        }
        self.used < self.most
    }

    fn add_bits(&mut self, mut bits: u64) {
        while bits != 0 {
            self.patients[bits.trailing_zeros() as usize] += 1;
            bits &= bits - 1;
        }
    }

    fn by_code(self, runs: &Runs<'_>, codes: &Codes, places: &Places) -> Vec<u64> {
        match codes {
            Codes::One(codes) => self.looked_up(runs, codes, places),
            Codes::Two(codes) => self.looked_up(runs, codes, places),
            Codes::Four(codes) => self.looked_up(runs, codes, places),
        }
    }

    fn looked_up<C: Code>(self, runs: &Runs<'_>, codes: &[C], places: &Places) -> Vec<u64> {
        let bit_of = |row: usize| places.bits[codes[row].place()];
        self.counted(runs, bit_of, |row| places.cells[codes[row].place()])
    }

    /// Counts each patient once in each of their cells, and in no more than `most`.
    fn counted(
        mut self,
        runs: &Runs<'_>,
        bit_of: impl Fn(usize) -> u64,
        cell_of: impl Fn(usize) -> u32,
    ) -> Vec<u64> {
        if self.patients.len() > MAX_BITS {
            for patient in runs.patients() {
                self.add_first(runs, patient, &cell_of);
            }
            return self.patients;
        }
        let add = |bits, row| bits | bit_of(row);
        runs.each(0, add, |patient, bits: u64| {
            if bits.count_ones() <= self.most {
                self.add_bits(bits);
            } else {
                self.add_first(runs, patient, &cell_of);
            }
        });
        self.patients
    }

    /// Counts a patient in the first cells of their rows, which bits do not tell.
    fn add_first(&mut self, runs: &Runs<'_>, patient: usize, cell_of: impl Fn(usize) -> u32) {
        self.begin();
        runs.until(patient, |row| self.add(cell_of(row)));
    }
}

/// A cell as a bit; none where there are no bits left.
fn bit(cell: u32) -> u64 {
    1_u64.checked_shl(cell).unwrap_or_default()
}

/// The cell of a number among steps.
fn step(limits: &[f64], number: f64) -> u32 {
    if number.is_nan() {
        return NOT_LISTED;
    }
    u32::try_from(limits.partition_point(|limit| *limit <= number)).unwrap_or(NOT_LISTED)
}
