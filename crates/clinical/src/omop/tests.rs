//! What is written is read again as the same; what others write is understood, or named.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use arno_domain::model::{Coded, Entity, Field, FieldKind, Link, Record, Recorded, Value};
use chrono::NaiveDate;
use proptest::prelude::{
    BoxedStrategy, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::{OmopExport, OmopMapping, check};
use crate::{
    Checked, Draft, DraftContent, DraftKey,
    export::{Exporter as _, Folder},
};

const MAPPING: &str = "source = \"s\"\n[omop]\n";

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()
}

fn export(place: &Path, patients: &[(&str, Vec<Record>)]) -> Vec<String> {
    let folder = Folder::begin(place).unwrap();
    let mut export = OmopExport::begin(&folder, today()).unwrap();
    for (patient, records) in patients {
        export.patient(patient, records).unwrap();
    }
    export.finish().unwrap();
    folder.finish().unwrap();
    export.told()
}

fn read(folder: &Path, mapping: &str) -> Checked {
    check(folder, &OmopMapping::parse(mapping).unwrap()).unwrap()
}

/// Drafts as records: those of one entity and key are one.
fn records(checked: Checked) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut places: HashMap<(String, Entity, DraftKey), usize> = HashMap::new();
    for draft in checked.streamed.unwrap().drafts() {
        let draft: Draft = draft.unwrap();
        let key = (draft.patient.to_string(), draft.entity, draft.key.clone());
        let at = *places.entry(key).or_insert(records.len());
        if at == records.len() {
            records.push(Record::new(
                draft.entity,
                &draft.patient,
                &format!("{:?}", draft.key),
            ));
        }
        let record = &mut records[at];
        record.parent = record
            .parent
            .take()
            .or(draft.parent.map(|key| format!("{key:?}")));
        record
            .links
            .extend(draft.links.iter().map(|(entity, key)| Link {
                entity: *entity,
                key: format!("{key:?}"),
            }));
        for value in draft.values {
            if record.values.iter().all(|known| known.field != value.field) {
                record.values.push(Recorded {
                    field: value.field,
                    value: match &value.said.content {
                        DraftContent::Known(known) => Some(known.clone()),
                        DraftContent::Uncoded => None,
                        DraftContent::Date(date) => panic!("{date} is a date"),
                    },
                    source: value.said.source.clone(),
                });
            }
        }
    }
    records
}

