//! Survival of a cohort from noisy cells of all sites: the life-table (actuarial) estimate of Kaplan and Meier's curve, at the limits of
//! fixed intervals, with a band that holds the truth about 95 times in a hundred, sampling and noise included.
//!
//! ```text
//! n(i) = patients who are followed into interval i or beyond       S(k) = Π over i ≤ k of a(i)/m(i)
//! m(i) = n(i) − half of those censored in i                        a(i) = m(i) − events in i
//! ```
//! **Sampling** is Greenwood's formula, `Σ events(i) / (m(i)·a(i))`, for the logarithm of S. **Noise**: log S(k) is a sum of
//! logarithms of sums of cells, and each cell has independent noise of variance v; to first order that adds `v·Σ g²` over all cells,
//! where g is the derivative of log S(k) by the cell: `1/a(i) − 1/m(i)` for each interval i ≤ k that the cell's patients survive, half of
//! that for those censored in i, `−1/m(i)` for events in i.
//!
//! First order is not enough where noise is not small against a(i) and m(i). So they are taken one spread of their noise smaller in
//! both formulas, one event more is counted in each interval, and the curve ends where fewer than three spreads of the noise
//! are left. A simulation in the tests says how often the band holds. Nobody's single step is seen: between limits there are only sums.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    cohort::{Endpoint, INTERVALS},
    disclosure::{Followed, margin},
};

/// A curve over all sites that gave cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SurvivalCurve {
    /// What patients were followed to.
    pub of: Endpoint,
    /// From the beginning, as far as it goes: always the point at 0, where all are alive.
    pub points: Vec<SurvivalPoint>,
    /// Whether it goes on to the last limit.
    pub end: CurveEnd,
}

/// The estimate at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SurvivalPoint {
    /// Years since the diagnosis.
    pub years: f64,
    /// Share of patients without the event.
    pub share: f64,
    /// Lower end of the band.
    pub low: f64,
    /// Upper end of the band.
    pub high: f64,
    /// About so many are still followed.
    pub at_risk: u64,
    /// The true number is within this of it 95 times in a hundred.
    pub at_risk_margin: u64,
}

/// Why a curve ends where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CurveEnd {
    /// It goes to the last limit.
    Whole,
    /// Beyond it, fewer are left than can be told from noise.
    TooFewLeft,
}

/// Half the width of the band in spreads: 95 in a hundred of a normal distribution, and a little for what is not quite one.
const BAND_SPREADS: f64 = 2.05;
/// A curve ends where fewer spreads of the noise are left.
const LEAST_SPREADS: f64 = 3.0;
/// So many events more are counted in each interval for the width of the band.
const MORE_EVENTS: f64 = 1.0;
/// So many spreads smaller are numbers taken for the width of the band.
const SHORTER_BY_SPREADS: f64 = 1.0;

/// The curve from cells of any number of sites; of none there is none. Cells must be sound ([`Followed::is_sound`]).
#[must_use]
pub fn survival_curve(of: Endpoint, sites: &[&Followed]) -> Option<SurvivalCurve> {
    if sites.is_empty() || !sites.iter().all(|site| site.is_sound()) {
        return None;
    }
    let table = Table::of(sites);
    let mut product = Product::default();
    let mut points = vec![table.point((0, 0.0), &product, 0.0)];
    for (at, years) in of.limits().into_iter().enumerate() {
        let Some(left) = table.left(at) else { break };
        let spread = product.go_on(at, &left, &table);
        points.push(table.point((at + 1, years), &product, spread));
    }
    let end = match points.len() == INTERVALS {
        true => CurveEnd::Whole,
        false => CurveEnd::TooFewLeft,
    };
    never_rise(&mut points);
    Some(SurvivalCurve { of, points, end })
}

/// Sums over the sites.
struct Table {
    events: [f64; INTERVALS],
    censored: [f64; INTERVALS],
    /// Followed into an interval or beyond; and nobody after the last.
    at_risk: [f64; INTERVALS + 1],
    /// Variance of the noise in each cell.
    variance: f64,
}

/// Who goes into an interval and who leaves it alive, so far as noise lets it be told.
struct Left {
    into: f64,
    out: f64,
    /// The same for the width of the band: never below one.
    into_least: f64,
    out_least: f64,
}

impl Table {
    fn of(sites: &[&Followed]) -> Self {
        let sum = |cells: fn(&Followed) -> &[i64]| {
            std::array::from_fn(|at| sites.iter().map(|site| cells(site)[at] as f64).sum())
        };
        let events: [f64; INTERVALS] = sum(|site| &site.events);
        let censored: [f64; INTERVALS] = sum(|site| &site.censored);
        let mut at_risk = [0.0; INTERVALS + 1];
        for at in (0..INTERVALS).rev() {
            at_risk[at] = at_risk[at + 1] + events[at] + censored[at];
        }
        Self {
            events,
            censored,
            at_risk,
            variance: sites.iter().map(|site| site.variance as f64).sum(),
        }
    }

