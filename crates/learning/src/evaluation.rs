//! How well a model separates the classes: score histograms, which add up over sites, and the ROC curve from their total.
//!
//! Scores are binned, so cases in one bin count as ties. Bins are of equal width in the inverse hyperbolic sine of the
//! log-odds: fine where a model doubts, coarser where it is sure, and never all in one bin, as equal bins of probability
//! would put the cases of a site whose small data a model separates perfectly (that alone cost 0.04 of AUC in a trial).
//! Not here: confidence intervals, calibration.

use crate::logistic::{LogOdds, count};

/// Bins of scores.
pub const BINS: usize = 1024;

/// Log-odds beyond which all cases are in the first or the last bin. Bins are then 0.015 wide where the log-odds are small, and
/// 1.5 % of the log-odds where they are large.
pub const MAX_LOG_ODDS: f64 = 1_000.0;

/// Most points of a ROC curve: more than a screen can show apart, few enough for a message.
pub const MAX_ROC_POINTS: usize = 128;

/// Why values are not a histogram.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A vector of another length.
    #[error(
        "a score histogram has {} values, this vector has {found}",
        ScoreHistogram::LEN
    )]
    WrongLength {
        /// Length found.
        found: usize,
    },
    /// A bin that does not hold a whole number of cases.
    #[error("a bin of the score histogram is not a count")]
    NotACount,
    /// Cases of one class only: nothing to tell apart.
    #[error(
        "an evaluation needs cases of both classes; there are {positive} positive and {negative} negative ones"
    )]
    OneClass {
        /// Positive cases.
        positive: u64,
        /// Negative cases.
        negative: u64,
    },
}

/// Number of cases per bin of score and class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreHistogram {
    positive: Vec<u64>,
    negative: Vec<u64>,
}

/// Sensitivity and specificity at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// Positive cases at or above the threshold, as a part of all positive ones.
    pub sensitivity: f64,
    /// Negative cases below the threshold, as a part of all negative ones.
    pub specificity: f64,
}

impl ScoreHistogram {
    /// Length of the vector form.
    pub const LEN: usize = 2 * BINS;

    /// The histogram of cases: score and true class of each.
    pub fn of(cases: impl IntoIterator<Item = (LogOdds, bool)>) -> Self {
        let mut histogram = Self {
            positive: vec![0; BINS],
            negative: vec![0; BINS],
        };
        for (score, positive) in cases {
            let class = if positive {
                &mut histogram.positive
            } else {
                &mut histogram.negative
            };
            class[bin(score)] += 1;
        }
        histogram
    }

    /// The bins of the positive cases, then those of the negative ones.
    pub fn to_vec(&self) -> Vec<f64> {
        self.positive
            .iter()
            .chain(&self.negative)
            .map(|count| *count as f64)
            .collect()
    }

    /// Reads what [`ScoreHistogram::to_vec`] wrote, or a sum of such vectors.
    pub fn from_vec(values: &[f64]) -> Result<Self, EvaluationError> {
        if values.len() != Self::LEN {
            return Err(EvaluationError::WrongLength {
                found: values.len(),
            });
        }
        let counts = values
            .iter()
            .map(|value| count(*value).ok_or(EvaluationError::NotACount));
        let mut positive = counts.collect::<Result<Vec<_>, _>>()?;
        let negative = positive.split_off(BINS);
        Ok(Self { positive, negative })
    }

    /// Positive cases.
    pub fn positives(&self) -> u64 {
        self.positive.iter().sum()
    }

    /// Negative cases.
    pub fn negatives(&self) -> u64 {
        self.negative.iter().sum()
    }

    /// Area under the ROC curve: the chance that a positive case scores higher than a negative one, ties counting half
    /// (Mann and Whitney's U over both counts; Hanley and McNeil, Radiology 143, 1982).
    pub fn auc(&self) -> Result<f64, EvaluationError> {
        let (positives, negatives) = self.totals()?;
        let (mut below, mut wins) = (0.0, 0.0);
        for (positive, negative) in self.positive.iter().zip(&self.negative) {
            wins += *positive as f64 * (below + *negative as f64 / 2.0);
            below += *negative as f64;
        }
        Ok(wins / (positives * negatives))
    }

