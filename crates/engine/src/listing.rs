//! Listed values of a column, and how many patients of a selection have each: the bars that a search shows.
//!
//! What is listed is chosen once for an index, whatever is asked later. A patient counts with at most so many of the values, so that what
//! one patient can change is bounded. Only patients are counted, which takes half the time of a [`crate::Facet`].

use std::collections::HashMap;

use crate::{
    ColumnId, Index, Level, Selection, Value,
    bits::Bits,
    codes::{Code, Codes},
    column::Column,
};

/// The cell of what is not listed.
const NOT_LISTED: u32 = u32::MAX;

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
    Places(Vec<u32>),
    /// Numbers between limits, in ascending order: one cell below the first, one from the last on.
    Steps(Vec<f64>),
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
        let recorded = self.columns[column.at()].recorded_cells();
        let with = self.tally_cells(&everybody, column, (1, u32::MAX), recorded);
        with.first().copied().unwrap_or_default()
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
    ) -> Vec<u32> {
        match &self.columns[column.at()] {
            Column::Coded(coded) => {
                let places = 0..coded.dictionary.len();
                places
                    .map(|place| coded.dictionary.value(place))
                    .map(cell_of)
                    .collect()
            }
            Column::Plain(_) => Vec::new(),
        }
    }

    /// How many patients of a selection have what each cell lists; each patient counts in at most `most` cells.
    #[must_use]
    pub fn patients_by(&self, selection: &Selection, listing: &Listing, most: u32) -> Vec<u64> {
        let column = listing.column;
        match (&self.columns[column.at()], &listing.of) {
            (Column::Coded(coded), CellOf::Places(places)) => {
                let size = (listing.cells, most);
                self.coded_cells(selection, column, size, &coded.codes, places)
            }
            (Column::Coded(coded), CellOf::Steps(limits)) => {
                let places = self.places(column, |value| match value {
                    Some(Value::Number(number)) => step(limits, number),
                    Some(Value::Word(_)) | None => NOT_LISTED,
                });
                let size = (listing.cells, most);
                self.coded_cells(selection, column, size, &coded.codes, &places)
            }
            (Column::Plain(numbers), CellOf::Steps(limits)) => {
                let cell_of = |row: usize| step(limits, numbers[row]);
                self.tally_cells(selection, column, (listing.cells, most), cell_of)
            }
            (Column::Plain(_), CellOf::Places(_)) => vec![0; listing.cells],
        }
    }

    fn coded_cells(
        &self,
        selection: &Selection,
        column: ColumnId,
        size: (usize, u32),
        codes: &Codes,
        places: &[u32],
    ) -> Vec<u64> {
        match codes {
            Codes::One(codes) => self.looked_up(selection, column, size, (codes, places)),
            Codes::Two(codes) => self.looked_up(selection, column, size, (codes, places)),
            Codes::Four(codes) => self.looked_up(selection, column, size, (codes, places)),
        }
    }

    fn looked_up<C: Code>(
        &self,
        selection: &Selection,
        column: ColumnId,
        size: (usize, u32),
        (codes, places): (&[C], &[u32]),
    ) -> Vec<u64> {
        self.tally_cells(selection, column, size, |row| places[codes[row].place()])
    }

    fn tally_cells(
        &self,
        selection: &Selection,
        column: ColumnId,
        (cells, most): (usize, u32),
        cell_of: impl Fn(usize) -> u32,
    ) -> Vec<u64> {
        let level = self.schema.level_of(column);
        let anchor = self.schema.anchor(level);
        let selected = match anchor {
            Level::SERIES => &selection.series,
            Level::STUDY => &selection.studies,
            _ => &selection.patients,
        };
        let there = self.there(level);
        let mut tally = Tally::new(cells, most);
        for patient in selection.patients.ones() {
            let rows = self.below(level, Level::PATIENT, patient..patient + 1);
            tally.begin();
            if level == anchor && there.is_none() {
                selected.until_in(rows, |row| tally.add(cell_of(row)));
                continue;
            }
            for row in rows {
                let is_there = there.as_ref().is_none_or(|there| there.get(row));
                if is_there && selected.get(self.above(level, anchor, row)) {
                    tally.add(cell_of(row));
                }
            }
        }
        tally.patients
    }

    fn everybody(&self) -> Selection {
        let all = |level| {
            self.there(level)
                .unwrap_or_else(|| Bits::all(self.rows(level)))
        };
        Selection {
            series: all(Level::SERIES),
            studies: all(Level::STUDY),
            patients: all(Level::PATIENT),
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
}

/// The cell of a number among steps.
fn step(limits: &[f64], number: f64) -> u32 {
    if number.is_nan() {
        return NOT_LISTED;
    }
    u32::try_from(limits.partition_point(|limit| *limit <= number)).unwrap_or(NOT_LISTED)
}
