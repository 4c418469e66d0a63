//! From a plan to the rows that it is true of, or false of.

use std::ops::Range;

use crate::{ColumnId, Index, Level, Plan, Test, bits::Bits, truth::Truth};

/// Whose rows a plan is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// All rows of a level.
    Rows(Level),
    /// Rows of a level that have no study or series below them; what is said of the others is not looked at.
    Bare(Level),
}

impl Unit {
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Rows(level) | Self::Bare(level) => level,
        }
    }
}

impl Index {
    /// The rows of the unit's level that a plan is true of, or false of.
    pub(crate) fn evaluate(&self, plan: &Plan, truth: Truth, unit: Unit) -> Bits {
        match plan {
            Plan::And(parts) => self.joined(parts, (truth, Truth::Yes), unit),
            Plan::Or(parts) => self.joined(parts, (truth, Truth::No), unit),
            Plan::Not(part) => self.evaluate(part, truth.other(), unit),
            Plan::Is(column, test) => self.test(*column, test, truth, unit),
            Plan::Exists { level, of, plan } => {
                let top = self.schema.common(*of, *level);
                if is_bare(*level, top, unit) {
                    return Bits::none(self.rows(unit.level()));
                }
                let rows = self.evaluate(plan, truth, Unit::Rows(*level));
                let mut rows = self.lift(rows, truth, *level, top);
                self.forget_placeholders(&mut rows, top);
                let common = self.schema.common(top, unit.level());
                self.carry(rows, truth, [top, common, unit.level()])
            }
            Plan::Apart(apart) => self.apart(apart, truth, unit),
        }
    }

    /// What all parts hold of where the truth is `every`, else what some part holds of.
    fn joined(&self, parts: &[Plan], (truth, every): (Truth, Truth), unit: Unit) -> Bits {
        let mut each = parts.iter().map(|part| self.evaluate(part, truth, unit));
        let Some(mut rows) = each.next() else {
            let rows = self.rows(unit.level());
            return match truth == every {
                true => Bits::all(rows),
                false => Bits::none(rows),
            };
        };
        for other in each {
            match truth == every {
                true => rows.and(&other),
                false => rows.or(&other),
            }
        }
        rows
    }

    fn test(&self, column: ColumnId, test: &Test, truth: Truth, unit: Unit) -> Bits {
        let level = self.schema.level_of(column);
        let top = self.schema.common(level, unit.level());
        let rows = |truth| {
            if is_bare(level, top, unit) {
                return Bits::none(self.rows(unit.level()));
            }
            let rows = self.columns[column.at()].test(test, truth);
            self.carry(rows, truth, [level, top, unit.level()])
        };
        match (test, truth) {
            (Test::Recorded, Truth::No) => rows(Truth::Yes).not(),
            _ => rows(truth),
        }
    }

    /// From a level's rows to those of another, by way of the level that both hang on.
    fn carry(&self, rows: Bits, truth: Truth, [from, top, to]: [Level; 3]) -> Bits {
        let rows = self.lift(rows, truth, from, top);
        self.spread(rows, top, to)
    }

    /// Of what stands for nothing, nothing is known, whatever hangs on it.
    fn forget_placeholders(&self, rows: &mut Bits, level: Level) {
        for row in &self.levels[level.at()].placeholders {
            rows.clear(*row as usize);
        }
    }

    /// True where it is of some row below, false where it is of all and there is one.
    fn lift(&self, mut rows: Bits, truth: Truth, from: Level, to: Level) -> Bits {
        if from == to {
            return rows;
        }
        match truth {
            Truth::Yes => self.forget_placeholders(&mut rows, from),
            // They do not keep it from being false of all.
            Truth::No => {
                let placeholders = self.levels[from.at()].placeholders.iter();
                placeholders.for_each(|row| rows.set(*row as usize));
            }
        }
        let there = self.there(from);
        let mut lifted = Bits::none(self.rows(to));
        for row in 0..self.rows(to) {
            let below = self.below(from, to, row..row + 1);
            let holds = match truth {
                Truth::Yes => rows.any_in(below),
                Truth::No => any_there(there.as_ref(), below.clone()) && rows.all_in(below),
            };
            if holds {
                lifted.set(row);
            }
        }
        lifted
    }

    /// What holds of a row holds of all that hang on it.
    pub(crate) fn spread(&self, rows: Bits, from: Level, to: Level) -> Bits {
        if from == to {
            return rows;
        }
        let mut spread = Bits::none(self.rows(to));
        for row in rows.ones() {
            spread.set_range(self.below(to, from, row..row + 1));
        }
        spread
    }
}

/// Whether bare rows have nothing of a level below them: then nothing is known, without looking.
fn is_bare(level: Level, top: Level, unit: Unit) -> bool {
    matches!(unit, Unit::Bare(bare) if bare == top) && top < level && level <= Level::SERIES
}

/// Whether some of the rows stands for something.
pub(crate) fn any_there(there: Option<&Bits>, rows: Range<usize>) -> bool {
    match there {
        Some(there) => there.any_in(rows),
        None => !rows.is_empty(),
    }
}
