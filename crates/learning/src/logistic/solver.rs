//! Moves the coefficients on, from one round's sums to the next question. Holds no rows; serialisable, so that the hub can
//! restart between two rounds.

use serde::{Deserialize, Serialize};

use super::{COEFFICIENTS, Coefficients, LogisticError, NewtonSums, matrix::solve};

/// Weight `λ` of the penalty `λ/2 Σ β²` on the coefficients of standardised features, not on the intercept. Large enough to
/// keep a small site's separable data from sending coefficients to infinity, and too small to be seen in a model of a few
/// hundred rows, whose Hessian has entries of the size of the number of rows.
pub const RIDGE: f64 = 1e-3;

/// The coefficients stand still when a step moves none by more than this. Newton's method squares the error in each step, so
/// about 1e-10 is left after it.
pub const TOLERANCE: f64 = 1e-5;

/// Most rounds. Well-behaved data take 7 to 9, separable data about 20 until the ridge stops them.
pub const MAX_ROUNDS: u32 = 60;

/// A fall of the objective below this part of its size is rounding, not a step too far.
const NEGLIGIBLE_FALL: f64 = 1e-10;

/// Where Newton's method stands. Starts at zero coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solver {
    asked: Coefficients,
    rounds: u32,
    accepted: Option<Accepted>,
}

/// The best coefficients so far, and the penalised log-likelihood there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    coefficients: Coefficients,
    objective: f64,
}

/// What one round brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// Ask again, at [`Solver::coefficients`].
    Continue {
        /// Largest change of a coefficient.
        largest_change: f64,
    },
    /// The model stands.
    Converged {
        /// Its coefficients.
        coefficients: Coefficients,
        /// Largest change of a coefficient in the last step.
        largest_change: f64,
    },
}

impl Default for Solver {
    fn default() -> Self {
        Self::new()
    }
}

impl Solver {
    /// A solver that asks at zero coefficients first.
    pub fn new() -> Self {
        Self {
            asked: [0.0; COEFFICIENTS],
            rounds: 0,
            accepted: None,
        }
    }

    /// The coefficients at which the next [`NewtonSums`] are needed.
    pub fn coefficients(&self) -> &Coefficients {
        &self.asked
    }

    /// Rounds so far.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Takes the total of a round. If the penalised log-likelihood fell, the last step went too far and is halved; else a
    /// Newton step follows. The caller must sum over the same rows in every round; when a site leaves, it starts a new solver.
    pub fn advance(&mut self, sums: &NewtonSums) -> Result<Progress, LogisticError> {
        self.rounds += 1;
        let objective = sums.log_likelihood - penalty(&self.asked);
        let next = match self.accepted {
            Some(best) if fell(best.objective, objective) => {
                midpoint(&best.coefficients, &self.asked)
            }
            _ => {
                self.accepted = Some(Accepted {
                    coefficients: self.asked,
                    objective,
                });
                step(sums, &self.asked)?
            }
        };
        self.move_to(next)
    }

    fn move_to(&mut self, next: Coefficients) -> Result<Progress, LogisticError> {
        let largest_change = largest_difference(&next, &self.asked);
        self.asked = next;
        if largest_change < TOLERANCE {
            return Ok(Progress::Converged {
                coefficients: next,
                largest_change,
            });
        }
        let may_continue = self.rounds < MAX_ROUNDS && largest_change.is_finite();
        if may_continue {
            Ok(Progress::Continue { largest_change })
        } else {
            Err(LogisticError::NotConverged)
        }
    }
}

/// One Newton step of the penalised log-likelihood: the coefficients plus `H⁻¹ g`.
pub fn step(sums: &NewtonSums, coefficients: &Coefficients) -> Result<Coefficients, LogisticError> {
    let mut gradient = sums.gradient;
    let mut hessian = sums.hessian;
    let mut diagonal = 0;
    for at in 0..COEFFICIENTS {
        gradient[at] -= ridge(at) * coefficients[at];
        hessian[diagonal] += ridge(at);
        diagonal += COEFFICIENTS - at;
    }
    let change = solve(&hessian, &gradient)?;
    Ok(std::array::from_fn(|at| coefficients[at] + change[at]))
}

/// The intercept is not penalised: it carries the share of positive rows.
fn ridge(at: usize) -> f64 {
    if at == 0 { 0.0 } else { RIDGE }
}

fn penalty(coefficients: &Coefficients) -> f64 {
    let terms = coefficients.iter().enumerate();
    terms
        .map(|(at, coefficient)| ridge(at) * coefficient * coefficient / 2.0)
        .sum()
}

fn fell(best: f64, now: f64) -> bool {
    now.is_nan() || now < best - NEGLIGIBLE_FALL * best.abs().max(1.0)
}

fn midpoint(a: &Coefficients, b: &Coefficients) -> Coefficients {
    std::array::from_fn(|at| f64::midpoint(a[at], b[at]))
}

fn largest_difference(a: &Coefficients, b: &Coefficients) -> f64 {
    let differences = a.iter().zip(b).map(|(x, y)| (x - y).abs());
    // `max` would lose a value that is not a number.
    differences.fold(0.0, |largest, difference| {
        if difference > largest || difference.is_nan() {
            difference
        } else {
            largest
        }
    })
}
