//! Disclosure control of counts that leave a node: noise keyed by the question, a budget, then threshold and rounding.
//!
//! | file | holds |
//! |---|---|
//! | `policy` | the data holder's settings, and the noise and prices that follow from them |
//! | `accounting` | what answers cost (zCDP), in words for people too |
//! | `stream` | the keyed random bits |
//! | `noise` | the discrete Gaussian, exact |
//! | `border` | borders of what a node says of itself, each at a place that only it knows |
//! | `release` | exact counts → protected counts, facets, and shares of a total |
//! | `survival` | how long patients were followed, as noisy cells |
//! | `permitted` | counts without noise, for whom a permit allows them |
//! | `overlap` | questions that look like an attack |
//!
//! Why it is so, and what it costs a researcher: docs/decisions/0016. Not here: who has spent how much (`arno-store`).

mod accounting;
mod border;
mod noise;
mod overlap;
mod permitted;
mod policy;
mod release;
mod stream;
mod survival;

pub use accounting::{NanoRho, margin};
pub use border::Borders;
pub use noise::discrete_gaussian;
pub use overlap::{ALARM_AT, ALARM_AT_SITE, PastQuestion, Suspicion, parts_of, suspicion};
pub use permitted::{
    ExactCounting, PermittedCell, PermittedCount, PermittedCounts, PermittedFacet, UnderPermit,
};
pub use policy::{DisclosureBudget, DisclosurePolicy, Level, Part, ProtectedCount};
pub use release::{
    Drawing, ExactCounts, ExactFacet, ReleasedCell, ReleasedCount, ReleasedFacet, share_variance,
};
pub use stream::{Asked, Cell, NoiseSecret, Stream};
pub use survival::{ExactFollowed, ExactSurvival, Followed, ReleasedSurvival};

/// Lower and upper total of protected counts: what is hidden may be anything from zero to its limit, and the noise of each adds to
/// the spread of the sum as independent errors do. The true total is between them about 95 times in a hundred.
#[must_use]
pub fn total(counts: &[ReleasedCount]) -> (u64, u64) {
    let limits = counts
        .iter()
        .fold((0, 0), |(low, high), released| match released.count {
            ProtectedCount::FewerThan(limit) => (low, high + u64::from(limit.saturating_sub(1))),
            ProtectedCount::About(count) => (low + count, high + count),
        });
    let squares: f64 = counts
        .iter()
        .map(|released| (released.margin as f64).powi(2))
        .sum();
    let margin = squares.sqrt().ceil() as u64;
    (
        limits.0.saturating_sub(margin),
        limits.1.saturating_add(margin),
    )
}

#[cfg(test)]
mod tests {
    use super::{DisclosurePolicy, ProtectedCount, ReleasedCount, total};

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
        let check = |margins: [u64; 2], expect: (u64, u64)| {
            let counts = [ProtectedCount::FewerThan(5), ProtectedCount::About(20)];
            let released = [0, 1].map(|at| ReleasedCount {
                count: counts[at],
                margin: margins[at],
            });
            assert_eq!(total(&released), expect);
        };
        check([0, 0], (20, 24));
        check([3, 4], (15, 29));
        check([30, 40], (0, 74));
    }
}
