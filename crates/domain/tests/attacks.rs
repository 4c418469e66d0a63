//! Somebody who knows every patient but one spends a whole budget on finding out whether that one is in a cohort. Plays against
//! the rules alone, without a node; threshold and rounding alone are played too, so that the test can fail.

use arno_domain::disclosure::{
    Asked, DisclosureBudget, DisclosurePolicy, ExactCounts, Level, NoiseSecret, Part,
    ProtectedCount,
};

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
