//! Questions that look like an attack: a cohort of very few, or one that differs from an earlier one by a single criterion and
//! by fewer patients than may be named. Seen by the data manager only; an answer never depends on it.
//!
//! Noise and budget hold without this. It tells a person that somebody tries.

use std::collections::BTreeSet;

use crate::cohort::Cohort;

/// Suspicious questions of one data user in a period at which the data manager is alarmed: a curious click or two is none.
pub const ALARM_AT: usize = 5;

/// The same of all data users together: more than honest ones come near each other by chance, and what one person may ask
/// under a few names.
pub const ALARM_AT_SITE: usize = 20;

/// A question that was answered before, as the node remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastQuestion {
    /// Its criteria that must all hold, as text in normal form.
    pub parts: BTreeSet<String>,
    /// Patients that matched, exactly. Never leaves the node.
    pub patients: u64,
}

/// Why a question is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Somebody matches, but fewer than may be named.
    Isolates,
    /// One criterion and fewer patients than may be named lie between it and an earlier question.
    DiffersByFew,
}

impl Suspicion {
    /// The word in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Isolates => "isolates",
            Self::DiffersByFew => "differs_by_few",
        }
    }
}

/// The criteria of a cohort that must all hold, as text in normal form.
#[must_use]
pub fn parts_of(cohort: &Cohort) -> BTreeSet<String> {
    match cohort.normal_form() {
        Cohort::And(parts) => parts.iter().map(ToString::to_string).collect(),
        other => BTreeSet::from([other.to_string()]),
    }
}

/// Whether a question is suspicious, given what was asked before.
#[must_use]
pub fn suspicion(new: &PastQuestion, before: &[PastQuestion], threshold: u32) -> Option<Suspicion> {
    let few = u64::from(threshold);
    if (1..few).contains(&new.patients) {
        return Some(Suspicion::Isolates);
    }
    let differs = |past: &PastQuestion| {
        let apart = new.parts.symmetric_difference(&past.parts).count();
        // One criterion added or left out, or one put in the place of another.
        (1..=2).contains(&apart)
            && new.parts.len().abs_diff(past.parts.len()) <= 1
            && new.patients.max(past.patients) >= few
            && (1..few).contains(&new.patients.abs_diff(past.patients))
    };
    before
        .iter()
        .any(differs)
        .then_some(Suspicion::DiffersByFew)
}

#[cfg(test)]
mod tests {
    use super::{PastQuestion, Suspicion, parts_of, suspicion};

    fn question((text, patients): (&str, u64)) -> PastQuestion {
        PastQuestion {
            parts: parts_of(&text.parse().unwrap()),
            patients,
        }
    }

    fn check(before: &[(&str, u64)], new: (&str, u64), expect: Option<Suspicion>) {
        let before: Vec<_> = before.iter().copied().map(question).collect();
        assert_eq!(suspicion(&question(new), &before, 5), expect, "{new:?}");
    }

    #[test]
    fn what_looks_like_an_attack_is_seen() {
        let ct = ("modality = CT", 100);
        check(&[], ("age in 40..41", 1), Some(Suspicion::Isolates));
        check(
            &[ct],
            ("modality = CT and not age in 40..41", 99),
            Some(Suspicion::DiffersByFew),
        );
        check(
            &[("modality = CT and age >= 40", 90)],
            ("modality = CT and age >= 41", 88),
            Some(Suspicion::DiffersByFew),
        );
    }

    #[test]
    fn ordinary_questions_are_none() {
        let ct = ("modality = CT", 100);
        check(&[], ct, None);
        check(&[ct], ct, None);
        check(&[], ("modality = XX", 0), None);
        check(&[ct], ("modality = CT and sex = F", 50), None);
        check(&[ct], ("modality = MR and sex = F and age >= 40", 99), None);
        check(&[ct], ("modality = CT and age recorded", 100), None);
    }
}
