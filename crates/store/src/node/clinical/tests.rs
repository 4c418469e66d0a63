//! A source comes in whole, again, and newer; dates come out as days.

use arno_domain::{
    audit::{Act, Outcome},
    model::{CodeSystem, Coded, Entity, Field, Record, Value},
};
use chrono::{NaiveDate, Utc};

use super::{Loaded, NewClinicalRecord, NewClinicalSource, NewContent, NewValue};
use crate::{StoreError, node::NodeStore};

fn value(name: &str, content: NewContent) -> NewValue {
    NewValue {
        field: Field::parse(name).unwrap(),
        content,
        source: None,
    }
}

fn date(day: u32) -> NewContent {
    NewContent::Date(NaiveDate::from_ymd_opt(2020, 3, day).unwrap())
}

fn record(entity: Entity, key: &str, values: Vec<NewValue>) -> NewClinicalRecord {
    NewClinicalRecord {
        entity,
        key: key.into(),
        patient: "P-1".into(),
        parent: None,
        links: Vec::new(),
        values,
    }
}

async fn load(store: &NodeStore, digest: &str, records: Vec<NewClinicalRecord>) -> Loaded {
    let source = NewClinicalSource {
        images: arno_domain::model::Images::Held,
        name: "registry".into(),
        digest: digest.into(),
    };
    let act = Act {
        actor: "test".into(),
        action: "import clinical".into(),
        subject: "registry".into(),
        outcome: Outcome::Done,
        detail: String::new(),
    };
    let load = store.put_clinical_source(
        &source,
        records.into_iter().map(Ok::<_, StoreError>),
        Utc::now(),
        act,
    );
    load.await.unwrap()
}

async fn all(store: &NodeStore) -> Vec<Record> {
    let mut records = Vec::new();
    let mut each = |record| records.push(record);
    store.clinical_records(&mut each).await.unwrap();
    records
}

fn days(records: &[Record], name: &str) -> Vec<Option<Value>> {
    let field = Field::parse(name).unwrap();
    let of_entity = records
        .iter()
        .filter(|record| record.entity == field.entity());
    of_entity
        .map(|record| record.value(field).cloned())
        .collect()
}

#[tokio::test]
async fn a_source_is_replaced_as_a_whole() {
    let store = NodeStore::in_memory().await.unwrap();
    let one = |key: &str| record(Entity::Outcome, key, Vec::new());
    let first = load(&store, "a", vec![one("1"), one("2")]).await;
    assert_eq!(
        first,
        Loaded::Replaced {
            records: 2,
            before: 0
        }
    );
    assert_eq!(load(&store, "a", vec![one("9")]).await, Loaded::Unchanged);
    let newer = load(&store, "b", vec![one("3")]).await;
    assert_eq!(
        newer,
        Loaded::Replaced {
            records: 1,
            before: 2
        }
    );
    let keys: Vec<_> = all(&store).await.into_iter().map(|one| one.key).collect();
    assert_eq!(keys, ["3"]);
    assert_eq!(store.clinical_sources().await.unwrap()[0].records, 1);
    let log = store.database().audit_log(10).await.unwrap();
    assert_eq!(log.length, 2, "what changed nothing is no act");
}

#[tokio::test]
async fn values_come_back_with_what_the_source_wrote() {
    let store = NodeStore::in_memory().await.unwrap();
    let coded = Coded {
        version: Some("3.2".into()),
        ..Coded::new(CodeSystem::IcdO3, "C34.1")
    };
    let values = vec![
        NewValue {
            source: Some("Lunge, Oberlappen".into()),
            ..value("diagnosis", NewContent::Known(Value::Code(coded.clone())))
        },
        NewValue {
            source: Some("???".into()),
            ..value("morphology", NewContent::Uncoded)
        },
        value(
            "age_at_diagnosis",
            NewContent::Known(Value::Number(61.123_456_789_012_3)),
        ),
        value("primary_tumour", NewContent::Known(Value::Flag(true))),
        value(
            "cancer_type",
            NewContent::Known(Value::Words("LUAD".into())),
        ),
    ];
    load(&store, "a", vec![record(Entity::Diagnosis, "1", values)]).await;
    let record = all(&store).await.remove(0);
    let of = |name: &str| record.value(Field::parse(name).unwrap()).cloned();
    assert_eq!(of("diagnosis"), Some(Value::Code(coded)));
    assert_eq!(of("morphology"), None);
    assert_eq!(
        of("age_at_diagnosis"),
        Some(Value::Number(61.123_456_789_012_3))
    );
    assert_eq!(of("primary_tumour"), Some(Value::Flag(true)));
    assert_eq!(of("cancer_type"), Some(Value::Words("LUAD".into())));
    let sources: Vec<_> = record
        .values
        .iter()
        .filter_map(|one| one.source.clone())
        .collect();
    assert_eq!(sources, ["Lunge, Oberlappen", "???"]);
}

#[tokio::test]
async fn days_are_counted_from_the_diagnosis_else_from_the_first_study() {
    let store = NodeStore::in_memory().await.unwrap();
    let study = |key: &str, day| record(Entity::Study, key, vec![value("study_date", date(day))]);
    let relative = value("death_date", NewContent::Known(Value::Days(400)));
    let dead = record(Entity::Outcome, "o", vec![relative]);
    let found = |day| {
        record(
            Entity::Diagnosis,
            "d",
            vec![value("diagnosis_date", date(day))],
        )
    };

    load(&store, "studies", vec![study("1", 20), study("2", 25)]).await;
    let records = all(&store).await;
    assert_eq!(
        days(&records, "study_date"),
        [Some(Value::Days(0)), Some(Value::Days(5))]
    );

    load(
        &store,
        "diagnosed",
        vec![study("1", 20), found(10), dead.clone()],
    )
    .await;
    let records = all(&store).await;
    assert_eq!(days(&records, "study_date"), [Some(Value::Days(10))]);
    assert_eq!(days(&records, "death_date"), [Some(Value::Days(400))]);

    load(&store, "no date of diagnosis", vec![study("1", 20), dead]).await;
    let records = all(&store).await;
    assert_eq!(
        days(&records, "study_date"),
        [None],
        "the two cannot be put on one line"
    );
    assert_eq!(days(&records, "death_date"), [Some(Value::Days(400))]);
}
