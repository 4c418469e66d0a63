//! From a plan to the truth of each row.

use std::ops::Range;

use crate::{ColumnId, Index, Level, Plan, Test, bits::Bits, truths::Truths};

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
    /// The truth of a plan for each row of the unit's level.
    pub(crate) fn evaluate(&self, plan: &Plan, unit: Unit) -> Truths {
        let rows = self.rows(unit.level());
        match plan {
            Plan::And(parts) => {
                let mut truths = parts.iter().map(|part| self.evaluate(part, unit));
                let first = truths.next().unwrap_or_else(|| Truths::all(rows));
                truths.fold(first, |mut all, part| {
                    all.and(&part);
                    all
                })
            }
            Plan::Or(parts) => {
                let mut truths = parts.iter().map(|part| self.evaluate(part, unit));
                let first = truths.next().unwrap_or_else(|| Truths::all(rows).not());
                truths.fold(first, |mut any, part| {
                    any.or(&part);
                    any
                })
            }
            Plan::Not(part) => self.evaluate(part, unit).not(),
            Plan::Is(column, test) => self.test(*column, test, unit),
            Plan::Exists { level, of, plan } => {
                let top = self.schema.common(*of, *level);
                if is_bare(*level, top, unit) {
                    return Truths::unknown(rows);
                }
                let truths = self.evaluate(plan, Unit::Rows(*level));
                let truths = self.lift(truths, *level, top);
                let common = self.schema.common(top, unit.level());
                self.carry(truths, top, common, unit.level())
            }
            Plan::Apart(apart) => self.apart(apart, unit),
        }
    }

    fn test(&self, column: ColumnId, test: &Test, unit: Unit) -> Truths {
        let level = self.schema.level_of(column);
        let top = self.schema.common(level, unit.level());
        let truths = if is_bare(level, top, unit) {
            Truths::unknown(self.rows(unit.level()))
        } else {
            let truths = self.columns[column.at()].test(test);
            self.carry(truths, level, top, unit.level())
        };
        match test {
            Test::Recorded => Truths::of(truths.yes),
            Test::OneOf(_) | Test::Range(_) => truths,
        }
    }

    /// Truths of a level's rows for the rows of another, by way of the level that both hang on.
    fn carry(&self, truths: Truths, from: Level, top: Level, to: Level) -> Truths {
        let truths = self.lift(truths, from, top);
        self.spread(truths, top, to)
    }

    /// True where it is of some row below, false where it is of all and there is one.
    fn lift(&self, mut truths: Truths, from: Level, to: Level) -> Truths {
        if from == to {
            return truths;
        }
        for row in &self.levels[from.at()].placeholders {
            truths.yes.clear(*row as usize);
            truths.no.set(*row as usize);
        }
        let there = self.there(from);
        let mut lifted = Truths::unknown(self.rows(to));
        for row in 0..self.rows(to) {
            let below = self.below(from, to, row..row + 1);
            if truths.yes.any_in(below.clone()) {
                lifted.yes.set(row);
            } else if any_there(there.as_ref(), below.clone()) && truths.no.all_in(below) {
                lifted.no.set(row);
            }
        }
        lifted
    }

    /// What is true of a row is true of all that hang on it.
    pub(crate) fn spread(&self, truths: Truths, from: Level, to: Level) -> Truths {
        if from == to {
            return truths;
        }
        Truths {
            yes: self.spread_bits(&truths.yes, from, to),
            no: self.spread_bits(&truths.no, from, to),
        }
    }

    fn spread_bits(&self, bits: &Bits, from: Level, to: Level) -> Bits {
        let mut spread = Bits::none(self.rows(to));
        for row in bits.ones() {
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
