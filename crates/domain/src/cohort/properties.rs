//! Laws of the language, on cohorts and patients made at random.

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::select,
};

use super::{
    Cohort, Criterion, Entity, Field, FieldKind, Group, Moment, Order, Patient, Range, Test,
    Timing, complete, has_hierarchy,
};
use crate::model::{CodeSystem, Coded, Record, Recorded, Value};

/// Few fields and few values, so that criteria and patients meet.
const FIELDS: [&str; 12] = [
    "sex",
    "age",
    "study_date",
    "modality",
    "slice_thickness",
    "contrast",
    "diagnosis",
    "stage_group",
    "morphology",
    "treatment_start",
    "treatment_kind",
    "manufacturer",
];
const WORDS: [&str; 14] = [
    "CT",
    "ct",
    "C34",
    "C34.1",
    "c341",
    "III",
    "Stage IIIA",
    "II",
    "8140",
    "8140/3",
    "yes",
    "no",
    "a \"b\" \\c",
    "and",
];
const ENTITIES: [Entity; 5] = [
    Entity::Series,
    Entity::Study,
    Entity::Diagnosis,
    Entity::Stage,
    Entity::Treatment,
];

fn field() -> impl Strategy<Value = Field> {
    select(&FIELDS[..]).prop_map(|name| Field::parse(name).unwrap())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-4..60_i32).prop_map(f64::from),
        (0..9_i32).prop_map(|tenths| f64::from(tenths) / 10.0)
    ]
}

fn range() -> impl Strategy<Value = Range> {
    (number(), number(), 0..8_u8).prop_map(|(one, other, kind)| {
        let (low, high) = (one.min(other), one.max(other));
        let mut range = Range::default();
        match kind {
            0 => range.min = Some(low),
            1 => range.above = Some(low),
            2 => range.max = Some(low),
            3 => range.below = Some(low),
            4 => (range.min, range.max) = (Some(low), Some(low)),
            5 => (range.above, range.below) = (Some(low), Some(high)),
            6 => (range.min, range.above, range.max) = (Some(low), Some(low), Some(high)),
            _ => (range.min, range.max) = (Some(low), Some(high)),
        }
        range
    })
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec(select(&WORDS[..]).prop_map(str::to_owned), 1..4)
}

fn criterion() -> impl Strategy<Value = Criterion> {
    (field(), words(), range(), 0..4_u8).prop_map(|(field, words, range, kind)| {
        let test = match field.kind() {
            _ if kind == 0 => Test::Recorded,
            FieldKind::Number { .. } | FieldKind::Days => Test::Range(range),
            FieldKind::Flag => Test::OneOf(vec![if kind == 1 { "yes" } else { "no" }.to_owned()]),
            _ if kind == 1 && has_hierarchy(field) => Test::Under(words),
            _ => Test::OneOf(words),
        };
        Criterion { field, test }
    })
}

fn moment(inner: impl Strategy<Value = Cohort> + 'static) -> impl Strategy<Value = Moment> {
    let places = [
        (Entity::Series, "study_date"),
        (Entity::Study, "study_date"),
        (Entity::Treatment, "treatment_start"),
        (Entity::Treatment, "treatment_end"),
    ];
    (select(places.to_vec()), inner, any::<bool>()).prop_map(|((entity, date), inner, alone)| {
        Moment {
            date: Field::parse(date).unwrap(),
            of: (!alone).then(|| Group {
                entity,
                such_that: Box::new(inner),
            }),
        }
    })
}

fn cohort() -> impl Strategy<Value = Cohort> {
    let leaf = prop_oneof![
        8 => criterion().prop_map(Cohort::Is),
        1 => Just(Cohort::everybody()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let order = select(vec![Order::Before, Order::After, Order::Of]);
        let timing = (moment(inner.clone()), order, moment(inner.clone()), range());
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Cohort::And),
            vec(inner.clone(), 1..4).prop_map(Cohort::Or),
            inner.clone().prop_map(|part| Cohort::Not(Box::new(part))),
            (select(&ENTITIES[..]), inner).prop_map(|(entity, such_that)| Cohort::One(Group {
                entity,
                such_that: Box::new(such_that),
            })),
            timing.prop_map(|(first, order, second, days)| {
                Cohort::Timed(Box::new(Timing {
                    first,
                    order,
                    second,
                    days,
                }))
            }),
        ]
    })
    .prop_filter("as it may come from outside", |cohort| {
        cohort.check().is_ok()
    })
}