    /// Points of the ROC curve, false-positive rate and true-positive rate, from (0, 0) to (1, 1); at most
    /// [`MAX_ROC_POINTS`], evenly chosen among the bins where it bends.
    pub fn roc(&self) -> Result<Vec<[f64; 2]>, EvaluationError> {
        let (positives, negatives) = self.totals()?;
        let mut points = vec![[0.0, 0.0]];
        let (mut true_positive, mut false_positive) = (0, 0);
        for (positive, negative) in self.positive.iter().zip(&self.negative).rev() {
            if *positive + *negative > 0 {
                true_positive += positive;
                false_positive += negative;
                points.push([
                    false_positive as f64 / negatives,
                    true_positive as f64 / positives,
                ]);
            }
        }
        Ok(thin(&points))
    }

    /// Sensitivity and specificity if a case counts as positive from this probability on (rounded down to its bin).
    pub fn at_threshold(&self, probability: f64) -> Result<OperatingPoint, EvaluationError> {
        let (positives, negatives) = self.totals()?;
        let from = bin(LogOdds::of_probability(probability));
        let found: u64 = self.positive[from..].iter().sum();
        let spared: u64 = self.negative[..from].iter().sum();
        Ok(OperatingPoint {
            sensitivity: found as f64 / positives,
            specificity: spared as f64 / negatives,
        })
    }

    fn totals(&self) -> Result<(f64, f64), EvaluationError> {
        let (positive, negative) = (self.positives(), self.negatives());
        let both = positive > 0 && negative > 0;
        if both {
            Ok((positive as f64, negative as f64))
        } else {
            Err(EvaluationError::OneClass { positive, negative })
        }
    }
}

/// The conversion to an integer saturates, so that every number has a bin; one that is not a number has the first.
fn bin(score: LogOdds) -> usize {
    let part = score.0.asinh() / MAX_LOG_ODDS.asinh();
    (((part + 1.0) / 2.0 * BINS as f64) as usize).min(BINS - 1)
}

