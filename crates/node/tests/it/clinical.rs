//! Clinical files join the images of the same patients under their pseudonyms, are loaded as a whole or not at all, and may be
//! loaded again.

use arno_clinical::{
    Table,
    read::{ReadOptions, read},
};
use arno_domain::model::{Entity, Field, Record, Value};
use arno_node::{ClinicalFile, ExportFormat, understand};
use arno_store::{StoreError, node::Loaded};

use crate::support::{
    TestNode,
    dicom::{MEIER, NOVAK, series},
};

const MAPPING: &str = r#"
source = "registry"
[file]
dates = ["iso"]
[patient]
column = "id"
once = true
[[record]]
entity = "diagnosis"
fields = [
  { field = "diagnosis", column = "icd", system = "icd10" },
  { field = "diagnosis_date", column = "date" },
]
"#;

pub(crate) async fn load(node: &TestNode, rows: &str) -> Result<Loaded, String> {
    let path = node.folder.path().join("registry.csv");
    std::fs::write(&path, format!("id;icd;date\n{rows}")).unwrap();
    let file = ClinicalFile {
        path,
        mapping: MAPPING.into(),
        only: None,
    };
    let understood = understand(&file).map_err(|error| error.to_string())?;
    let loaded = node.node.load_clinical(understood).await;
    loaded.map_err(|error| error.to_string())
}

async fn records(node: &TestNode, entity: Entity) -> Vec<Record> {
    let mut found = Vec::new();
    let mut each = |record: Record| {
        if record.entity == entity {
            found.push(record);
        }
    };
    node.node.store().clinical_records(&mut each).await.unwrap();
    found
}

#[tokio::test]
async fn clinical_rows_join_the_images_of_their_patients() {
    let node = TestNode::new().await;
    for (study, person) in [(1, MEIER), (2, NOVAK)] {
        for slice in series(person, study, 1, 2) {
            node.put(&format!("{study}-{}.dcm", slice.number), slice.file());
        }
    }
    node.ingest().await;
    let rows = format!("{};C34.1;2019-03-02\n", MEIER.id);
    assert_eq!(
        load(&node, &rows).await,
        Ok(Loaded::Replaced {
            records: 1,
            before: 0
        })
    );
    let found = records(&node, Entity::Diagnosis).await;
    let images = records(&node, Entity::Patient).await;
    assert_eq!(found.len(), 1);
    assert!(images.iter().any(|image| image.patient == found[0].patient));
    assert!(!found[0].patient.contains(MEIER.id));
    let Some(Value::Code(code)) = found[0].value(Field::parse("diagnosis").unwrap()) else {
        panic!("no code")
    };
    assert_eq!(code.code, "C34.1");
    let days = found[0].value(Field::parse("diagnosis_date").unwrap());
    assert!(
        matches!(days, Some(Value::Days(_))),
        "dates come out as days"
    );
    assert_eq!(load(&node, &rows).await, Ok(Loaded::Unchanged));
}

#[tokio::test]
async fn a_file_with_one_bad_row_changes_nothing() {
    let node = TestNode::new().await;
    load(&node, "P1;C34.1;2019-03-02\n").await.unwrap();
    let before = records(&node, Entity::Diagnosis).await;
    let refused = load(&node, "P1;C34.1;2019-03-02\nP2;C50.9;03/02/2019\n").await;
    assert!(refused.unwrap_err().contains("nothing was loaded"));
    assert_eq!(records(&node, Entity::Diagnosis).await, before);
    let twice = load(&node, "P1;C34.1;2019-03-02\nP1;C34.2;2019-03-02\n").await;
    assert!(twice.unwrap_err().contains("nothing was loaded"));
    assert_eq!(
        load(&node, "P2;C50.9;2020-01-01\nP3;C61;2020-01-01\n").await,
        Ok(Loaded::Replaced {
            records: 2,
            before: 1
        })
    );
}

#[tokio::test]
async fn what_is_here_is_exported_under_pseudonyms_and_logged() {
    let node = TestNode::new().await;
    for slice in series(MEIER, 1, 1, 2) {
        node.put(&format!("{}.dcm", slice.number), slice.file());
    }
    node.ingest().await;
    let rows = format!("{};C34.1;2019-03-02\nP2;C61;2020-01-01\n", MEIER.id);
    load(&node, &rows).await.unwrap();
    let place = node.folder.path().join("out");
    let exported = node.node.export_clinical(&place, ExportFormat::Parquet);
    let exported = exported.await.unwrap();
    assert_eq!(exported.patients, 2);

    let table = |entity: &str| {
        let path = place.join(format!("{entity}.parquet"));
        read(&path, &ReadOptions::default()).unwrap()
    };
    let column = |table: &Table, name: &str| {
        let at = table.position(name).unwrap();
        let rows = 0..table.len();
        rows.map(|row| table.columns[at].cell(row).to_text().to_string())
            .collect::<Vec<_>>()
    };
    let (diagnoses, series) = (table("diagnosis"), table("series"));
    let patients = column(&diagnoses, "patient");
    assert_eq!(patients.len(), 2);
    assert_eq!(column(&series, "modality"), ["CT"]);
    assert!(patients.contains(&column(&series, "patient")[0]));
    assert!(patients.iter().all(|patient| patient != MEIER.id));
    assert_eq!(column(&diagnoses, "diagnosis_date"), ["0", "0"]);

    let log = node.node.store().database().audit_log(10).await.unwrap();
    let entries = log.entries.iter();
    assert!(
        entries
            .into_iter()
            .any(|entry| entry.action == "clinical export")
    );
    let again = node
        .node
        .export_clinical(&place, ExportFormat::Parquet)
        .await;
    assert!(again.unwrap_err().to_string().contains("is there already"));
}

