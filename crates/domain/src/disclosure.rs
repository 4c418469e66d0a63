//! Disclosure control of counts that leave a node: small counts are hidden, others are rounded.
//!
//! This guards a single answer. It does not yet guard against many clever questions whose answers are
//! subtracted from each other; noise keyed by the question and a budget will (see docs/decisions/0006).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How counts are protected, set by the data holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisclosurePolicy {
    /// Counts below this, zero included, are answered with "fewer than".
    pub threshold: u32,
    /// Other counts are rounded to the nearest multiple of this.
    pub round_to: u32,
}

impl Default for DisclosurePolicy {
    /// Five and five: the commonest small-cell rule of European health statistics.
    fn default() -> Self {
        Self {
            threshold: 5,
            round_to: 5,
        }
    }
}

/// A count as it may leave a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtectedCount {
    /// Somewhere from zero to one below this number.
    FewerThan(u32),
    /// The count, rounded.
    About(u64),
}

impl DisclosurePolicy {
    /// What may be said of a count.
    #[must_use]
    pub fn protect(&self, count: u64) -> ProtectedCount {
        if count < u64::from(self.threshold) {
            return ProtectedCount::FewerThan(self.threshold);
        }
        let step = u64::from(self.round_to.max(1));
        ProtectedCount::About((count + step / 2) / step * step)
    }
}

impl std::fmt::Display for ProtectedCount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FewerThan(limit) => write!(formatter, "< {limit}"),
            Self::About(count) => write!(formatter, "~ {count}"),
        }
    }
}

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
