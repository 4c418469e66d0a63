//! Selected patients by one thing of each: a number in steps, or how long they were followed and how that ended.
//!
//! A patient is in one cell at most, so that one patient more or less changes one cell by one. Which of a patient's numbers counts is
//! fixed beforehand (the least, the greatest, the longest), never by what else there is. Exact: not to leave a node as it is.

use std::ops::Range;

use crate::{
    ColumnId, Index, Level, Selection, Test, Value,
    bits::Bits,
    codes::{Code, Codes},
    column::Column,
    runs::Runs,
    truth::Truth,
};

/// How selected patients were followed, and to what.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed<'a> {
    /// Numbers: how long.
    pub long: ColumnId,
    /// How it ended, a column of the same level.
    pub how: ColumnId,
    /// Ended with the event.
    pub event: Test,
    /// Ended without it.
    pub censored: Test,
    /// Ascending limits of `long`: one interval lies below the first, one from each to below the next, one from the last on.
    pub limits: &'a [f64],
}

/// Distinct patients in each interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedCounts {
    /// Those with the event.
    pub events: Vec<u64>,
    /// Those without it as far as they were followed.
    pub censored: Vec<u64>,
}

/// Which of a patient's numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choose {
    /// The least.
    Least,
    /// The greatest.
    Greatest,
}

impl Index {
    /// Selected patients by one of their numbers: one step below the first of the ascending limits, one from each limit to below
    /// the next, one from the last on. Numbers are those of matching studies and series, and of everything else of the patient;
    /// who has none is in no step.
    #[must_use]
    pub fn patients_in_steps(
        &self,
        selection: &Selection,
        column: ColumnId,
        limits: &[f64],
        choose: Choose,
    ) -> Vec<u64> {
        let runs = self.runs(selection, column);
        let place = |number| choose.place(step(limits, number), limits.len());
        let mut steps = match &self.columns[column.at()] {
            Column::Coded(coded) => {
                let values = (0..coded.dictionary.len()).map(|at| coded.dictionary.value(at));
                let places = values.map(|value| match value {
                    Some(Value::Number(number)) => place(number),
                    Some(Value::Word(_)) | None => NOWHERE,
                });
                first_by_code(
                    &runs,
                    limits.len() + 1,
                    &coded.codes,
                    &places.collect::<Vec<_>>(),
                )
            }
            Column::Plain(numbers) => first(&runs, limits.len() + 1, |row| match numbers[row] {
                number if number.is_nan() => NOWHERE,
                number => place(number),
            }),
        };
        if choose == Choose::Greatest {
            steps.reverse();
        }
        steps
    }

    /// Selected patients by how long they were followed, each by the record that goes furthest; of two that go as far the one with the
    /// event. Records that do not say how long or how it ended, and those that ended before they began, do not count.
    #[must_use]
    pub fn patients_followed(
        &self,
        selection: &Selection,
        followed: &Followed<'_>,
    ) -> FollowedCounts {
        let level = self.schema.level_of(followed.long);
        let long = &self.columns[followed.long.at()];
        let test = |test| self.columns[followed.how.at()].test(test, Truth::Yes);
        let ends = [test(&followed.event), test(&followed.censored)];
        let none = vec![0; followed.limits.len() + 1];
        let mut counts = [none.clone(), none];
        for patient in selection.patients.ones() {
            let furthest = furthest(self.rows_of(level, patient), long, &ends);
            if let Some((long, end)) = furthest {
                counts[end][step(followed.limits, long)] += 1;
            }
        }
        let [events, censored] = counts;
        FollowedCounts { events, censored }
    }

    fn rows_of(&self, level: Level, patient: usize) -> Range<usize> {
        self.below(level, Level::PATIENT, patient..patient + 1)
    }
}

impl Choose {
    /// The place of a step among those that are chosen from: the first one is chosen.
    fn place(self, step: usize, last: usize) -> usize {
        match self {
            Self::Least => step,
            Self::Greatest => last - step,
        }
    }
}

/// The place of what is no number.
const NOWHERE: usize = usize::MAX;

fn first_by_code(runs: &Runs<'_>, cells: usize, codes: &Codes, places: &[usize]) -> Vec<u64> {
    match codes {
        Codes::One(codes) => first(runs, cells, |row| places[codes[row].place()]),
        Codes::Two(codes) => first(runs, cells, |row| places[codes[row].place()]),
        Codes::Four(codes) => first(runs, cells, |row| places[codes[row].place()]),
    }
}

/// Patients by the first of the places of their rows.
fn first(runs: &Runs<'_>, cells: usize, place_of: impl Fn(usize) -> usize) -> Vec<u64> {
    let mut counts = vec![0; cells];
    let least = |first: usize, row| first.min(place_of(row));
    runs.each(NOWHERE, least, |_, first| {
        if let Some(count) = counts.get_mut(first) {
            *count += 1;
        }
    });
    counts
}

/// The place of an event among ends, and so the first of two that are as far.
const EVENT: usize = 0;
const CENSORED: usize = 1;

