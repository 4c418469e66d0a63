//! The model: trees of rows, looked at one by one.

use std::collections::BTreeMap;

use arno_engine::{
    Apart, Branch, CellValue, Cells, ColumnId, Counts, Facet, Level, Moment, Plan, Presence,
    Question, Test, Value,
};

use crate::strategy::Fields;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known {
    Word(String),
    Number(f64),
}

/// A row and what hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) level: Level,
    pub(crate) values: Vec<(ColumnId, Known)>,
    pub(crate) below: Vec<Tree>,
    pub(crate) presence: Presence,
}

impl Tree {
    pub(crate) fn new(level: Level) -> Self {
        Self {
            level,
            values: Vec::new(),
            below: Vec::new(),
            presence: Presence::There,
        }
    }

    pub(crate) fn word(mut self, column: ColumnId, word: &str) -> Self {
        self.values.push((column, Known::Word(word.to_owned())));
        self
    }

    pub(crate) fn number(mut self, column: ColumnId, number: f64) -> Self {
        self.values.push((column, Known::Number(number)));
        self
    }

    pub(crate) fn with(mut self, tree: Self) -> Self {
        self.below.push(tree);
        self
    }

    pub(crate) fn branch(&self) -> Branch<'_> {
        let values = self.values.iter().map(|(column, known)| {
            let value = match known {
                Known::Word(word) => Value::Word(word),
                Known::Number(number) => Value::Number(*number),
            };
            (*column, value)
        });
        Branch {
            level: self.level,
            values: values.collect(),
            below: self.below.iter().map(Self::branch).collect(),
            presence: self.presence,
        }
    }

    fn known(&self, column: ColumnId) -> Option<&Known> {
        let found = self.values.iter().find(|(id, _)| *id == column)?;
        match &found.1 {
            Known::Number(number) if number.is_nan() => None,
            known => Some(known),
        }
    }
}

/// All patients, by key.
pub(crate) struct Model<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) patients: &'a BTreeMap<String, Tree>,
}

/// A row with all that it hangs on, patient first. Rows are told apart by address.
type Path<'a> = Vec<&'a Tree>;

fn paths<'a>(path: &Path<'a>, level: Level) -> Vec<Path<'a>> {
    let last = path[path.len() - 1];
    let mut found = Vec::new();
    if last.level == level && last.presence == Presence::There {
        found.push(path.clone());
    }
    for below in &last.below {
        let mut path = path.clone();
        path.push(below);
        found.extend(paths(&path, level));
    }
    found
}

