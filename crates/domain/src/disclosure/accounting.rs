//! What answers cost: zero-concentrated differential privacy (M. Bun and T. Steinke, TCC 2016). The costs ρ of answers add up,
//! whoever asks and however cleverly.
//!
//! ρ is counted in whole billionths, so that sums in the ledger are exact. Costs are rounded up and noise is too.

/// A cost or a budget, in billionths of ρ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NanoRho(pub u64);

/// Billionths in one.
const NANO: u128 = 1_000_000_000;

impl NanoRho {
    /// The least whole variance for which a number that one patient changes by at most `sensitivity` costs no more than this:
    /// `σ² = Δ²/2ρ` (Canonne, Kamath and Steinke 2020, theorem 4). `None` when there is nothing to spend.
    #[must_use]
    pub fn variance(self, sensitivity: u32) -> Option<u64> {
        if self.0 == 0 {
            return None;
        }
        let change = u128::from(sensitivity).pow(2) * NANO;
        u64::try_from(change.div_ceil(2 * u128::from(self.0))).ok()
    }

    /// This many hundredths of it, rounded down.
    #[must_use]
    pub fn percent(self, hundredths: u64) -> Self {
        Self(self.0.saturating_mul(hundredths) / 100)
    }

    /// ρ as a number for people.
    #[must_use]
    pub fn rho(self) -> f64 {
        self.0 as f64 / NANO as f64
    }

    /// ε of (ε, δ)-differential privacy at this cost: `ρ + 2·√(ρ·ln(1/δ))` (Bun and Steinke 2016, proposition 1.3).
    #[must_use]
    pub fn epsilon(self, delta: f64) -> f64 {
        self.rho() + 2.0 * (self.rho() * (1.0 / delta).ln()).sqrt()
    }

    /// The share of right answers that nobody exceeds who guesses between two equally likely worlds that differ in one patient:
    /// by Pinsker's inequality `1/2 + √(ρ/2)/2`, as ρ bounds the Kullback-Leibler divergence of the answers.
    #[must_use]
    pub fn best_guess(self) -> f64 {
        (0.5 + (self.rho() / 2.0).sqrt() / 2.0).min(1.0)
    }
}

impl std::ops::Add for NanoRho {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Half the width of the interval that holds the noise 95 times in a hundred: `1.96·σ`, rounded up.
#[must_use]
pub fn margin(variance: u64) -> u64 {
    (1.96 * (variance as f64).sqrt()).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::{NanoRho, margin};

    #[test]
    fn noise_costs_no_more_than_its_price() {
        let check = |nano: u64, sensitivity: u32, expect: Option<u64>| {
            let variance = NanoRho(nano).variance(sensitivity);
            assert_eq!(variance, expect);
            if let Some(variance) = variance {
                let cost = f64::from(sensitivity).powi(2) / (2.0 * variance as f64);
                assert!(cost <= NanoRho(nano).rho());
            }
        };
        check(500_000_000, 1, Some(1));
        check(500_000_000, 4, Some(16));
        check(160_000, 1, Some(3125));
        check(3, 1, Some(166_666_667));
        check(0, 1, None);
    }

    #[test]
    fn eighty_thousandths_hold_everybody_at_sixty_percent() {
        let budget = NanoRho(80_000_000);
        assert!((budget.best_guess() - 0.6).abs() < 1e-12);
        assert!((budget.epsilon(1e-6) - 2.183).abs() < 1e-3);
    }

    #[test]
    fn margins_are_nearly_two_spreads() {
        assert_eq!(margin(0), 0);
        assert_eq!(margin(100), 20);
        assert_eq!(margin(3125), 110);
    }
}
