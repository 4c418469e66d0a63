//! Code systems by the names that FHIR gives them, and codes in them. Labels of licensed terminologies are not kept: a
//! code stands for itself.

use std::{fmt, str::FromStr};

/// A terminology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CodeSystem {
    /// DICOM's defined terms and controlled terminology (PS3.3, PS3.16).
    Dicom,
    /// ICD-10, diagnoses.
    Icd10,
    /// ICD-O-3, topography and morphology.
    IcdO3,
    /// SNOMED CT.
    Snomed,
    /// LOINC.
    Loinc,
    /// NCI Thesaurus.
    Ncit,
    /// RadLex.
    RadLex,
    /// TNM categories and groups of UICC or AJCC, as the edition beside them says.
    Tnm,
    /// ATC, medicines.
    Atc,
    /// RxNorm, medicines.
    RxNorm,
    /// Our own short lists, for what needs no terminology.
    Arno,
}

/// A name or address that stands for no known system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no code system: use one of dicom, icd10, icdo3, snomed, loinc, ncit, radlex, tnm, atc, rxnorm, arno"
)]
pub struct UnknownSystem(pub String);

impl CodeSystem {
    /// Every system.
    pub const ALL: [Self; 11] = [
        Self::Dicom,
        Self::Icd10,
        Self::IcdO3,
        Self::Snomed,
        Self::Loinc,
        Self::Ncit,
        Self::RadLex,
        Self::Tnm,
        Self::Atc,
        Self::RxNorm,
        Self::Arno,
    ];

    /// Its short name, in mapping files and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dicom => "dicom",
            Self::Icd10 => "icd10",
            Self::IcdO3 => "icdo3",
            Self::Snomed => "snomed",
            Self::Loinc => "loinc",
            Self::Ncit => "ncit",
            Self::RadLex => "radlex",
            Self::Tnm => "tnm",
            Self::Atc => "atc",
            Self::RxNorm => "rxnorm",
            Self::Arno => "arno",
        }
    }

    /// Its address in FHIR's `Coding.system`.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Dicom => "http://dicom.nema.org/resources/ontology/DCM",
            Self::Icd10 => "http://hl7.org/fhir/sid/icd-10",
            Self::IcdO3 => "http://terminology.hl7.org/CodeSystem/icd-o-3",
            Self::Snomed => "http://snomed.info/sct",
            Self::Loinc => "http://loinc.org",
            Self::Ncit => "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
            Self::RadLex => "http://www.radlex.org",
            Self::Tnm => "http://cancerstaging.org",
            Self::Atc => "http://www.whocc.no/atc",
            Self::RxNorm => "http://www.nlm.nih.gov/research/umls/rxnorm",
            Self::Arno => "urn:arno:codes",
        }
    }

    /// The system of that FHIR address.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.uri() == uri)
    }
}

impl FromStr for CodeSystem {
    type Err = UnknownSystem;

    fn from_str(name: &str) -> Result<Self, UnknownSystem> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| UnknownSystem(name.to_owned()))
    }
}

impl fmt::Display for CodeSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A code: system, code, and the version of the system where the source says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coded {
    /// The system.
    pub system: CodeSystem,
    /// The code, written as the system writes it.
    pub code: String,
    /// Version or edition of the system.
    pub version: Option<String>,
}

impl Coded {
    /// A code of no stated version.
    #[must_use]
    pub fn new(system: CodeSystem, code: &str) -> Self {
        Self {
            system,
            code: code.to_owned(),
            version: None,
        }
    }
}
