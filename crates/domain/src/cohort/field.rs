//! What can be asked about: the fields of a cohort, and the facts of one series and its patient.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A field that a criterion can test.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Modality (0008,0060).
    Modality,
    /// Body Part Examined (0018,0015).
    BodyPart,
    /// Manufacturer (0008,0070).
    Manufacturer,
    /// Patient's Sex (0010,0040).
    Sex,
    /// Age at the study, in years.
    Age,
    /// Slice Thickness (0018,0050), in millimetres.
    SliceThickness,
    /// Mean malignancy of the patient's most suspicious nodule, 1 to 5, as its readers rated it.
    Malignancy,
    /// Radiologists who outlined the patient's most-read nodule.
    Readers,
    /// Diagnosis as an ICD-O-3 or ICD-10 code.
    Diagnosis,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A code or a name.
    Words,
    /// A number in a unit (UCUM).
    Number {
        /// The unit, empty for a plain number.
        unit: &'static str,
    },
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 9] = [
        Self::Modality,
        Self::BodyPart,
        Self::Manufacturer,
        Self::Sex,
        Self::Age,
        Self::SliceThickness,
        Self::Malignancy,
        Self::Readers,
        Self::Diagnosis,
    ];

    /// The field's name in text and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Modality => "modality",
            Self::BodyPart => "body_part",
            Self::Manufacturer => "manufacturer",
            Self::Sex => "sex",
            Self::Age => "age",
            Self::SliceThickness => "slice_thickness",
            Self::Malignancy => "malignancy",
            Self::Readers => "readers",
            Self::Diagnosis => "diagnosis",
        }
    }

    /// The field of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    /// What the field holds.
    #[must_use]
    pub fn kind(self) -> FieldKind {
        match self {
            Self::Modality | Self::BodyPart | Self::Manufacturer | Self::Sex | Self::Diagnosis => {
                FieldKind::Words
            }
            Self::Age => FieldKind::Number { unit: "a" },
            Self::SliceThickness => FieldKind::Number { unit: "mm" },
            Self::Malignancy | Self::Readers => FieldKind::Number { unit: "" },
        }
    }
}

/// What a node knows of one series and its patient; a patient without images has one row without study and series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Pseudonym.
    pub patient: String,
    /// Study Instance UID, mapped.
    pub study: Option<String>,
    /// Series Instance UID, mapped.
    pub series: Option<String>,
    /// See [`Field::Modality`].
    pub modality: Option<String>,
    /// See [`Field::BodyPart`].
    pub body_part: Option<String>,
    /// See [`Field::Manufacturer`].
    pub manufacturer: Option<String>,
    /// See [`Field::Sex`].
    pub sex: Option<String>,
    /// See [`Field::Age`].
    pub age_years: Option<f64>,
    /// See [`Field::SliceThickness`].
    pub slice_thickness_mm: Option<f64>,
    /// See [`Field::Malignancy`].
    pub malignancy: Option<f64>,
    /// See [`Field::Readers`].
    pub readers: Option<f64>,
    /// See [`Field::Diagnosis`].
    pub diagnosis: Option<String>,
}

/// One recorded value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A code or a name.
    Word(&'a str),
    /// A number in the unit of its field.
    Number(f64),
}

impl Facts {
    /// The value of a field, if it is recorded.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<Value<'_>> {
        let word = match field {
            Field::Modality => &self.modality,
            Field::BodyPart => &self.body_part,
            Field::Manufacturer => &self.manufacturer,
            Field::Sex => &self.sex,
            Field::Diagnosis => &self.diagnosis,
            Field::Age | Field::SliceThickness | Field::Malignancy | Field::Readers => {
                return self.number(field);
            }
        };
        word.as_deref().map(Value::Word)
    }

    fn number(&self, field: Field) -> Option<Value<'_>> {
        let number = match field {
            Field::Age => self.age_years,
            Field::SliceThickness => self.slice_thickness_mm,
            Field::Malignancy => self.malignancy,
            Field::Readers => self.readers,
            Field::Modality
            | Field::BodyPart
            | Field::Manufacturer
            | Field::Sex
            | Field::Diagnosis => None,
        };
        number.map(Value::Number)
    }
}
