//! What is exported and imported again is the same.

use std::{collections::BTreeMap, path::Path};

use arno_domain::model::{
    CodeSystem, Coded, Entity, Field, FieldKind, Link, Record, Recorded, Value,
};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest,
};

use super::FhirExport;
use crate::{
    Draft, DraftContent, DraftKey,
    export::{Exporter as _, Folder, merged},
    fhir::{FhirMapping, check},
};

const PATIENT: &str = "P-0123456789ABCDEF";
/// Records by what tells them apart.
type Records = BTreeMap<(Entity, String), Record>;

fn mapping() -> FhirMapping {
    FhirMapping::parse(&FhirMapping::text("export", None)).unwrap()
}

fn exported(
    form: fn(&Folder) -> Result<FhirExport, crate::export::ExportError>,
    to: &Path,
    records: &[Record],
) {
    let folder = Folder::begin(to).unwrap();
    let mut export = form(&folder).unwrap();
    export.patient(PATIENT, records).unwrap();
    export.finish().unwrap();
    folder.finish().unwrap();
}

fn imported(from: &Path) -> Records {
    let checked = check(from, &mapping()).unwrap();
    assert_eq!(checked.problems, []);
    assert_eq!(checked.left_out, []);
    let records = checked.drafts.into_iter().map(record);
    records
        .map(|record| ((record.entity, record.key.clone()), record))
        .collect()
}

/// What a node would keep, with names as they are.
fn record(draft: Draft) -> Record {
    let key = |key: DraftKey| match key {
        DraftKey::Patient => draft.patient.to_string(),
        DraftKey::Uid(name) | DraftKey::Named(name) => name.to_string(),
    };
    let values = draft.values.iter().map(|value| Recorded {
        field: value.field,
        value: match &value.said.content {
            DraftContent::Known(known) => Some(known.clone()),
            DraftContent::Uncoded => None,
            DraftContent::Date(date) => panic!("a date: {date}"),
        },
        source: value.said.source.clone(),
    });
    sorted(Record {
        entity: draft.entity,
        patient: draft.patient.to_string(),
        values: values.collect(),
        parent: draft.parent.map(&key),
        links: draft
            .links
            .into_iter()
            .map(|(entity, link)| Link {
                entity,
                key: key(link),
            })
            .collect(),
        key: key(draft.key),
    })
}

fn sorted(mut record: Record) -> Record {
    record.values.sort_by_key(|value| value.field);
    record
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zäß0-9/<\"]{1,12}( [a-z|]{1,5})?",
        Just("Stadium IIIB".to_owned()),
        Just("\u{1F3E5} 3+".to_owned()),
    ]
}

fn coded(systems: &'static [CodeSystem]) -> impl Strategy<Value = Coded> {
    let code = prop_oneof![
        "[A-Z][0-9]{1,3}(\\.[0-9])?",
        "[0-9]{4}/[0-9]",
        Just("positive".to_owned()),
        Just("surgery".to_owned()),
        Just("2857-1".to_owned()),
        Just("clinical".to_owned())
    ];
    let version = prop_oneof![
        Just(None),
        Just(Some("3.2".to_owned())),
        Just(Some("ICD-10-GM 2024".to_owned())),
        Just(Some("ICD-10-CM".to_owned()))
    ];
    (prop::sample::select(systems), code, version).prop_map(|(system, code, version)| Coded {
        system,
        code,
        version,
    })
}

fn value(field: Field) -> impl Strategy<Value = Recorded> {
    let source = prop::option::of(words());
    let known = match field.kind() {
        FieldKind::Code { systems } => coded(systems).prop_map(Value::Code).boxed(),
        FieldKind::Words => words().prop_map(Value::Words).boxed(),
        FieldKind::Number { .. } => prop_oneof![(-1e9..1e9_f64), (0..500_i32).prop_map(f64::from),]
            .prop_map(Value::Number)
            .boxed(),
        FieldKind::Days => (-40_000..40_000_i64).prop_map(Value::Days).boxed(),
        FieldKind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
    };
    let is_code = matches!(field.kind(), FieldKind::Code { .. });
    (known, source, any::<prop::sample::Index>()).prop_map(move |(known, source, chance)| {
        let source = source.filter(|_| !matches!(known, Value::Days(_)));
        let is_uncoded = is_code && source.is_some() && chance.index(4) == 0;
        Recorded {
            field,
            value: (!is_uncoded).then_some(known),
            source,
        }
    })
}

