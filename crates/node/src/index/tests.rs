//! The index counts what the language's own evaluation of one patient after the other says, on patients and cohorts made at random.

use std::{collections::BTreeSet, sync::Arc};

use arno_domain::{
    cohort::{Cohort, Patient},
    disclosure::{DisclosureBudget, ExactCounts},
    model::{CodeSystem, Coded, Entity, Field, FieldKind, Record, Recorded, Value},
};
use arno_store::node::DatasetMembers;
use proptest::{
    collection::vec,
    option,
    prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest},
    prop_oneof,
    sample::select,
};

use super::{
    ModelIndex,
    datasets::{Members, Of},
};

/// Every kind of criterion, group and time relation.
const PARTS: [&str; 22] = [
    "modality = CT",
    "modality in {MR, PT}",
    "slice_thickness <= 2 mm",
    "sex = F",
    "sex recorded",
    "age in 40..60",
    "age recorded",
    "diagnosis under C34",
    "diagnosis in {C341, C50}",
    "stage in III",
    "stage recorded",
    "treatment_kind = surgery",
    "series(modality = CT)",
    "series(modality = CT and slice_thickness < 2)",
    "study(series(modality = CT) and series(modality = MR))",
    "study(age >= 50)",
    "diagnosis(diagnosis under C34 and stage in III)",
    "diagnosis(not stage recorded)",
    "study_date within 30 d before treatment_start",
    "series(modality = CT) before treatment(treatment_kind = surgery)",
    "treatment(treatment_start within 20 d after diagnosis_date)",
    "study_date within 9 d of diagnosis_date of diagnosis(diagnosis under C34)",
];

fn cohort() -> impl Strategy<Value = Cohort> {
    let part = select(&PARTS[..]).prop_map(|text| text.parse::<Cohort>().unwrap());
    part.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Cohort::And),
            vec(inner.clone(), 1..3).prop_map(Cohort::Or),
            inner.prop_map(|part| Cohort::Not(Box::new(part))),
        ]
    })
}

