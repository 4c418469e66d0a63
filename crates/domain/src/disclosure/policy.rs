//! The data holder's settings: what counts may say, how much of a patient may be learnt in a period, and the noise that follows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NanoRho, UnderPermit, accounting::margin};

/// How counts are protected, set by the data holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisclosurePolicy {
    /// Counts below this, zero included, are answered with "fewer than".
    pub threshold: u32,
    /// Other counts are rounded to the nearest multiple of this.
    pub round_to: u32,
    /// Patients by which the borders of the capability manifest lie above their least, on average; each at a place that follows from the
    /// node's secret. With 0 they lie at the least, and one of them can tell of a single patient.
    #[serde(default = "border_spread")]
    pub border_spread: u32,
    /// What may be learnt in a period, and so how much noise there is.
    #[serde(default)]
    pub budget: DisclosureBudget,
    /// What is said exactly to whom a permit allows to count.
    #[serde(default)]
    pub under_permit: UnderPermit,
}

/// What may be learnt about any one patient in a period, and how it is divided among questions. ρ is that of zero-concentrated
/// differential privacy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisclosureBudget {
    /// Millionths of ρ that one data user may spend in a period.
    pub data_user_microrho: u64,
    /// Millionths of ρ that all together may spend in a period: what bounds a hub that invents data users.
    pub site_microrho: u64,
    /// Different questions that a data user's budget is good for. More questions, more noise in each.
    pub questions: u32,
    /// Survival curves that a data user's budget is good for, with nothing else asked.
    #[serde(default = "curves")]
    pub curves: u32,
    /// Days after which what was spent is there again.
    pub period_days: u32,
    /// Studies with which one patient counts at most.
    pub studies_per_patient: u32,
    /// Series with which one patient counts at most.
    pub series_per_patient: u32,
    /// Values of one facet with which one patient counts at most.
    #[serde(default = "values_per_patient")]
    pub values_per_patient: u32,
}

/// A patient who is the next to bring a field makes it recorded once in 32 times, whatever was seen before.
fn border_spread() -> u32 {
    31
}

/// Of the patients of NCI's Imaging Data Commons fewer than three in a hundred have more values of any field of a panel.
fn values_per_patient() -> u32 {
    4
}

/// A curve costs about as much as five questions.
fn curves() -> u32 {
    20
}

impl Default for DisclosurePolicy {
    /// Five and five: the commonest small-cell rule of European health statistics.
    fn default() -> Self {
        Self {
            threshold: 5,
            round_to: 5,
            border_spread: border_spread(),
            budget: DisclosureBudget::default(),
            under_permit: UnderPermit::default(),
        }
    }
}

impl Default for DisclosureBudget {
    /// One data user tells two worlds that differ in one patient apart at most 60 times in a hundred, whatever they ask in a
    /// week (ρ = 0.08, see [`NanoRho::best_guess`]); ten who join forces, at most 82 times (ρ = 0.8).
    fn default() -> Self {
        Self {
            data_user_microrho: 80_000,
            site_microrho: 800_000,
            questions: 100,
            curves: curves(),
            period_days: 7,
            studies_per_patient: 4,
            series_per_patient: 16,
            values_per_patient: values_per_patient(),
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Distinct patients.
    Patients,
    /// Studies, capped for each patient.
    Studies,
    /// Series, capped for each patient.
    Series,
}

impl Level {
    /// All, in the order of answers.
    pub const ALL: [Self; 3] = [Self::Patients, Self::Studies, Self::Series];

    /// The word in keys of noise.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patients => "patients",
            Self::Studies => "studies",
            Self::Series => "series",
        }
    }

    /// Its share of the price of an answer, in hundredths: patients are what a cohort is chosen by.
    fn share(self) -> u64 {
        match self {
            Self::Patients => 80,
            Self::Studies | Self::Series => 10,
        }
    }
}

/// The parts of an answer, each of which costs its share of a question's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The site's own counts.
    Site,
    /// The site's part of a total.
    Total,
    /// All cells of all facets together.
    Facets,
    /// The cells of one survival curve.
    Survival,
}

/// Of a data user's budget, in hundredths, what all curves that it is good for cost: the rest is for the counts that go with them.
const CURVES_SHARE: u64 = 90;

impl DisclosureBudget {
    /// What one data user may spend in a period.
    #[must_use]
    pub fn of_data_user(&self) -> NanoRho {
        NanoRho(self.data_user_microrho.saturating_mul(1000))
    }

    /// What all data users together may spend in a period.
    #[must_use]
    pub fn of_site(&self) -> NanoRho {
        NanoRho(self.site_microrho.saturating_mul(1000))
    }

