//! What an index is made of: levels that hang on patients, and the columns of each.

/// What rows stand for. Patients, studies and series are always there; others are added to a [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub(crate) u8);

impl Level {
    /// Patients.
    pub const PATIENT: Self = Self(0);
    /// Studies of patients.
    pub const STUDY: Self = Self(1);
    /// Series of studies.
    pub const SERIES: Self = Self(2);

    pub(crate) fn at(self) -> usize {
        usize::from(self.0)
    }
}

/// A column of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub(crate) u16);

impl ColumnId {
    pub(crate) fn at(self) -> usize {
        usize::from(self.0)
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Codes and names.
    Words,
    /// Numbers.
    Numbers,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnSpec {
    pub(crate) level: Level,
    pub(crate) kind: Kind,
}

/// A schema that is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Levels are numbered by a byte.
    #[error("an index has at most 256 levels")]
    TooManyLevels,
    /// Columns are numbered by two bytes.
    #[error("an index has at most 65536 columns")]
    TooManyColumns,
}

/// Levels and columns.
#[derive(Debug, Clone)]
pub struct Schema {
    /// For each level, the one that it hangs on; patients hang on themselves.
    parents: Vec<Level>,
    columns: Vec<ColumnSpec>,
}

impl Default for Schema {
    fn default() -> Self {
        Self::new()
    }
}

impl Schema {
    /// Patients, studies and series, without columns.
    #[must_use]
    pub fn new() -> Self {
        Self {
            parents: vec![Level::PATIENT, Level::PATIENT, Level::STUDY],
            columns: Vec::new(),
        }
    }

    /// Adds a level that hangs on `parent`.
    ///
    /// # Errors
    /// [`SchemaError::TooManyLevels`].
    pub fn level(&mut self, parent: Level) -> Result<Level, SchemaError> {
        let number = u8::try_from(self.parents.len()).map_err(|_| SchemaError::TooManyLevels)?;
        self.parents.push(parent);
        Ok(Level(number))
    }

    /// Adds a column of a level.
    ///
    /// # Errors
    /// [`SchemaError::TooManyColumns`].
    pub fn column(&mut self, level: Level, kind: Kind) -> Result<ColumnId, SchemaError> {
        let number = u16::try_from(self.columns.len()).map_err(|_| SchemaError::TooManyColumns)?;
        self.columns.push(ColumnSpec { level, kind });
        Ok(ColumnId(number))
    }

    /// The level of a column.
    #[must_use]
    pub fn level_of(&self, column: ColumnId) -> Level {
        self.columns[column.at()].level
    }

    pub(crate) fn levels(&self) -> impl Iterator<Item = Level> + use<> {
        // `level` keeps the number of levels within a byte.
        (0..self.parents.len()).map(|number| Level(number as u8))
    }

    pub(crate) fn columns(&self) -> &[ColumnSpec] {
        &self.columns
    }

    pub(crate) fn parent(&self, level: Level) -> Level {
        self.parents[level.at()]
    }

    /// The lowest level that both hang on, or are.
    pub(crate) fn common(&self, mut one: Level, mut other: Level) -> Level {
        // A level is added after the one that it hangs on, so the higher number is never above.
        while one != other {
            if one > other {
                one = self.parent(one);
            } else {
                other = self.parent(other);
            }
        }
        one
    }

    /// The lowest of series, study and patient that a level hangs on, or is: what a row of it adds to counts.
    pub(crate) fn anchor(&self, level: Level) -> Level {
        let mut level = level;
        while level > Level::SERIES {
            level = self.parent(level);
        }
        level
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Schema};

    #[test]
    fn levels_meet_where_they_hang_together() {
        let mut schema = Schema::new();
        let diagnosis = schema.level(Level::PATIENT).unwrap();
        let stage = schema.level(diagnosis).unwrap();
        let segment = schema.level(Level::SERIES).unwrap();
        let check = |one, other, expect| {
            assert_eq!(schema.common(one, other), expect);
            assert_eq!(schema.common(other, one), expect);
        };
        check(Level::SERIES, Level::STUDY, Level::STUDY);
        check(Level::SERIES, stage, Level::PATIENT);
        check(stage, diagnosis, diagnosis);
        check(segment, Level::STUDY, Level::STUDY);
        assert_eq!(schema.anchor(segment), Level::SERIES);
        assert_eq!(schema.anchor(stage), Level::PATIENT);
    }
}