/// The name of a field, and values of it.
type Values = (&'static str, &'static [&'static str]);

/// Values of fields by their names; days and numbers are written as such.
const VALUES: [(Entity, &[Values]); 6] = [
    (Entity::Patient, &[("sex", &["F", "M", "0000", "6657"])]),
    (
        Entity::Study,
        &[
            ("age", &["39", "50", "60"]),
            ("study_date", &["0", "10", "40"]),
        ],
    ),
    (
        Entity::Series,
        &[
            ("modality", &["CT", "ct", "MR"]),
            ("slice_thickness", &["1", "2", "5"]),
        ],
    ),
    (
        Entity::Diagnosis,
        &[
            ("diagnosis", &["C34", "C34.1", "C50"]),
            ("diagnosis_date", &["0", "5"]),
        ],
    ),
    (Entity::Stage, &[("stage_group", &["IIIA", "II"])]),
    (
        Entity::Treatment,
        &[
            ("treatment_kind", &["surgery", "other"]),
            ("treatment_start", &["3", "20", "60"]),
        ],
    ),
];

/// An entity with a choice for each of its fields and for what it hangs on.
type Made = (usize, Vec<Option<usize>>, usize);

fn patient() -> impl Strategy<Value = Vec<Record>> {
    let made = (0..VALUES.len(), vec(option::of(0..4_usize), 2), 0..4_usize);
    vec(made, 0..14).prop_map(|made| {
        let mut records = vec![Record::new(Entity::Patient, "P", "P")];
        for (number, made) in made.into_iter().enumerate() {
            records.extend(record(number, &made, &records));
        }
        records
    })
}

/// None for a series without a study, which there is not.
fn record(number: usize, (entity, choices, on): &Made, before: &[Record]) -> Option<Record> {
    let (entity, fields) = VALUES[*entity];
    let key = match entity {
        Entity::Patient => "P".to_owned(),
        _ => number.to_string(),
    };
    let mut record = Record::new(entity, "P", &key);
    if let Some(parent) = entity.parent().filter(|parent| *parent != Entity::Patient) {
        let there: Vec<_> = before
            .iter()
            .filter(|record| record.entity == parent)
            .collect();
        // The last choice names none, as tables do.
        let named = there.get(*on).map(|record| record.key.clone());
        record.parent = match entity {
            Entity::Series => Some(named.or(there.first().map(|study| study.key.clone()))?),
            _ => named,
        };
    }
    for ((name, values), choice) in fields.iter().zip(choices) {
        let field = Field::parse(name).unwrap();
        let chosen = choice.and_then(|choice| values.get(choice));
        record.values.extend(chosen.map(|text| Recorded {
            field,
            value: Some(value(field, text)),
            source: None,
        }));
    }
    Some(record)
}

fn value(field: Field, text: &str) -> Value {
    match field.kind() {
        FieldKind::Number { .. } => Value::Number(text.parse().unwrap()),
        FieldKind::Days => Value::Days(text.parse().unwrap()),
        FieldKind::Flag => Value::Flag(text == "yes"),
        FieldKind::Words => Value::Words(text.to_owned()),
        FieldKind::Code { .. } => Value::Code(Coded::new(CodeSystem::Dicom, text)),
    }
}

/// What the language's own evaluation says, row by row.
fn expected(patients: &[Vec<Record>], cohort: &Cohort) -> ExactCounts {
    let mut counts = ExactCounts::default();
    for records in patients {
        let patient = Patient::from_records(records);
        let things: Vec<_> = patient.things().collect();
        let with_series: BTreeSet<_> = things
            .iter()
            .filter(|thing| thing.0 == Entity::Series)
            .map(|thing| thing.1)
            .collect();
        let asked: Vec<_> = (0..things.len())
            .filter(|at| match things[*at].0 {
                Entity::Series => true,
                Entity::Study => !with_series.contains(at),
                _ => false,
            })
            .collect();
        let found: Vec<_> = (0..patient.rows())
            .filter(|row| cohort.holds(&patient, *row) == Some(true))
            .collect();
        let series = found
            .iter()
            .filter_map(|row| asked.get(*row))
            .filter(|at| things[**at].0 == Entity::Series);
        let series: BTreeSet<_> = series.collect();
        let studies: BTreeSet<_> = series.iter().map(|at| things[**at].1).collect();
        counts.patients += u64::from(!found.is_empty());
        counts.studies += studies.len() as u64;
        counts.series += series.len() as u64;
    }
    counts
}

/// Caps that no patient here reaches.
fn uncapped() -> DisclosureBudget {
    DisclosureBudget {
        studies_per_patient: 1000,
        series_per_patient: 1000,
        ..DisclosureBudget::default()
    }
}

fn indexed(patients: &[Vec<Record>]) -> ModelIndex {
    let names: Vec<_> = (0..patients.len())
        .map(|patient| patient.to_string())
        .collect();
    let patients = names.iter().zip(patients);
    let patients =
        patients.map(|(name, records)| (name.as_str(), Some(Patient::from_records(records))));
    let mut index = ModelIndex::new(super::least_borders()).unwrap();
    index.patch(&patients.collect::<Vec<_>>()).unwrap();
    index
}

proptest! {
    #[test]
    fn the_index_counts_what_the_language_says(patients in vec(patient(), 0..5), cohort in cohort()) {
        prop_assert_eq!(cohort.check(), Ok(()));
        let found = indexed(&patients).count(&cohort, &uncapped());
        prop_assert_eq!(found, expected(&patients, &cohort), "{}", cohort);
    }
}

proptest! {
    #[test]
    fn bars_are_the_patients_that_the_language_finds_without_the_filter(
        few in vec(patient(), 1..4), cohort in cohort(), name in select(&["sex", "modality", "diagnosis", "stage_group"][..]),
    ) {
        // Each patient twenty times, so that all of their values may be named.
        let patients: Vec<_> = (0..20).flat_map(|_| few.clone()).collect();
        let (field, index) = (Field::parse(name).unwrap(), indexed(&patients));
        let lifted = cohort.lifted(field);
        let conditions = index.conditions(&cohort);
        let selection = conditions.without(&lifted.left_out);
        let without = expected(&patients, &Cohort::And(lifted.kept.clone())).patients;
        for (word, found) in conditions.bars(&selection, field, u32::MAX) {
            prop_assert!(found <= without);
            // A patient-wide field is the same in each of a patient's rows, and so can be asked as one more condition.
            if name == "sex" {
                let criterion: Cohort = format!("sex = \"{word}\"").parse().unwrap();
                let with = Cohort::And(lifted.kept.iter().cloned().chain([criterion]).collect());
                prop_assert_eq!(found, expected(&patients, &with).patients, "{} {}", cohort, word);
            }
        }
    }
}

/// Of each patient what hangs on the chosen series; patients of whom none is chosen by themselves, or not at all.
fn within(patients: &[Vec<Record>], series: &[String], bare: bool) -> Vec<Vec<Record>> {
    let mut found = Vec::new();
    for records in patients {
        let is_chosen =
            |record: &&Record| record.entity == Entity::Series && series.contains(&record.key);
        let chosen: Vec<_> = records.iter().filter(is_chosen).collect();
        let is_in = |record: &&Record| match record.entity {
            Entity::Series => is_chosen(record),
            Entity::Study => chosen
                .iter()
                .any(|series| series.parent.as_ref() == Some(&record.key)),
            _ => true,
        };
        if bare || !chosen.is_empty() {
            found.push(records.iter().filter(is_in).cloned().collect());
        }
    }
    found
}

proptest! {
    #[test]
    fn of_datasets_it_counts_what_the_language_says_of_their_rows(
        patients in vec(patient(), 0..5), series in vec(0..14_usize, 0..10), bare in any::<bool>(), cohort in cohort()
    ) {
        let series: Vec<_> = series.iter().map(usize::to_string).collect();
        let members = Members::new(DatasetMembers {
            series: series.clone(),
            without_series: bare.then(|| "P".to_owned()).into_iter().collect(),
            patients: Vec::new(),
        });
        let of = Of::Datasets(Arc::new(members));
        let mut seen: Vec<_> = patients.iter().map(|records| of.records(records.clone())).collect();
        seen.retain(|records| !records.is_empty());
        let found = indexed(&seen).count_all(&cohort);
        prop_assert_eq!(found, expected(&within(&patients, &series, bare), &cohort), "{}", cohort);
    }
}

/// Parts that find nobody would prove nothing above.
#[test]
fn every_part_finds_somebody() {
    /// Entity, key, key of what it hangs on, and values by field.
    type Written<'a> = (Entity, &'a str, Option<&'a str>, &'a [(&'a str, &'a str)]);
    let records = |of: &[Written<'_>]| {
        of.iter()
            .map(|(entity, key, parent, values)| {
                let mut record = Record::new(*entity, "P", key);
                record.parent = parent.map(str::to_owned);
                for (name, text) in *values {
                    let field = Field::parse(name).unwrap();
                    record.values.push(Recorded {
                        field,
                        value: Some(value(field, text)),
                        source: None,
                    });
                }
                record
            })
            .collect::<Vec<_>>()
    };
    let patient = records(&[
        (Entity::Patient, "P", None, &[("sex", "F")]),
        (
            Entity::Study,
            "1",
            None,
            &[("age", "50"), ("study_date", "0")],
        ),
        (
            Entity::Series,
            "1.1",
            Some("1"),
            &[("modality", "CT"), ("slice_thickness", "1")],
        ),
        (Entity::Series, "1.2", Some("1"), &[("modality", "MR")]),
        (
            Entity::Diagnosis,
            "d",
            None,
            &[("diagnosis", "C34.1"), ("diagnosis_date", "5")],
        ),
        (Entity::Diagnosis, "e", None, &[]),
        (Entity::Stage, "s", Some("d"), &[("stage_group", "IIIA")]),
        (
            Entity::Treatment,
            "t",
            None,
            &[("treatment_kind", "surgery"), ("treatment_start", "20")],
        ),
    ]);
    let index = indexed(&[patient]);
    for part in PARTS {
        let counts = index.count(&part.parse().unwrap(), &uncapped());
        assert_eq!(counts.patients, 1, "{part}");
    }
}
