//! One round's sums: log-likelihood, gradient and Hessian at given coefficients.

use super::{COEFFICIENTS, Coefficients, LogisticError, Row, Standardiser, check_sums, count};
use crate::shape::FEATURES;

/// Entries of the upper triangle of the Hessian, row by row.
pub const HESSIAN: usize = COEFFICIENTS * (COEFFICIENTS + 1) / 2;

/// Sums over the rows of a site, or of all, at some coefficients, without the ridge penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewtonSums {
    /// Rows.
    pub rows: u64,
    /// `Σ y ln p + (1 − y) ln(1 − p)`.
    pub log_likelihood: f64,
    /// `Σ (y − p) x`, with `x_0 = 1`.
    pub gradient: Coefficients,
    /// Upper triangle of `Σ p (1 − p) x xᵀ` (the Hessian with its sign turned), row by row.
    pub hessian: [f64; HESSIAN],
}

impl NewtonSums {
    /// Length of the vector form.
    pub const LEN: usize = 2 + COEFFICIENTS + HESSIAN;

    /// The sums over these rows.
    pub fn of(rows: &[Row], standardiser: &Standardiser, coefficients: &Coefficients) -> Self {
        let mut sums = Self {
            rows: 0,
            log_likelihood: 0.0,
            gradient: [0.0; COEFFICIENTS],
            hessian: [0.0; HESSIAN],
        };
        for row in rows {
            sums.add_row(
                &with_intercept(&standardiser.apply(&row.features)),
                row.positive,
                coefficients,
            );
        }
        sums
    }

    fn add_row(&mut self, x: &Coefficients, positive: bool, coefficients: &Coefficients) {
        let score = dot(x, coefficients);
        let p = logistic(score);
        let y = f64::from(u8::from(positive));
        self.rows += 1;
        self.log_likelihood += if positive {
            -softplus(-score)
        } else {
            -softplus(score)
        };
        let mut entry = self.hessian.iter_mut();
        for at in 0..COEFFICIENTS {
            self.gradient[at] += (y - p) * x[at];
            for (value, sum) in x[at..].iter().zip(&mut entry) {
                *sum += p * (1.0 - p) * x[at] * value;
            }
        }
    }

    /// `rows`, log-likelihood, gradient, Hessian.
    pub fn to_vec(&self) -> Vec<f64> {
        [
            [self.rows as f64, self.log_likelihood].as_slice(),
            &self.gradient,
            &self.hessian,
        ]
        .concat()
    }

    /// Reads what [`NewtonSums::to_vec`] wrote, or a sum of such vectors.
    pub fn from_vec(values: &[f64]) -> Result<Self, LogisticError> {
        let sums: [f64; Self::LEN] = check_sums(values)?;
        let rows = count(sums[0]).ok_or(LogisticError::NotSums)?;
        let gradient = std::array::from_fn(|at| sums[2 + at]);
        let hessian = std::array::from_fn(|at| sums[2 + COEFFICIENTS + at]);
        Ok(Self {
            rows,
            log_likelihood: sums[1],
            gradient,
            hessian,
        })
    }
}

/// Score that a model gives to a case (features not standardised).
pub fn log_odds(
    features: &[f64; FEATURES],
    standardiser: &Standardiser,
    coefficients: &Coefficients,
) -> LogOdds {
    LogOdds(dot(
        &with_intercept(&standardiser.apply(features)),
        coefficients,
    ))
}

/// The logarithm of the odds that a case is malignant: the linear score of a logistic model. Unlike the probability it does
/// not run into 0 and 1, so that sure cases can still be put in order.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct LogOdds(pub f64);

impl LogOdds {
    /// The same as a probability.
    pub fn probability(self) -> f64 {
        logistic(self.0)
    }

    /// From a probability.
    pub fn of_probability(probability: f64) -> Self {
        Self((probability / (1.0 - probability)).ln())
    }
}

fn with_intercept(x: &[f64; FEATURES]) -> Coefficients {
    std::array::from_fn(|at| if at == 0 { 1.0 } else { x[at - 1] })
}

fn dot(x: &Coefficients, coefficients: &Coefficients) -> f64 {
    x.iter()
        .zip(coefficients)
        .map(|(value, coefficient)| value * coefficient)
        .sum()
}

/// `1 / (1 + e^-score)`.
fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// `ln(1 + e^x)`, without overflow for large `x`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
