//! Counts for whom a permit of the access committee allows them: exact, without noise, and free of the budget.
//!
//! What is hidden here is hidden by the committee's or the data holder's wish not to name small numbers. It is no protection from
//! somebody who may count: two exact counts that differ by one patient tell of that patient. Not here: whether there is such a permit
//! (`crate::permit`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ExactCounts;

/// What a data holder lets a permit open, set in the node's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UnderPermit {
    /// Whether this site counts exactly at all.
    pub counts: ExactCounting,
    /// Fewer patients than this are said as "fewer than", whatever the permit says; 0 hides none.
    pub threshold: u32,
}

/// Whether a site counts exactly under permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExactCounting {
    /// Where a permit allows it.
    #[default]
    Allow,
    /// Never.
    Forbid,
}

impl ExactCounting {
    /// The word in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Forbid => "forbid",
        }
    }
}

/// Distinct patients, studies and series under a permit. Where few patients match, nothing else is said: the number of their series
/// would tell how few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermittedCounts {
    /// As they are.
    Exactly {
        /// Distinct patients.
        patients: u64,
        /// Distinct studies with images.
        studies: u64,
        /// Distinct series.
        series: u64,
    },
    /// Somewhere from no patient to one below this number.
    FewerThan(u32),
}

/// A number of patients under a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermittedCount {
    /// As it is.
    Exactly(u64),
    /// Somewhere from zero to one below this number.
    FewerThan(u32),
}

/// Patients of a cohort by the values of one field, under a permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PermittedFacet {
    /// The field.
    pub field: String,
    /// Every value that is recorded in the datasets, in order.
    pub cells: Vec<PermittedCell>,
    /// Criteria of the cohort about the field itself, without which it was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifted: Vec<String>,
}

/// How many patients have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PermittedCell {
    /// The value.
    pub value: String,
    /// Distinct patients of the cohort that have it.
    pub patients: PermittedCount,
}

impl UnderPermit {
    /// From which number of patients counts are said: the stricter of the data holder's and the permit's.
    #[must_use]
    pub fn least(&self, permit: Option<u32>) -> u32 {
        self.threshold.max(permit.unwrap_or_default())
    }
}

impl PermittedCounts {
    /// What is said of counts where fewer than `least` patients are hidden.
    #[must_use]
    pub fn of(exact: ExactCounts, least: u32) -> Self {
        match PermittedCount::of(exact.patients, least) {
            PermittedCount::FewerThan(least) => Self::FewerThan(least),
            PermittedCount::Exactly(patients) => Self::Exactly {
                patients,
                studies: exact.studies,
                series: exact.series,
            },
        }
    }
}

impl PermittedCount {
    /// What is said of a number of patients where fewer than `least` are hidden.
    #[must_use]
    pub fn of(patients: u64, least: u32) -> Self {
        match patients < u64::from(least) {
            true => Self::FewerThan(least),
            false => Self::Exactly(patients),
        }
    }
}

impl std::fmt::Display for PermittedCount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(count) => write!(formatter, "{count}"),
            Self::FewerThan(limit) => write!(formatter, "< {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExactCounting, ExactCounts, PermittedCounts, UnderPermit};

    fn check(patients: u64, (site, permit): (u32, Option<u32>), expect: PermittedCounts) {
        let policy = UnderPermit {
            counts: ExactCounting::Allow,
            threshold: site,
        };
        let exact = ExactCounts {
            patients,
            studies: 2 * patients,
            series: 7 * patients,
        };
        let found = PermittedCounts::of(exact, policy.least(permit));
        assert_eq!(found, expect, "{patients} of {site} and {permit:?}");
    }

    #[test]
    fn counts_are_exact_unless_site_or_permit_hide_few() {
        let exactly = |patients| PermittedCounts::Exactly {
            patients,
            studies: 2 * patients,
            series: 7 * patients,
        };
        for patients in [0, 1, 4, 333] {
            check(patients, (0, None), exactly(patients));
        }
        check(4, (5, None), PermittedCounts::FewerThan(5));
        check(0, (5, None), PermittedCounts::FewerThan(5));
        check(4, (0, Some(5)), PermittedCounts::FewerThan(5));
        check(4, (3, Some(10)), PermittedCounts::FewerThan(10));
        check(4, (10, Some(3)), PermittedCounts::FewerThan(10));
        check(5, (5, Some(5)), exactly(5));
    }
}
