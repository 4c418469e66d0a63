//! What the patients of a cohort can be counted by besides: values of words, numbers in steps, how long they were followed.
//!
//! A facet is one text in JSON, on the command line and in digests: the name of a field (`modality`, `age`), or of an endpoint
//! (`overall_survival`). Which kind it is follows from the name alone. Not here: counting (`arno-engine`), and what may be said.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Endpoint, Field, Stepped};
use crate::model::{FieldKind, UnknownField};

/// What the patients of a cohort are counted by. Made by parsing; ordered as the model's table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// By the values of a field of words.
    Words(Field),
    /// By a number, in the steps that are fixed for its field.
    Steps(Stepped),
    /// By how long they were followed, and whether it ended with the event.
    Survival(Endpoint),
}

/// A text that is no facet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFacet {
    /// No field or endpoint has that name.
    #[error("{0}, and of survival {names}", names = endpoints())]
    Unknown(#[from] UnknownField),
    /// A number for which no steps are fixed.
    #[error("{0} has no steps to count it in; these have: {names}", names = stepped())]
    NoSteps(Field),
}

impl Facet {
    /// The field that it is about; of survival the field of days.
    #[must_use]
    pub fn field(self) -> Field {
        match self {
            Self::Words(field) => field,
            Self::Steps(stepped) => stepped.field(),
            Self::Survival(endpoint) => endpoint.days(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Words(_) | Self::Steps(_) => self.field().as_str(),
            Self::Survival(endpoint) => endpoint.as_str(),
        }
    }
}

impl FromStr for Facet {
    type Err = UnknownFacet;

    fn from_str(name: &str) -> Result<Self, UnknownFacet> {
        if let Some(endpoint) = Endpoint::from_name(name) {
            return Ok(Self::Survival(endpoint));
        }
        let field = Field::parse(name)?;
        match field.kind() {
            FieldKind::Code { .. } | FieldKind::Words | FieldKind::Flag => Ok(Self::Words(field)),
            FieldKind::Number { .. } | FieldKind::Days => Stepped::of(field)
                .map(Self::Steps)
                .ok_or(UnknownFacet::NoSteps(field)),
        }
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Facet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Facet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Facet {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "What patients are counted by: a field of words, a number that has fixed steps (such as age), overall_survival or \
                 progression_free_survival",
            ))
            .build();
        utoipa::openapi::RefOr::T(Schema::Object(text))
    }
}

impl utoipa::ToSchema for Facet {}

fn endpoints() -> String {
    Endpoint::ALL.map(Endpoint::as_str).join(", ")
}

fn stepped() -> String {
    let names: Vec<_> = Stepped::all()
        .map(|stepped| stepped.field().as_str())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Facet};

    #[test]
    fn a_name_says_which_kind_it_is() {
        let check = |name: &str, expect: &str| {
            let found = match name.parse::<Facet>() {
                Ok(facet) => {
                    assert_eq!(facet.to_string(), name);
                    let json = serde_json::to_string(&facet).unwrap();
                    assert_eq!(json, format!("\"{name}\""));
                    assert_eq!(serde_json::from_str::<Facet>(&json).unwrap(), facet);
                    match facet {
                        Facet::Words(_) => "words".to_owned(),
                        Facet::Steps(_) => "steps".to_owned(),
                        Facet::Survival(_) => "survival".to_owned(),
                    }
                }
                Err(error) => error.to_string(),
            };
            assert!(found.starts_with(expect), "{name}: {found}");
        };
        check("modality", "words");
        check("synthetic", "words");
        check("age", "steps");
        check("slice_thickness", "steps");
        check("overall_survival", "survival");
        check("progression_free_survival", "survival");
        check("diagnosis_date", "diagnosis_date has no steps");
        check("overal_survival", "\"overal_survival\" is no field");
    }

    #[test]
    fn endpoints_are_about_fields_of_outcomes() {
        for endpoint in Endpoint::ALL {
            assert_eq!(endpoint.days().entity(), endpoint.how().entity());
            assert_eq!(Endpoint::from_name(endpoint.as_str()), Some(endpoint));
            assert!(endpoint.limits().is_sorted_by(|one, other| one < other));
        }
    }
}
