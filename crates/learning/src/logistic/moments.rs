//! The first round: counts, sums and sums of squares of the features, from which mean and standard deviation follow.

use serde::{Deserialize, Serialize};

use super::{LogisticError, Row, check_sums, count};
use crate::shape::FEATURES;

/// Sums over the rows of a site, or of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Rows.
    pub rows: u64,
    /// Positive rows.
    pub positive: u64,
    /// Sum of each feature.
    pub sum: [f64; FEATURES],
    /// Sum of the squares of each feature.
    pub sum_of_squares: [f64; FEATURES],
}

/// Mean and standard deviation of each feature over the training rows of all sites (population form, divided by `n`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardiser {
    /// Means, in the features' units.
    pub mean: [f64; FEATURES],
    /// Standard deviations, in the features' units; 1 for a feature that does not vary.
    pub sd: [f64; FEATURES],
}

/// A variance below this part of the mean square is rounding, not variation.
const NEGLIGIBLE_VARIANCE: f64 = 1e-12;

impl Moments {
    /// Length of the vector form.
    pub const LEN: usize = 2 + 2 * FEATURES;

    /// The sums over these rows.
    pub fn of(rows: &[Row]) -> Self {
        let mut moments = Self {
            rows: 0,
            positive: 0,
            sum: [0.0; FEATURES],
            sum_of_squares: [0.0; FEATURES],
        };
        for row in rows {
            moments.rows += 1;
            moments.positive += u64::from(row.positive);
            for (at, feature) in row.features.iter().enumerate() {
                moments.sum[at] += feature;
                moments.sum_of_squares[at] += feature * feature;
            }
        }
        moments
    }

    /// `rows`, `positive`, the sums, the sums of squares.
    pub fn to_vec(&self) -> Vec<f64> {
        let counts = [self.rows as f64, self.positive as f64];
        [counts.as_slice(), &self.sum, &self.sum_of_squares].concat()
    }

    /// Reads what [`Moments::to_vec`] wrote, or a sum of such vectors.
    pub fn from_vec(values: &[f64]) -> Result<Self, LogisticError> {
        let sums: [f64; Self::LEN] = check_sums(values)?;
        let rows = count(sums[0]).ok_or(LogisticError::NotSums)?;
        let positive = count(sums[1])
            .filter(|positive| *positive <= rows)
            .ok_or(LogisticError::NotSums)?;
        let sum = std::array::from_fn(|at| sums[2 + at]);
        let sum_of_squares = std::array::from_fn(|at| sums[2 + FEATURES + at]);
        Ok(Self {
            rows,
            positive,
            sum,
            sum_of_squares,
        })
    }

    /// Mean and standard deviation. Both classes must occur: otherwise there is no model to standardise for.
    pub fn standardiser(&self) -> Result<Standardiser, LogisticError> {
        let (rows, positive) = (self.rows, self.positive);
        if positive == 0 || positive >= rows {
            return Err(LogisticError::TooFewRows { rows, positive });
        }
        let mean = self.sum.map(|sum| sum / rows as f64);
        let mean_square = self.sum_of_squares.map(|sum| sum / rows as f64);
        let sd = std::array::from_fn(|at| deviation(mean[at], mean_square[at]));
        Ok(Standardiser { mean, sd })
    }
}

fn deviation(mean: f64, mean_square: f64) -> f64 {
    let variance = mean_square - mean * mean;
    if variance > NEGLIGIBLE_VARIANCE * mean_square {
        variance.sqrt()
    } else {
        1.0
    }
}

impl Standardiser {
    /// Features with mean 0 and standard deviation 1 over the training rows.
    pub fn apply(&self, features: &[f64; FEATURES]) -> [f64; FEATURES] {
        std::array::from_fn(|at| (features[at] - self.mean[at]) / self.sd[at])
    }

    /// Whether a node can use values that arrived from outside: finite, deviations positive.
    pub fn is_usable(&self) -> bool {
        self.mean
            .iter()
            .chain(&self.sd)
            .all(|value| value.is_finite())
            && self.sd.iter().all(|sd| *sd > 0.0)
    }
}
