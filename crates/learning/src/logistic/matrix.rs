//! Solving one small symmetric positive definite system by Cholesky's decomposition.

use super::{COEFFICIENTS, Coefficients, HESSIAN, LogisticError};

type Square = [[f64; COEFFICIENTS]; COEFFICIENTS];

/// A pivot below this part of its diagonal entry means that a column is a combination of the others, up to rounding.
const NEGLIGIBLE_PIVOT: f64 = 1e-13;

/// The `x` with `A x = b`, `A` given by its upper triangle, row by row.
pub(super) fn solve(
    upper: &[f64; HESSIAN],
    b: &Coefficients,
) -> Result<Coefficients, LogisticError> {
    let lower = cholesky(&unpack(upper))?;
    Ok(back_substitute(&lower, &forward_substitute(&lower, b)))
}

fn unpack(upper: &[f64; HESSIAN]) -> Square {
    let mut square = [[0.0; COEFFICIENTS]; COEFFICIENTS];
    let places =
        (0..COEFFICIENTS).flat_map(|row| (row..COEFFICIENTS).map(move |column| (row, column)));
    for ((row, column), entry) in places.zip(upper) {
        square[row][column] = *entry;
        square[column][row] = *entry;
    }
    square
}

/// The lower triangular `L` with `L Lᵀ = A`.
fn cholesky(a: &Square) -> Result<Square, LogisticError> {
    let mut lower = [[0.0; COEFFICIENTS]; COEFFICIENTS];
    for row in 0..COEFFICIENTS {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
            let rest = a[row][column] - known;
            lower[row][column] = if row == column {
                pivot(rest, a[row][row])?
            } else {
                rest / lower[column][column]
            };
        }
    }
    Ok(lower)
}

fn pivot(rest: f64, diagonal: f64) -> Result<f64, LogisticError> {
    // Not a number compares false, so it is refused too.
    let positive = rest > NEGLIGIBLE_PIVOT * diagonal && diagonal > 0.0;
    if positive {
        Ok(rest.sqrt())
    } else {
        Err(LogisticError::Singular)
    }
}

fn forward_substitute(lower: &Square, b: &Coefficients) -> Coefficients {
    let mut y = [0.0; COEFFICIENTS];
    for row in 0..COEFFICIENTS {
        let known: f64 = (0..row).map(|k| lower[row][k] * y[k]).sum();
        y[row] = (b[row] - known) / lower[row][row];
    }
    y
}

fn back_substitute(lower: &Square, y: &Coefficients) -> Coefficients {
    let mut x = [0.0; COEFFICIENTS];
    for row in (0..COEFFICIENTS).rev() {
        let known: f64 = (row + 1..COEFFICIENTS).map(|k| lower[k][row] * x[k]).sum();
        x[row] = (y[row] - known) / lower[row][row];
    }
    x
}
