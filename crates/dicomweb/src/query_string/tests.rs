//! What stands in the query strings of clients, and what is made of it.

use arno_dicom::query::{Key, Level, Returned};
use proptest::prelude::{ProptestConfig, proptest};

use super::{MAX_ROWS, QueryStringError, parse};

/// Keys as `path=value`, where a path is tags with dots.
fn keys(query: &str) -> Vec<String> {
    let query = parse(Level::Study, query).unwrap();
    let key = |key: &Key| format!("{}={}", dotted(&key.path), key.value);
    query.keys.iter().map(key).collect()
}

fn dotted(path: &[dicom_core::Tag]) -> String {
    let tags = path
        .iter()
        .map(|tag| format!("{:04X}{:04X}", tag.group(), tag.element()));
    tags.collect::<Vec<_>>().join(".")
}

#[test]
fn attributes_are_named_by_keyword_tag_and_path() {
    let check = |query: &str, expect: &[&str]| assert_eq!(keys(query), expect, "{query}");
    check("", &[]);
    check("PatientID=4711", &["00100020=4711"]);
    check("00100020=4711", &["00100020=4711"]);
    check("0020000d=1.2.3", &["0020000D=1.2.3"]);
    check("00091001=private", &["00091001=private"]);
    check("PatientName=M%C3%BCller*", &["00100010=Müller*"]);
    check(
        "StudyDate=20200101-20201231&PatientID=",
        &["00080020=20200101-20201231", "00100020="],
    );
    check(
        "RequestAttributesSequence.ScheduledProcedureStepID=7",
        &["00400275.00400009=7"],
    );
    check("00400275.00400009=7", &["00400275.00400009=7"]);
    check("PatientID=a,b", &["00100020=a,b"]);
    check("PatientID=a&PatientID=b", &["00100020=a", "00100020=b"]);
    check(
        "StudyInstanceUID=1.2,1.3%5C1.4",
        &["0020000D=1.2\\1.3\\1.4"],
    );
    check("StudyInstanceUID=1.2&0020000D=1.3", &["0020000D=1.2\\1.3"]);
    check("accept=application/dicom%2Bjson&limit=5", &[]);
}

#[test]
fn what_is_not_understood_is_named() {
    let check = |query: &str, expect: &str| {
        assert_eq!(
            parse(Level::Study, query),
            Err(QueryStringError::Unknown {
                name: expect.into()
            })
        );
    };
    check("Patient=1", "Patient");
    check("patientid=1", "patientid");
    check("emptyvaluematching=true", "emptyvaluematching");
    check("=1", "");
    check("0010002=1", "0010002");
    check("001000200=1", "001000200");
    check("PatientID.=1", "PatientID.");
    check("includefield=Nonsense", "Nonsense");
    check("includefield=", "");
    let deep = ["00400275"; 9].join(".");
    check(&format!("{deep}=1"), &deep[..64]);
}

#[test]
fn paging_has_bounds() {
    let check = |query: &str, expect: (usize, usize)| {
        let query = parse(Level::Study, query).unwrap();
        assert_eq!((query.limit, query.offset), expect);
    };
    check("", (MAX_ROWS, 0));
    check("limit=10&offset=20", (10, 20));
    check("limit=0", (0, 0));
    check("limit=100000", (MAX_ROWS, 0));
    let refused = |query: &str| assert!(parse(Level::Study, query).is_err(), "{query}");
    refused("limit=-1");
    refused("limit=");
    refused("limit=1&limit=2");
    refused("offset=4294967296");
    refused("fuzzymatching=maybe");
    refused("fuzzymatching=true&fuzzymatching=true");
    refused("a=%");
    assert!(parse(Level::Series, "fuzzymatching=true").unwrap().fuzzy);
}

#[test]
fn fields_are_included_by_name_or_all() {
    let check = |query: &str, expect: &str| {
        let found = match parse(Level::Study, query).unwrap().returned {
            Returned::Default => "default".to_owned(),
            Returned::All => "all".to_owned(),
            Returned::Also(paths) => paths
                .iter()
                .map(|path| dotted(path))
                .collect::<Vec<_>>()
                .join(","),
            Returned::Only(_) => "only".to_owned(),
        };
        assert_eq!(found, expect, "{query}");
    };
    check("", "default");
    check("includefield=all", "all");
    check("includefield=PatientID,00100010", "00100020,00100010");
    check("includefield=PatientID&includefield=all", "all");
    check(
        "includefield=PatientID&includefield=StudyDate",
        "00100020,00080020",
    );
    check("PatientID=1", "00100020");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_panics(query in "([a-zA-Z0-9.,%=&+*\\\\ -]|\\PC){0,80}") {
        for level in [Level::Study, Level::Series, Level::Instance] {
            let _ = parse(level, &query);
        }
    }
}
