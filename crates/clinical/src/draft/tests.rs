//! Files that are right, and files that are not: each problem is named with its row and column, and nothing is half there.

use arno_domain::model::{CodeSystem, Coded, Field, Value};

use super::{Checked, DraftContent, Only, check};
use crate::{Mapping, read};

const MAPPING: &str = r#"
source = "registry"
[file]
missing = ["NA"]
dates = ["iso"]
[patient]
column = "id"
once = true
[[record]]
entity = "patient"
fields = [{ field = "sex", column = "sex", codes = "sex" }]
[[record]]
entity = "diagnosis"
fields = [
  { field = "diagnosis", column = "icd", system = "icd10" },
  { field = "diagnosis_date", column = "date" },
]
[[record]]
entity = "pathology"
fields = [{ field = "tumour_size", column = "size", unit = "cm" }]
[[record]]
entity = "outcome"
fields = [{ field = "death_date", column = "days", days_from = "diagnosis" }]
[codes.sex]
system = "dicom"
map = { male = "M", female = "F" }
"#;

const HEADER: &str = "id;sex;icd;date;size;days\n";

fn table(bytes: &[u8]) -> Result<crate::Table, read::ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, bytes).unwrap();
    read::read(&path, &read::ReadOptions::default())
}

fn checked(mapping: &str, rows: &str) -> Checked {
    let table = table(format!("{HEADER}{rows}").as_bytes()).unwrap();
    check(&Mapping::parse(mapping).unwrap(), &table, None).unwrap()
}

fn problems(mapping: &str, rows: &str) -> Vec<String> {
    checked(mapping, rows)
        .problems
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_row_becomes_records() {
    let checked = checked(
        MAPPING,
        "Meier;Male;C34.1;2020-01-31;1.5;400\nHuber;x;NA;;15 mm;NA\n",
    );
    assert_eq!(checked.problems, []);
    let said = |name: &str| -> Vec<_> {
        let field = Field::parse(name).unwrap();
        let values = checked.drafts.iter().flat_map(|draft| &draft.values);
        values
            .filter(|value| value.field == field)
            .map(|value| (*value.said).clone())
            .collect()
    };
    let sex = said("sex");
    let male = Value::Code(Coded::new(CodeSystem::Dicom, "M"));
    assert_eq!(sex[0].content, DraftContent::Known(male));
    assert_eq!(
        sex[0].source.as_deref(),
        Some("Male"),
        "the source stands beside the code"
    );
    assert_eq!(sex[1].content, DraftContent::Uncoded);
    assert_eq!(checked.uncoded.len(), 1);
    assert_eq!(
        (checked.uncoded[0].value.as_str(), checked.uncoded[0].count),
        ("x", 1)
    );
    let sizes: Vec<_> = said("tumour_size")
        .into_iter()
        .map(|said| said.content)
        .collect();
    let number = |number| DraftContent::Known(Value::Number(number));
    assert_eq!(
        sizes,
        [number(15.0), number(15.0)],
        "cm by the mapping, mm by the cell"
    );
    assert_eq!(
        said("death_date")[0].content,
        DraftContent::Known(Value::Days(400))
    );
    assert_eq!(said("diagnosis").len(), 1, "what is missing is no value");
}

#[test]
fn every_problem_is_named_with_row_and_column() {
    let check = |rows: &str, expect: &[&str]| {
        let found = problems(MAPPING, rows);
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.starts_with(expect), "{found}");
        }
    };
    check(
        "A;male;C34;31.01.2020;1;1\nB;male;C34;01/31/2020;1;1\nC;male;C34;20200131;1;1\nD;male;C34;31-Jan-20;1;1\nE;male;C34;2020-01-31;1;1\n",
        &[
            "row 2, column date",
            "row 3, column date",
            "row 4, column date",
            "row 5, column date",
        ],
    );
    check(
        "A;male;C34;;12 kg;1\nB;male;C34;;1,5;1\nC;male;C34;;x;1\nD;male;C34;;1 in;2.5\n",
        &[
            "row 2, column size",
            "row 3, column size",
            "row 4, column size",
            "row 5, column size",
            "row 5, column days",
        ],
    );
    check(
        "A;male;C34;;1;1\nA;female;C50;;2;2\n;male;C34;;1;1\n",
        &["row 3, column id", "row 4, column id"],
    );
    check("A;male;C34|C50;;1;1\n", &["row 2, column icd"]);
}

