//! The capability manifest: what a node says, signed, that it can be asked about.
//!
//! Coverage is given in four steps and values are named only when many patients have them, so that one patient more or less shows
//! only at the edge of a step. It is the data holder's own statement, like a dataset record: it is not noised, does not depend on who
//! asks or what, and is written anew only when data have changed. Not here: how patients are counted, and how it is sent.

mod count;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Document, NodeId,
    cohort::{Criterion, Test, Value},
    model::Field,
};

pub use count::FieldCount;

/// A value is named when so many patients have it: four times the usual threshold of a count, as nothing hides it.
pub const LISTED_FROM: u64 = 20;
/// A field counts as recorded when so many patients have it, the usual threshold of a count: that a site can evaluate a criterion must not
/// tell of one patient.
pub const RECORDED_FROM: u64 = 5;
/// Most values named of one field.
pub const MAX_LISTED: usize = 64;
/// Longest value that is named: longer ones are sentences.
pub const MAX_VALUE_CHARS: usize = 64;

/// What a node can be asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The node.
    pub node: NodeId,
    /// When it was counted.
    pub issued_at: DateTime<Utc>,
    /// Every field that is recorded of at least [`RECORDED_FROM`] patients, in the order of the common data model.
    pub fields: Vec<FieldCoverage>,
}

/// One field at a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldCoverage {
    /// The field.
    pub field: Field,
    /// Of how many patients it is recorded.
    pub coverage: Coverage,
    /// Values that at least [`LISTED_FROM`] patients have, sorted; words and codes only.
    pub values: Vec<String>,
}

/// A share of a node's patients, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Less than a tenth.
    Few,
    /// A tenth to a half.
    Some,
    /// A half to nine tenths.
    Most,
    /// Nine tenths or more.
    NearlyAll,
}

impl Coverage {
    /// The step of `with` patients out of `all`; nothing for nobody.
    #[must_use]
    pub fn of(with: u64, all: u64) -> Option<Self> {
        match (with, with.saturating_mul(10), all) {
            (0, ..) => None,
            (_, tenfold, all) if tenfold < all => Some(Self::Few),
            (_, tenfold, all) if tenfold < all.saturating_mul(5) => Some(Self::Some),
            (_, tenfold, all) if tenfold < all.saturating_mul(9) => Some(Self::Most),
            _ => Some(Self::NearlyAll),
        }
    }
}

impl Manifest {
    /// What is said of a field; nothing where nothing is recorded.
    #[must_use]
    pub fn field(&self, field: Field) -> Option<&FieldCoverage> {
        self.fields.iter().find(|known| known.field == field)
    }

    /// How many of the named values a criterion reaches by looking under its codes; nothing where it asks for no more than it says.
    #[must_use]
    pub fn expanded(&self, criterion: &Criterion) -> Option<u32> {
        if !matches!(criterion.test, Test::Under(_)) {
            return None;
        }
        let reached = self.field(criterion.field).map_or(0, |known| {
            let admits =
                |value: &&String| criterion.test.admits(criterion.field, Value::Word(value));
            known.values.iter().filter(admits).count()
        });
        u32::try_from(reached).ok()
    }

    /// Whether it is as a node writes it: fields once and in order, values bounded.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let in_order = |pair: &[FieldCoverage]| pair[0].field < pair[1].field;
        let bounded = |known: &FieldCoverage| {
            known.values.len() <= MAX_LISTED && known.values.iter().all(|value| is_listable(value))
        };
        self.fields.windows(2).all(in_order) && self.fields.iter().all(bounded)
    }
}

fn is_listable(value: &str) -> bool {
    !value.is_empty()
        && value.chars().count() <= MAX_VALUE_CHARS
        && !value.chars().any(char::is_control)
}

impl Document for Manifest {
    const KIND: &'static str = "arno/manifest/1";
}

#[cfg(test)]
mod tests {
    use super::Coverage;

    #[test]
    fn coverage_has_four_steps() {
        let check = |with, all, expect| assert_eq!(Coverage::of(with, all), expect, "{with}/{all}");
        check(0, 100, None);
        check(1, 100, Some(Coverage::Few));
        check(9, 100, Some(Coverage::Few));
        check(10, 100, Some(Coverage::Some));
        check(50, 100, Some(Coverage::Most));
        check(89, 100, Some(Coverage::Most));
        check(90, 100, Some(Coverage::NearlyAll));
        check(1, 1, Some(Coverage::NearlyAll));
    }
}
