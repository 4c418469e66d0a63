//! Identifiers: the data set that asks (PS3.4 sections C.4.1.1.3 and C.4.2.1.4), and the data sets that answer.

use arno_dicom::{
    dataset,
    json::{self, Attributes},
    query::{Level, Query, Returned, identifier_keys, identifier_level},
};
use arno_dimse::{
    AeTitle, Uid,
    scp::{Extension, Model, QueryFailure},
};
use bytes::Bytes;
use serde_json::json;

/// Rows of one answer; more are said to be out of reach.
const MAX_ROWS: usize = 1_000_000;

const CHARACTER_SET: &str = "00080005";
const LEVEL: &str = "00080052";
const RETRIEVE_AE_TITLE: &str = "00080054";

/// Reads an identifier. Matching is relational: keys of higher levels may be left out.
pub(super) fn read(
    identifier: &Bytes,
    transfer_syntax: &Uid,
    model: Model,
    extensions: &[Extension],
) -> Result<Query, QueryFailure> {
    let header = dataset::read_data_set(identifier.clone(), transfer_syntax.as_str())
        .map_err(|_| QueryFailure::UnableToProcess)?;
    let level = identifier_level(&header)
        .filter(|level| *level != Level::Patient || model == Model::PatientRoot)
        .ok_or(QueryFailure::IdentifierMismatch)?;
    let keys = identifier_keys(&header).ok_or(QueryFailure::UnableToProcess)?;
    Ok(Query {
        level,
        returned: Returned::Only(keys.iter().map(|key| key.path.clone()).collect()),
        keys,
        fuzzy: extensions.contains(&Extension::FuzzyNames),
        limit: MAX_ROWS,
        offset: 0,
    })
}

/// One row as an identifier; a key without a value is in it, empty (PS3.4 section C.4.1.1.3.2).
pub(super) fn write(
    mut row: Attributes,
    level: Level,
    transfer_syntax: &Uid,
    own: &AeTitle,
) -> Option<Bytes> {
    let level = match level {
        Level::Patient => "PATIENT",
        Level::Study => "STUDY",
        Level::Series => "SERIES",
        Level::Instance => "IMAGE",
    };
    for (name, vr, value) in [
        (CHARACTER_SET, "CS", "ISO_IR 192"),
        (LEVEL, "CS", level),
        (RETRIEVE_AE_TITLE, "AE", own.as_str()),
    ] {
        row.insert(name.to_owned(), json!({ "vr": vr, "Value": [value] }));
    }
    let header = json::to_header(&row).ok()?;
    let bytes = dataset::write_data_set(&header, transfer_syntax.as_str()).ok()?;
    Some(bytes.into())
}
