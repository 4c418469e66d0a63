//! What queries match and return (PS3.4 C.2.2.2, PS3.18 sections 8.3.4 and 10.6).

mod support;

use arno_dicom::Instance;
use arno_dicom::json::Attributes;
use arno_dicom::query::{
    Key, Level, PathError, Query, Returned, default_attributes, level_attributes, parse_path,
};
use dicom_core::Tag;
use serde_json::{Value, json};
use support::Coding;

fn row() -> Attributes {
    let row = json!({
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080018": {"vr": "UI", "Value": ["1.2.3.4.5"]},
        "00080020": {"vr": "DA", "Value": ["20240229"]},
        "00080030": {"vr": "TM", "Value": ["101530.5"]},
        "00080050": {"vr": "SH"},
        "00080061": {"vr": "CS", "Value": ["CT", "SEG"]},
        "0008002A": {"vr": "DT", "Value": ["20240229101530.5-0500"]},
        "00081030": {"vr": "LO", "Value": ["Thorax [low] 50% *"]},
        "00081060": {"vr": "PN", "Value": [{"Alphabetic": "Adams^John Robert Quincy^^Rev."}, {"Alphabetic": "Łuczak^Zoë"}]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Müller-Yamada^Eva", "Ideographic": "山田^エバ"}]},
        "00100020": {"vr": "LO", "Value": ["HOSP-77"]},
        "00101010": {"vr": "AS", "Value": ["050Y"]},
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
        "00200011": {"vr": "IS", "Value": [7]},
        "00280030": {"vr": "DS", "Value": [0.5, 0.25]},
        "00091001": {"vr": "LO", "Value": ["private"]},
        "00400275": {"vr": "SQ", "Value": [
            {"00400009": {"vr": "SH", "Value": ["S1"]}, "00401001": {"vr": "SH", "Value": ["R1"]}},
            {"00400009": {"vr": "SH", "Value": ["S2"]}, "00401001": {"vr": "SH", "Value": ["R2"]}}
        ]},
        "00081140": {"vr": "SQ"}
    });
    row.as_object().expect("an object").clone()
}

fn query(keys: &[(&str, &str)], fuzzy: bool) -> Query {
    let key = |(path, value): &(&str, &str)| Key {
        path: parse_path(path).expect("a path"),
        value: (*value).to_owned(),
    };
    Query {
        level: Level::Study,
        keys: keys.iter().map(key).collect(),
        fuzzy,
        returned: Returned::Default,
        limit: 10,
        offset: 0,
    }
}

fn check(path: &str, value: &str, expect: bool) {
    let found = query(&[(path, value)], false).matches(&row());
    assert_eq!(found, expect, "{path} = {value:?}");
}

#[test]
fn single_values_wildcards_and_lists() {
    check("PatientID", "HOSP-77", true);
    check("PatientID", " HOSP-77 ", true);
    check("PatientID", "hosp-77", false);
    check("PatientID", "HOSP-7", false);
    check("PatientID", "HOSP*", true);
    check("PatientID", "H??P-*7", true);
    check("PatientID", "OTHER\\HOSP-77", true);
    check("StudyDescription", "Thorax [low] 50% ?", true);
    check("StudyDescription", "*[low]*%*", true);
    check("StudyDescription", "Thorax .*", false);
    check("StudyInstanceUID", "1.2.3", true);
    check("StudyInstanceUID", "1.2\\1.2.3\\1.2.4", true);
    check("StudyInstanceUID", "1.2.*", false);
    check("ModalitiesInStudy", "SEG", true);
    check("ModalitiesInStudy", "MR", false);
    check("ModalitiesInStudy", "MR\\CT", true);
    check("PatientAge", "050Y", true);
    check("00091001", "priv*", true);
}

#[test]
fn universal_and_empty_keys() {
    for path in ["PatientID", "AccessionNumber", "Modality", "StudyDate"] {
        check(path, "", true);
        check(path, "*", true);
    }
    check("AccessionNumber", "\"\"", true);
    check("Modality", "\"\"", true);
    check("PatientID", "\"\"", false);
    check("AccessionNumber", "A1", false);
    check("Modality", "CT", false);
    check("Modality", "?*", false);
}

#[test]
fn numbers_match_by_value() {
    check("SeriesNumber", "7", true);
    check("SeriesNumber", "007", true);
    check("SeriesNumber", "7*", false);
    check("PixelSpacing", "0.250", true);
    check("PixelSpacing", "0.3", false);
}

#[test]
fn dates_and_times_match_as_ranges_with_open_ends() {
    check("StudyDate", "20240229", true);
    check("StudyDate", "2024.02.29", true);
    check("StudyDate", "20240228", false);
    check("StudyDate", "20240101-20240229", true);
    check("StudyDate", "20240229-", true);
    check("StudyDate", "-20240229", true);
    check("StudyDate", "20240301-", false);
    check("StudyDate", "-20240228", false);
    check("StudyDate", "-", false);
    check("StudyDate", "yesterday", false);
    check("StudyDate", "2024*", false);
    check("StudyTime", "101530.5", true);
    check("StudyTime", "1015", true);
    check("StudyTime", "10:15:30", true);
    check("StudyTime", "10-10", true);
    check("StudyTime", "-1015", true);
    check("StudyTime", "101531-", false);
    check("StudyTime", "-101530", true);
    check("StudyTime", "-101530.4", false);
    check("AcquisitionDateTime", "20240229", true);
    check("AcquisitionDateTime", "20240229101530-0500", true);
    check("AcquisitionDateTime", "20240101-20240301", true);
    check("AcquisitionDateTime", "2024-2025", true);
    check(
        "AcquisitionDateTime",
        "20240229101530+0100-20240301+0100",
        true,
    );
    check("AcquisitionDateTime", "20240229101531-0500-", false);
    check("AcquisitionDateTime", "-20240228-0500", false);
}

#[test]
fn names_match_without_case_and_accents_in_any_group() {
    check("PatientName", "müller-yamada^eva", true);
    check("PatientName", "MULLER-YAMADA^EVA", true);
    check("PatientName", "Muller-Yamada", false);
    check("PatientName", "Muller*", true);
    check("PatientName", "*^EVA", true);
    check("PatientName", "Muller-Yamada^Eva^*", true);
    check("PatientName", "Muller-Yamada^Eva^^", true);
    check("PatientName", "山田^エバ", true);
    check("PatientName", "山田*", true);
    check("PatientName", "Muller*=山田*", true);
    check("PatientName", "=山田*", true);
    check("PatientName", "Muller*=鈴木*", false);
    check("NameOfPhysiciansReadingStudy", "luczak^zoe", true);
    check("NameOfPhysiciansReadingStudy", "Adams^John*", true);
}

#[test]
fn fuzzy_names_match_by_the_beginnings_of_words() {
    fn check_fuzzy(value: &str, expect: bool) {
        let found = query(&[("PatientName", value)], true).matches(&row());
        assert_eq!(found, expect, "{value:?}");
    }
    check_fuzzy("eva muller", true);
    check_fuzzy("yama", true);
    check_fuzzy("Mul*^E*", true);
    check_fuzzy("eva smith", false);
    check_fuzzy("uller", false);
    check_fuzzy("山田", true);
}

#[test]
fn keys_into_one_sequence_match_within_one_item() {
    let both = |step: &str, request: &str| {
        let keys = [
            ("RequestAttributesSequence.ScheduledProcedureStepID", step),
            ("00400275.00401001", request),
        ];
        query(&keys, false).matches(&row())
    };
    assert!(both("S1", "R1"));
    assert!(both("S2", "*"));
    assert!(!both("S1", "R2"));
    check("00400275.00400009", "S2", true);
    check("00400275.00400009", "S3", false);
    check("00081140.00081155", "", true);
    check("00081140.00081155", "1.2", false);
    check("00081115.0020000E", "1.2", false);
    check("PatientID.00400009", "S1", false);
}

#[test]
fn paths_are_digits_keywords_or_both() {
    fn check_path(text: &str, expect: Result<&[Tag], PathError>) {
        assert_eq!(
            parse_path(text).as_deref(),
            expect.as_ref().copied(),
            "{text}"
        );
    }
    check_path("00100010", Ok(&[Tag(0x0010, 0x0010)]));
    check_path("0009100a", Ok(&[Tag(0x0009, 0x100A)]));
    check_path("PatientName", Ok(&[Tag(0x0010, 0x0010)]));
    check_path(
        "00400275.ScheduledProcedureStepID",
        Ok(&[Tag(0x0040, 0x0275), Tag(0x0040, 0x0009)]),
    );
    for unknown in [
        "",
        ".",
        "patientname",
        "0010001",
        "0010,0010",
        "PatientName.",
        "Größe",
    ] {
        check_path(unknown, Err(PathError::Unknown));
    }
    check_path(&["00400275"; 9].join("."), Err(PathError::TooLong));
}

fn names(attributes: &Attributes) -> Vec<&str> {
    attributes.keys().map(String::as_str).collect()
}

#[test]
fn answers_hold_what_was_asked_for() {
    let path = |text| parse_path(text).unwrap();
    let mut asked = query(&[("StudyDescription", "T*")], false);
    let default = asked.returned(&row());
    assert!(default.contains_key("00081030"), "keys are returned");
    assert!(default.contains_key("00100020") && default.contains_key("0020000D"));
    assert!(!default.contains_key("00200011") && !default.contains_key("00091001"));

    asked.returned = Returned::Also(vec![path("SeriesNumber"), path("Modality")]);
    let also = asked.returned(&row());
    assert_eq!(
        also.len(),
        default.len() + 1,
        "what the row lacks is not made up"
    );

    asked.returned = Returned::All;
    assert_eq!(asked.returned(&row()), row());

    asked.returned = Returned::Only(vec![
        path("PatientID"),
        path("Modality"),
        path("00400275.00400009"),
    ]);
    let only = asked.returned(&row());
    assert_eq!(names(&only), ["00080060", "00100020", "00400275"]);
    assert_eq!(only["00080060"], json!({"vr": "CS"}));
    assert_eq!(
        only["00400275"]["Value"],
        json!([{"00400009": {"vr": "SH", "Value": ["S1"]}}, {"00400009": {"vr": "SH", "Value": ["S2"]}}])
    );
}

#[test]
fn levels_above_are_in_the_answer_unless_the_query_settled_them() {
    let mut asked = query(&[], false);
    asked.level = Level::Series;
    assert!(asked.returned(&row()).contains_key("00100020"));
    let mut asked = query(&[("StudyInstanceUID", "1.2.3")], false);
    asked.level = Level::Series;
    let found = asked.returned(&row());
    assert!(!found.contains_key("00100020"));
    assert!(found.contains_key("0020000D"), "it is a key");
}

#[test]
fn rows_keep_the_attributes_of_their_level() {
    let instance = Instance::read(Coding::Explicit.image().into()).unwrap();
    let at = |level| level_attributes(&instance.header, level);
    assert_eq!(names(&at(Level::Patient)), ["00100010", "00100020"]);
    let study = at(Level::Study);
    assert_eq!(
        names(&study),
        ["00080020", "00100010", "00100020", "0020000D"]
    );
    assert_eq!(study["00100010"]["Value"][0]["Alphabetic"], "Doe^Jane");
    assert_eq!(names(&at(Level::Series)), ["00080060", "0020000E"]);
    let rows: &Value = &at(Level::Instance)["00280010"];
    assert_eq!(*rows, json!({"vr": "US", "Value": [3]}));
}

/// What an answer has by default is kept in a row, or is the caller's to compute.
#[test]
fn defaults_are_kept_or_computed() {
    const COMPUTED: [Tag; 11] = [
        Tag(0x0008, 0x0056),
        Tag(0x0008, 0x0061),
        Tag(0x0008, 0x1190),
        Tag(0x0008, 0x3002),
        Tag(0x0020, 0x1200),
        Tag(0x0020, 0x1202),
        Tag(0x0020, 0x1204),
        Tag(0x0020, 0x1206),
        Tag(0x0020, 0x1208),
        Tag(0x0020, 0x1209),
        Tag(0x0020, 0x1000),
    ];
    for level in [Level::Patient, Level::Study, Level::Series, Level::Instance] {
        let header =
            arno_dicom::Header::from_element_iter(default_attributes(level).iter().map(|tag| {
                let value = dicom_core::value::PrimitiveValue::from("1");
                dicom_core::DataElement::new(*tag, dicom_core::VR::LO, value)
            }));
        let kept = level_attributes(&header, level);
        for tag in default_attributes(level) {
            let name = format!("{:04X}{:04X}", tag.group(), tag.element());
            assert!(
                kept.contains_key(&name) || COMPUTED.contains(tag),
                "{level:?} {name}"
            );
        }
    }
}