/// Records without their keys: what each says, what it hangs on and what it belongs to, by what those say.
fn told(records: &[Record]) -> Vec<String> {
    let says = |record: &Record| {
        let values: BTreeMap<_, _> = record
            .values
            .iter()
            .map(|value| {
                (
                    value.field.as_str(),
                    format!("{:?} {:?}", value.value, value.source),
                )
            })
            .collect();
        format!("{} {values:?}", record.entity.as_str())
    };
    let by_key: HashMap<_, _> = records
        .iter()
        .map(|record| ((record.entity, record.key.as_str()), record))
        .collect();
    let is_there = |record: &&Record| !record.values.is_empty() || has_row(record.entity);
    let told = records.iter().filter(is_there).map(|record| {
        let parent = record.entity.parent().zip(record.parent.as_deref());
        let parent = parent
            .and_then(|parent| by_key.get(&parent))
            .map(|parent| says(parent));
        let links = record.links.iter();
        let mut links: Vec<_> = links
            .filter_map(|link| by_key.get(&(link.entity, link.key.as_str())))
            .map(|other| says(other))
            .collect();
        links.sort();
        format!("{} on {parent:?} with {links:?}", says(record))
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

fn has_row(entity: Entity) -> bool {
    matches!(
        entity,
        Entity::Diagnosis
            | Entity::Study
            | Entity::Series
            | Entity::Annotation
            | Entity::Treatment
            | Entity::Event
    )
}

/// Words with whatever spoils a table.
fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äß ,;\"'\\n|-]{0,40}[a-zA-Z\"]([a-z ,]{0,60})?[,a-z]"
}

fn recorded(field: Field) -> BoxedStrategy<Recorded> {
    let with = move |value: Option<Value>, source: Option<String>| Recorded {
        field,
        value,
        source,
    };
    match field.kind() {
        FieldKind::Code { systems } => {
            let code = (
                0..systems.len(),
                "[A-Z0-9.]{1,8}",
                proptest::option::of("[1-9]"),
            );
            let source = proptest::option::of("[a-z ]{0,9}[a-z,]{1,9}");
            let coded = (code, source).prop_map(move |((system, code, version), source)| {
                let coded = Coded {
                    version,
                    ..Coded::new(systems[system], &code)
                };
                with(Some(Value::Code(coded)), source)
            });
            let uncoded =
                "[a-z ]{0,9}[a-z,\"]{1,9}".prop_map(move |source| with(None, Some(source)));
            prop_oneof![4 => coded, 1 => uncoded].boxed()
        }
        FieldKind::Words => words()
            .prop_map(move |words| with(Some(Value::Words(words)), None))
            .boxed(),
        FieldKind::Number { .. } => {
            let number = prop_oneof![-1e9..1e9_f64, (0..200_i32).prop_map(f64::from)];
            let source = proptest::option::of("[0-9]{1,3} cm");
            (number, source)
                .prop_map(move |(number, source)| with(Some(Value::Number(number)), source))
                .boxed()
        }
        FieldKind::Days => (-20_000..20_000_i64)
            .prop_map(move |days| with(Some(Value::Days(days)), None))
            .boxed(),
        FieldKind::Flag => any::<bool>()
            .prop_map(move |flag| with(Some(Value::Flag(flag)), None))
            .boxed(),
    }
}

/// A record of an entity with some of its fields.
fn record(entity: Entity) -> impl Strategy<Value = Record> {
    let fields: Vec<_> = Field::all()
        .filter(|field| field.entity() == entity)
        .map(|field| proptest::option::weighted(0.4, recorded(field)))
        .collect();
    fields.prop_map(move |values| Record {
        values: values.into_iter().flatten().collect(),
        ..Record::new(entity, "p", "")
    })
}

/// One patient: some of each, hanging on some of what they hang on.
fn patient() -> impl Strategy<Value = Vec<Record>> {
    let some: Vec<_> = Entity::ALL
        .into_iter()
        .map(|entity| {
            let most = if matches!(entity, Entity::Patient | Entity::Outcome) {
                1
            } else {
                3
            };
            proptest::collection::vec((record(entity), any::<u8>()), 0..=most)
        })
        .collect();
    some.prop_map(|some| {
        let mut records: Vec<Record> = Vec::new();
        for (mut record, choice) in some.into_iter().flatten() {
            record.key = match record.entity {
                Entity::Patient | Entity::Outcome => "p".into(),
                _ => format!("2.25.{}", records.len()),
            };
            let parents: Vec<_> = records
                .iter()
                .filter(|other| {
                    Some(other.entity) == record.entity.parent() && has_row(other.entity)
                })
                .collect();
            // Images hang on something.
            let must = matches!(record.entity, Entity::Series | Entity::Annotation);
            if parents.is_empty() && must {
                continue;
            }
            if !parents.is_empty() && (choice > 20 || must) {
                record.parent = Some(parents[usize::from(choice) % parents.len()].key.clone());
            }
            if record.entity == Entity::Event {
                let others = records
                    .iter()
                    .filter(|other| has_row(other.entity) && other.entity != Entity::Series);
                let links = others.take(usize::from(choice) % 3);
                record.links = links
                    .map(|other| Link {
                        entity: other.entity,
                        key: other.key.clone(),
                    })
                    .collect();
            }
            records.push(record);
        }
        records
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Records → OMOP → records → OMOP → records: all three say the same.
    #[test]
    fn what_is_written_is_read_as_the_same(patient in patient()) {
        let room = tempfile::tempdir().unwrap();
        let (first, second) = (room.path().join("1"), room.path().join("2"));
        prop_assert_eq!(export(&first, &[("p", patient.clone())]), Vec::<String>::new());
        let checked = read(&first, MAPPING);
        prop_assert!(checked.problems.is_empty(), "{:?}", checked.problems);
        prop_assert!(checked.left_out.is_empty(), "{:?}", checked.left_out);
        let once = records(checked);
        prop_assert_eq!(told(&once), told(&patient));
        // Keys are the source's names now; what hangs together does so still.
        export(&second, &[("p", crate::export::merged(in_shape(&once)))]);
        prop_assert_eq!(told(&records(read(&second, MAPPING))), told(&once));
    }
}

/// Keys of drafts as keys of records: UIDs as they are.
fn in_shape(records: &[Record]) -> Vec<Record> {
    let plain = |key: &String| {
        key.replace("Uid(\"", "")
            .replace("Named(\"", "")
            .replace("\")", "")
    };
    let records = records.iter().map(|record| Record {
        key: plain(&record.key),
        parent: record.parent.as_ref().map(plain),
        links: record
            .links
            .iter()
            .map(|link| Link {
                entity: link.entity,
                key: plain(&link.key),
            })
            .collect(),
        ..record.clone()
    });
    records.collect()
}

/// Tables as another hospital writes them, with OHDSI's tab-separated vocabulary.
fn foreign(room: &Path) {
    let files = [
        (
            "person.csv",
            "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,person_source_value,gender_source_value\n1,8507,1950,3,1,P1,M\n2,8532,1960,,,P2,F\n",
        ),
        (
            "CONCEPT.csv",
            "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\n\
            10\tx\tCondition\tICD10CM\tcode\t\tC34.1\n11\tx\tMeasurement\tLOINC\tLab Test\tS\t2857-1\n12\tx\tMeasurement\tLOINC\tLab Test\tS\t718-7\n\
            13\tx\tMeasurement\tCancer Modifier\tStage\tS\tc-8th_AJCC/UICC-Stage-3A\n14\tx\tUnit\tUCUM\tUnit\tS\tug/L\n15\tx\tMeasurement\tPPI\tq\t\tHeight\n\
            16\tx\tDrug\tRxNorm\tIngredient\tS\t2555\n17\tx\tMeasurement\tLOINC\tClin\tS\t21905-5\n18\tx\tMeas Value\tSNOMED\tq\tS\t1228889001\n",
        ),
        (
            "condition_occurrence.csv",
            "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value,condition_source_concept_id\n7,1,0,2019-03-02,C34.1,10\n8,2,0,2020-01-01,breast cancer,0\n",
        ),
        (
            "measurement.csv",
            "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,value_as_concept_id,unit_concept_id,value_source_value,measurement_event_id,meas_event_field_concept_id\n\
            1,1,11,2019-04-01,4.5,,14,,,\n2,1,13,2019-03-10,,,,,7,1147127\n3,1,12,2019-04-01,13.2,,,,,\n4,2,15,2019-04-01,170,,,,,\n5,1,17,2019-03-10,,18,,cT2a,7,1147127\n",
        ),
        (
            "drug_exposure.csv",
            "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,drug_source_value\n3,1,16,2019-05-01,2019-06-01,cisplatin\n",
        ),
        ("death.csv", "person_id,death_date\n2,2021-05-05\n"),
    ];
    for (name, text) in files {
        std::fs::write(room.join(name), text).unwrap();
    }
}

#[test]
fn tables_of_others_are_understood_or_counted() {
    let room = tempfile::tempdir().unwrap();
    foreign(room.path());
    let mapping = "source = \"s\"\n[omop.systems]\ntreatment = \"atc\"\n";
    let checked = read(room.path(), mapping);
    assert_eq!(checked.problems, []);
    let left: Vec<_> = checked
        .left_out
        .iter()
        .map(|left| (left.what.as_str(), left.count))
        .collect();
    assert_eq!(left, [("measurement PPI:Height", 1)]);
    let uncoded: Vec<_> = checked
        .uncoded
        .iter()
        .map(|one| (one.field.as_str(), one.value.as_str()))
        .collect();
    assert_eq!(uncoded, [("diagnosis", "breast cancer")]);
    assert_eq!(checked.records(), 10);

    let drafts: Vec<Draft> = checked
        .streamed
        .unwrap()
        .drafts()
        .map(Result::unwrap)
        .collect();
    let said = |field: &str| -> Vec<String> {
        let values = drafts.iter().flat_map(|draft| &draft.values);
        let values = values.filter(|value| value.field.as_str() == field);
        let content = |content: &DraftContent| match content {
            DraftContent::Known(Value::Code(coded)) => format!(
                "{}|{}|{}",
                coded.system,
                coded.code,
                coded.version.as_deref().unwrap_or("")
            ),
            other => format!("{other:?}"),
        };
        values.map(|value| content(&value.said.content)).collect()
    };
    assert_eq!(said("diagnosis"), ["icd10|C34.1|CM", "Uncoded"]);
    assert_eq!(
        said("age_at_diagnosis"),
        ["Known(Number(69.0))", "Known(Number(59.0))"]
    );
    assert_eq!(said("stage_group"), ["tnm|IIIA|8"]);
    assert_eq!(said("t_category"), ["snomed|1228889001|"]);
    assert_eq!(said("psa"), ["Known(Number(4.5))"]);
    assert_eq!(said("biomarker"), ["loinc|718-7|"]);
    assert_eq!(said("treatment"), ["rxnorm|2555|"]);
    assert_eq!(said("sex"), ["dicom|M|", "dicom|F|"]);
    assert_eq!(said("vital_status"), ["arno|dead|"]);
    let stages: Vec<_> = drafts
        .iter()
        .filter(|draft| draft.entity == Entity::Stage)
        .collect();
    assert_eq!(stages[0].key, stages[1].key, "one stage of one day");
    assert_eq!(
        stages[0].parent,
        Some(DraftKey::Named("condition_occurrence/7".into()))
    );
}

#[test]
fn every_problem_has_its_file_row_and_column_and_no_value() {
    let check = |file: &str, text: &str, expect: &[&str]| {
        let room = tempfile::tempdir().unwrap();
        foreign(room.path());
        std::fs::write(room.path().join(file), text).unwrap();
        let problems = read(room.path(), MAPPING).problems;
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, expect);
    };
    check(
        "person.csv",
        "person_id,gender_concept_id,person_source_value\n1,8507,\nx,1,P9\n1,8507,P3\n1,8507,P4\n",
        &[
            "person.csv, row 2, column person_source_value, no patient id: one has 1 to 64 characters; [omop] patient names the column",
            "person.csv, row 3, column person_id, no whole number",
            "person.csv, row 5, column person_id, this person stands in an earlier row",
        ],
    );
    check(
        "condition_occurrence.csv",
        "condition_occurrence_id,person_id,condition_start_date\n1,99,2019-01-01\n2,1,01/02/2019\n3,1\n",
        &[
            "condition_occurrence.csv, row 2, column person_id, no such person in person.csv",
            "condition_occurrence.csv, row 3, column condition_start_date, no date: one is written 2020-01-31",
        ],
    );
    check(
        "measurement.csv",
        "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,unit_source_value\n1,1,11,2019-01-01,\"4,5\",\n2,1,11,2019-01-01,4.5,kg\n1,1,11,2019-01-01,4.5,kg,x,y,z\n",
        &[
            "measurement.csv, row 2, column value_as_number, no number with a point as decimal sign",
            "measurement.csv, row 3, column unit_source_value, a unit that is not turned into \"ng/mL\"",
            "measurement.csv, row 4, 9 cells, but the header has 6: is every quote closed?",
        ],
    );
    check(
        "death.csv",
        "death_date\n2020-01-01\n",
        &["death.csv, column person_id, the file has no such column"],
    );
}

#[test]
fn a_mapping_is_drafted_from_a_folder() {
    let room = tempfile::tempdir().unwrap();
    foreign(room.path());
    let draft = super::suggest(room.path(), "s");
    assert!(
        draft.contains("patient = \"person_source_value\""),
        "{draft}"
    );
    assert!(
        draft.contains("# diagnosis = \"icdo3\"    # 1 source values"),
        "{draft}"
    );
    assert!(
        draft.contains("# left out 1 times: measurement PPI:Height"),
        "{draft}"
    );
    assert!(!draft.contains("breast"), "{draft}");
    OmopMapping::parse(&draft).unwrap();
}
