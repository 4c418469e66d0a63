//! QIDO-RS parameters to a [`Query`] (PS3.18 sections 8.3.4 and 10.6.1.2).
//!
//! What is not understood is refused by name: a search that left out a criterion would answer another question. Not
//! here: what values match (`arno_dicom::query`), and identifiers in the path, which the caller adds as keys.

use arno_dicom::query::{Key, Level, Query, Returned, parse_path};
use dicom_core::{
    Tag, VR,
    dictionary::{DataDictionary as _, DataDictionaryEntry as _},
};
use dicom_dictionary_std::StandardDataDictionary;

use crate::percent::{EncodingError, pairs};

/// Rows of one answer; a client gets the rest with `offset`. A row is about a kilobyte.
pub const MAX_ROWS: usize = 5000;

/// Characters of a parameter's name that are repeated to whoever sent it.
const MAX_NAME_CHARS: usize = 64;

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryStringError {
    /// It cannot be read.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A name that is neither a parameter of QIDO-RS nor an attribute.
    #[error(
        "{name:?} is no parameter of this search: attributes are named by keyword (PatientID) or tag (00100020), \
         in sequences with dots"
    )]
    Unknown {
        /// As it was sent.
        name: String,
    },
    /// A value that the parameter cannot have.
    #[error("{name} must be {wanted}")]
    BadValue {
        /// The parameter.
        name: &'static str,
        /// What it can be.
        wanted: &'static str,
    },
    /// A parameter that can stand once only.
    #[error("{name} stands more than once")]
    Repeated {
        /// The parameter.
        name: &'static str,
    },
}

/// Reads the query string of a search at a level.
///
/// # Errors
/// [`QueryStringError`] names the parameter.
pub fn parse(level: Level, query: &str) -> Result<Query, QueryStringError> {
    let mut reading = Reading::default();
    for (name, value) in pairs(query)? {
        reading.take(&name, value)?;
    }
    Ok(Query {
        level,
        keys: reading.keys,
        fuzzy: reading.fuzzy.unwrap_or(false),
        returned: reading.included.into(),
        limit: reading.limit.unwrap_or(MAX_ROWS).min(MAX_ROWS),
        offset: reading.offset.unwrap_or(0),
    })
}

#[derive(Default)]
struct Reading {
    keys: Vec<Key>,
    fuzzy: Option<bool>,
    included: Included,
    limit: Option<usize>,
    offset: Option<usize>,
}

#[derive(Default)]
struct Included {
    all: bool,
    paths: Vec<Vec<Tag>>,
}

impl From<Included> for Returned {
    fn from(included: Included) -> Self {
        match (included.all, included.paths.is_empty()) {
            (true, _) => Self::All,
            (false, true) => Self::Default,
            (false, false) => Self::Also(included.paths),
        }
    }
}

impl Reading {
    fn take(&mut self, name: &str, value: String) -> Result<(), QueryStringError> {
        match name {
            "includefield" => self.include(&value),
            "limit" => set(&mut self.limit, "limit", number("limit", &value)?),
            "offset" => set(&mut self.offset, "offset", number("offset", &value)?),
            "fuzzymatching" => set(&mut self.fuzzy, "fuzzymatching", truth(&value)?),
            // Read where the media type is chosen (PS3.18 section 8.3.3.1).
            "accept" => Ok(()),
            attribute => self.match_attribute(attribute, value),
        }
    }

    fn include(&mut self, value: &str) -> Result<(), QueryStringError> {
        for name in value.split(',').map(str::trim) {
            match name {
                "all" => self.included.all = true,
                name => self.included.paths.push(path_of(name)?),
            }
        }
        Ok(())
    }

    /// Attributes that are asked for are given, so that a client sees what matched.
    fn match_attribute(&mut self, name: &str, value: String) -> Result<(), QueryStringError> {
        let path = path_of(name)?;
        self.included.paths.push(path.clone());
        if !is_uid(&path) {
            self.keys.push(Key { path, value });
            return Ok(());
        }
        // A list of UIDs has commas in a URL and backslashes in DICOM, or the key stands several times.
        let value = value.replace(',', "\\");
        match self.keys.iter_mut().find(|key| key.path == path) {
            Some(key) => key.value = format!("{}\\{value}", key.value),
            None => self.keys.push(Key { path, value }),
        }
        Ok(())
    }
}

fn path_of(name: &str) -> Result<Vec<Tag>, QueryStringError> {
    parse_path(name).map_err(|_| QueryStringError::Unknown {
        name: name.chars().take(MAX_NAME_CHARS).collect(),
    })
}

fn is_uid(path: &[Tag]) -> bool {
    let entry = path
        .last()
        .and_then(|tag| StandardDataDictionary.by_tag(*tag));
    entry.is_some_and(|entry| entry.vr().relaxed() == VR::UI)
}

fn set<T>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), QueryStringError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(QueryStringError::Repeated { name }),
    }
}

fn number(name: &'static str, value: &str) -> Result<usize, QueryStringError> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u32> = digits.then(|| value.parse().ok()).flatten();
    let wanted = "a whole number below 4294967296";
    number
        .and_then(|number| usize::try_from(number).ok())
        .ok_or(QueryStringError::BadValue { name, wanted })
}

fn truth(value: &str) -> Result<bool, QueryStringError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(QueryStringError::BadValue {
            name: "fuzzymatching",
            wanted: "true or false",
        }),
    }
}

#[cfg(test)]
#[path = "query_string/tests.rs"]
mod tests;