impl Model<'_> {
    fn ancestors(&self, level: Level) -> Vec<Level> {
        let parents = BTreeMap::from([
            (Level::STUDY, Level::PATIENT),
            (Level::SERIES, Level::STUDY),
            (self.fields.diagnosis, Level::PATIENT),
            (self.fields.stage, self.fields.diagnosis),
            (self.fields.segment, Level::SERIES),
        ]);
        std::iter::successors(Some(level), |level| parents.get(level).copied()).collect()
    }

    /// Rows of a level that hang on the lowest row that they have in common with this one.
    fn rows<'a>(&self, path: &Path<'a>, level: Level) -> Vec<Path<'a>> {
        let own = self.ancestors(path[path.len() - 1].level);
        let levels = self.ancestors(level);
        let common = levels.iter().find(|level| own.contains(level)).unwrap();
        let depth = path.iter().position(|row| row.level == *common).unwrap();
        paths(&path[..=depth].to_vec(), level)
    }

    fn holds(&self, plan: &Plan, path: &Path<'_>) -> Option<bool> {
        match plan {
            Plan::And(parts) => all(parts.iter().map(|part| self.holds(part, path))),
            Plan::Or(parts) => not(all(parts.iter().map(|part| not(self.holds(part, path))))),
            Plan::Not(part) => not(self.holds(part, path)),
            Plan::Is(column, test) => {
                let rows = self.rows(path, self.fields.schema.level_of(*column));
                let truths = rows.iter();
                let truths = truths.map(|row| passes(test, row[row.len() - 1].known(*column)));
                match test {
                    Test::Recorded => Some(exists(truths) == Some(true)),
                    _ => exists(truths),
                }
            }
            Plan::Apart(apart) => self.apart(apart, path),
            Plan::Exists { level, of, plan } => {
                let of = self.rows(path, *of);
                exists(of.iter().map(|of| {
                    let rows = self.rows(of, *level);
                    exists(rows.iter().map(|row| self.holds(plan, row)))
                }))
            }
        }
    }

    fn apart(&self, apart: &Apart, path: &Path<'_>) -> Option<bool> {
        let (first, second) = (
            self.days(&apart.first, path),
            self.days(&apart.second, path),
        );
        let pairs = first
            .iter()
            .flat_map(|one| second.iter().map(move |other| (one, other)));
        let pairs: Vec<_> = pairs.collect();
        exists(pairs.into_iter().map(|((one, from), (other, to))| {
            let fits = |days: f64| apart.days.iter().any(|range| range.holds(days));
            let apart = from.zip(*to).map(|(from, to)| fits(to - from));
            all([*one, *other, apart].into_iter())
        }))
    }

    fn days(&self, moment: &Moment, path: &Path<'_>) -> Vec<(Option<bool>, Option<f64>)> {
        let of = self.ancestors(path[path.len() - 1].level);
        let levels = self.ancestors(moment.of);
        let top = levels.iter().find(|level| of.contains(level)).unwrap();
        let depth = path.iter().position(|row| row.level == *top).unwrap();
        let rows = paths(&path[..=depth].to_vec(), moment.level).into_iter();
        let candidates = rows.map(|row| {
            let days = self.rows(&row, self.fields.schema.level_of(moment.day));
            let mut day = days.iter();
            let day = day.find_map(|row| match row[row.len() - 1].known(moment.day) {
                Some(Known::Number(day)) => Some(*day),
                _ => None,
            });
            (self.holds(&moment.plan, &row), day)
        });
        candidates.collect()
    }

    /// Series, and what has none.
    fn units(&self) -> Vec<Path<'_>> {
        let patients = self.patients.values().map(|patient| vec![patient]);
        patients
            .flat_map(|patient| or_itself(&patient, Level::STUDY))
            .flat_map(|study| or_itself(&study, Level::SERIES))
            .collect()
    }

    fn matching(&self, questions: &[&Question]) -> Vec<Path<'_>> {
        let holds = |unit: &Path<'_>, question: &Question| {
            let plan = match unit.len() {
                1 => &question.of_patients,
                2 => &question.of_studies,
                _ => &question.of_series,
            };
            self.holds(plan, unit) == Some(true)
        };
        let units = self.units().into_iter();
        units
            .filter(|unit| questions.iter().all(|question| holds(unit, question)))
            .collect()
    }
}

fn or_itself<'a>(path: &Path<'a>, level: Level) -> Vec<Path<'a>> {
    let found = paths(path, level);
    if found.is_empty() {
        vec![path.clone()]
    } else {
        found
    }
}

fn passes(test: &Test, known: Option<&Known>) -> Option<bool> {
    match (test, known?) {
        (Test::Recorded, _) => Some(true),
        (Test::OneOf(words), Known::Word(word)) => Some(words.contains(word)),
        (Test::Range(range), Known::Number(number)) => Some(range.holds(*number)),
        _ => None,
    }
}

fn not(truth: Option<bool>) -> Option<bool> {
    truth.map(|truth| !truth)
}

fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let truths: Vec<_> = truths.collect();
    if truths.contains(&Some(false)) {
        return Some(false);
    }
    (!truths.contains(&None)).then_some(true)
}

/// One is enough; of none, nothing is known.
fn exists(truths: impl ExactSizeIterator<Item = Option<bool>>) -> Option<bool> {
    match truths.len() {
        0 => None,
        _ => not(all(truths.map(not))),
    }
}

/// Rows by address, each once, with the patient that they are of.
#[derive(Default)]
struct Seen(BTreeMap<Level, BTreeMap<usize, usize>>);

