//! The same model from rows in one place: a site alone, or pooled data as a yardstick.

use super::{
    Coefficients, LogisticError, Moments, NewtonSums, Progress, Row, Solver, Standardiser,
};

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Of the rows it was fitted on.
    pub standardiser: Standardiser,
    /// Intercept, then one per standardised feature.
    pub coefficients: Coefficients,
    /// Newton rounds it took.
    pub rounds: u32,
    /// Log-likelihood at the last coefficients asked for.
    pub log_likelihood: f64,
}

/// Fits a model to rows, by the very rounds that a federation runs.
pub fn fit(rows: &[Row]) -> Result<Fit, LogisticError> {
    let standardiser = Moments::of(rows).standardiser()?;
    let mut solver = Solver::new();
    loop {
        let sums = NewtonSums::of(rows, &standardiser, solver.coefficients());
        if let Progress::Converged { coefficients, .. } = solver.advance(&sums)? {
            let (rounds, log_likelihood) = (solver.rounds(), sums.log_likelihood);
            return Ok(Fit {
                standardiser,
                coefficients,
                rounds,
                log_likelihood,
            });
        }
    }
}