fn furthest(rows: Range<usize>, long: &Column, ends: &[Bits; 2]) -> Option<(f64, usize)> {
    let of_row = |row: usize| {
        let end = match (ends[EVENT].get(row), ends[CENSORED].get(row)) {
            (true, _) => EVENT,
            (_, true) => CENSORED,
            _ => return None,
        };
        let long = long.number(row).filter(|long| *long >= 0.0)?;
        Some((long, end))
    };
    rows.filter_map(of_row)
        .max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)))
}

fn step(limits: &[f64], number: f64) -> usize {
    limits.partition_point(|limit| *limit <= number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Choose, Followed, FollowedCounts};
    use crate::{
        Branch, ColumnId, Index, Kind, Level, Plan, Presence, Question, Range, Schema, Selection,
        Test, Value,
    };

    struct Columns {
        thickness: ColumnId,
        days: ColumnId,
        status: ColumnId,
        outcome: Level,
    }

    /// For each patient the thicknesses of their series, and their outcomes.
    type Told<'a> = (&'a [f64], &'a [(f64, &'a str)]);

    fn index(patients: &[Told<'static>]) -> (Index, Columns) {
        let mut schema = Schema::new();
        let outcome = schema.level(Level::PATIENT).unwrap();
        let columns = Columns {
            thickness: schema.column(Level::SERIES, Kind::Numbers).unwrap(),
            days: schema.column(outcome, Kind::Numbers).unwrap(),
            status: schema.column(outcome, Kind::Words).unwrap(),
            outcome,
        };
        let mut index = Index::new(schema);
        for (at, told) in patients.iter().enumerate() {
            index
                .append(&format!("p{at}"), &patient(&columns, told))
                .unwrap();
        }
        (index, columns)
    }

    fn row<'a>(level: Level, values: Vec<(ColumnId, Value<'a>)>) -> Branch<'a> {
        Branch {
            level,
            values,
            below: Vec::new(),
            presence: Presence::There,
        }
    }

    fn patient<'a>(columns: &Columns, (series, outcomes): &Told<'a>) -> Branch<'a> {
        let mut patient = row(Level::PATIENT, Vec::new());
        let mut study = row(Level::STUDY, Vec::new());
        let series = series
            .iter()
            .map(|mm| row(Level::SERIES, vec![(columns.thickness, Value::Number(*mm))]));
        study.below = series.collect();
        patient.below.push(study);
        let outcomes = outcomes.iter().map(|(days, status)| {
            let values = vec![
                (columns.days, Value::Number(*days)),
                (columns.status, Value::Word(status)),
            ];
            row(columns.outcome, values)
        });
        patient.below.extend(outcomes);
        patient
    }

    fn selected(index: &Index, plan: &Plan) -> Selection {
        let question = Question {
            of_series: plan.clone(),
            of_studies: plan.clone(),
            of_patients: plan.clone(),
        };
        index.selection(index.matched(&question))
    }

    #[test]
    fn each_patient_is_in_one_step_by_what_matches() {
        let (index, columns) = index(&[(&[1.0, 5.0], &[]), (&[2.0, 8.0], &[]), (&[], &[])]);
        let check = |plan: &Plan, choose, expect: [u64; 3]| {
            let selection = selected(&index, plan);
            let limits = [2.0, 6.0];
            let found = index.patients_in_steps(&selection, columns.thickness, &limits, choose);
            assert_eq!(found, expect);
        };
        check(&Plan::everything(), Choose::Least, [1, 1, 0]);
        check(&Plan::everything(), Choose::Greatest, [0, 1, 1]);
        let thick = Test::Range(Range {
            min: Some(4.0),
            ..Range::default()
        });
        let thick = Plan::Is(columns.thickness, thick);
        check(&thick, Choose::Least, [0, 1, 1]);
    }

    #[test]
    fn each_patient_ends_once_in_one_interval() {
        let words = |word: &str| Test::OneOf(BTreeSet::from([word.to_owned()]));
        let check = |outcomes: &'static [(f64, &'static str)], expect: [[u64; 2]; 2]| {
            let (index, columns) = index(&[(&[1.0], outcomes)]);
            let followed = Followed {
                long: columns.days,
                how: columns.status,
                event: words("dead"),
                censored: words("alive"),
                limits: &[100.0],
            };
            let selection = selected(&index, &Plan::everything());
            let found = index.patients_followed(&selection, &followed);
            let [events, censored] = expect.map(|cells| cells.to_vec());
            assert_eq!(found, FollowedCounts { events, censored }, "{outcomes:?}");
        };
        check(&[(99.0, "dead")], [[1, 0], [0, 0]]);
        check(&[(100.0, "dead")], [[0, 1], [0, 0]]);
        check(&[(10.0, "alive"), (300.0, "dead")], [[0, 1], [0, 0]]);
        check(&[(10.0, "dead"), (300.0, "alive")], [[0, 0], [0, 1]]);
        check(&[(10.0, "alive"), (10.0, "dead")], [[1, 0], [0, 0]]);
        check(&[(10.0, "unknown"), (-3.0, "dead")], [[0, 0], [0, 0]]);
        check(&[], [[0, 0], [0, 0]]);
    }
}
