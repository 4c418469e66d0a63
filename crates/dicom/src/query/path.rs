//! Attributes as people name them (PS3.18 section 8.3.4.1): eight hexadecimal digits, a keyword of PS3.6, or several of
//! these joined by dots where sequences are on the way. Private attributes go by their digits.

use dicom_core::Tag;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;

use crate::json::parse_tag;

/// Tags of one path; queries go into sequences of sequences, hardly deeper.
pub const MAX_PATH_TAGS: usize = 8;

/// Why text names no attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Neither digits nor a known keyword.
    #[error("not an attribute: eight hexadecimal digits or a keyword of PS3.6 are")]
    Unknown,
    /// More than [`MAX_PATH_TAGS`].
    #[error("more than {MAX_PATH_TAGS} attributes in one path")]
    TooLong,
}

/// The tags that a path names.
///
/// # Errors
/// [`PathError`].
pub fn parse_path(text: &str) -> Result<Vec<Tag>, PathError> {
    let parts = text.split('.').take(MAX_PATH_TAGS + 1);
    let tags = parts.map(tag_of).collect::<Result<Vec<_>, _>>()?;
    if tags.len() > MAX_PATH_TAGS {
        return Err(PathError::TooLong);
    }
    Ok(tags)
}

fn tag_of(text: &str) -> Result<Tag, PathError> {
    let keyword = || {
        let entry = StandardDataDictionary.by_name(text)?;
        // Keywords of repeating groups stand for many tags.
        matches!(
            entry.tag_range(),
            dicom_core::dictionary::TagRange::Single(_)
        )
        .then(|| entry.tag())
    };
    parse_tag(text).or_else(keyword).ok_or(PathError::Unknown)
}
