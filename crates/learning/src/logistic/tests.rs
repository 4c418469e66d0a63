//! Newton's method against reference values, and the federation against the pooled data.

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert, prop_assume, proptest};

use super::{
    COEFFICIENTS, Coefficients, LogisticError, Moments, NewtonSums, Progress, Row, Solver,
    Standardiser, TOLERANCE, fit, log_odds,
};
use crate::{
    secagg::{
        Contribution, NodeSecret, Participant, ParticipantId, RoundContext, UnmaskRequest,
        aggregate, contribute, unmask,
    },
    shape::FEATURES,
};

/// 60 rows by a fixed rule, so that any other program can make them too: see [`REFERENCE`].
fn example() -> Vec<Row> {
    let feature = |row: usize, at: usize| {
        (((row + 1) * (at + 3) * (at + 7) + row * row * (at + 1)) % 101) as f64 / 10.0
    };
    (0..60)
        .map(|row| {
            let features = std::array::from_fn(|at| feature(row, at));
            Row {
                features,
                positive: features[0] + features[1] - features[2] + ((row * 37) % 11) as f64 > 9.0,
            }
        })
        .collect()
}

/// Coefficients of [`example`], made with scikit-learn 1.9.1 (its `C` is one over the ridge) by this script:
///
/// ```python
/// import numpy as np; from sklearn.linear_model import LogisticRegression
/// X = np.array([[((r+1)*(a+3)*(a+7) + r*r*(a+1)) % 101 / 10 for a in range(9)] for r in range(60)])
/// y = X[:,0] + X[:,1] - X[:,2] + [r*37 % 11 for r in range(60)] > 9
/// Z = (X - X.mean(0)) / X.std(0)
/// m = LogisticRegression(C=1e3, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(Z, y)
/// print(*m.intercept_, *m.coef_[0], sep=", ")
/// ```
const REFERENCE: Coefficients = [
    1.1147528980607397,
    1.815796169406661,
    1.1244583662994887,
    -2.434827135690008,
    0.04659273311070187,
    0.07660558566596473,
    -0.30029483438373106,
    -0.12659122162432943,
    0.3630665592420335,
    0.6953957089422794,
];

fn largest_difference(a: &Coefficients, b: &Coefficients) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f64::max)
}

/// The federation's way: sums of each site's vector, no rows in one place. `total` adds up the sites' vectors.
fn federated(
    sites: &[Vec<Row>],
    mut total: impl FnMut(u32, Vec<Vec<f64>>) -> Vec<f64>,
) -> Result<(Standardiser, Coefficients), LogisticError> {
    let moments = total(
        0,
        sites
            .iter()
            .map(|rows| Moments::of(rows).to_vec())
            .collect(),
    );
    let standardiser = Moments::from_vec(&moments)?.standardiser()?;
    let mut solver = Solver::new();
    loop {
        let of =
            |rows: &Vec<Row>| NewtonSums::of(rows, &standardiser, solver.coefficients()).to_vec();
        let sums = total(solver.rounds() + 1, sites.iter().map(of).collect());
        if let Progress::Converged { coefficients, .. } =
            solver.advance(&NewtonSums::from_vec(&sums)?)?
        {
            return Ok((standardiser, coefficients));
        }
    }
}

fn plain_total(_: u32, vectors: Vec<Vec<f64>>) -> Vec<f64> {
    (0..vectors[0].len())
        .map(|at| vectors.iter().map(|vector| vector[at]).sum())
        .collect()
}

/// The total by secure aggregation, where the first site's node vanishes after each contribution.
fn secure_total(round: u32, vectors: Vec<Vec<f64>>) -> Vec<f64> {
    let id = |site: usize| ParticipantId([site as u8; 16]);
    let secret = |site: usize| NodeSecret::new([site as u8 + 1; 32], [site as u8 + 51; 32]);
    let participant = |site: usize| Participant {
        node: id(site),
        agreement_public: secret(site).agreement_public(),
    };
    let participants = (0..vectors.len()).map(participant).collect();
    let context = RoundContext::new([1; 16], round, [2; 32], participants).unwrap();
    let sites = vectors.iter().enumerate();
    let contributions: Vec<Contribution> = sites
        .map(|(site, values)| contribute(&context, id(site), &secret(site), values).unwrap())
        .collect();
    let answer = |site: usize| {
        let request = UnmaskRequest::new(&context, &contributions, id(site)).unwrap();
        unmask(&context, id(site), &secret(site), &request).unwrap()
    };
    let unmaskings: Vec<_> = (1..vectors.len()).map(answer).collect();
    aggregate(&context, &contributions, &unmaskings).unwrap()
}

/// Divides rows among three sites of unlike size.
fn three_sites(rows: &[Row]) -> Vec<Vec<Row>> {
    let (first, rest) = rows.split_at(rows.len() / 2);
    let (second, third) = rest.split_at(rest.len() / 3);
    [first, second, third].map(<[Row]>::to_vec).to_vec()
}

#[test]
fn coefficients_are_those_of_the_reference() {
    let fitted = fit(&example()).unwrap();
    let difference = largest_difference(&fitted.coefficients, &REFERENCE);
    assert!(difference < 1e-6, "{difference}: {:?}", fitted.coefficients);
    assert!((4..=12).contains(&fitted.rounds), "{}", fitted.rounds);
}

#[test]
fn a_securely_aggregated_model_equals_the_pooled_one() {
    let pooled = fit(&example()).unwrap();
    let (standardiser, coefficients) = federated(&three_sites(&example()), secure_total).unwrap();
    assert!(largest_difference(&coefficients, &pooled.coefficients) < 1e-9);
    for row in example() {
        let of_pooled =
            log_odds(&row.features, &pooled.standardiser, &pooled.coefficients).probability();
        assert!(
            (log_odds(&row.features, &standardiser, &coefficients).probability() - of_pooled).abs()
                < 1e-9
        );
    }
}

