//! A field's handle: a small number that only the table gives out, by name.

use std::{borrow::Cow, collections::HashMap, fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Entity, FieldKind, FieldSpec, course, disease, imaging};

/// A field of the common data model. Made only by parsing its name; ordered as the table is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field(u16);

/// A name that no field has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no field{hint}", hint = hint(near))]
pub struct UnknownField {
    /// What was written.
    pub name: String,
    /// The field whose name is nearest, if one is near.
    pub near: Option<&'static str>,
}

/// More letters wrong than this is another word.
const MAX_TYPOS: usize = 3;

static TABLE: LazyLock<Vec<&'static FieldSpec>> = LazyLock::new(|| {
    let mut fields: Vec<_> = [
        disease::PATIENT,
        disease::DIAGNOSIS,
        disease::STAGE,
        disease::PATHOLOGY,
        disease::BIOMARKER,
        imaging::STUDY,
        imaging::SERIES,
        imaging::ANNOTATION,
        imaging::MEASUREMENT,
        course::TREATMENT,
        course::OUTCOME,
        course::EVENT,
    ]
    .into_iter()
    .flatten()
    .collect();
    fields.truncate(usize::from(u16::MAX));
    fields
});

static BY_NAME: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
    let names = TABLE.iter().map(|spec| spec.name);
    names.zip(0..).collect()
});

impl Field {
    /// Every field, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).take(TABLE.len()).map(Self)
    }

    /// The field of that name.
    ///
    /// # Errors
    /// [`UnknownField`] names the nearest one.
    pub fn parse(name: &str) -> Result<Self, UnknownField> {
        let known = BY_NAME.get(name).map(|index| Self(*index));
        known.ok_or_else(|| UnknownField {
            name: name.to_owned(),
            near: nearest(name),
        })
    }

    /// Its row of the table.
    #[must_use]
    pub fn spec(self) -> &'static FieldSpec {
        TABLE[usize::from(self.0)]
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// What it belongs to.
    #[must_use]
    pub fn entity(self) -> Entity {
        self.spec().entity
    }

    /// What it holds.
    #[must_use]
    pub fn kind(self) -> FieldKind {
        self.spec().kind
    }

    /// Its place in the table, for arrays with one slot a field.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

fn hint(near: &Option<&'static str>) -> String {
    match near {
        Some(near) => format!("; did you mean {near}?"),
        None => String::from("; docs/model.md lists them"),
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > 64 {
        return None;
    }
    let distances = TABLE.iter().map(|spec| (typos(name, spec.name), spec.name));
    let (distance, near) = distances.min()?;
    (distance <= MAX_TYPOS && distance * 2 < name.len()).then_some(near)
}

/// Letters to add, leave out or change (Levenshtein).
pub(crate) fn typos(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in right.bytes().enumerate() {
            let change = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, UnknownField> {
        Self::parse(name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&name).map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Field {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
        let names = TABLE.iter().map(|spec| spec.name);
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A field of the common data model"))
            .enum_values(Some(names))
            .build();
        utoipa::openapi::RefOr::T(Schema::Object(text))
    }
}

impl utoipa::ToSchema for Field {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Entity, Field, FieldKind};

    #[test]
    fn names_are_unique_and_come_back() {
        let names: BTreeSet<_> = Field::all().map(Field::as_str).collect();
        assert_eq!(names.len(), Field::all().count());
        for field in Field::all() {
            assert_eq!(Field::parse(field.as_str()), Ok(field));
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(field.as_str().chars().all(legal), "{field}");
        }
    }

    #[test]
    fn every_field_says_what_it_is() {
        for field in Field::all() {
            let spec = field.spec();
            assert!(spec.meaning.len() > 10, "{field}");
            if let FieldKind::Code { systems } = spec.kind {
                assert!(!systems.is_empty(), "{field}");
            }
        }
        for entity in Entity::ALL {
            assert!(Field::all().any(|field| field.entity() == entity));
            assert_eq!(Entity::from_name(entity.as_str()), Some(entity));
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_told() {
        let check = |name: &str, expect: Option<&str>| {
            assert_eq!(Field::parse(name).unwrap_err().near, expect, "{name}");
        };
        check("slice_thicknes", Some("slice_thickness"));
        check("diagnoses", Some("diagnosis"));
        check("shoe_size", None);
        check("x", None);
    }

    #[test]
    fn the_first_cohort_fields_stay() {
        for name in [
            "modality",
            "body_part",
            "manufacturer",
            "sex",
            "age",
            "slice_thickness",
            "malignancy",
            "readers",
            "diagnosis",
        ] {
            assert!(Field::parse(name).is_ok(), "{name}");
        }
    }
}