#[tokio::test]
async fn fhir_resources_join_the_images_as_rows_do() {
    let node = TestNode::new().await;
    for slice in series(MEIER, 1, 1, 2) {
        node.put(&format!("{}.dcm", slice.number), slice.file());
    }
    node.ingest().await;
    let bundle = serde_json::json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "onsetDateTime": "2019-03-02",
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C34.1"}]}}},
        {"resource": {"resourceType": "Patient", "id": "p", "deceasedDateTime": "2020-03-02",
            "identifier": [{"system": "urn:hospital", "value": MEIER.id}]}},
    ]});
    let file = |bundle: &serde_json::Value| {
        let path = node.folder.path().join("b.json");
        std::fs::write(&path, bundle.to_string()).unwrap();
        let mapping = "source = \"ehr\"\n[fhir]\nidentifier_system = \"urn:hospital\"\n".into();
        let only = None;
        understand(&ClinicalFile {
            path,
            mapping,
            only,
        })
        .unwrap()
    };
    let loaded = |records, before| Loaded::Replaced { records, before };
    let outcome = node.node.load_clinical(file(&bundle)).await.unwrap();
    assert_eq!(outcome, loaded(2, 0));
    let diagnosis = records(&node, Entity::Diagnosis).await;
    let images = records(&node, Entity::Patient).await;
    assert_eq!(diagnosis[0].patient, images[0].patient);
    let died = &records(&node, Entity::Outcome).await[0];
    let days = died.value(Field::parse("death_date").unwrap());
    assert_eq!(days, Some(&Value::Days(366)), "days from the diagnosis");
    let again = node.node.load_clinical(file(&bundle)).await.unwrap();
    assert_eq!(again, Loaded::Unchanged);

    let mut broken = bundle.clone();
    broken["entry"][0]["resource"]["subject"]["reference"] = "Patient/other".into();
    let refused = node.node.load_clinical(file(&broken)).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("nothing was loaded")
    );
    assert_eq!(records(&node, Entity::Diagnosis).await, diagnosis);
}

const ARCHIVE: &str = r#"
source = "archive"
images = "IMAGES"
[patient]
column = "patient"
[[record]]
entity = "patient"
conflicts = "first"
fields = [{ field = "sex", column = "sex", codes = "sex" }]
[[record]]
entity = "study"
key = ["study"]
fields = []
[[record]]
entity = "series"
key = ["series"]
parent = "study"
fields = [{ field = "modality", column = "modality" }, { field = "collection", column = "collection" }]
[codes.sex]
system = "dicom"
map = { F = "F", M = "M", O = "O" }
"#;

/// How many values have no code, and how many series of how many patients are searched.
async fn archived(images: &str) -> (u64, usize, usize) {
    let node = TestNode::new().await;
    let path = node.folder.path().join("archive.csv");
    let row = |at: usize| {
        let sex = ["F", "M", "0000"][at % 3];
        format!(
            "P{at};1.2.{at};1.2.{at}.1;{sex};CT;nlst\nP{at};1.2.{at};1.2.{at}.2;{sex};SR;nlst\n"
        )
    };
    let rows: String = (1..=30).map(row).collect();
    std::fs::write(
        &path,
        format!("patient;study;series;sex;modality;collection\n{rows}"),
    )
    .unwrap();
    let file = ClinicalFile {
        path,
        mapping: ARCHIVE.replace("IMAGES", images),
        only: None,
    };
    let understood = understand(&file).unwrap();
    let uncoded = understood.checked.uncoded.iter().map(|one| one.count).sum();
    node.node.load_clinical(understood).await.unwrap();
    let (mut patients, mut series) = (Vec::new(), 0);
    let each = |patient: &str, records: Vec<Record>| {
        patients.push(patient.to_owned());
        let of_series = |record: &&Record| record.entity == Entity::Series;
        series += records.iter().filter(of_series).count();
        Ok::<_, StoreError>(())
    };
    node.node.store().each_patient(each).await.unwrap();
    assert!(patients.is_sorted());
    let women = "sex = F and modality = CT".parse().unwrap();
    let exact = node.node.count_exactly(women).await.unwrap();
    match exact {
        Ok(counts) => assert_eq!([counts.patients, counts.series], [10, 10]),
        Err(unsupported) => assert_eq!(unsupported, ["modality = CT"]),
    }
    let log = node.node.store().database().audit_log(1).await.unwrap();
    assert_eq!(log.entries[0].action, "clinical count");
    (uncoded, series, patients.len())
}

