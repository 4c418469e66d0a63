//! The identifiers that a header claims, unchecked: to tell a sender which of its instances is meant, also when it is
//! refused. They are the sender's own and go back to nobody else.

use dicom_dictionary_std::tags;

use crate::attributes::text;
use crate::instance::Header;

/// What a header says that it is; nothing of it is checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// SOP Class UID (0008,0016).
    pub sop_class: Option<String>,
    /// SOP Instance UID (0008,0018).
    pub sop_instance: Option<String>,
    /// Series Instance UID (0020,000E).
    pub series: Option<String>,
    /// Study Instance UID (0020,000D).
    pub study: Option<String>,
}

impl Claimed {
    /// Reads them.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        Self {
            sop_class: text(header, tags::SOP_CLASS_UID),
            sop_instance: text(header, tags::SOP_INSTANCE_UID),
            series: text(header, tags::SERIES_INSTANCE_UID),
            study: text(header, tags::STUDY_INSTANCE_UID),
        }
    }
}

/// Identifiers of a patient's images do not belong into a log.
impl std::fmt::Debug for Claimed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Claimed").finish_non_exhaustive()
    }
}
