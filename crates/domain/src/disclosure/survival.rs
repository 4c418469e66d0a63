//! How long patients of a cohort were followed, as it may leave a node: patients by interval and end, with noise in each cell.
//!
//! The cells are whole numbers as they were drawn, without threshold and rounding, below zero too: a curve is a product over sums of
//! them, and what is cut off at each cell would pull all of it to one side. Noise alone protects; threshold and rounding would
//! add nothing to what is guaranteed (decision 0016). Not here: the curve ([`crate::survival`]).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asked, Cell, DisclosurePolicy, NoiseSecret, Part, Stream, noise::discrete_gaussian};
use crate::cohort::{Endpoint, INTERVALS};

/// Cells of one curve that change by one when all that is known of one patient changes: the one that they were in and the one that
/// they are in. So it hides how it went with somebody of whom it is known that they are in the cohort.
const CELLS_CHANGED: u32 = 2;

/// Patients by interval and end, as counted. Never leaves the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactSurvival {
    /// What they were followed to.
    pub of: Endpoint,
    /// Distinct patients with the event, by interval; none when the site records nothing of it.
    pub followed: Option<ExactFollowed>,
}

/// The cells of [`ExactSurvival`]; one patient is in one of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactFollowed {
    /// Ended with the event.
    pub events: Vec<u64>,
    /// Ended without it.
    pub censored: Vec<u64>,
}

/// Patients by interval and end at one site, as said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleasedSurvival {
    /// What they were followed to.
    pub of: Endpoint,
    /// The cells; none when the site records nothing of it.
    pub followed: Option<Followed>,
}

/// Noisy cells: half-years to two years, years to ten, and beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Followed {
    /// Patients whose time ended with the event, by interval; noise can take it below zero.
    pub events: Vec<i64>,
    /// Those whose time ended without it.
    pub censored: Vec<i64>,
    /// Variance of the noise in each cell.
    pub variance: u64,
}

/// Beyond this a cell or a variance is no count: sums over all sites of a federation stay within whole numbers.
const MOST: u64 = 1 << 40;

impl Followed {
    /// Whether it has the right number of cells, each of which can be a count.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let sound = |cells: &[i64]| {
            cells.len() == INTERVALS && cells.iter().all(|cell| cell.unsigned_abs() < MOST)
        };
        sound(&self.events) && sound(&self.censored) && self.variance < MOST
    }
}

impl DisclosurePolicy {
    /// The noise of each cell of a curve.
    #[must_use]
    pub fn survival_variance(&self) -> u64 {
        let one = self.budget.price(Part::Survival).variance(1);
        one.unwrap_or(u64::MAX)
            .saturating_mul(u64::from(CELLS_CHANGED))
    }

    /// A curve's cells as they may leave.
    #[must_use]
    pub fn release_survival(
        &self,
        exact: &ExactSurvival,
        secret: &NoiseSecret,
        asked: Asked<'_>,
    ) -> ReleasedSurvival {
        let variance = self.survival_variance();
        let noisy = |end: &str, cells: &[u64]| {
            let one = |(at, count): (usize, &u64)| {
                let value = format!("{end} {at}");
                let cell = Cell::Facet {
                    field: exact.of.as_str(),
                    value: &value,
                };
                let noise = discrete_gaussian(variance, &mut Stream::new(secret, asked, cell));
                i64::try_from(*count)
                    .unwrap_or(i64::MAX)
                    .saturating_add(noise)
            };
            cells.iter().enumerate().map(one).collect()
        };
        ReleasedSurvival {
            of: exact.of,
            followed: exact.followed.as_ref().map(|exact| Followed {
                events: noisy("event", &exact.events),
                censored: noisy("censored", &exact.censored),
                variance,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExactFollowed, ExactSurvival, Followed};
    use crate::{
        cohort::{Endpoint, INTERVALS},
        disclosure::{Asked, DisclosurePolicy, NoiseSecret, Part},
    };

    fn released(form: &str, of: Endpoint) -> Followed {
        let cells = vec![1_000; INTERVALS];
        let exact = ExactSurvival {
            of,
            followed: Some(ExactFollowed {
                events: cells.clone(),
                censored: cells,
            }),
        };
        let asked = Asked {
            form,
            data_version: 1,
        };
        let policy = DisclosurePolicy::default();
        let released = policy.release_survival(&exact, &NoiseSecret::new([4; 32]), asked);
        released.followed.unwrap()
    }

    #[test]
    fn each_cell_has_noise_of_its_own_and_the_same_question_the_same() {
        let first = released("a", Endpoint::Overall);
        assert!(first.is_sound());
        assert_eq!(first, released("a", Endpoint::Overall));
        assert_ne!(first.events, first.censored);
        assert_ne!(first, released("b", Endpoint::Overall));
        assert_ne!(first, released("a", Endpoint::ProgressionFree));
        let cells: Vec<_> = (0..40)
            .flat_map(|at| released(&at.to_string(), Endpoint::Overall).events)
            .collect();
        let squares = cells.iter().map(|cell| (*cell as f64 - 1_000.0).powi(2));
        let variance = squares.sum::<f64>() / cells.len() as f64;
        // 520 draws: six spreads of their variance are 0.37 of it.
        assert!((variance / first.variance as f64 - 1.0).abs() < 0.37);
    }

    #[test]
    fn two_cells_that_change_cost_no_more_than_the_price() {
        let policy = DisclosurePolicy::default();
        let cost = 2.0 / (2.0 * policy.survival_variance() as f64);
        assert!(cost <= policy.budget.price(Part::Survival).rho());
    }
}
