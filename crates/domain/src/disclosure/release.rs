//! From exact counts to what may be said of them: noise first, then threshold and rounding, which cost nothing more.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Asked, Cell, DisclosurePolicy, Level, NoiseSecret, Part, ProtectedCount, Stream,
    noise::discrete_gaussian,
};

/// What was counted. Never leaves the node. Studies and series are sums over patients of which each adds at most its cap
/// ([`super::DisclosureBudget::cap`]): without it one patient with a thousand series could not be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExactCounts {
    /// Distinct patients.
    pub patients: u64,
    /// Studies, capped for each patient.
    pub studies: u64,
    /// Series, capped for each patient.
    pub series: u64,
}

impl ExactCounts {
    /// The count of a level.
    #[must_use]
    pub fn at(&self, level: Level) -> u64 {
        match level {
            Level::Patients => self.patients,
            Level::Studies => self.studies,
            Level::Series => self.series,
        }
    }
}

/// A protected count and how far it is from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedCount {
    /// The count.
    pub count: ProtectedCount,
    /// The true count is within this of it 95 times in a hundred.
    pub margin: u64,
}

/// One facet as it was counted: distinct patients by value. Never leaves the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactFacet {
    /// The field.
    pub field: String,
    /// Distinct patients by value. Which values are listed must not depend on the cohort.
    pub cells: Vec<(String, u64)>,
    /// Cells of this facet that change by one at most when what is recorded of one patient changes: those that the patient was counted in,
    /// and those that the patient is counted in now.
    pub cells_per_patient: u32,
    /// Conditions of the cohort that are about this field alone, and without which it is counted. They follow from the question.
    pub lifted: Vec<String>,
}

/// One facet as it may leave: the cells in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedFacet {
    /// The field.
    pub field: String,
    /// Distinct patients by value.
    pub cells: Vec<ReleasedCell>,
    /// Each is within this of the truth 95 times in a hundred.
    pub margin: u64,
    /// Conditions of the cohort that are about this field alone: the facet is counted without them, so that others of its values can be
    /// chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifted: Vec<String>,
}

/// One bar of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedCell {
    /// The value.
    pub value: String,
    /// Distinct patients that have it.
    pub patients: ProtectedCount,
}

impl DisclosurePolicy {
    /// The site's own counts of a question, in the order of [`Level::ALL`].
    #[must_use]
    pub fn release(
        &self,
        exact: &ExactCounts,
        secret: &NoiseSecret,
        asked: Asked<'_>,
    ) -> [ReleasedCount; 3] {
        Level::ALL.map(|level| {
            let variance = self.budget.variance(Part::Site, level);
            let stream = Stream::new(secret, asked, Cell::Site(level));
            self.release_one(exact.at(level), variance, stream)
        })
    }

    /// A panel of facets: one question with many cells.
    #[must_use]
    pub fn release_facets(
        &self,
        facets: &[ExactFacet],
        secret: &NoiseSecret,
        asked: Asked<'_>,
    ) -> Vec<ReleasedFacet> {
        let cells = facets
            .iter()
            .map(|facet| {
                facet
                    .cells_per_patient
                    .min(u32::try_from(facet.cells.len()).unwrap_or(u32::MAX))
            })
            .fold(0, u32::saturating_add);
        let variance = self.budget.facet_variance(cells);
        let release = |facet: &ExactFacet| {
            let one = |(value, count): &(String, u64)| {
                let cell = Cell::Facet {
                    field: &facet.field,
                    value,
                };
                let stream = Stream::new(secret, asked, cell);
                ReleasedCell {
                    value: value.clone(),
                    patients: self.release_one(*count, variance, stream).count,
                }
            };
            ReleasedFacet {
                field: facet.field.clone(),
                cells: facet.cells.iter().map(one).collect(),
                margin: self.margin(variance),
                lifted: facet.lifted.clone(),
            }
        };
        facets.iter().map(release).collect()
    }

    fn release_one(&self, count: u64, variance: u64, mut stream: Stream) -> ReleasedCount {
        let noise = discrete_gaussian(variance, &mut stream);
        ReleasedCount {
            count: self.protect(count.saturating_add_signed(noise)),
            margin: self.margin(variance),
        }
    }

