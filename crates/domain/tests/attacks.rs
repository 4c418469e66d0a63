//! Somebody who knows every patient but one spends a whole budget on finding out whether that one is in a cohort. Plays against
//! the rules alone, without a node; threshold and rounding alone are played too, so that the test can fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use arno_domain::{
    NodeId,
    disclosure::{
        Asked, Borders, DisclosureBudget, DisclosurePolicy, ExactCounts, Level, NoiseSecret, Part,
        ProtectedCount,
    },
    manifest::{FieldCount, Manifest},
    model::Field,
};
use chrono::DateTime;

const TRIALS: u64 = 1_000;

fn value(count: ProtectedCount) -> f64 {
    match count {
        ProtectedCount::FewerThan(limit) => f64::from(limit) / 2.0,
        ProtectedCount::About(count) => count as f64,
    }
}

/// Share of right guesses from the best linear reading of all counts of all questions that the budget pays for.
fn played(others: u64) -> f64 {
    let budget = DisclosureBudget {
        questions: 2,
        ..DisclosureBudget::default()
    };
    let noisy = DisclosurePolicy {
        budget,
        ..DisclosurePolicy::default()
    };
    let secret = NoiseSecret::new([5; 32]);
    let questions = budget.of_data_user().0 / budget.price(Part::Site).0;
    let right = (0..TRIALS).filter(|trial| {
        let is_in = (trial * 2_654_435_761) >> 7 & 1;
        let at = |level| (others + is_in) * u64::from(budget.cap(level));
        let exact = ExactCounts {
            patients: at(Level::Patients),
            studies: at(Level::Studies),
            series: at(Level::Series),
        };
        let mut evidence = 0.0;
        for question in 0..questions {
            let form = format!("{others} {trial} {question}");
            let asked = Asked {
                form: &form,
                data_version: 1,
            };
            for (level, released) in Level::ALL
                .into_iter()
                .zip(noisy.release(&exact, &secret, asked))
            {
                let cap = f64::from(budget.cap(level));
                let middle = (others as f64 + 0.5) * cap;
                let variance = budget.variance(Part::Site, level) as f64;
                evidence += (value(released.count) - middle) * cap / variance;
            }
        }
        u64::from(evidence > 0.0) == is_in
    });
    right.count() as f64 / TRIALS as f64
}

#[test]
fn a_whole_budget_tells_little_of_one_patient() {
    for others in [4, 1_000] {
        let share = played(others);
        assert!(share <= 0.60, "{others}: {share}");
    }
}

#[test]
fn threshold_and_rounding_alone_tell_all_at_their_edges() {
    let policy = DisclosurePolicy::default();
    for others in [4, 1_002] {
        assert_ne!(policy.protect(others), policy.protect(others + 1));
    }
}

/// Fields of one record, all recorded of the same patients.
const RECORD: [&str; 5] = [
    "stage_group",
    "t_category",
    "n_category",
    "m_category",
    "stage_edition",
];

/// What a node of this secret says that it records, when so many patients have such a record.
fn recorded(trial: u64, patients: u64, fields: &[&str], spread: u32) -> Vec<Field> {
    let mut secret = [9; 32];
    secret[..8].copy_from_slice(&trial.to_le_bytes());
    let borders = Borders::new(NoiseSecret::new(secret), spread);
    let counts = fields.iter().map(|name| FieldCount {
        field: Field::parse(name).unwrap(),
        patients,
        words: Vec::new(),
    });
    let issued = (NodeId::new(), DateTime::UNIX_EPOCH);
    let manifest = Manifest::counted(issued, 1_000, counts, &borders);
    manifest
        .fields
        .into_iter()
        .map(|known| known.field)
        .collect()
}

/// Somebody who knows all others sees the manifest before and after a patient came: has this one a record? They wait until nothing of it
/// is recorded yet and `others` have one. Share of right guesses.
fn watched(others: u64, fields: &[&str], spread: u32) -> f64 {
    let (mut right, mut played) = (0_u64, 0_u64);
    let waiting = (0..).filter(|trial| recorded(*trial, others, fields, spread).is_empty());
    for trial in waiting.take(TRIALS as usize) {
        let has_it = trial.wrapping_mul(2_654_435_761) >> 7 & 1;
        let after = recorded(trial, others + has_it, fields, spread);
        right += u64::from(u64::from(!after.is_empty()) == has_it);
        played += 1;
    }
    right as f64 / played as f64
}

#[test]
fn a_manifest_tells_little_of_the_patient_who_came_last() {
    let spread = DisclosurePolicy::default().border_spread;
    for others in [4, 12, 40] {
        let one = watched(others, &RECORD[..1], spread);
        println!("{others} others, one field: right {one} of the times");
        assert!(one <= 0.55, "{others}: {one}");
    }
    let record = watched(4, &RECORD, spread);
    println!("a record of five fields: right {record} of the times");
    assert!(record <= 0.60, "{record}");
}

#[test]
fn borders_at_their_least_tell_all_of_the_patient_who_comes_fifth() {
    assert!((watched(4, &RECORD[..1], 0) - 1.0).abs() < f64::EPSILON);
}
