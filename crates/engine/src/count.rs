//! Who and what matches a plan, counted once each.
//!
//! A plan is asked of every series; patients and studies without any series are asked by themselves, as rows in which everything about
//! images is not recorded. A patient matches when one of their rows does.

use crate::{Index, Level, Plan, bits::Bits, evaluate::Unit};

/// Rows that match a plan: series, and patients and studies without series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    series: Bits,
    /// Studies without series, and patients without series or studies.
    bare: Option<Bare>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bare {
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
    /// Studies with a matching row; one without series has no images.
    pub(crate) studies: Bits,
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
    /// The rows that match a plan.
    #[must_use]
    pub fn matched(&self, plan: &Plan) -> Matched {
        let (studies, patients) = self.bare();
        let bare = (studies.count() + patients.count() > 0).then(|| {
            let truths = |level| self.evaluate(plan, Unit::Bare(level)).yes;
            let mut bare = Bare {
                studies: truths(Level::STUDY),
                patients: truths(Level::PATIENT),
            };
            bare.studies.and(&studies);
            bare.patients.and(&patients);
            bare
        });
        Matched {
            series: self.evaluate(plan, Unit::Rows(Level::SERIES)).yes,
            bare,
        }
    }

    /// The patients, studies and series of matching rows.
    #[must_use]
    pub fn selection(&self, matched: &Matched) -> Selection {
        let mut studies = Bits::none(self.rows(Level::STUDY));
        let mut patients = Bits::none(self.rows(Level::PATIENT));
        let study_of = &self.levels[Level::SERIES.at()].parents;
        for row in matched.series.ones() {
            studies.set(study_of[row] as usize);
        }
        if let Some(bare) = &matched.bare {
            studies.or(&bare.studies);
            patients.or(&bare.patients);
        }
        let patient_of = &self.levels[Level::STUDY.at()].parents;
        for study in studies.ones() {
            patients.set(patient_of[study] as usize);
        }
        Selection {
            series: matched.series.clone(),
            studies,
            patients,
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

    /// Studies without series, and patients without studies.
    fn bare(&self) -> (Bits, Bits) {
        let empty = |level: Level| {
            let starts = &self.levels[level.at()].starts;
            let mut bits = Bits::none(starts.len().saturating_sub(1));
            for (row, pair) in starts.windows(2).enumerate() {
                if pair[0] == pair[1] {
                    bits.set(row);
                }
            }
            bits
        };
        (empty(Level::SERIES), empty(Level::STUDY))
    }
}