fn row() -> impl Strategy<Value = Row> {
    (prop::array::uniform9(-5.0..5.0f64), any::<bool>())
        .prop_map(|(features, positive)| Row { features, positive })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Labels are random, so the classes overlap and the model is well determined.
    #[test]
    fn the_federation_equals_the_pooled_data(rows in prop::collection::vec(row(), 100..160)) {
        prop_assume!(rows.iter().any(|row| row.positive) && rows.iter().any(|row| !row.positive));
        let pooled = fit(&rows).unwrap();
        let (_, coefficients) = federated(&three_sites(&rows), plain_total).unwrap();
        prop_assert!(largest_difference(&coefficients, &pooled.coefficients) < 1e-9);
    }

    /// The gradient is the derivative of the log-likelihood, the Hessian that of the gradient.
    #[test]
    fn derivatives_are_those_of_the_likelihood(
        rows in prop::collection::vec(row(), 1..20),
        at in prop::array::uniform10(-1.0..1.0f64),
        axis in 0..COEFFICIENTS,
    ) {
        const STEP: f64 = 1e-5;
        let unit = Standardiser { mean: [0.0; FEATURES], sd: [1.0; FEATURES] };
        let moved = |by: f64| {
            let mut coefficients = at;
            coefficients[axis] += by;
            NewtonSums::of(&rows, &unit, &coefficients)
        };
        let (before, here, after) = (moved(-STEP), moved(0.0), moved(STEP));
        let slope = (after.log_likelihood - before.log_likelihood) / (2.0 * STEP);
        prop_assert!((slope - here.gradient[axis]).abs() < 1e-4, "{slope} {}", here.gradient[axis]);
        // Entries of the triangle's first row are the mixed derivatives with the intercept.
        let curvature = -(after.gradient[0] - before.gradient[0]) / (2.0 * STEP);
        prop_assert!((curvature - here.hessian[axis]).abs() < 1e-4, "{curvature} {}", here.hessian[axis]);
    }
}

#[test]
fn separable_data_converge_by_the_ridge() {
    let row = |at: i32| {
        let x = f64::from(at);
        Row {
            features: [x, x * x, x.sin(), x.cos(), 1.0, -x, 0.5 * x, x.abs(), 7.0],
            positive: at > 0,
        }
    };
    let fitted = fit(&(-10..=10).map(row).collect::<Vec<_>>()).unwrap();
    assert!(
        fitted
            .coefficients
            .iter()
            .all(|coefficient| coefficient.is_finite())
    );
    assert!(fitted.log_likelihood > -0.1);
    // Features that never vary (here the fifth and the ninth) get no weight.
    assert!(fitted.coefficients[5].abs() < TOLERANCE && fitted.coefficients[9].abs() < TOLERANCE);
}

#[test]
fn a_step_too_far_is_halved() {
    let rows = example();
    let standardiser = Moments::of(&rows).standardiser().unwrap();
    let sums = |coefficients: &Coefficients| NewtonSums::of(&rows, &standardiser, coefficients);
    let mut solver = Solver::new();
    solver.advance(&sums(&[0.0; COEFFICIENTS])).unwrap();
    let asked = *solver.coefficients();
    let mut worse = sums(&asked);
    worse.log_likelihood = -1e6;
    solver.advance(&worse).unwrap();
    let halved: Coefficients = asked.map(|coefficient| coefficient / 2.0);
    assert!(largest_difference(solver.coefficients(), &halved) < 1e-15);
}

#[test]
fn data_without_two_classes_make_no_model() {
    let row = |positive: bool| Row {
        features: [1.0; FEATURES],
        positive,
    };
    let check = |rows: &[Row], positive: u64| {
        let expect = LogisticError::TooFewRows {
            rows: rows.len() as u64,
            positive,
        };
        assert_eq!(fit(rows), Err(expect));
    };
    check(&[], 0);
    check(&[row(false); 3], 0);
    check(&[row(true); 2], 2);
}

#[test]
fn vectors_that_are_no_sums_are_refused() {
    let newton = NewtonSums::of(
        &[],
        &Standardiser {
            mean: [0.0; 9],
            sd: [1.0; 9],
        },
        &[0.0; 10],
    )
    .to_vec();
    let moments = Moments::of(&example()).to_vec();
    let check = |values: &[f64], at: usize, value: f64| {
        let mut values = values.to_vec();
        values[at] = value;
        let result = if values.len() == Moments::LEN {
            Moments::from_vec(&values).err()
        } else {
            NewtonSums::from_vec(&values).err()
        };
        assert_eq!(result, Some(LogisticError::NotSums), "{at} {value}");
    };
    for value in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
        check(&newton, 0, value);
        check(&moments, 0, value);
        check(&moments, 1, value);
    }
    check(&moments, 1, 61.0);
    check(&moments, 5, f64::NAN);
    check(&newton, 40, f64::NAN);
    let wrong = LogisticError::WrongLength {
        expected: NewtonSums::LEN,
        found: 3,
    };
    assert_eq!(NewtonSums::from_vec(&[0.0; 3]), Err(wrong));
}

#[test]
fn a_hessian_of_nothing_is_singular() {
    let sums = NewtonSums::of(
        &[],
        &Standardiser {
            mean: [0.0; 9],
            sd: [1.0; 9],
        },
        &[0.0; 10],
    );
    assert_eq!(Solver::new().advance(&sums), Err(LogisticError::Singular));
}