#[tokio::test]
async fn series_in_an_archive_are_searched_where_their_source_says_so() {
    assert_eq!(
        archived("elsewhere").await,
        (20, 60, 30),
        "a sex of 0000 is told and stays in the source's words"
    );
    assert_eq!(
        archived("held").await,
        (20, 0, 30),
        "no count speaks of images that are not here"
    );
}

/// Tables of OMOP with two people, the second row of conditions as given.
async fn load_omop(node: &TestNode, second: &str) -> Result<Loaded, String> {
    let folder = node.folder.path().join("omop");
    std::fs::create_dir_all(&folder).unwrap();
    let people = format!(
        "person_id,gender_concept_id,person_source_value\n1,8532,{}\n2,8507,P2\n",
        MEIER.id
    );
    std::fs::write(folder.join("person.csv"), people).unwrap();
    let conditions = format!(
        "condition_occurrence_id,person_id,condition_start_date,condition_source_value\n7,1,2019-03-02,C34.1\n{second}\n"
    );
    std::fs::write(folder.join("condition_occurrence.csv"), conditions).unwrap();
    let file = ClinicalFile {
        path: folder,
        mapping: "source = \"omop\"\n[omop.systems]\ndiagnosis = \"icd10\"\n".into(),
        only: None,
    };
    let understood = understand(&file).map_err(|error| error.to_string())?;
    let loaded = node.node.load_clinical(understood).await;
    loaded.map_err(|error| error.to_string())
}

#[tokio::test]
async fn tables_of_omop_join_the_images_and_come_out_again() {
    let node = TestNode::new().await;
    for slice in series(MEIER, 1, 1, 2) {
        node.put(&format!("{}.dcm", slice.number), slice.file());
    }
    node.ingest().await;
    let bad = load_omop(&node, "8,9,2020-01-01,C50.9").await;
    assert!(bad.unwrap_err().contains("nothing was loaded"));
    assert!(records(&node, Entity::Diagnosis).await.is_empty());
    let expect = Loaded::Replaced {
        records: 4,
        before: 0,
    };
    assert_eq!(load_omop(&node, "8,2,2020-01-01,C50.9").await, Ok(expect));
    let same = load_omop(&node, "8,2,2020-01-01,C50.9").await;
    assert_eq!(same, Ok(Loaded::Unchanged));

    let place = node.folder.path().join("out");
    let exported = node.node.export_clinical(&place, ExportFormat::Omop);
    assert_eq!(exported.await.unwrap().patients, 2);
    let table = |name: &str| std::fs::read_to_string(place.join(format!("{name}.csv"))).unwrap();
    let conditions = table("condition_occurrence");
    assert_eq!(conditions.matches("2000-01-01").count(), 2, "{conditions}");
    assert!(conditions.contains("C34.1") && !conditions.contains("2019"));
    assert_eq!(table("image_occurrence").lines().count(), 2);
    for name in ["person", "image_occurrence", "procedure_occurrence"] {
        assert!(!table(name).contains(MEIER.id), "{name}");
    }

    // Another node understands it as the same.
    let other = TestNode::new().await;
    let file = ClinicalFile {
        path: place,
        mapping: "source = \"back\"\n[omop]\n".into(),
        only: None,
    };
    let understood = understand(&file).unwrap();
    assert!(understood.checked.problems.is_empty());
    other.node.load_clinical(understood).await.unwrap();
    let days = |records: Vec<Record>| {
        let day = Field::parse("diagnosis_date").unwrap();
        let days = records.iter().map(|record| record.value(day).cloned());
        days.collect::<Vec<_>>()
    };
    let back = records(&other, Entity::Diagnosis).await;
    assert_eq!(days(back), days(records(&node, Entity::Diagnosis).await));
}

#[tokio::test]
async fn an_export_as_fhir_is_the_same_records_at_another_node() {
    let (here, there) = (TestNode::new().await, TestNode::new().await);
    for slice in series(MEIER, 1, 1, 2) {
        here.put(&format!("{}.dcm", slice.number), slice.file());
    }
    here.ingest().await;
    let rows = format!("{};C34.1;2019-03-02\nP2;C61;2020-01-01\n", MEIER.id);
    load(&here, &rows).await.unwrap();
    let place = here.folder.path().join("out");
    let exported = here.node.export_clinical(&place, ExportFormat::Fhir);
    assert_eq!(exported.await.unwrap().patients, 2);

    let back = understand(&ClinicalFile {
        path: place,
        mapping: "source = \"back\"\n[fhir]\n".into(),
        only: None,
    })
    .unwrap();
    there.node.load_clinical(back).await.unwrap();
    for entity in [Entity::Diagnosis, Entity::Study, Entity::Series] {
        let values = async |node: &TestNode| {
            let mut values: Vec<_> = records(node, entity)
                .await
                .into_iter()
                .map(|record| record.values)
                .collect();
            for values in &mut values {
                values.sort_by_key(|value| value.field);
            }
            values.sort_by_key(|values| format!("{values:?}"));
            values
        };
        assert_eq!(values(&there).await, values(&here).await, "{entity:?}");
    }
}