fn one(entity: Entity, number: usize) -> impl Strategy<Value = Record> {
    let fields: Vec<_> = Field::all()
        .filter(|field| field.entity() == entity)
        .collect();
    let most = fields.len().min(8);
    let chosen = prop::sample::subsequence(fields, 1..=most);
    let values = chosen.prop_flat_map(|fields| fields.into_iter().map(value).collect::<Vec<_>>());
    values.prop_map(move |values| Record {
        values,
        ..Record::new(entity, PATIENT, &key(entity, number))
    })
}

fn key(entity: Entity, number: usize) -> String {
    match entity {
        Entity::Patient => PATIENT.to_owned(),
        Entity::Study | Entity::Series | Entity::Annotation => {
            format!("2.25.{}{number}", entity as u8 + 1)
        }
        // Two entities may have the same key, and a key need be no id.
        _ if number == 0 => "P-AAAAAAAAAAAAAAAA".to_owned(),
        _ => format!("{} {number}", entity.as_str()),
    }
}

/// Some of every entity, hanging on each other.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let of = |entity: Entity| {
        let most: usize = if entity == Entity::Patient { 1 } else { 2 };
        (0..=most).prop_flat_map(move |count: usize| {
            (0..count)
                .map(|number| one(entity, number))
                .collect::<Vec<_>>()
        })
    };
    let all: Vec<_> = Entity::ALL.into_iter().map(of).collect();
    (all, any::<[bool; 4]>()).prop_map(|(all, chances)| {
        let mut records: Vec<Record> = all.into_iter().flatten().collect();
        let has = |records: &[Record], entity: Entity| {
            records.iter().any(|record| record.entity == entity)
        };
        let known = Entity::ALL.map(|entity| (entity, has(&records, entity)));
        for (record, chance) in records.iter_mut().zip(chances.iter().cycle()) {
            let parent = record
                .entity
                .parent()
                .filter(|parent| *parent != Entity::Patient);
            let parent = parent.filter(|parent| *chance && known.contains(&(*parent, true)));
            record.parent = parent.map(|parent| key(parent, 0));
            if record.entity == Entity::Event && *chance {
                record.links = vec![
                    Link {
                        entity: Entity::Diagnosis,
                        key: key(Entity::Diagnosis, 1),
                    },
                    Link {
                        entity: Entity::Study,
                        key: key(Entity::Study, 0),
                    },
                ];
            }
        }
        merged(records)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_exported_and_imported_again_is_the_same(records in records()) {
        let folder = tempfile::tempdir().unwrap();
        let (lines, bundle) = (folder.path().join("lines"), folder.path().join("bundle"));
        exported(FhirExport::lines, &lines, &records);
        exported(FhirExport::bundle, &bundle, &records);
        let expected: Records = records.into_iter().map(|record| ((record.entity, record.key.clone()), sorted(record))).collect();
        prop_assert_eq!(&imported(&lines), &expected);
        prop_assert_eq!(&imported(&bundle.join("bundle.json")), &expected);
    }
}

#[test]
fn every_name_that_is_written_is_a_field() {
    for known in crate::fhir::codes::OBSERVATIONS {
        assert!(Field::parse(known.field).is_ok(), "{}", known.field);
    }
    for (fields, ..) in crate::fhir::codes::WORDS {
        assert!(
            fields.iter().all(|name| Field::parse(name).is_ok()),
            "{fields:?}"
        );
    }
}
