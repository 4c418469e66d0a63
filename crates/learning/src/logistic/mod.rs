//! Federated logistic regression in exact second-order rounds (Newton-Raphson, also called iteratively reweighted least
//! squares; for several sites: Y. Wu et al., "Grid Binary LOgistic REgression (GLORE)", JAMIA 19(5), 2012).
//!
//! The log-likelihood, its gradient and its Hessian are sums over rows, so sums over sites are the sums over the pooled
//! rows, and each step equals the step on pooled data up to rounding. First round: [`Moments`], which make the
//! [`Standardiser`]; each further round: [`NewtonSums`] at the coefficients that the [`Solver`] asks for, until they stand
//! still. [`fit`] does the same on rows in one place, with the very same functions. What leaves a site are sums
//! ([`Moments::to_vec`], [`NewtonSums::to_vec`]), never rows.

mod fit;
mod matrix;
mod moments;
mod newton;
mod solver;
#[cfg(test)]
mod tests;

pub use fit::{Fit, fit};
pub use moments::{Moments, Standardiser};
pub use newton::{HESSIAN, LogOdds, NewtonSums, log_odds};
pub use solver::{MAX_ROUNDS, Progress, RIDGE, Solver, TOLERANCE, step};

use crate::shape::FEATURES;

/// Coefficients of a model: the intercept, then one per feature.
pub const COEFFICIENTS: usize = FEATURES + 1;

/// The intercept, then one coefficient per standardised feature.
pub type Coefficients = [f64; COEFFICIENTS];

/// One case: its features, not standardised, and whether it is malignant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// In the order of [`crate::shape::FEATURE_NAMES`].
    pub features: [f64; FEATURES],
    /// The label.
    pub positive: bool,
}

/// Why sums do not make a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogisticError {
    /// A vector of another length.
    #[error("a vector of {expected} sums was expected, this one has {found}")]
    WrongLength {
        /// Length of the sums' vector form.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// A sum is not finite, or a count is not a whole number.
    #[error("the sums contain a value that no data can have")]
    NotSums,
    /// Too few rows, or rows of one class only.
    #[error(
        "a model needs rows of both classes; there are {rows} rows, {positive} of them positive"
    )]
    TooFewRows {
        /// Rows in all.
        rows: u64,
        /// Of them positive.
        positive: u64,
    },
    /// The Hessian has no Cholesky factor.
    #[error("the Hessian is singular")]
    Singular,
    /// The coefficients still move after [`MAX_ROUNDS`].
    #[error("the coefficients still move after {MAX_ROUNDS} rounds")]
    NotConverged,
}

/// Checks the length of a vector of sums and that all are finite.
fn check_sums<const N: usize>(values: &[f64]) -> Result<[f64; N], LogisticError> {
    let wrong = LogisticError::WrongLength {
        expected: N,
        found: values.len(),
    };
    let sums: [f64; N] = values.try_into().map_err(|_| wrong)?;
    let finite = sums.iter().all(|sum| sum.is_finite());
    if finite {
        Ok(sums)
    } else {
        Err(LogisticError::NotSums)
    }
}

/// Largest count that is exact in an `f64`, 2^53.
const MAX_COUNT: f64 = 9_007_199_254_740_992.0;

/// Reads a count. Fixed-point sums of whole numbers are whole.
pub(crate) fn count(value: f64) -> Option<u64> {
    let whole = (0.0..=MAX_COUNT).contains(&value) && value.fract() == 0.0;
    whole.then_some(value as u64)
}
