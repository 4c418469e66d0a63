//! A panel of facets: for each value of a column, how many patients, studies and series of a cohort have it.
//!
//! A facet whose own filter is part of the cohort is counted without that filter (its other values stay choosable), and with all others.
//! Rows are in the order of patients, so what was counted last for a value tells whether a study or patient is counted already.

use crate::{
    ColumnId, Counts, Index, Level, Question, Selection, Value,
    codes::{Code, Codes},
    column::{Coded, Column},
    count::Matched,
    evaluate::any_there,
};

/// What is counted of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Facet<'a> {
    /// The column.
    pub column: ColumnId,
    /// How its values are grouped.
    pub cells: Cells,
    /// The facet's own filter, where one is chosen.
    pub own: Option<&'a Question>,
}

/// How values become cells.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Each value that some row of the index has is a cell, whatever the cohort.
    Values,
    /// Numbers between these limits, in ascending order; one cell below the first, one from the last on.
    Steps(Vec<f64>),
}

/// What a cell stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellValue<'a> {
    /// What has no value.
    NotRecorded,
    /// A word.
    Word(&'a str),
    /// A number.
    Number(f64),
    /// Numbers from a limit to below another.
    Step {
        /// The lower limit, which is included; none for the first cell.
        from: Option<f64>,
        /// The upper limit, which is not; none for the last cell.
        below: Option<f64>,
    },
}

/// A cell as it was counted. Exact: not to leave a node as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellCounts<'a> {
    /// What it stands for.
    pub value: CellValue<'a>,
    /// What has it.
    pub counts: Counts,
}

/// A cohort's counts and facets.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel<'a> {
    /// Of the cohort with the filters of all facets.
    pub counts: Counts,
    /// For each facet, its cells; first what is not recorded.
    pub facets: Vec<Vec<CellCounts<'a>>>,
}

/// The place of a cell of what is not recorded.
const NOT_RECORDED: usize = 0;