impl Seen {
    fn of(units: &[Path<'_>]) -> Self {
        let mut seen = Self::default();
        for unit in units {
            seen.add(unit, Level::PATIENT);
            if unit.iter().any(|row| row.level == Level::SERIES) {
                seen.add(unit, Level::STUDY);
                seen.add(unit, Level::SERIES);
            }
        }
        seen
    }

    fn add(&mut self, path: &[&Tree], level: Level) {
        let address = |row: &Tree| std::ptr::from_ref(row) as usize;
        if let Some(row) = path.iter().find(|row| row.level == level) {
            let rows = self.0.entry(level).or_default();
            rows.insert(address(row), address(path[0]));
        }
    }

    fn capped(&self, level: Level, cap: u64) -> u64 {
        let mut of_patient: BTreeMap<usize, u64> = BTreeMap::new();
        for patient in self.0.get(&level).into_iter().flat_map(BTreeMap::values) {
            *of_patient.entry(*patient).or_default() += 1;
        }
        of_patient.values().map(|count| (*count).min(cap)).sum()
    }

    fn counts(&self, caps: Counts) -> Counts {
        Counts {
            patients: self.capped(Level::PATIENT, caps.patients),
            studies: self.capped(Level::STUDY, caps.studies),
            series: self.capped(Level::SERIES, caps.series),
        }
    }
}

/// Counts of a question, with so many of each patient at most.
pub(crate) fn counts(model: &Model<'_>, question: &Question, caps: Counts) -> Counts {
    Seen::of(&model.matching(&[question])).counts(caps)
}

/// Cells that somebody has, by their names.
pub(crate) type CellsByName = BTreeMap<String, Counts>;

/// Counts of the cohort, and its facets.
pub(crate) fn panel(
    model: &Model<'_>,
    cohort: &Question,
    facets: &[Facet<'_>],
) -> (Counts, Vec<CellsByName>) {
    let plans = |lifted: Option<usize>| {
        let own = facets.iter().enumerate();
        let own = own.filter(|(at, _)| Some(*at) != lifted);
        let own = own.filter_map(|(_, facet)| facet.own);
        std::iter::once(cohort).chain(own).collect::<Vec<_>>()
    };
    let facet = |(at, facet): (usize, &Facet<'_>)| {
        let units = model.matching(&plans(Some(at)));
        cells(model, &units, facet)
    };
    let counts = Seen::of(&model.matching(&plans(None))).counts(Counts::UNCAPPED);
    (counts, facets.iter().enumerate().map(facet).collect())
}

/// Rows of a column, of one patient after the other, with the units that they belong to.
fn selected<'a>(
    model: &'a Model<'_>,
    units: &[Path<'a>],
    column: ColumnId,
) -> Vec<Vec<(Path<'a>, Vec<Path<'a>>)>> {
    let level = model.fields.schema.level_of(column);
    let images = [Level::SERIES, Level::STUDY, Level::PATIENT];
    let levels = model.ancestors(level);
    let anchor = levels.iter().find(|level| images.contains(level)).unwrap();
    let units_of = |row: Path<'a>| {
        let at = *row.iter().find(|row| row.level == *anchor).unwrap();
        let hangs_on = |unit: &&Path<'_>| unit.iter().any(|row| std::ptr::eq(*row, at));
        let units = units.iter().filter(hangs_on).cloned().collect();
        (row, units)
    };
    let patients = model.patients.values();
    let rows = patients.map(|patient| paths(&vec![patient], level).into_iter());
    rows.map(|rows| rows.map(units_of).collect()).collect()
}

/// What the matching rows of each patient hold in a column, in order; nothing of patients who do not match.
pub(crate) fn rows_of_each(
    model: &Model<'_>,
    question: &Question,
    column: ColumnId,
) -> Vec<Vec<Option<Known>>> {
    let units = model.matching(&[question]);
    let patients = selected(model, &units, column).into_iter();
    let known = patients.map(|rows| {
        let rows = rows.into_iter().filter(|(_, units)| !units.is_empty());
        rows.map(|(row, _)| row[row.len() - 1].known(column).cloned())
            .collect()
    });
    known.collect()
}

fn cells(model: &Model<'_>, units: &[Path<'_>], facet: &Facet<'_>) -> CellsByName {
    let mut cells: BTreeMap<String, Seen> = BTreeMap::new();
    for (row, units) in selected(model, units, facet.column).into_iter().flatten() {
        let name = name(&facet.cells, row[row.len() - 1].known(facet.column));
        for (level, rows) in Seen::of(&units).0 {
            let cell = cells.entry(name.clone()).or_default();
            cell.0.entry(level).or_default().extend(rows);
        }
    }
    let counted = cells.into_iter();
    counted
        .map(|(cell, seen)| (cell, seen.counts(Counts::UNCAPPED)))
        .collect()
}

fn name(cells: &Cells, known: Option<&Known>) -> String {
    let value = match (known, cells) {
        (None, _) => CellValue::NotRecorded,
        (Some(Known::Word(word)), _) => CellValue::Word(word),
        (Some(Known::Number(number)), Cells::Values) => CellValue::Number(*number + 0.0),
        (Some(Known::Number(number)), Cells::Steps(limits)) => {
            let at = limits.iter().filter(|limit| *limit <= number).count();
            CellValue::Step {
                from: at.checked_sub(1).map(|at| limits[at]),
                below: limits.get(at).copied(),
            }
        }
    };
    format!("{value:?}")
}
