//! What must hold before an instance is taken in: usable identifiers (PS3.5 section 9.1) and pixel data as
//! long as its description says (PS3.3 C.7.6.3). Encoding has been checked by [`crate::scan`] before.
//!
//! Not here: quality (geometry, gaps, burned-in text), and anything between instances.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::attributes::texts;
use crate::frames::{FrameError, FrameLayout, PixelFormat};
use crate::instance::{Header, Instance};
use crate::syntax::is_encapsulated;

/// Longest legal UID (PS3.5 section 9.1).
pub const MAX_UID_CHARS: usize = 64;

/// Why an instance that can be read is not taken in. Never quotes a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// An identifier that every instance needs is absent or empty.
    #[error("{name} {tag} is missing")]
    MissingUid {
        /// Which one.
        tag: Tag,
        /// Its keyword.
        name: &'static str,
    },
    /// An identifier that is no UID.
    #[error("{name} {tag} is not a UID: {problem}")]
    IllegalUid {
        /// Which one.
        tag: Tag,
        /// Its keyword.
        name: &'static str,
        /// What is wrong with it.
        problem: UidProblem,
    },
    /// No Patient ID element; an empty one is accepted (type 2).
    #[error("PatientID (0010,0020) is missing")]
    MissingPatientId,
    /// Pixel data without a usable description, or in a layout that is not supported.
    #[error("pixel data cannot be interpreted: {0}")]
    PixelDescription(#[from] FrameError),
    /// Native pixel data shorter or longer than described.
    #[error(
        "pixel data has {actual} bytes where rows, columns, samples, bits and frames make {expected}"
    )]
    PixelLength {
        /// Bytes that the description asks for, padding included.
        expected: u64,
        /// Bytes present.
        actual: u64,
    },
    /// Native pixel data in a compressed transfer syntax, or fragments in an uncompressed one.
    #[error("pixel data is not encoded as the transfer syntax says")]
    PixelEncoding,
}

/// What makes text no UID. Leading zeros in components are illegal but common, and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UidProblem {
    /// More than 64 characters.
    #[error("longer than {MAX_UID_CHARS} characters")]
    TooLong,
    /// Anything but digits and dots.
    #[error("characters other than digits and dots")]
    IllegalCharacter,
    /// Two dots in a row, or one at an end.
    #[error("an empty component")]
    EmptyComponent,
    /// More than one value.
    #[error("more than one value")]
    Several,
}

/// Checks identifiers and pixel length.
///
/// # Errors
/// The first [`CheckError`] found.
pub fn check(instance: &Instance) -> Result<(), CheckError> {
    Uids::of(&instance.header)?;
    if instance.header.get(tags::PATIENT_ID).is_none() {
        return Err(CheckError::MissingPatientId);
    }
    check_pixels(instance)
}

/// The four identifiers of an instance, checked.
pub(crate) struct Uids {
    pub(crate) sop_class: String,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) instance: String,
}

impl Uids {
    pub(crate) fn of(header: &Header) -> Result<Self, CheckError> {
        Ok(Self {
            sop_class: uid(header, tags::SOP_CLASS_UID, "SOPClassUID")?,
            study: uid(header, tags::STUDY_INSTANCE_UID, "StudyInstanceUID")?,
            series: uid(header, tags::SERIES_INSTANCE_UID, "SeriesInstanceUID")?,
            instance: uid(header, tags::SOP_INSTANCE_UID, "SOPInstanceUID")?,
        })
    }
}

fn uid(header: &Header, tag: Tag, name: &'static str) -> Result<String, CheckError> {
    let problem = match texts(header, tag)[..] {
        [] | [""] => return Err(CheckError::MissingUid { tag, name }),
        [value] => match uid_problem(value) {
            None => return Ok(value.to_owned()),
            Some(problem) => problem,
        },
        _ => UidProblem::Several,
    };
    Err(CheckError::IllegalUid { tag, name, problem })
}

fn uid_problem(value: &str) -> Option<UidProblem> {
    if value.len() > MAX_UID_CHARS {
        return Some(UidProblem::TooLong);
    }
    if !value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Some(UidProblem::IllegalCharacter);
    }
    value
        .split('.')
        .any(str::is_empty)
        .then_some(UidProblem::EmptyComponent)
}

fn check_pixels(instance: &Instance) -> Result<(), CheckError> {
    let Some(pixels) = &instance.pixels else {
        return Ok(());
    };
    if pixels.encapsulated != is_encapsulated(&instance.transfer_syntax) {
        return Err(CheckError::PixelEncoding);
    }
    if pixels.encapsulated {
        PixelFormat::of(instance)?;
        return Ok(());
    }
    let layout = FrameLayout::of(instance)?;
    let actual = (pixels.encoded.len() - pixels.value_offset) as u64;
    let expected = layout.value_bytes();
    // An odd length is padded by one byte (PS3.5 section 8.1.1); some writers forget to.
    if actual != expected && actual != expected.next_multiple_of(2) {
        return Err(CheckError::PixelLength {
            expected: expected.next_multiple_of(2),
            actual,
        });
    }
    Ok(())
}
