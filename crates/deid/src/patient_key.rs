//! What a pseudonym is made from. It names a patient: for whoever must choose a secret by it, or keep the link.

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::{
    deidentified::value,
    secret::{Pseudonym, Secret},
};

/// A patient id within its issuer; the study's UID where there is no patient id. Hidden from Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientKey {
    /// Patient ID (0010,0020), else Study Instance UID (0020,000D).
    pub id: String,
    /// Issuer of Patient ID (0010,0021).
    pub issuer: Option<String>,
}

impl PatientKey {
    /// Of a header as it came; `None` when it names neither patient nor study.
    #[must_use]
    pub fn of(header: &InMemDicomObject) -> Option<Self> {
        let id = value(header, tags::PATIENT_ID);
        Some(Self {
            id: id.or_else(|| value(header, tags::STUDY_INSTANCE_UID))?,
            issuer: value(header, tags::ISSUER_OF_PATIENT_ID),
        })
    }

    /// The pseudonym under a secret.
    #[must_use]
    pub fn pseudonym(&self, secret: &Secret) -> Pseudonym {
        secret.pseudonym(&self.id, self.issuer.as_deref())
    }
}

impl std::fmt::Debug for PatientKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PatientKey(hidden)")
    }
}