fn record() -> impl Strategy<Value = Record> {
    let entity = select(vec![
        Entity::Patient,
        Entity::Study,
        Entity::Study,
        Entity::Series,
        Entity::Series,
        Entity::Series,
        Entity::Diagnosis,
        Entity::Stage,
        Entity::Treatment,
    ]);
    let parent = select(vec![None, Some("1"), Some("2")]);
    let words = vec(select(&WORDS[..]), FIELDS.len());
    let numbers = vec(number(), FIELDS.len());
    let known = vec(any::<bool>(), FIELDS.len());
    (
        entity,
        select(vec!["1", "2", "3"]),
        parent,
        words,
        numbers,
        known,
    )
        .prop_map(|(entity, key, parent, words, numbers, known)| {
            let mut record = Record::new(entity, "P-1", key);
            record.parent = parent.map(str::to_owned);
            for (at, name) in FIELDS.into_iter().enumerate() {
                let field = Field::parse(name).unwrap();
                if field.entity() != entity || !known[at] {
                    continue;
                }
                let value = match field.kind() {
                    FieldKind::Code { .. } => Value::Code(Coded::new(CodeSystem::Arno, words[at])),
                    FieldKind::Words => Value::Words(words[at].to_owned()),
                    FieldKind::Number { .. } => Value::Number(numbers[at]),
                    FieldKind::Days => Value::Days(numbers[at] as i64),
                    FieldKind::Flag => Value::Flag(numbers[at] > 5.0),
                };
                record.values.push(Recorded {
                    field,
                    value: Some(value),
                    source: None,
                });
            }
            record
        })
}

fn answers(cohort: &Cohort, records: &[Record]) -> Vec<Option<bool>> {
    let patient = Patient::from_records(records);
    (0..patient.rows())
        .map(|row| cohort.holds(&patient, row))
        .collect()
}

/// The same question, written otherwise.
fn rewritten(cohort: &Cohort) -> Cohort {
    let turned = |parts: &[Cohort]| parts.iter().rev().map(rewritten).collect::<Vec<_>>();
    match cohort {
        Cohort::And(parts) => {
            let mut parts = turned(parts);
            parts.extend(parts.first().cloned());
            Cohort::And(vec![Cohort::And(parts), Cohort::everybody()])
        }
        Cohort::Or(parts) => Cohort::Or(vec![Cohort::Or(turned(parts))]),
        Cohort::Not(part) => Cohort::Not(Box::new(rewritten(part))),
        Cohort::Is(Criterion {
            field,
            test: Test::OneOf(words),
        }) => Cohort::Is(Criterion {
            field: *field,
            test: Test::OneOf(words.iter().rev().map(|word| word.to_lowercase()).collect()),
        }),
        Cohort::Timed(timing) if timing.order != Order::Of => {
            let order = match timing.order {
                Order::Before => Order::After,
                _ => Order::Before,
            };
            let (first, second) = (timing.second.clone(), timing.first.clone());
            let days = timing.days;
            Cohort::Timed(Box::new(Timing {
                first,
                order,
                second,
                days,
            }))
        }
        other => Cohort::Not(Box::new(Cohort::Not(Box::new(other.clone())))),
    }
}

proptest! {
    #[test]
    fn text_and_cohort_are_one_thing(cohort in cohort()) {
        let text = cohort.to_string();
        let read: Cohort = text.parse().map_err(|error| {
            proptest::test_runner::TestCaseError::fail(format!("{text}: {error}"))
        })?;
        prop_assert_eq!(read.normal_form(), cohort.normal_form(), "{}", text);
        let again: Cohort = read.to_string().parse().unwrap();
        prop_assert_eq!(again, read);
    }

    #[test]
    fn json_and_cohort_are_one_thing(cohort in cohort()) {
        let json = serde_json::to_string(&cohort).unwrap();
        prop_assert_eq!(serde_json::from_str::<Cohort>(&json).unwrap(), cohort);
    }

    #[test]
    fn a_normal_form_is_its_own(cohort in cohort()) {
        let normal = cohort.normal_form();
        prop_assert_eq!(normal.normal_form(), normal.clone());
        prop_assert_eq!(normal.digest(), cohort.digest());
    }

    #[test]
    fn a_normal_form_asks_the_same(cohort in cohort(), records in vec(record(), 0..10)) {
        prop_assert_eq!(answers(&cohort, &records), answers(&cohort.normal_form(), &records), "{}", cohort);
    }

    #[test]
    fn what_is_written_otherwise_has_the_same_id(cohort in cohort(), records in vec(record(), 0..10)) {
        let other = rewritten(&cohort);
        prop_assert_eq!(answers(&cohort, &records), answers(&other, &records), "{} / {}", cohort, other);
        prop_assert_eq!(cohort.digest(), other.digest(), "{} / {}", cohort, other);
    }

    #[test]
    fn one_more_condition_finds_no_more(cohort in cohort(), more in cohort(), records in vec(record(), 0..10)) {
        let both = Cohort::And(vec![cohort.clone(), more]);
        for (both, one) in answers(&both, &records).into_iter().zip(answers(&cohort, &records)) {
            prop_assert!(both != Some(true) || one == Some(true));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        if let Err(error) = text.parse::<Cohort>() {
            prop_assert!(error.position >= 1);
            prop_assert!(error.caret(&text).contains('^'));
        }
    }

    #[test]
    fn any_place_can_be_completed(cohort in cohort(), cursor in 0..200_usize) {
        let text = cohort.to_string();
        let found = complete(&text, cursor, &|_| Vec::new());
        prop_assert!(found.from <= cursor.min(text.chars().count()));
    }
}
