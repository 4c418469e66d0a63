//! Changing an index: patients that are replaced, added or forgotten are put together with the runs of all others, which are copied as they
//! are. That costs about a copy of the index, whatever changed.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use crate::{
    Change, Index, IndexError, Level, Schema,
    column::{Column, Rows},
    index::{LevelRows, below, empty_levels},
};

impl Index {
    /// Replaces, adds and forgets patients, in any order.
    ///
    /// # Errors
    /// [`IndexError`], and nothing is changed.
    pub fn patch(&mut self, mut changes: Vec<Change<'_>>) -> Result<(), IndexError> {
        changes.sort_by(|one, other| one.patient.cmp(other.patient));
        if changes
            .windows(2)
            .any(|pair| pair[0].patient == pair[1].patient)
        {
            return Err(IndexError::OutOfOrder);
        }
        let branches = changes.iter().filter_map(|change| change.now.as_ref());
        branches
            .into_iter()
            .try_for_each(|branch| self.check(branch))?;
        let taken = self.take();
        let mut next = 0;
        for change in &changes {
            let rest = &taken.keys[next..];
            let at = next + rest.partition_point(|key| **key < *change.patient);
            self.keep(&taken, next..at);
            next = at;
            if taken
                .keys
                .get(at)
                .is_some_and(|key| **key == *change.patient)
            {
                self.forget(&taken, at);
                next += 1;
            }
            if let Some(branch) = &change.now {
                self.keys.push(change.patient.into());
                self.push(branch, None);
            }
        }
        self.keep(&taken, next..taken.keys.len());
        self.settle();
        Ok(())
    }

    fn take(&mut self) -> Taken {
        self.bare = OnceLock::new();
        Taken {
            keys: std::mem::take(&mut self.keys),
            levels: std::mem::replace(&mut self.levels, empty_levels(&self.schema)),
            columns: self.columns.iter_mut().map(Column::take).collect(),
        }
    }

    fn keep(&mut self, taken: &Taken, patients: Range<usize>) {
        if patients.is_empty() {
            return;
        }
        for level in self.schema.levels() {
            let rows = taken.rows(&self.schema, level, patients.clone());
            if level != Level::PATIENT {
                self.keep_places(taken, level, &patients, rows.clone());
            }
            self.levels[level.at()].len += rows.len();
            for (at, column) in self.columns.iter_mut().enumerate() {
                if self.schema.columns()[at].level == level {
                    column.keep(&taken.columns[at], rows.clone());
                }
            }
        }
        self.keys.extend_from_slice(&taken.keys[patients]);
    }

    /// Appends what rows hang on and what hangs on them, moved to where they are now. The level above has been appended before.
    fn keep_places(
        &mut self,
        taken: &Taken,
        level: Level,
        patients: &Range<usize>,
        rows: Range<usize>,
    ) {
        let parent = self.schema.parent(level);
        let above = taken.rows(&self.schema, parent, patients.clone());
        let new_above = self.levels[parent.at()].len - above.len();
        let (old, new) = (&taken.levels[level.at()], &mut self.levels[level.at()]);
        let moved = |place: u32, from: usize, to: usize| place - from as u32 + to as u32;
        let starts = old.starts[above.start + 1..=above.end].iter();
        let parents = old.parents[rows.clone()].iter();
        let placeholders = old.placeholders.iter();
        let placeholders = placeholders.filter(|row| rows.contains(&(**row as usize)));
        new.starts
            .extend(starts.map(|start| moved(*start, rows.start, new.len)));
        new.parents
            .extend(parents.map(|row| moved(*row, above.start, new_above)));
        new.placeholders
            .extend(placeholders.map(|row| moved(*row, rows.start, new.len)));
    }

    fn forget(&mut self, taken: &Taken, patient: usize) {
        for (at, column) in self.columns.iter_mut().enumerate() {
            let level = self.schema.columns()[at].level;
            let rows = taken.rows(&self.schema, level, patient..patient + 1);
            column.forget(&taken.columns[at], rows);
        }
    }
}

/// The rows of an index while it is put together anew.
struct Taken {
    keys: Vec<Arc<str>>,
    levels: Vec<LevelRows>,
    columns: Vec<Rows>,
}

impl Taken {
    fn rows(&self, schema: &Schema, level: Level, patients: Range<usize>) -> Range<usize> {
        below(schema, &self.levels, level, Level::PATIENT, patients)
    }
}
