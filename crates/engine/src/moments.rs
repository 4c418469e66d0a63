//! Two moments of a patient that lie so far from each other.

use crate::{
    Apart, Index, Level, Moment, Range,
    bits::Bits,
    evaluate::{Unit, any_there},
    truth::Truth,
};

/// A day that may be meant: whether its row is the one, and the day where it is recorded.
type Candidate = (Option<bool>, Option<f64>);

/// A moment, with the rows that its condition is true of and false of.
struct Side<'a> {
    moment: &'a Moment,
    yes: Bits,
    no: Bits,
    there: Option<Bits>,
    /// The row that all candidates hang on.
    top: Level,
    /// Those of the row that was asked about last.
    last: Option<(usize, Vec<Candidate>)>,
}

impl Index {
    pub(crate) fn apart(&self, apart: &Apart, truth: Truth, unit: Unit) -> Bits {
        let side = |moment| self.side(moment, unit.level());
        let (mut first, mut second) = (side(&apart.first), side(&apart.second));
        // Both hang above the asked level, one above the other: a level has a higher number than what it hangs on.
        let level = first.top.max(second.top);
        let mut rows = Bits::none(self.rows(level));
        for row in 0..self.rows(level) {
            let first = self.candidates(&mut first, level, row);
            let second = self.candidates(&mut second, level, row);
            if holds(first, second, &apart.days) == Some(truth == Truth::Yes) {
                rows.set(row);
            }
        }
        self.spread(rows, level, unit.level())
    }

    fn side<'a>(&self, moment: &'a Moment, asked: Level) -> Side<'a> {
        let of = self.schema.common(moment.of, moment.level);
        let rows = |truth| self.evaluate(&moment.plan, truth, Unit::Rows(moment.level));
        Side {
            moment,
            yes: rows(Truth::Yes),
            no: rows(Truth::No),
            there: self.there(moment.level),
            top: self.schema.common(of, asked),
            last: None,
        }
    }

    /// Each different candidate once: a thousand series of one day are one.
    fn candidates<'a>(&self, side: &'a mut Side<'_>, level: Level, row: usize) -> &'a [Candidate] {
        let top = self.above(level, side.top, row);
        if side.last.as_ref().is_none_or(|(last, _)| *last != top) {
            let rows = self.below(side.moment.level, side.top, top..top + 1);
            let there = |row: &usize| any_there(side.there.as_ref(), *row..*row + 1);
            let candidate = |row| {
                let truth = match (side.yes.get(row), side.no.get(row)) {
                    (true, _) => Some(true),
                    (_, true) => Some(false),
                    _ => None,
                };
                (truth, self.day(side.moment, row))
            };
            let mut candidates: Vec<Candidate> = rows.filter(there).map(candidate).collect();
            let key = |(truth, day): &Candidate| (*truth, day.map(f64::to_bits));
            candidates.sort_by_key(key);
            candidates.dedup_by_key(|candidate| key(candidate));
            side.last = Some((top, candidates));
        }
        side.last.as_ref().map_or(&[], |(_, candidates)| candidates)
    }

    /// The day as a row sees it: its own or that of what it hangs on, else the first that is recorded beside or below it.
    fn day(&self, moment: &Moment, row: usize) -> Option<f64> {
        let level = self.schema.level_of(moment.day);
        let common = self.schema.common(level, moment.level);
        let at = self.above(moment.level, common, row);
        let mut rows = self.below(level, common, at..at + 1);
        rows.find_map(|row| self.columns[moment.day.at()].number(row))
    }
}

/// Kleene's `or` over all pairs; of none nothing is known.
fn holds(first: &[Candidate], second: &[Candidate], days: &[Range]) -> Option<bool> {
    let mut result = (!first.is_empty() && !second.is_empty()).then_some(false);
    for (one, from) in first {
        for (other, to) in second {
            let apart = from.zip(*to).map(|(from, to)| fits(to - from, days));
            match [*one, *other, apart] {
                [Some(true), Some(true), Some(true)] => return Some(true),
                pair if pair.contains(&Some(false)) => {}
                _ => result = None,
            }
        }
    }
    result
}

fn fits(days: f64, limits: &[Range]) -> bool {
    limits.iter().any(|limit| limit.holds(days))
}
