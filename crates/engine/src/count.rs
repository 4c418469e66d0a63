//! Who and what matches a plan, counted once each.
//!
//! A plan is asked of every series; patients and studies without any series are asked by themselves, as rows in which everything about
//! images is not recorded. A patient matches when one of their rows does.

use std::sync::OnceLock;

use crate::{
    Index, Level, Question,
    bits::Bits,
    evaluate::{Unit, any_there},
    truth::Truth,
};

/// Rows that match a plan: series, and patients and studies without series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    series: Bits,
    /// Studies without series, and patients without series or studies.
    bare: Option<Bare>,
}

/// Studies without series, and patients without studies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bare {
    studies: Bits,
    patients: Bits,
}

impl Matched {
    /// What matches both.
    pub fn and(&mut self, other: &Self) {
        self.series.and(&other.series);
        if let (Some(bare), Some(other)) = (&mut self.bare, &other.bare) {
            bare.studies.and(&other.studies);
            bare.patients.and(&other.patients);
        }
    }
}

/// Matching series, and the studies and patients that they belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub(crate) series: Bits,
    /// Studies with a matching row; one without series has no images. Found out when first asked for: most questions are about series and
    /// patients.
    studies: OnceLock<Bits>,
    bare_studies: Option<Bits>,
    pub(crate) patients: Bits,
}

/// Distinct patients, studies with images, and series. Exact: not to leave a node as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Distinct patients.
    pub patients: u64,
    /// Distinct studies of which a series matches.
    pub studies: u64,
    /// Distinct series.
    pub series: u64,
}

impl Counts {
    /// Limits that nothing reaches.
    pub const UNCAPPED: Self = Self {
        patients: u64::MAX,
        studies: u64::MAX,
        series: u64::MAX,
    };
}

impl Index {
    /// The rows that match a question.
    #[must_use]
    pub fn matched(&self, question: &Question) -> Matched {
        let unit = Unit::Rows(Level::SERIES);
        let mut series = self.evaluate(&question.of_series, Truth::Yes, unit);
        if let Some(there) = self.there(Level::SERIES) {
            series.and(&there);
        }
        let bare = self.bare.get_or_init(|| Bare {
            studies: self.without_below(Level::STUDY, Level::SERIES),
            patients: self.without_below(Level::PATIENT, Level::STUDY),
        });
        let is_some = bare.studies.count() + bare.patients.count() > 0;
        let bare = is_some.then(|| {
            let mut bare = bare.clone();
            let rows = |plan, level| self.evaluate(plan, Truth::Yes, Unit::Bare(level));
            bare.studies.and(&rows(&question.of_studies, Level::STUDY));
            bare.patients
                .and(&rows(&question.of_patients, Level::PATIENT));
            bare
        });
        Matched { series, bare }
    }

    /// The patients, studies and series of matching rows.
    #[must_use]
    pub fn selection(&self, matched: Matched) -> Selection {
        let mut patients = Bits::none(self.rows(Level::PATIENT));
        // What belongs to a patient is one run of rows, so each patient is looked at once, and not each series.
        let (studies_at, series_at) = (
            &self.levels[Level::STUDY.at()].starts,
            &self.levels[Level::SERIES.at()].starts,
        );
        let first_of = |patient: usize| series_at[studies_at[patient] as usize] as usize;
        for patient in 0..self.rows(Level::PATIENT) {
            let series = first_of(patient)..first_of(patient + 1);
            if matched.series.any_in(series) {
                patients.set(patient);
            }
        }
        let patient_of = &self.levels[Level::STUDY.at()].parents;
        let bare_studies = matched.bare.map(|bare| {
            patients.or(&bare.patients);
            let studies = bare.studies.ones();
            studies.for_each(|study| patients.set(patient_of[study] as usize));
            bare.studies
        });
        Selection {
            series: matched.series,
            studies: OnceLock::new(),
            bare_studies,
            patients,
        }
    }

    /// What is selected of patients, studies or series.
    pub(crate) fn selected<'a>(&self, selection: &'a Selection, level: Level) -> &'a Bits {
        match level {
            Level::SERIES => &selection.series,
            Level::STUDY => selection.studies.get_or_init(|| self.studies_of(selection)),
            _ => &selection.patients,
        }
    }

    fn studies_of(&self, selection: &Selection) -> Bits {
        let mut studies = Bits::none(self.rows(Level::STUDY));
        let starts = &self.levels[Level::SERIES.at()].starts;
        for (study, run) in starts.windows(2).enumerate() {
            if selection.series.any_in(run[0] as usize..run[1] as usize) {
                studies.set(study);
            }
        }
        if let Some(bare) = &selection.bare_studies {
            studies.or(bare);
        }
        studies
    }

    /// Everything that there is.
    pub(crate) fn everybody(&self) -> Selection {
        let all = |level| {
            self.there(level)
                .unwrap_or_else(|| Bits::all(self.rows(level)))
        };
        Selection {
            series: all(Level::SERIES),
            studies: OnceLock::from(all(Level::STUDY)),
            bare_studies: None,
            patients: all(Level::PATIENT),
        }
    }

    /// Distinct patients, studies and series of a selection.
    #[must_use]
    pub fn counts(&self, selection: &Selection) -> Counts {
        self.capped(selection, Counts::UNCAPPED)
    }

    /// The same, with at most so many studies and series of each patient: what one patient can add is bounded.
    #[must_use]
    pub fn capped(&self, selection: &Selection, caps: Counts) -> Counts {
        let mut counts = Counts::default();
        for patient in selection.patients.ones() {
            let own = self.own_counts(selection, patient);
            counts.patients += own.patients.min(caps.patients);
            counts.studies += own.studies.min(caps.studies);
            counts.series += own.series.min(caps.series);
        }
        counts
    }

    /// What one selected patient adds to counts.
    pub(crate) fn own_counts(&self, selection: &Selection, patient: usize) -> Counts {
        let studies = self.below(Level::STUDY, Level::PATIENT, patient..patient + 1);
        let mut own = Counts {
            patients: 1,
            ..Counts::default()
        };
        for study in studies {
            let series = u64::from(self.series_in(selection, study));
            own.series += series;
            own.studies += u64::from(series > 0);
        }
        own
    }

    /// How many series of a study are selected.
    pub(crate) fn series_in(&self, selection: &Selection, study: usize) -> u32 {
        let series = self.below(Level::SERIES, Level::STUDY, study..study + 1);
        selection.series.count_in(series)
    }

    /// Rows of a level that no row of another hangs on.
    fn without_below(&self, level: Level, below: Level) -> Bits {
        let there = self.there(below);
        let mut without = Bits::none(self.rows(level));
        for row in 0..self.rows(level) {
            if !any_there(there.as_ref(), self.below(below, level, row..row + 1)) {
                without.set(row);
            }
        }
        if let Some(there) = self.there(level) {
            without.and(&there);
        }
        without
    }
}
