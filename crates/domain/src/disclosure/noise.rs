//! The discrete Gaussian, sampled exactly with whole numbers: algorithms 1 to 3 of C. Canonne, G. Kamath and T. Steinke, "The
//! Discrete Gaussian for Differential Privacy", NeurIPS 2020 (arXiv:2004.00010).
//!
//! No floating-point number is involved: rounding of real-valued noise leaves marks by which answers can be told apart
//! (I. Mironov, CCS 2012). Not here: how large the noise must be (`policy`) and what it costs (`accounting`).

use super::stream::Stream;

/// A fraction of whole numbers, not negative.
#[derive(Debug, Clone, Copy)]
struct Fraction {
    over: u128,
    under: u128,
}

/// A number from the discrete Gaussian with this variance parameter: `P(x) ∝ exp(−x² / 2σ²)` (algorithm 3).
/// Adding it to a whole number that one patient changes by at most Δ is `Δ²/2σ²`-zCDP (theorem 4).
pub fn discrete_gaussian(variance: u64, stream: &mut Stream) -> i64 {
    if variance == 0 {
        return 0;
    }
    let variance = u128::from(variance);
    let scale = variance.isqrt() + 1;
    loop {
        let candidate = discrete_laplace(scale, stream);
        // (|y| − σ²/t)² / 2σ², with both sides of the fraction multiplied by t².
        let distance = (candidate.unsigned_abs() * scale).abs_diff(variance);
        let exponent = Fraction {
            over: distance.saturating_mul(distance),
            under: 2 * variance * scale * scale,
        };
        if bernoulli_exp(exponent, stream) {
            return i64::try_from(candidate).unwrap_or(if candidate < 0 {
                i64::MIN
            } else {
                i64::MAX
            });
        }
    }
}

/// A number from the discrete Laplace distribution: `P(x) ∝ exp(−|x| / t)` (algorithm 2 with s = 1).
fn discrete_laplace(scale: u128, stream: &mut Stream) -> i128 {
    loop {
        let rest = stream.below(scale);
        let exponent = Fraction {
            over: rest,
            under: scale,
        };
        if !bernoulli_exp(exponent, stream) {
            continue;
        }
        let mut whole: u128 = 0;
        while bernoulli_exp(Fraction { over: 1, under: 1 }, stream) {
            whole += 1;
        }
        let size = (rest + scale * whole) as i128;
        let is_negative = stream.bits() & 1 == 1;
        match (is_negative, size) {
            // Zero must not be drawn twice as often.
            (true, 0) => {}
            (true, size) => return -size,
            (false, size) => return size,
        }
    }
}

/// `true` with probability `exp(−γ)` (algorithm 1).
fn bernoulli_exp(gamma: Fraction, stream: &mut Stream) -> bool {
    let mut left = gamma;
    while left.over > left.under {
        if !bernoulli_exp_below_one(Fraction { over: 1, under: 1 }, stream) {
            return false;
        }
        left.over -= left.under;
    }
    bernoulli_exp_below_one(left, stream)
}

/// The same for γ from 0 to 1.
fn bernoulli_exp_below_one(gamma: Fraction, stream: &mut Stream) -> bool {
    let mut k: u128 = 1;
    while stream.below(gamma.under.saturating_mul(k)) < gamma.over {
        k += 1;
    }
    k % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::discrete_gaussian;
    use crate::disclosure::{Asked, Cell, Level, NoiseSecret, Stream};

    fn drawn(variance: u64, draws: usize) -> Vec<i64> {
        let asked = Asked {
            form: "",
            data_version: 0,
        };
        let mut stream = Stream::new(
            &NoiseSecret::new([9; 32]),
            asked,
            Cell::Site(Level::Patients),
        );
        (0..draws)
            .map(|_| discrete_gaussian(variance, &mut stream))
            .collect()
    }

    /// Frequencies against `exp(−x²/2σ²)` normalised: Pearson's chi-square over the bins that are expected ten times or more.
    #[test]
    fn numbers_are_drawn_as_often_as_the_formula_says() {
        const DRAWS: usize = 20_000;
        for variance in [1, 9, 200] {
            let numbers = drawn(variance, DRAWS);
            let weight = |x: i64| (-(x * x) as f64 / (2.0 * variance as f64)).exp();
            let all: f64 = (-200..=200).map(weight).sum();
            let (mut chi_square, mut bins) = (0.0, 0.0);
            for x in -200..=200 {
                let expect = DRAWS as f64 * weight(x) / all;
                if expect >= 10.0 {
                    let found = numbers.iter().filter(|number| **number == x).count() as f64;
                    chi_square += (found - expect).powi(2) / expect;
                    bins += 1.0;
                }
            }
            // Mean and spread of chi-square with that many degrees of freedom; four spreads above is one in 30,000.
            let limit = bins + 4.0 * f64::sqrt(2.0 * bins);
            assert!(chi_square < limit, "{variance}: {chi_square} of {limit}");
        }
    }

    #[test]
    fn large_noise_has_the_spread_that_was_asked_for() {
        for variance in [4_000, 25_000_000, 9_000_000_000] {
            let numbers = drawn(variance, 2_000);
            let mean = numbers.iter().map(|x| *x as f64).sum::<f64>() / 2_000.0;
            let spread = numbers.iter().map(|x| (*x as f64).powi(2)).sum::<f64>() / 2_000.0;
            assert!(mean.abs() < 4.0 * (variance as f64 / 2_000.0).sqrt());
            assert!((spread / variance as f64 - 1.0).abs() < 0.13, "{spread}");
        }
        assert_eq!(drawn(0, 3), [0, 0, 0]);
    }
}