    /// The site's part of a total over sites, in the order of [`Level::ALL`]: exact count and a share of the noise. Any
    /// `least` shares together have at least the variance of one whole noise, and their sum is as good as a discrete Gaussian
    /// (P. Kairouz, Z. Liu and T. Steinke, "The Distributed Discrete Gaussian Mechanism", ICML 2021, theorem 9: the difference
    /// is below 10⁻¹⁵ for shares with a variance of 4 or more, which [`share_variance`] sees to).
    #[must_use]
    pub fn share_of_total(
        &self,
        exact: &ExactCounts,
        secret: &NoiseSecret,
        asked: Asked<'_>,
        drawing: Drawing<'_>,
    ) -> [i64; 3] {
        Level::ALL.map(|level| {
            let variance = share_variance(self.budget.variance(Part::Total, level), drawing.least);
            let cell = Cell::Total {
                level,
                sites: drawing.sites,
                draw: drawing.draw,
            };
            let noise = discrete_gaussian(variance, &mut Stream::new(secret, asked, cell));
            i64::try_from(exact.at(level))
                .unwrap_or(i64::MAX)
                .saturating_add(noise)
        })
    }
}

/// Which total a share of noise is for.
#[derive(Debug, Clone, Copy)]
pub struct Drawing<'a> {
    /// Digest of the sites that take part.
    pub sites: &'a str,
    /// Rises when a drawing was used up by a total of fewer sites.
    pub draw: u64,
    /// Fewest sites whose parts make a total.
    pub least: usize,
}

/// Least variance of a share of the noise.
const LEAST_SHARE_VARIANCE: u64 = 4;

/// Variance of one site's share when `least` shares must make a whole noise.
#[must_use]
pub fn share_variance(whole: u64, least: usize) -> u64 {
    whole
        .div_ceil((least as u64).max(1))
        .max(LEAST_SHARE_VARIANCE)
}

#[cfg(test)]
mod tests {
    use super::{Drawing, ExactCounts, ExactFacet, share_variance};
    use crate::disclosure::{Asked, DisclosurePolicy, Level, NoiseSecret, Part, ProtectedCount};

    const SECRET: [u8; 32] = [3; 32];

    fn asked(form: &str) -> Asked<'_> {
        Asked {
            form,
            data_version: 7,
        }
    }

    fn exact(patients: u64) -> ExactCounts {
        ExactCounts {
            patients,
            studies: 2 * patients,
            series: 5 * patients,
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_others_have_other_noise() {
        let (policy, secret) = (DisclosurePolicy::default(), NoiseSecret::new(SECRET));
        let release = |form| policy.release(&exact(10_000), &secret, asked(form));
        assert_eq!(release("a"), release("a"));
        assert_ne!(release("a"), release("b"));
        let facets = [ExactFacet {
            field: "sex".into(),
            cells: vec![("F".into(), 5_000), ("M".into(), 5_000)],
            cells_per_patient: 1,
            lifted: Vec::new(),
        }];
        let panel = policy.release_facets(&facets, &secret, asked("a"));
        assert_ne!(panel[0].cells[0].patients, panel[0].cells[1].patients);
    }

    #[test]
    fn the_truth_is_within_the_margin_as_often_as_said() {
        let (policy, secret) = (DisclosurePolicy::default(), NoiseSecret::new(SECRET));
        let forms: Vec<_> = (0..400).map(|at| at.to_string()).collect();
        let hits = forms.iter().filter(|form| {
            let released = policy.release(&exact(100_000), &secret, asked(form))[0];
            let ProtectedCount::About(count) = released.count else {
                return false;
            };
            count.abs_diff(100_000) <= released.margin
        });
        // 380 are expected; fewer than 367 are seen once in a thousand times.
        assert!((367..=400).contains(&hits.count()));
    }

    #[test]
    fn nobody_looks_like_somebody() {
        let (policy, secret) = (DisclosurePolicy::default(), NoiseSecret::new(SECRET));
        let hidden = |patients: u64| {
            (0..300)
                .filter(|at| {
                    let form = at.to_string();
                    let released = policy.release(&exact(patients), &secret, asked(&form));
                    released[0].count == ProtectedCount::FewerThan(5)
                })
                .count()
        };
        assert!(hidden(0).abs_diff(hidden(3)) < 30);
    }

    #[test]
    fn the_error_of_a_total_does_not_grow_with_the_sites() {
        let policy = DisclosurePolicy::default();
        let whole = policy.budget.variance(Part::Total, Level::Patients);
        for sites in [2_usize, 3, 10, 100] {
            let least = sites / 2 + 1;
            let drawing = Drawing {
                sites: "all",
                draw: 0,
                least,
            };
            let share = share_variance(whole, least);
            assert!(share * least as u64 >= whole, "enough noise for the fewest");
            let mut error = 0.0;
            for trial in 0..40 {
                let form = trial.to_string();
                let total: i64 = (0..sites)
                    .map(|site| {
                        let secret = NoiseSecret::new([site as u8; 32]);
                        policy.share_of_total(&exact(100), &secret, asked(&form), drawing)[0]
                    })
                    .sum();
                error += ((total - 100 * sites as i64) as f64).powi(2) / 40.0;
            }
            assert!(error < 3.6 * whole as f64, "{sites}: {error} of {whole}");
        }
    }
}
