//! Values as criteria see them, and the facts of one series and its patient.

use super::Field;

/// What a node knows of one series and its patient; a patient without images has one row without study and series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Pseudonym.
    pub patient: String,
    /// Study Instance UID, mapped.
    pub study: Option<String>,
    /// Series Instance UID, mapped.
    pub series: Option<String>,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// Body Part Examined (0018,0015).
    pub body_part: Option<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Patient's Sex (0010,0040).
    pub sex: Option<String>,
    /// Age at the study, in years.
    pub age_years: Option<f64>,
    /// Slice Thickness (0018,0050), in millimetres.
    pub slice_thickness_mm: Option<f64>,
    /// Mean malignancy of the patient's most suspicious nodule, 1 to 5, as its readers rated it.
    pub malignancy: Option<f64>,
    /// Radiologists who outlined the patient's most-read nodule.
    pub readers: Option<f64>,
    /// Diagnosis as an ICD-O-3 or ICD-10 code.
    pub diagnosis: Option<String>,
}

/// One recorded value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A code or a name; `yes` or `no` of a flag.
    Word(&'a str),
    /// A number in the unit of its field; days for a day.
    Number(f64),
}

impl Facts {
    /// Names of the fields that facts hold.
    pub const FIELDS: [&'static str; 9] = [
        "modality",
        "body_part",
        "manufacturer",
        "sex",
        "age",
        "slice_thickness",
        "malignancy",
        "readers",
        "diagnosis",
    ];

    /// The fields that facts hold, in a fixed order.
    pub fn fields() -> impl Iterator<Item = Field> {
        Self::FIELDS
            .into_iter()
            .filter_map(|name| Field::parse(name).ok())
    }

    /// The value of a field, if it is recorded.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<Value<'_>> {
        let word = match field.as_str() {
            "modality" => &self.modality,
            "body_part" => &self.body_part,
            "manufacturer" => &self.manufacturer,
            "sex" => &self.sex,
            "diagnosis" => &self.diagnosis,
            name => return self.number(name).map(Value::Number),
        };
        word.as_deref().map(Value::Word)
    }

    fn number(&self, name: &str) -> Option<f64> {
        match name {
            "age" => self.age_years,
            "slice_thickness" => self.slice_thickness_mm,
            "malignancy" => self.malignancy,
            "readers" => self.readers,
            _ => None,
        }
    }
}