    /// Variance of the noise in the number at risk at the beginning of an interval.
    fn risk_variance(&self, at: usize) -> f64 {
        self.variance * 2.0 * (INTERVALS - at) as f64
    }

    /// None where too few are left to be told from noise.
    fn left(&self, at: usize) -> Option<Left> {
        let spreads = [at, at + 1].map(|at| self.risk_variance(at).sqrt());
        let into = self.at_risk[at] - self.censored[at] / 2.0;
        let out = into - self.events[at];
        let enough = |number: f64, spread: f64| number >= (LEAST_SPREADS * spread).max(1.0);
        let left = enough(self.at_risk[at], spreads[0]) && enough(out, spreads[1]);
        let least = |number: f64, spread: f64| (number - SHORTER_BY_SPREADS * spread).max(1.0);
        (left && into >= 1.0).then(|| Left {
            into,
            out,
            into_least: least(into, spreads[0]),
            out_least: least(out, spreads[1]),
        })
    }

    fn point(&self, (at, years): (usize, f64), product: &Product, spread: f64) -> SurvivalPoint {
        let share = |log: f64| log.exp().min(1.0);
        SurvivalPoint {
            years,
            share: share(product.log),
            low: share(product.log - BAND_SPREADS * spread),
            high: share(product.log + BAND_SPREADS * spread),
            at_risk: self.at_risk[at].max(0.0).round() as u64,
            at_risk_margin: margin(self.risk_variance(at).ceil() as u64),
        }
    }
}

/// The logarithm of the product so far, and what its variance is made of.
#[derive(Default)]
struct Product {
    log: f64,
    sampling: f64,
    /// Its derivative by each cell.
    by_events: [f64; INTERVALS],
    by_censored: [f64; INTERVALS],
}

impl Product {
    /// Goes on over an interval; gives the spread of the logarithm.
    fn go_on(&mut self, at: usize, left: &Left, table: &Table) -> f64 {
        self.log += (left.out / left.into).ln();
        let events = table.events[at].max(0.0) + MORE_EVENTS;
        let lost = events / (left.into_least * left.out_least);
        self.sampling += lost;
        for cells in [&mut self.by_events, &mut self.by_censored] {
            cells[at + 1..].iter_mut().for_each(|by| *by += lost);
        }
        self.by_events[at] -= 1.0 / left.into_least;
        self.by_censored[at] += lost / 2.0;
        let cells = self.by_events.iter().chain(&self.by_censored);
        let noise = table.variance * cells.map(|by| by * by).sum::<f64>();
        (self.sampling + noise).sqrt()
    }
}