    /// What a part of an answer costs.
    #[must_use]
    pub fn price(&self, part: Part) -> NanoRho {
        let one_of = |number: u32| NanoRho(self.of_data_user().0 / u64::from(number.max(1)));
        match part {
            Part::Site | Part::Total => one_of(self.questions).percent(40),
            Part::Facets => one_of(self.questions).percent(20),
            // A curve is a product over many cells, so it needs less noise in each than a bar does.
            Part::Survival => one_of(self.curves).percent(CURVES_SHARE),
        }
    }

    /// How many of these one patient adds to a count at most.
    #[must_use]
    pub fn cap(&self, level: Level) -> u32 {
        match level {
            Level::Patients => 1,
            Level::Studies => self.studies_per_patient,
            Level::Series => self.series_per_patient,
        }
    }

    /// Variance of the noise on a count of the site's own, or on a total. [`DisclosurePolicy::check`] holds it in bounds.
    #[must_use]
    pub fn variance(&self, part: Part, level: Level) -> u64 {
        let price = self.price(part).percent(level.share());
        price.variance(self.cap(level)).unwrap_or(u64::MAX)
    }

    /// Variance of the noise on each cell of a panel of facets in which one patient changes at most `cells` cells by one: the
    /// panel is one question, its sensitivity √cells.
    #[must_use]
    pub fn facet_variance(&self, cells: u32) -> u64 {
        let one = self.price(Part::Facets).variance(1).unwrap_or(u64::MAX);
        one.saturating_mul(u64::from(cells.max(1)))
    }
}

/// Largest setting of any kind: keeps variances within the sampler's whole numbers.
const MOST_MICRORHO: u64 = 1_000_000_000_000;
/// A period of ten years is none.
const MOST_DAYS: u32 = 3_650;
/// Least that a part of a count may cost: below, the noise would be above a million patients.
const LEAST_SHARE: NanoRho = NanoRho(1);
/// With more, no border would be reached.
const MOST_SPREAD: u32 = 10_000;
/// Most studies or series that a patient may count with.
const MOST_PER_PATIENT: u32 = 10_000;

impl DisclosurePolicy {
    /// Whether everything is within its limits.
    ///
    /// # Errors
    /// Names the setting and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let budget = &self.budget;
        let within = |name: &str, value: u64, most: u64| match (1..=most).contains(&value) {
            true => Ok(()),
            false => Err(format!("disclosure.{name} must be 1 to {most}")),
        };
        if self.threshold == 0 {
            return Err("disclosure.threshold must be at least 1".to_owned());
        }
        if self.border_spread > MOST_SPREAD {
            return Err(format!(
                "disclosure.border_spread must be 0 to {MOST_SPREAD}"
            ));
        }
        within(
            "budget.data_user_microrho",
            budget.data_user_microrho,
            MOST_MICRORHO,
        )?;
        within("budget.site_microrho", budget.site_microrho, MOST_MICRORHO)?;
        within(
            "budget.period_days",
            u64::from(budget.period_days),
            u64::from(MOST_DAYS),
        )?;
        within(
            "budget.studies_per_patient",
            u64::from(budget.studies_per_patient),
            u64::from(MOST_PER_PATIENT),
        )?;
        within(
            "budget.series_per_patient",
            u64::from(budget.series_per_patient),
            u64::from(MOST_PER_PATIENT),
        )?;
        within(
            "budget.values_per_patient",
            u64::from(budget.values_per_patient),
            u64::from(MOST_PER_PATIENT),
        )?;
        let least = budget.price(Part::Site).percent(Level::Series.share());
        if budget.questions == 0 || least < LEAST_SHARE {
            return Err(
                "disclosure.budget.questions must be at least 1 and leave each question something of data_user_microrho"
                    .to_owned(),
            );
        }
        if budget.curves == 0 || budget.price(Part::Survival) < LEAST_SHARE {
            return Err(
                "disclosure.budget.curves must be at least 1 and leave each curve something of data_user_microrho"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// What may be said of a count without noise: for statements of the data holder's own, such as a dataset record.
    #[must_use]
    pub fn protect(&self, count: u64) -> ProtectedCount {
        if count < u64::from(self.threshold) {
            return ProtectedCount::FewerThan(self.threshold);
        }
        let step = u64::from(self.round_to.max(1));
        ProtectedCount::About(count.saturating_add(step / 2) / step * step)
    }

    /// Half the width of the interval that holds the true count 95 times in a hundred: noise and rounding.
    #[must_use]
    pub fn margin(&self, variance: u64) -> u64 {
        margin(variance) + u64::from(self.round_to / 2)
    }
}

/// A count as it may leave a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProtectedCount {
    /// Somewhere from zero to one below this number.
    FewerThan(u32),
    /// The count, rounded.
    About(u64),
}

impl std::fmt::Display for ProtectedCount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FewerThan(limit) => write!(formatter, "< {limit}"),
            Self::About(count) => write!(formatter, "~ {count}"),
        }
    }
}
