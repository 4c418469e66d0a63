//! Disclosure control of counts that leave a node: threshold and rounding, and the rules of noise keyed by the question.
//!
//! Nodes apply threshold and rounding today ([`DisclosurePolicy::protect`]), which guards a single answer and not many clever ones
//! (docs/decisions/0006). The noise, its prices and the overlap rule below are complete and tested but **no node calls them yet**:
//! they need the ledger that is written in one transaction with each answer.
//!
//! | file | holds |
//! |---|---|
//! | `policy` | the data holder's settings, and the noise and prices that follow from them |
//! | `accounting` | what answers cost (zCDP), in words for people too |
//! | `stream` | the keyed random bits |
//! | `noise` | the discrete Gaussian, exact |
//! | `release` | exact counts → protected counts, facets, and shares of a total |
//! | `overlap` | questions that look like an attack |
//!
//! Not here: who has spent how much.

mod accounting;
mod noise;
mod overlap;
mod policy;
mod release;
mod stream;

pub use accounting::{NanoRho, margin};
pub use noise::discrete_gaussian;
pub use overlap::{ALARM_AT, PastQuestion, Suspicion, parts_of, suspicion};
pub use policy::{DisclosureBudget, DisclosurePolicy, Level, NoisyPolicy, Part, ProtectedCount};
pub use release::{Drawing, ExactCounts, ExactFacet, ReleasedCount, ReleasedFacet, share_variance};
pub use stream::{Asked, Cell, NoiseSecret, Stream};

/// Lower and upper total of protected counts: what is hidden may be anything from zero to its limit.
#[must_use]
pub fn total(counts: &[ProtectedCount]) -> (u64, u64) {
    counts
        .iter()
        .fold((0, 0), |(low, high), count| match count {
            ProtectedCount::FewerThan(limit) => (low, high + u64::from(limit.saturating_sub(1))),
            ProtectedCount::About(count) => (low + count, high + count),
        })
}

#[cfg(test)]
mod tests {
    use super::{DisclosurePolicy, ProtectedCount, total};

    fn check(count: u64, expect: ProtectedCount) {
        assert_eq!(
            DisclosurePolicy::default().protect(count),
            expect,
            "{count}"
        );
    }

    #[test]
    fn small_counts_look_alike_and_others_are_rounded() {
        check(0, ProtectedCount::FewerThan(5));
        check(1, ProtectedCount::FewerThan(5));
        check(4, ProtectedCount::FewerThan(5));
        check(5, ProtectedCount::About(5));
        check(7, ProtectedCount::About(5));
        check(8, ProtectedCount::About(10));
        check(333, ProtectedCount::About(335));
    }

    #[test]
    fn a_total_says_how_far_it_is_known() {
        assert_eq!(
            total(&[ProtectedCount::FewerThan(5), ProtectedCount::About(20)]),
            (20, 24)
        );
    }
}
