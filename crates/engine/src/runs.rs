//! The selected rows of one patient after the other: a patient's rows of a level are one run.

use std::{borrow::Cow, ops::Range};

use crate::{ColumnId, Index, Level, Selection, bits::Bits};

/// Rows of a level of which those count that belong to a selection.
pub(crate) struct Runs<'a> {
    index: &'a Index,
    selection: &'a Selection,
    level: Level,
    /// What the rows are, or hang on: patients, studies or series.
    anchor: Level,
    selected: Cow<'a, Bits>,
    /// Rows of the level that stand for something; none if all do.
    there: Option<Bits>,
    /// From patients down to the level, where the rows of each row begin.
    starts: Vec<&'a [u32]>,
}

impl Index {
    /// The rows of a column.
    pub(crate) fn runs<'a>(&'a self, selection: &'a Selection, column: ColumnId) -> Runs<'a> {
        let level = self.schema.level_of(column);
        let anchor = self.schema.anchor(level);
        let there = self.there(level);
        let mut selected = Cow::Borrowed(self.selected(selection, anchor));
        if let Some(there) = there.as_ref().filter(|_| level == anchor) {
            selected.to_mut().and(there);
        }
        Runs {
            index: self,
            selection,
            level,
            anchor,
            selected,
            there,
            starts: self.starts(level),
        }
    }
}

impl Runs<'_> {
    /// Puts together what the rows of each selected patient add, and visits the patients in order.
    pub(crate) fn each<T: Copy>(
        &self,
        nothing: T,
        add: impl Fn(T, usize) -> T,
        mut visit: impl FnMut(usize, T),
    ) {
        for patient in self.patients() {
            visit(patient, self.of(patient, nothing, &add));
        }
    }

    fn of<T>(&self, patient: usize, nothing: T, add: impl Fn(T, usize) -> T) -> T {
        let rows = self.rows(patient);
        if self.level == self.anchor {
            return self.selected.fold_in(rows, nothing, add);
        }
        let rows = rows.filter(|row| self.is_selected(*row));
        rows.fold(nothing, add)
    }

    /// The selected patients, in order.
    pub(crate) fn patients(&self) -> impl Iterator<Item = usize> {
        self.selection.patients.ones()
    }

    /// Visits the selected rows of one patient in order, until one answers no.
    pub(crate) fn until(&self, patient: usize, visit: impl FnMut(usize) -> bool) {
        let rows = self.rows(patient);
        if self.level == self.anchor {
            self.selected.until_in(rows, visit);
        } else {
            let mut selected = rows.filter(|row| self.is_selected(*row));
            selected.all(visit);
        }
    }

    fn rows(&self, patient: usize) -> Range<usize> {
        let below = |rows: Range<usize>, starts: &&[u32]| {
            starts[rows.start] as usize..starts[rows.end] as usize
        };
        self.starts.iter().fold(patient..patient + 1, below)
    }

    /// Whether a row stands for something that hangs on a selected one.
    fn is_selected(&self, row: usize) -> bool {
        let is_there = self.there.as_ref().is_none_or(|there| there.get(row));
        let at = self.index.above(self.level, self.anchor, row);
        is_there && self.selected.get(at)
    }
}