/// A true curve never rises: where noise lets the estimate rise, it lies between the two that do not, and the band is widened.
fn never_rise(points: &mut [SurvivalPoint]) {
    let (mut share, mut low) = (1.0_f64, 1.0_f64);
    let mut lowest = Vec::with_capacity(points.len());
    for point in points.iter_mut() {
        share = share.min(point.share);
        low = low.min(point.low);
        lowest.push(share);
        point.low = low;
    }
    let (mut share, mut high) = (0.0_f64, 0.0_f64);
    for (point, lowest) in points.iter_mut().zip(lowest).rev() {
        share = share.max(point.share);
        high = high.max(point.high);
        point.share = f64::midpoint(share, lowest);
        point.high = high;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{CurveEnd, survival_curve};
    use crate::{
        cohort::{Endpoint, INTERVALS},
        disclosure::{Asked, Cell, Followed, Level, NoiseSecret, Stream, discrete_gaussian},
    };

    const OF: Endpoint = Endpoint::Overall;

    fn exact(cells: &[(i64, i64)]) -> Followed {
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        Followed {
            events: (0..INTERVALS).map(|at| cell(at).0).collect(),
            censored: (0..INTERVALS).map(|at| cell(at).1).collect(),
            variance: 0,
        }
    }

    /// By hand: of 1,000 die 100 in the first half-year and nobody leaves; then 90 of 900 die and 20 leave.
    #[test]
    fn without_noise_it_is_the_life_table() {
        let site = exact(&[(100, 0), (90, 20), (0, 790)]);
        let curve = survival_curve(OF, &[&site]).unwrap();
        let shares: Vec<_> = curve.points.iter().map(|point| point.share).collect();
        let second = 0.9 * (1.0 - 90.0 / 890.0);
        for (found, expect) in shares.iter().zip([1.0, 0.9, second, second]) {
            assert!((found - expect).abs() < 1e-12, "{shares:?}");
        }
        let risk: Vec<_> = curve.points.iter().map(|point| point.at_risk).collect();
        assert_eq!(risk, [1_000, 900, 790, 0]);
        assert_eq!(curve.end, CurveEnd::TooFewLeft);
        let halves = [
            exact(&[(50, 0), (45, 10), (0, 395)]),
            exact(&[(50, 0), (45, 10), (0, 395)]),
        ];
        let halves: Vec<_> = halves.iter().collect();
        assert_eq!(survival_curve(OF, &halves), Some(curve));
    }

    #[test]
    fn nothing_is_drawn_of_nobody() {
        assert_eq!(survival_curve(OF, &[]), None);
        let noise = Followed {
            variance: 400,
            ..exact(&[(3, 5), (-20, 11)])
        };
        let curve = survival_curve(OF, &[&noise]).unwrap();
        assert_eq!((curve.points.len(), curve.end), (1, CurveEnd::TooFewLeft));
        let unsound = Followed {
            events: vec![1],
            ..noise
        };
        assert_eq!(survival_curve(OF, &[&unsound]), None);
    }

    proptest! {
        #[test]
        fn a_curve_never_rises_and_lies_in_its_band(
            cells in proptest::collection::vec((-60_i64..400, -60_i64..400), INTERVALS), variance in 0_u64..2_000,
        ) {
            let site = Followed { variance, ..exact(&cells) };
            let curve = survival_curve(OF, &[&site]).unwrap();
            for point in &curve.points {
                prop_assert!(0.0 <= point.low && point.low <= point.share && point.share <= point.high && point.high <= 1.0, "{:?}", point);
            }
            for pair in curve.points.windows(2) {
                prop_assert!(pair[1].share <= pair[0].share && pair[1].low <= pair[0].low && pair[1].high <= pair[0].high);
                prop_assert!(pair[1].years > pair[0].years);
            }
        }
    }

    /// Cohorts with a constant hazard, who leave evenly over some years, and the noise of each site.
    struct World {
        patients: u32,
        hazard: f64,
        leave: (f64, f64),
        sites: usize,
        variance: u64,
    }

    /// Random numbers that are the same in each run.
    fn chance() -> Stream {
        let asked = Asked {
            form: "a simulation",
            data_version: 0,
        };
        Stream::new(
            &NoiseSecret::new([7; 32]),
            asked,
            Cell::Site(Level::Patients),
        )
    }

    fn uniform(chance: &mut Stream) -> f64 {
        (chance.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    impl World {
        fn site(&self, chance: &mut Stream) -> Followed {
            let mut site = exact(&[]);
            for _ in 0..self.patients / self.sites as u32 {
                let dies = -(1.0 - uniform(chance)).ln() / self.hazard;
                let leaves = self.leave.0 + uniform(chance) * (self.leave.1 - self.leave.0);
                let interval = OF
                    .limits()
                    .partition_point(|limit| *limit <= dies.min(leaves));
                match dies <= leaves {
                    true => site.events[interval] += 1,
                    false => site.censored[interval] += 1,
                }
            }
            for cell in site.events.iter_mut().chain(&mut site.censored) {
                *cell += discrete_gaussian(self.variance, chance);
            }
            site.variance = self.variance;
            site
        }
    }

    /// For each limit: how often a curve went so far and its band missed the truth, of all trials.
    fn missed(world: &World, trials: u32) -> Vec<f64> {
        let mut chance = chance();
        let mut missed = vec![0.0; INTERVALS];
        for _ in 0..trials {
            let sites: Vec<_> = (0..world.sites).map(|_| world.site(&mut chance)).collect();
            let curve = survival_curve(OF, &sites.iter().collect::<Vec<_>>()).unwrap();
            for (at, point) in curve.points.iter().enumerate() {
                let truth = (-world.hazard * point.years).exp();
                if !(point.low..=point.high).contains(&truth) {
                    missed[at] += 1.0 / f64::from(trials);
                }
            }
        }
        missed
    }

    #[test]
    fn the_band_holds_the_truth_as_often_as_it_says() {
        const TRIALS: u32 = 600;
        // Four spreads of a share of 0.05 in so many trials above it.
        let limit = 0.05 + 4.0 * (0.05 * 0.95 / f64::from(TRIALS)).sqrt();
        let world = |patients, hazard, leave, sites, variance| World {
            patients,
            hazard,
            leave,
            sites,
            variance,
        };
        for world in [
            world(500, 0.2, (0.0, 8.0), 1, 0),
            world(500, 0.2, (0.0, 8.0), 1, 256),
            world(2_000, 0.2, (0.0, 8.0), 1, 256),
            world(900, 0.25, (0.0, 8.0), 3, 9),
        ] {
            let missed = missed(&world, TRIALS);
            println!(
                "{} patients, variance {}: {missed:.3?}",
                world.patients, world.variance
            );
            assert!(missed.iter().all(|share| *share <= limit), "{missed:?}");
            assert!(
                missed.iter().sum::<f64>() > 0.0,
                "a band that never fails is too wide"
            );
        }
    }
}
