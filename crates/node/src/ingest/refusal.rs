//! Why a file is not taken in: a stable code for programs and a reason with the next step for people.
//!
//! Reasons name places and limits, never a value of the file.

use arno_deid::DeidError;
use arno_dicom::{CheckError, ReadError};
use arno_store::node::NewReview;

use super::item::Fate;
use crate::NodeError;

/// Why a file goes to quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// A stable word.
    pub(super) code: &'static str,
    /// What is wrong and what to do next.
    pub(super) reason: String,
    /// What a person is to know who looks at it, if that can help.
    pub(super) waits: Option<Box<NewReview>>,
}

impl Refusal {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            waits: None,
        }
    }

    /// A person must look at it first.
    pub(super) fn waits(why: impl std::fmt::Display, review: NewReview) -> Self {
        let reason = format!("a person has to look at it: {why}");
        Self {
            waits: Some(Box::new(review)),
            ..Self::new("needs_review", reason)
        }
    }

    /// The text finder looks at it first; by its header alone it would come in.
    pub(super) fn waits_for_text_finder(review: NewReview) -> Self {
        let reason = "the text finder has to look at it: radiographs and localizers can show text. It comes in by itself if they do not";
        Self {
            waits: Some(Box::new(review)),
            ..Self::new("waits_for_text_finder", reason)
        }
    }

    /// Whoever looked let it in, and that cannot be carried out: it goes on waiting.
    pub(super) fn not_carried_out(why: impl std::fmt::Display, review: NewReview) -> Self {
        Self {
            reason: format!("{why}: decide otherwise, or refuse it"),
            ..Self::waits("", review)
        }
    }

    pub(super) fn refused_by_person() -> Self {
        let reason = "a person looked at the same bytes before and refused them for good";
        Self::new("refused_by_person", reason)
    }

    pub(super) fn closed_folder() -> Self {
        Self::new(
            "unreadable",
            "this folder cannot be looked into: check its permissions and how deep it is nested",
        )
    }

    pub(super) fn archive(what: &str) -> Self {
        Self::new(
            "bad_archive",
            format!("{what}; unpack it and ingest its files"),
        )
    }

    pub(super) fn missing() -> Self {
        let reason =
            "a DICOMDIR names it, and it is not there: the medium was not copied as a whole";
        Self::new("missing_file", reason)
    }

    pub(super) fn unreadable(error: &std::io::Error) -> Self {
        let reason = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "no permission to read it: change its permissions"
            }
            std::io::ErrorKind::NotFound => "it went away while the folder was read",
            _ => "the disk does not give it: check the disk",
        };
        Self::new(
            "unreadable",
            format!("{reason}, then ingest the folder again"),
        )
    }

    pub(super) fn file_too_large(size: u64, limit: u64) -> Self {
        Self::new(
            "file_too_large",
            format!("it has {size} bytes; files up to {limit} bytes are read"),
        )
    }

    pub(super) fn defect() -> Self {
        Self::new(
            "defect",
            "this file brought a defect of Arno to light: please report it with this version's number",
        )
    }

    /// It is in order, and the node failed over it: the error is the node's and holds no value of the instance.
    pub(super) fn not_kept(error: &NodeError) -> Self {
        let reason = format!(
            "it came in, and the node could not keep it ({error}): run `arno-node verify`, mend what it names, then try again"
        );
        Self::new("not_kept", reason)
    }

    pub(super) fn refused_before() -> Self {
        let reason = "the same bytes were put into quarantine before: its page says why, and tries them again";
        Self::new("refused_before", reason)
    }

    pub(super) fn duplicate() -> Self {
        let reason = "another file with the same SOP Instance UID but other content is kept already: find out which is right";
        Self::new("duplicate_instance", reason)
    }

    pub(super) fn inconsistent(level: &str, parent: &str) -> Self {
        let reason = format!(
            "its {level} is kept under another {parent}: the identifiers contradict each other at the source"
        );
        Self::new("inconsistent_identifiers", reason)
    }

    pub(super) fn changed_readings(changed: usize) -> Self {
        let reason = format!(
            "{changed} readings differ from those that are kept of the same nodule by the same reader, and were left out: \
             find out which are right"
        );
        Self::new("changed_readings", reason)
    }

    pub(super) fn bad_readings(bad: usize, good: usize, first: &str) -> Self {
        let reason = format!(
            "{bad} lines are no readings and were left out, {good} were kept; the first: {first}"
        );
        Self::new("bad_readings", reason)
    }
}

impl From<Refusal> for Fate {
    fn from(Refusal { code, reason, .. }: Refusal) -> Self {
        Self::Refused { code, reason }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let (code, next) = match &error {
            ReadError::NotDicom(_) => (
                "not_dicom",
                "nothing to do if it is not meant to be an image",
            ),
            ReadError::Truncated { .. } => ("truncated", "send it again from its source"),
            ReadError::TooDeep { .. } => (
                "too_deep",
                "look at its source: no real object is nested like this",
            ),
            ReadError::TooLarge { .. } | ReadError::InflatesTooLarge { .. } => {
                ("too_large", "look at its source")
            }
            ReadError::UnsupportedTransferSyntax { .. } => (
                "unsupported_transfer_syntax",
                "send it in another transfer syntax",
            ),
            _ => ("malformed", "send it again from its source"),
        };
        Self::new(code, format!("{error}; {next}"))
    }
}

impl From<CheckError> for Refusal {
    fn from(error: CheckError) -> Self {
        let code = match &error {
            CheckError::MissingUid { .. } | CheckError::MissingPatientId => "missing_identifier",
            CheckError::IllegalUid { .. } => "illegal_uid",
            CheckError::PixelLength { .. } => "pixel_length",
            _ => "pixel_description",
        };
        Self::new(
            code,
            format!("{error}; correct it at its source and send it again"),
        )
    }
}

impl From<DeidError> for Refusal {
    fn from(error: DeidError) -> Self {
        let code = match &error {
            DeidError::NoIdentity => "missing_identifier",
            _ => "needs_review",
        };
        Self::new(code, error.to_string())
    }
}
