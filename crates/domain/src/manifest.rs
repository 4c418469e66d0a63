//! The capability manifest: what a node says, signed, that it can be asked about.
//!
//! Coverage is given in four steps and values are named only when many patients have them, so that one patient more or less shows
//! only at a border, and only the node knows where its borders lie ([`Borders`]). It is the data holder's own statement, like a dataset record: it is not noised, does not depend on who
//! asks or what, and is written anew only when data have changed. Not here: how patients are counted, and how it is sent.

mod count;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    Document, NodeId,
    cohort::{Criterion, Test, Value},
    disclosure::Borders,
    model::Field,
};

pub use count::FieldCount;

/// A value is named when so many patients have it, or some more, at a border of its own: four times the usual threshold of a count, as nothing hides it.
pub const LISTED_FROM: u64 = 20;
/// A field counts as recorded when so many patients have it, the usual threshold of a count, or some more, at a border of its own: that a
/// site can evaluate a criterion must not tell of one patient.
pub const RECORDED_FROM: u64 = 5;
/// A step of coverage begins up to so many thousandths of the patients above what its name says.
pub const STEP_WIDTH: u64 = 50;
/// Most values named of one field.
pub const MAX_LISTED: usize = 64;
/// Longest value that is named: longer ones are sentences.
pub const MAX_VALUE_CHARS: usize = 64;

/// What a node can be asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// The node.
    pub node: NodeId,
    /// When it was counted.
    pub issued_at: DateTime<Utc>,
    /// Every field that is recorded of [`RECORDED_FROM`] patients or some more, in the order of the common data model.
    #[serde(deserialize_with = "known_fields")]
    pub fields: Vec<FieldCoverage>,
}

/// Fields of a newer model are left out: nobody can ask about them here.
fn known_fields<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<FieldCoverage>, D::Error> {
    #[derive(Deserialize)]
    struct Named {
        field: String,
        coverage: Coverage,
        values: Vec<String>,
    }
    let named = Vec::<Named>::deserialize(deserializer)?;
    let known = named.into_iter().filter_map(|named| {
        Some(FieldCoverage {
            field: Field::parse(&named.field).ok()?,
            coverage: named.coverage,
            values: named.values,
        })
    });
    Ok(known.collect())
}

/// One field at a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldCoverage {
    /// The field.
    pub field: Field,
    /// Of how many patients it is recorded.
    pub coverage: Coverage,
    /// Values that [`LISTED_FROM`] patients or some more have, sorted; words and codes only.
    pub values: Vec<String>,
}

/// A share of a node's patients, in steps. Where exactly a step begins only the node knows: up to [`STEP_WIDTH`] above what it says.
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
    /// The step of `with` patients out of `all`, for a field at a node with these borders; nothing for nobody.
    #[must_use]
    pub fn of(field: Field, (with, all): (u64, u64), borders: &Borders) -> Option<Self> {
        let reaches = |least: u64| {
            let name = ["coverage", field.as_str(), &least.to_string()];
            let border = borders.share_above(least, STEP_WIDTH, &name);
            with.saturating_mul(1000) >= all.saturating_mul(border)
        };
        match with {
            0 => None,
            _ if reaches(900) => Some(Self::NearlyAll),
            _ if reaches(500) => Some(Self::Most),
            _ if reaches(100) => Some(Self::Some),
            _ => Some(Self::Few),
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
    use super::{Borders, Coverage, Field};
    use crate::disclosure::NoiseSecret;

    fn sex() -> Field {
        Field::parse("sex").unwrap()
    }

    #[test]
    fn coverage_has_four_steps() {
        let borders = Borders::new(NoiseSecret::new([1; 32]), 0);
        let check = |with, all, expect| {
            let found = Coverage::of(sex(), (with, all), &borders);
            assert_eq!(found, expect, "{with}/{all}");
        };
        check(0, 100, None);
        check(1, 100, Some(Coverage::Few));
        check(9, 100, Some(Coverage::Few));
        check(10, 100, Some(Coverage::Some));
        check(50, 100, Some(Coverage::Most));
        check(89, 100, Some(Coverage::Most));
        check(90, 100, Some(Coverage::NearlyAll));
        check(1, 1, Some(Coverage::NearlyAll));
    }

    #[test]
    fn a_step_begins_elsewhere_under_another_secret_and_never_too_early() {
        let begins = |secret: u8| {
            let borders = Borders::new(NoiseSecret::new([secret; 32]), 31);
            let of = |with| Coverage::of(sex(), (with, 1_000), &borders);
            assert_eq!(of(1_000), Some(Coverage::NearlyAll));
            (1..1_000)
                .find(|with| of(*with) == Some(Coverage::Most))
                .unwrap()
        };
        let places: Vec<u64> = (0..20).map(begins).collect();
        assert!(places.iter().all(|place| (500..550).contains(place)));
        assert!(places.iter().any(|place| *place != places[0]));
    }
}
