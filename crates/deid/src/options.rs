//! The options of the confidentiality profile (PS3.15 E.3) and their codes (PS3.16 CID 7050).

use serde::{Deserialize, Serialize};

/// An option of the confidentiality profile. All but the two about pixels are columns of Table E.1-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProfileOption {
    /// 113101: text in the pixels is removed. The code is given only with a [`crate::PixelProof`] of it.
    CleanPixelData,
    /// 113102: faces are removed. The code is given only with a [`crate::PixelProof`] of it.
    CleanRecognizableVisualFeatures,
    /// 113103: text of graphics is cleaned; bitmaps over the image (curves, overlays) are removed.
    CleanGraphics,
    /// 113104: structured content is kept with its items cleaned.
    CleanStructuredContent,
    /// 113105: free text is cleaned instead of removed.
    CleanDescriptors,
    /// 113106: dates stay as they are.
    RetainFullDates,
    /// 113107: dates move by a secret number of weeks per patient.
    RetainModifiedDates,
    /// 113108: sex, age, size, weight and the like stay.
    RetainPatientCharacteristics,
    /// 113109: serial numbers, station names and the like stay.
    RetainDeviceIdentity,
    /// 113110: UIDs stay.
    RetainUids,
    /// 113111: the private attributes of Table E.3.10-1, and those that a recipe adds, stay.
    RetainSafePrivate,
    /// 113112: institution name and address stay.
    RetainInstitutionIdentity,
}

/// Code and meaning of the Basic Profile itself, always first in the method sequence.
pub(crate) const BASIC_PROFILE: (&str, &str) =
    ("113100", "Basic Application Confidentiality Profile");

impl ProfileOption {
    /// Every option, in the order of the codes.
    pub const ALL: [Self; 12] = [
        Self::CleanPixelData,
        Self::CleanRecognizableVisualFeatures,
        Self::CleanGraphics,
        Self::CleanStructuredContent,
        Self::CleanDescriptors,
        Self::RetainFullDates,
        Self::RetainModifiedDates,
        Self::RetainPatientCharacteristics,
        Self::RetainDeviceIdentity,
        Self::RetainUids,
        Self::RetainSafePrivate,
        Self::RetainInstitutionIdentity,
    ];

    /// Code value and meaning in coding scheme DCM (PS3.16 CID 7050).
    #[must_use]
    pub fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::CleanPixelData => ("113101", "Clean Pixel Data Option"),
            Self::CleanRecognizableVisualFeatures => {
                ("113102", "Clean Recognizable Visual Features Option")
            }
            Self::CleanGraphics => ("113103", "Clean Graphics Option"),
            Self::CleanStructuredContent => ("113104", "Clean Structured Content Option"),
            Self::CleanDescriptors => ("113105", "Clean Descriptors Option"),
            Self::RetainFullDates => (
                "113106",
                "Retain Longitudinal Temporal Information Full Dates Option",
            ),
            Self::RetainModifiedDates => (
                "113107",
                "Retain Longitudinal Temporal Information Modified Dates Option",
            ),
            Self::RetainPatientCharacteristics => {
                ("113108", "Retain Patient Characteristics Option")
            }
            Self::RetainDeviceIdentity => ("113109", "Retain Device Identity Option"),
            Self::RetainUids => ("113110", "Retain UIDs Option"),
            Self::RetainSafePrivate => ("113111", "Retain Safe Private Option"),
            Self::RetainInstitutionIdentity => ("113112", "Retain Institution Identity Option"),
        }
    }

    /// The name that recipes and the table file use, such as `CleanDescriptors`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CleanPixelData => "CleanPixelData",
            Self::CleanRecognizableVisualFeatures => "CleanRecognizableVisualFeatures",
            Self::CleanGraphics => "CleanGraphics",
            Self::CleanStructuredContent => "CleanStructuredContent",
            Self::CleanDescriptors => "CleanDescriptors",
            Self::RetainFullDates => "RetainFullDates",
            Self::RetainModifiedDates => "RetainModifiedDates",
            Self::RetainPatientCharacteristics => "RetainPatientCharacteristics",
            Self::RetainDeviceIdentity => "RetainDeviceIdentity",
            Self::RetainUids => "RetainUids",
            Self::RetainSafePrivate => "RetainSafePrivate",
            Self::RetainInstitutionIdentity => "RetainInstitutionIdentity",
        }
    }

    /// The option of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.name() == name)
    }
}