impl Index {
    /// Counts a cohort and facets of it.
    #[must_use]
    pub fn panel(&self, cohort: &Question, facets: &[Facet<'_>]) -> Panel<'_> {
        let cohort = self.matched(cohort);
        let own = facets
            .iter()
            .map(|facet| facet.own.map(|own| self.matched(own)));
        let own: Vec<_> = own.collect();
        let all = self.selection(without(&cohort, &own, None));
        let count = |(at, facet): (usize, &Facet<'_>)| match own[at] {
            None => self.facet(&all, facet.column, &facet.cells),
            Some(_) => {
                let lifted = self.selection(without(&cohort, &own, Some(at)));
                self.facet(&lifted, facet.column, &facet.cells)
            }
        };
        Panel {
            counts: self.counts(&all),
            facets: facets.iter().enumerate().map(count).collect(),
        }
    }

    /// The cells of a column among what is selected.
    #[must_use]
    pub fn facet(
        &self,
        selection: &Selection,
        column: ColumnId,
        cells: &Cells,
    ) -> Vec<CellCounts<'_>> {
        let level = self.schema.level_of(column);
        match &self.columns[column.at()] {
            Column::Coded(coded) => {
                let (values, cell_of) = coded.cells(cells);
                let tallies = match &coded.codes {
                    Codes::One(codes) => self.look_up(selection, level, &values, (codes, &cell_of)),
                    Codes::Two(codes) => self.look_up(selection, level, &values, (codes, &cell_of)),
                    Codes::Four(codes) => {
                        self.look_up(selection, level, &values, (codes, &cell_of))
                    }
                };
                paired(values, tallies)
            }
            Column::Plain(numbers) => {
                let steps = match cells {
                    Cells::Steps(steps) => steps.as_slice(),
                    // Numbers that hardly repeat are recorded or not: listing each would be the rows themselves.
                    Cells::Values => &[],
                };
                let values = step_values(steps);
                let tallies = self.tally(selection, level, values.len(), |row| {
                    step(steps, numbers[row])
                });
                paired(values, tallies)
            }
        }
    }

    fn look_up<C: Code>(
        &self,
        selection: &Selection,
        level: Level,
        values: &[CellValue<'_>],
        (codes, cell_of): (&[C], &[u32]),
    ) -> Vec<Tally> {
        self.tally(selection, level, values.len(), |row| {
            cell_of[codes[row].place()] as usize
        })
    }

    fn tally(
        &self,
        selection: &Selection,
        level: Level,
        cells: usize,
        cell_of: impl Fn(usize) -> usize,
    ) -> Vec<Tally> {
        let mut tallies = vec![Tally::NOTHING; cells];
        if level == Level::SERIES {
            let study_of = &self.levels[Level::SERIES.at()].parents;
            let patient_of = &self.levels[Level::STUDY.at()].parents;
            selection.series.for_each(|row| {
                let study = study_of[row];
                tallies[cell_of(row)].add_series(row as u32, study, patient_of[study as usize]);
            });
        } else {
            let there = self.there(level);
            for row in 0..self.rows(level) {
                if !any_there(there.as_ref(), row..row + 1) {
                    continue;
                }
                self.add(&mut tallies, selection, (level, row), &cell_of);
            }
        }
        tallies
    }

    /// Adds a row of any level: what it adds is the series, study or patient that it hangs on.
    fn add(
        &self,
        tallies: &mut [Tally],
        selection: &Selection,
        (level, row): (Level, usize),
        cell_of: impl Fn(usize) -> usize,
    ) {
        let anchor = self.schema.anchor(level);
        let at = self.above(level, anchor, row);
        if !self.selected(selection, anchor).get(at) {
            return;
        }
        let patient = self.above(anchor, Level::PATIENT, at) as u32;
        let tally = &mut tallies[cell_of(row)];
        match anchor {
            Level::SERIES => {
                let study = self.above(anchor, Level::STUDY, at) as u32;
                tally.add_series(at as u32, study, patient);
            }
            Level::STUDY => tally.add_study(at as u32, patient, || self.series_in(selection, at)),
            _ => tally.add_patient(patient, || self.own_counts(selection, at)),
        }
    }
}

/// What matches the cohort and the filters of all facets, or of all but one.
fn without(cohort: &Matched, own: &[Option<Matched>], lifted: Option<usize>) -> Matched {
    let mut matched = cohort.clone();
    for (at, own) in own.iter().enumerate() {
        if let Some(own) = own.as_ref().filter(|_| Some(at) != lifted) {
            matched.and(own);
        }
    }
    matched
}

/// Counts of a cell, and which of each was counted last.
#[derive(Debug, Clone, Copy)]
struct Tally {
    series: u64,
    studies: u32,
    patients: u32,
    last_series: u32,
    last_study: u32,
    last_patient: u32,
}

impl Tally {
    const NOTHING: Self = Self {
        series: 0,
        studies: 0,
        patients: 0,
        last_series: u32::MAX,
        last_study: u32::MAX,
        last_patient: u32::MAX,
    };

    fn add_series(&mut self, series: u32, study: u32, patient: u32) {
        self.series += u64::from(self.last_series != series);
        self.studies += u32::from(self.last_study != study);
        self.patients += u32::from(self.last_patient != patient);
        (self.last_series, self.last_study, self.last_patient) = (series, study, patient);
    }

    fn add_study(&mut self, study: u32, patient: u32, series: impl Fn() -> u32) {
        if self.last_study == study {
            return;
        }
        let series = series();
        self.series += u64::from(series);
        self.studies += u32::from(series > 0);
        self.patients += u32::from(self.last_patient != patient);
        (self.last_study, self.last_patient) = (study, patient);
    }

    fn add_patient(&mut self, patient: u32, own: impl Fn() -> Counts) {
        if self.last_patient == patient {
            return;
        }
        let own = own();
        self.series += own.series;
        // Rows are fewer than 2^32.
        self.studies += own.studies as u32;
        self.patients += 1;
        self.last_patient = patient;
    }
}

fn paired(values: Vec<CellValue<'_>>, tallies: Vec<Tally>) -> Vec<CellCounts<'_>> {
    let cells = values.into_iter().zip(tallies);
    let cells = cells.map(|(value, tally)| CellCounts {
        value,
        counts: Counts {
            patients: u64::from(tally.patients),
            studies: u64::from(tally.studies),
            series: tally.series,
        },
    });
    cells.collect()
}

impl Coded {
    /// The cells, and the cell of each place of the dictionary.
    fn cells(&self, cells: &Cells) -> (Vec<CellValue<'_>>, Vec<u32>) {
        let places = 0..self.dictionary.len();
        if let Cells::Steps(steps) = cells {
            let cell = |place| match self.dictionary.value(place) {
                Some(Value::Number(number)) => step(steps, number) as u32,
                Some(Value::Word(_)) | None => NOT_RECORDED as u32,
            };
            return (step_values(steps), places.map(cell).collect());
        }
        let mut values = vec![CellValue::NotRecorded];
        let cell = |place: usize| match self.dictionary.value(place) {
            Some(value) if self.uses[place] > 0 => {
                values.push(match value {
                    Value::Word(word) => CellValue::Word(word),
                    Value::Number(number) => CellValue::Number(number),
                });
                values.len() as u32 - 1
            }
            Some(_) | None => NOT_RECORDED as u32,
        };
        let cell_of = places.map(cell).collect();
        (values, cell_of)
    }
}

fn step_values(steps: &[f64]) -> Vec<CellValue<'static>> {
    let from = std::iter::once(None).chain(steps.iter().copied().map(Some));
    let below = steps.iter().copied().map(Some).chain([None]);
    let steps = from
        .zip(below)
        .map(|(from, below)| CellValue::Step { from, below });
    std::iter::once(CellValue::NotRecorded)
        .chain(steps)
        .collect()
}

/// The cell of a number.
fn step(steps: &[f64], number: f64) -> usize {
    if number.is_nan() {
        NOT_RECORDED
    } else {
        1 + steps.partition_point(|limit| *limit <= number)
    }
}
