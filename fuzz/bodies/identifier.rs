//! What the identifier of a C-FIND, C-MOVE or C-GET goes through (PS3.4 annex C): a data set without meta, its keys, what
//! they match, and the data set written and read again. Shared by the fuzz target and by the test that replays its corpus.

use arno_dicom::dataset::{read_data_set, write_data_set};
use arno_dicom::query::{
    Level, Query, Returned, identifier_keys, identifier_level, level_attributes,
};
use arno_dicom::{Header, json, listing};

const SYNTAXES: [&str; 3] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
];
/// More elements than any identifier has.
const LISTED: usize = 10_000;

/// Takes the transfer syntax in the first byte.
pub(crate) fn identifier(bytes: &[u8]) {
    let Some((syntax, bytes)) = bytes.split_first() else {
        return;
    };
    let syntax = SYNTAXES[usize::from(*syntax) % SYNTAXES.len()];
    let Ok(header) = read_data_set(bytes.to_vec().into(), syntax) else {
        return;
    };
    ask(&header);
    let written = write_data_set(&header, syntax).expect("the syntax is known");
    if written.is_empty() {
        return;
    }
    let again =
        read_data_set(written.clone().into(), syntax).expect("a written data set is readable");
    assert_eq!(
        listing::list(&again, LISTED).len(),
        listing::list(&header, LISTED).len()
    );
    assert_eq!(
        write_data_set(&again, syntax).expect("the syntax is known"),
        written
    );
}

/// The identifier as the question, and as the row that it is asked of.
fn ask(header: &Header) {
    let level = identifier_level(header).unwrap_or(Level::Study);
    let Some(keys) = identifier_keys(header) else {
        return;
    };
    let paths = keys.iter().map(|key| key.path.clone()).collect();
    let query = Query {
        level,
        keys,
        fuzzy: true,
        returned: Returned::Only(paths),
        limit: 1,
        offset: 0,
    };
    for level in [Level::Patient, Level::Study, Level::Series, Level::Instance] {
        let row = level_attributes(header, level);
        let _ = query.matches(&row);
        // What goes out as an answer is made of rows.
        let _ = json::to_header(&query.returned(&row));
    }
}