#[test]
fn no_problem_says_what_a_cell_holds() {
    let found = problems(MAPPING, "Geheim;male;C34;Geheim;Geheim;Geheim\n");
    assert_eq!(found.len(), 3);
    assert!(
        found.iter().all(|problem| !problem.contains("Geheim")),
        "{found:?}"
    );
}

#[test]
fn a_date_that_could_be_two_is_a_problem() {
    let mapping = MAPPING.replace(r#"["iso"]"#, r#"["dmy", "mdy"]"#);
    let found = problems(
        &mapping,
        "A;male;C34;31/01/2020;1;1\nB;male;C34;03/04/2020;1;1\n",
    );
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("row 3, column date, two dates"),
        "{found:?}"
    );
}

#[test]
fn rows_that_differ_about_one_patient_are_a_problem_unless_the_first_counts() {
    let mapping = MAPPING.replace("once = true", "once = false");
    let rows = "A;male;C34;;1;1\nA;female;C34;;1;1\n";
    let found = problems(&mapping, rows);
    assert!(
        found[0].starts_with("row 3, column sex, an earlier row"),
        "{found:?}"
    );
    let first = mapping.replace(
        "entity = \"patient\"",
        "entity = \"patient\"\nconflicts = \"first\"",
    );
    assert_eq!(problems(&first, rows), Vec::<String>::new());
}

#[test]
fn what_a_mapping_names_must_be_there() {
    let check = |from: &str, to: &str, expect: &str| {
        let table = table(HEADER.as_bytes()).unwrap();
        let mapping = Mapping::parse(&MAPPING.replace(from, to)).unwrap();
        let error = super::check(&mapping, &table, None).unwrap_err();
        let crate::MappingError::Problems(problems) = error else {
            panic!("{error}");
        };
        assert!(problems[0].to_string().contains(expect), "{problems:?}");
    };
    check(
        "column = \"icd\"",
        "column = \"ICD\"",
        "column ICD, the file has no such column",
    );
    check(
        "field = \"diagnosis_date\"",
        "field = \"diagnosis_dat\"",
        "did you mean diagnosis_date?",
    );
    check("unit = \"cm\"", "unit = \"kg\"", "no conversion");
    check(
        "system = \"icd10\"",
        "system = \"loinc\"",
        "diagnosis has no codes of loinc",
    );
    check(
        "entity = \"outcome\"",
        "entity = \"event\"",
        "death_date belongs to a outcome",
    );
    check(
        "codes = \"sex\"",
        "codes = \"gender\"",
        "no list [codes.gender]",
    );
    check("[\"iso\"]", "[\"german\"]", "no style of dates");
}

#[test]
fn a_wrong_delimiter_shows_in_what_the_file_has() {
    let table = table(b"id,sex\nA,male\n").unwrap();
    let mut mapping = Mapping::parse(MAPPING).unwrap();
    mapping.records.truncate(1);
    assert!(check(&mapping, &table, None).is_ok());
    let options = read::ReadOptions {
        delimiter: Some(';'),
        ..read::ReadOptions::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, "id,sex\nA,male\n").unwrap();
    let table = read::read(&path, &options).unwrap();
    let crate::MappingError::Problems(problems) = check(&mapping, &table, None).unwrap_err() else {
        panic!("problems");
    };
    assert!(
        problems[0].to_string().contains("delimiter ;"),
        "{problems:?}"
    );
}

#[test]
fn rows_can_be_chosen_by_a_column() {
    let table = table(format!("{HEADER}A;male;C34;;1;1\nB;male;C50;;1;1\n").as_bytes()).unwrap();
    let only = Only {
        column: "icd".into(),
        values: ["C50".to_owned()].into(),
    };
    let checked = check(&Mapping::parse(MAPPING).unwrap(), &table, Some(&only)).unwrap();
    assert_eq!(checked.rows, 1);
    assert!(checked.drafts.iter().all(|draft| &*draft.patient == "B"));
}

#[test]
fn what_is_suggested_can_be_used() {
    let text = "PatientID,Gender,tumor size,ICD10\nA,male,1.5,C34\nB,female,2,C50\n";
    let table = table(text.as_bytes()).unwrap();
    let drafted = crate::suggest::suggest(&table, "new");
    let mapping = Mapping::parse(&drafted).unwrap();
    assert_eq!(mapping.patient.column, "PatientID");
    assert!(mapping.patient.once);
    let fields: Vec<_> = mapping
        .records
        .iter()
        .flat_map(|record| &record.fields)
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["sex", "diagnosis", "tumour_size"]);
    let checked = check(&mapping, &table, None).unwrap();
    assert_eq!(checked.problems, []);
}
