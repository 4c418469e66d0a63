//! What records are about, and what each hangs on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of record.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A person, under a pseudonym.
    Patient,
    /// A disease that was found.
    Diagnosis,
    /// Its extent, by one edition of a staging system.
    Stage,
    /// What the pathologist saw.
    Pathology,
    /// What was measured in blood or tissue.
    Biomarker,
    /// An imaging study.
    Study,
    /// A series of a study.
    Series,
    /// What somebody or something drew or wrote over a series.
    Annotation,
    /// What was measured or scored in images.
    Measurement,
    /// What was done against the disease.
    Treatment,
    /// How it went.
    Outcome,
    /// Something that happened at a time, and what it belongs to.
    Event,
}

impl Entity {
    /// Every entity, parents before what hangs on them.
    pub const ALL: [Self; 12] = [
        Self::Patient,
        Self::Diagnosis,
        Self::Stage,
        Self::Pathology,
        Self::Biomarker,
        Self::Study,
        Self::Series,
        Self::Annotation,
        Self::Measurement,
        Self::Treatment,
        Self::Outcome,
        Self::Event,
    ];

    /// Its name in files, rows and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Diagnosis => "diagnosis",
            Self::Stage => "stage",
            Self::Pathology => "pathology",
            Self::Biomarker => "biomarker",
            Self::Study => "study",
            Self::Series => "series",
            Self::Annotation => "annotation",
            Self::Measurement => "measurement",
            Self::Treatment => "treatment",
            Self::Outcome => "outcome",
            Self::Event => "event",
        }
    }

    /// The entity of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.as_str() == name)
    }

    /// What its records hang on, where they say; always on a patient besides.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Patient => None,
            Self::Stage | Self::Pathology | Self::Biomarker => Some(Self::Diagnosis),
            Self::Series => Some(Self::Study),
            Self::Annotation => Some(Self::Series),
            Self::Diagnosis
            | Self::Study
            | Self::Measurement
            | Self::Treatment
            | Self::Outcome
            | Self::Event => Some(Self::Patient),
        }
    }

    /// What it is, for the documentation.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Patient => "A person, under a pseudonym.",
            Self::Diagnosis => "A disease that was found.",
            Self::Stage => "The extent of a diagnosis, by one edition of a staging system.",
            Self::Pathology => "What the pathologist saw.",
            Self::Biomarker => "What was measured in blood or tissue.",
            Self::Study => "An imaging study.",
            Self::Series => "A series of a study, with how it was acquired.",
            Self::Annotation => "What somebody or something drew or wrote over a series.",
            Self::Measurement => "What was measured or scored in images.",
            Self::Treatment => "What was done against the disease.",
            Self::Outcome => "How it went.",
            Self::Event => {
                "Something that happened at a time; it may point at any number of other records."
            }
        }
    }
}
