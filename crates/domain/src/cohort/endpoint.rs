//! Endpoints of survival: how long patients were followed, whether it ended with the event, and in which intervals that is counted.
//!
//! A patient counts in one interval as one of the two, by the outcome that followed them longest; whoever has no days or no known
//! end is in none. Not here: the curve (`crate::survival`).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Field, canonical};

/// What patients are followed to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Endpoint {
    /// Death of any cause.
    #[serde(rename = "overall_survival")]
    Overall,
    /// Progression of the disease, or death of it.
    #[serde(rename = "progression_free_survival")]
    ProgressionFree,
}

/// How the days of one patient ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With the event.
    Event,
    /// Without it, as far as is known.
    Censored,
}

/// Days of a year, as in the cohort language.
pub const YEAR_DAYS: f64 = 365.25;

/// Half-years to two years, then years to ten. Each interval adds its own noise to a curve, so there are no more than a reader needs:
/// fine where most is seen, coarse where few are left.
const LIMITS_YEARS: [f64; 12] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

/// Intervals of a curve: one before each limit, and what lies beyond the last.
pub const INTERVALS: usize = LIMITS_YEARS.len() + 1;

struct Fields {
    days: Field,
    how: Field,
}

static FIELDS: LazyLock<[Fields; 2]> = LazyLock::new(|| {
    let field = |name| Field::parse(name).expect("a name of the model's table");
    [
        Fields {
            days: field("overall_survival_days"),
            how: field("vital_status"),
        },
        Fields {
            days: field("progression_free_days"),
            how: field("progression"),
        },
    ]
});

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Overall, Self::ProgressionFree];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overall => "overall_survival",
            Self::ProgressionFree => "progression_free_survival",
        }
    }

    /// The endpoint of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.as_str() == name)
    }

    /// The field of the days that a patient was followed.
    #[must_use]
    pub fn days(self) -> Field {
        self.fields().days
    }

    /// The field that says how they ended.
    #[must_use]
    pub fn how(self) -> Field {
        self.fields().how
    }

    /// What a value of [`Self::how`] says; none where it says neither.
    #[must_use]
    pub fn end(self, word: &str) -> Option<End> {
        let word = canonical(self.how(), word);
        match (self, word.as_str()) {
            // 419099009 and 438949009 are SNOMED CT for dead and alive.
            (Self::Overall, "DEAD" | "419099009") | (Self::ProgressionFree, "YES") => {
                Some(End::Event)
            }
            (Self::Overall, "ALIVE" | "438949009") | (Self::ProgressionFree, "NO") => {
                Some(End::Censored)
            }
            _ => None,
        }
    }

    /// Years at which an interval ends and the next begins; the last goes on without end.
    #[must_use]
    pub fn limits(self) -> [f64; INTERVALS - 1] {
        LIMITS_YEARS
    }

    fn fields(self) -> &'static Fields {
        match self {
            Self::Overall => &FIELDS[0],
            Self::ProgressionFree => &FIELDS[1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Endpoint};

    #[test]
    fn words_say_how_it_ended() {
        let check = |endpoint: Endpoint, word: &str, expect: Option<End>| {
            assert_eq!(endpoint.end(word), expect, "{word}");
        };
        check(Endpoint::Overall, "dead", Some(End::Event));
        check(Endpoint::Overall, "Alive", Some(End::Censored));
        check(Endpoint::Overall, "unknown", None);
        check(Endpoint::ProgressionFree, "yes", Some(End::Event));
        check(Endpoint::ProgressionFree, "no", Some(End::Censored));
        check(Endpoint::ProgressionFree, "dead", None);
    }
}