fn thin(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let last = points.len() - 1;
    let kept = points.len().min(MAX_ROC_POINTS);
    (0..kept).map(|at| points[at * last / (kept - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, prop_assume, proptest};

    use super::{BINS, EvaluationError, MAX_LOG_ODDS, MAX_ROC_POINTS, ScoreHistogram};
    use crate::logistic::LogOdds;

    /// The score in the middle of a bin.
    fn middle_of(bin: usize) -> LogOdds {
        let part = (bin as f64 + 0.5) / BINS as f64 * 2.0 - 1.0;
        LogOdds((part * MAX_LOG_ODDS.asinh()).sinh())
    }

    /// Every pair of a positive and a negative case, by the definition.
    fn brute_force(cases: &[(LogOdds, bool)]) -> f64 {
        let of = |class: bool| {
            cases
                .iter()
                .filter(move |case| case.1 == class)
                .map(|case| case.0.0)
        };
        let pairs =
            of(true).flat_map(|positive| of(false).map(move |negative| (positive, negative)));
        // A win counts 1, a tie 1/2.
        let scores: Vec<f64> = pairs
            .map(|(p, n)| f64::from(u8::from(p > n) + u8::from(p >= n)) / 2.0)
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    }

    fn both_classes(cases: &[(LogOdds, bool)]) -> bool {
        cases.iter().any(|case| case.1) && cases.iter().any(|case| !case.1)
    }

    /// Area by trapezoids under the curve's points.
    fn area(points: &[[f64; 2]]) -> f64 {
        points
            .windows(2)
            .map(|pair| (pair[1][0] - pair[0][0]) * (pair[0][1] + pair[1][1]) / 2.0)
            .sum()
    }

    proptest! {
        #[test]
        fn auc_is_that_of_all_pairs(cases in prop::collection::vec((0..BINS, any::<bool>()), 2..80)) {
            // In the middle of a bin each, so that binning loses nothing.
            let cases: Vec<_> = cases.iter().map(|(bin, class)| (middle_of(*bin), *class)).collect();
            prop_assume!(both_classes(&cases));
            let histogram = ScoreHistogram::of(cases.iter().copied());
            let auc = histogram.auc().unwrap();
            prop_assert!((auc - brute_force(&cases)).abs() < 1e-12);
            prop_assert!((auc - area(&histogram.roc().unwrap())).abs() < 1e-12);
        }

        /// Scores of any size, as a model for separable data gives them: a bin is at most 1.5 % wide.
        #[test]
        fn binning_loses_little(cases in prop::collection::vec((-300.0..300.0f64, any::<bool>()), 100..200)) {
            let cases: Vec<_> = cases.iter().map(|(score, class)| (LogOdds(*score), *class)).collect();
            prop_assume!(both_classes(&cases));
            let auc = ScoreHistogram::of(cases.iter().copied()).auc().unwrap();
            prop_assert!((auc - brute_force(&cases)).abs() < 0.01);
        }

        #[test]
        fn histograms_of_sites_add_up(
            cases in prop::collection::vec((-9.0..9.0f64, any::<bool>()), 0..99),
            at in any::<prop::sample::Index>(),
        ) {
            let cases: Vec<_> = cases.iter().map(|(score, class)| (LogOdds(*score), *class)).collect();
            let (left, right) = cases.split_at(at.index(cases.len() + 1));
            let [left, right] = [left, right].map(|part| ScoreHistogram::of(part.iter().copied()).to_vec());
            let sum: Vec<f64> = left.iter().zip(&right).map(|(a, b)| a + b).collect();
            prop_assert_eq!(ScoreHistogram::from_vec(&sum).unwrap(), ScoreHistogram::of(cases));
        }
    }

    #[test]
    fn every_number_has_a_bin_in_its_order() {
        let scores = [
            f64::NEG_INFINITY,
            -1e300,
            -1e3,
            -40.0,
            -1.0,
            0.0,
            1.0,
            40.0,
            999.0,
            1e300,
            f64::INFINITY,
        ];
        let bins = scores.map(|score| super::bin(LogOdds(score)));
        assert!(bins.is_sorted());
        assert_eq!((bins[0], bins[5], bins[10]), (0, BINS / 2, BINS - 1));
        assert_eq!(super::bin(LogOdds(f64::NAN)), 0);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        let cases = (0..4000).map(|at| {
            (
                LogOdds(f64::from(at) / 200.0 - 10.0),
                (at * 7919) % 4000 < at,
            )
        });
        let histogram = ScoreHistogram::of(cases);
        let roc = histogram.roc().unwrap();
        assert_eq!(roc.len(), MAX_ROC_POINTS);
        assert_eq!((roc[0], roc[MAX_ROC_POINTS - 1]), ([0.0, 0.0], [1.0, 1.0]));
        assert!((area(&roc) - histogram.auc().unwrap()).abs() < 1e-3);
    }

    #[test]
    fn thresholds_divide_the_cases() {
        let cases = [
            (0.1, false),
            (0.4, true),
            (0.6, false),
            (0.9, true),
            (1.0, true),
        ];
        let histogram =
            ScoreHistogram::of(cases.map(|(p, class)| (LogOdds::of_probability(p), class)));
        let check = |threshold: f64, sensitivity: f64, specificity: f64| {
            let point = histogram.at_threshold(threshold).unwrap();
            assert_eq!(
                (point.sensitivity, point.specificity),
                (sensitivity, specificity),
                "{threshold}"
            );
        };
        check(0.0, 1.0, 0.0);
        check(0.5, 2.0 / 3.0, 0.5);
        check(0.95, 1.0 / 3.0, 1.0);
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        let mut values = vec![0.0; ScoreHistogram::LEN];
        let check = |values: &[f64], expect: EvaluationError| {
            let auc = ScoreHistogram::from_vec(values).and_then(|histogram| histogram.auc());
            assert_eq!(auc, Err(expect));
        };
        check(
            &values[1..],
            EvaluationError::WrongLength {
                found: ScoreHistogram::LEN - 1,
            },
        );
        check(
            &values,
            EvaluationError::OneClass {
                positive: 0,
                negative: 0,
            },
        );
        for wrong in [0.5, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            values[7] = wrong;
            check(&values, EvaluationError::NotACount);
        }
    }
}
