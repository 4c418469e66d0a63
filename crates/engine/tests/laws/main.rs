//! The index answers as a model does that looks at one row after the other and keeps sets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bars;
mod model;
mod strategy;

use std::collections::BTreeMap;

use arno_engine::{
    CellValue, Cells, Change, ColumnId, Counts, Facet, Index, Level, Listing, Plan, Presence,
    Question,
};
use model::{Model, Tree, counts, panel};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use strategy::{Fields, fields, patients, question};

fn index(fields: &Fields, patients: &BTreeMap<String, Tree>) -> Index {
    let mut index = Index::new(fields.schema.clone());
    for (key, tree) in patients {
        index.append(key, &tree.branch()).unwrap();
    }
    index.settle();
    index
}

fn counted(index: &Index, question: &Question) -> Counts {
    index.counts(&index.selection(index.matched(question)))
}

/// The words of a column in an order.
fn words(index: &Index, column: ColumnId) -> Vec<String> {
    index.words(column).map(str::to_owned).collect()
}

/// Bars of all of a facet's cells but what is not recorded, and numbers that are listed one by one.
fn listed(index: &Index, column: ColumnId, cells: &Cells) -> (Listing, fn(CellValue<'_>) -> bool) {
    match cells {
        Cells::Values => (index.listing(column, &words(index, column)), |value| {
            matches!(value, CellValue::Word(_))
        }),
        Cells::Steps(limits) => (index.steps(column, limits.clone()), |value| {
            matches!(value, CellValue::Step { .. })
        }),
    }
}

proptest! {
    #[test]
    fn counts_are_those_of_the_model(patients in patients(), question in question()) {
        let fields = fields();
        let index = index(&fields, &patients);
        let model = Model { fields: &fields, patients: &patients };
        prop_assert_eq!(counted(&index, &question), counts(&model, &question, Counts::UNCAPPED));
        let caps = Counts { patients: 1, studies: 1, series: 2 };
        let selection = index.selection(index.matched(&question));
        prop_assert_eq!(index.capped(&selection, caps), counts(&model, &question, caps));
    }

    #[test]
    fn panels_are_those_of_the_model(patients in patients(), cohort in question(), own in question(), another in question()) {
        let fields = fields();
        let index = index(&fields, &patients);
        let model = Model { fields: &fields, patients: &patients };
        let facets: Vec<_> = fields.all().into_iter().enumerate().map(|(at, (column, cells))| Facet {
            column,
            cells,
            own: match at { 1 => Some(&own), 2 => Some(&another), _ => None },
        }).collect();
        let found = index.panel(&cohort, &facets);
        let expect = panel(&model, &cohort, &facets);
        prop_assert_eq!(found.counts, expect.0);
        for (at, cells) in found.facets.iter().enumerate() {
            let cells: BTreeMap<_, _> = cells.iter().map(|cell| (format!("{:?}", cell.value), cell.counts))
                .filter(|(_, counts)| counts.patients > 0).collect();
            prop_assert_eq!(&cells, &expect.1[at], "facet {}", at);
        }
    }

    #[test]
    fn bars_are_the_patients_of_a_facet(patients in patients(), question in question()) {
        let fields = fields();
        let index = index(&fields, &patients);
        let selection = index.selection(index.matched(&question));
        for (column, cells) in fields.all() {
            let (listing, is_listed) = listed(&index, column, &cells);
            let found = index.patients_by(&selection, &listing, u32::MAX);
            let facet = index.facet(&selection, column, &cells);
            let expect: Vec<_> = facet.iter().filter(|cell| is_listed(cell.value)).map(|cell| cell.counts.patients).collect();
            prop_assert_eq!(found, expect);
        }
    }

    #[test]
    fn a_patient_less_changes_no_more_bars_than_a_patient_has(patients in patients(), question in question(), most in 1_u32..4) {
        let fields = fields();
        let index = index(&fields, &patients);
        for forgotten in patients.keys() {
            let mut others = patients.clone();
            others.remove(forgotten);
            let without = self::index(&fields, &others);
            for (column, cells) in fields.all() {
                let (listing, _) = listed(&index, column, &cells);
                // The same bars in the other index, whatever is recorded there.
                let same = match &cells {
                    Cells::Values => without.listing(column, &words(&index, column)),
                    Cells::Steps(limits) => without.steps(column, limits.clone()),
                };
                let bars = |index: &Index, listing| index.patients_by(&index.selection(index.matched(&question)), listing, most);
                let (with, without) = (bars(&index, &listing), bars(&without, &same));
                let changes: Vec<_> = with.iter().zip(&without).map(|(with, without)| with.abs_diff(*without)).collect();
                prop_assert!(changes.iter().all(|change| *change <= 1));
                prop_assert!(changes.iter().sum::<u64>() <= u64::from(most), "{:?}", changes);
            }
        }
    }

    #[test]
    fn a_patched_index_is_a_new_one(before in patients(), after in patients(), question in question()) {
        let fields = fields();
        let mut index = index(&fields, &before);
        // Whoever is in `after` is added or replaced; a few of the others are forgotten.
        let forgotten: Vec<_> = before.keys().filter(|key| !after.contains_key(*key)).step_by(2).cloned().collect();
        let mut changes: Vec<_> = after.iter().rev().map(|(key, tree)| Change { patient: key, now: Some(tree.branch()) }).collect();
        changes.extend(forgotten.iter().map(|key| Change { patient: key, now: None }));
        index.patch(changes).unwrap();
        let mut patients = before.clone();
        patients.extend(after.clone());
        forgotten.iter().for_each(|key| { patients.remove(key); });
        let anew = self::index(&fields, &patients);
        prop_assert_eq!(counted(&index, &question), counted(&anew, &question));
        for level in [Level::PATIENT, Level::STUDY, Level::SERIES, fields.diagnosis, fields.stage, fields.segment] {
            prop_assert_eq!(index.count(level), anew.count(level));
        }
        for (column, cells) in fields.all() {
            prop_assert_eq!(index.recorded(column), anew.recorded(column));
            let facet = |index: &Index| {
                let selection = index.selection(index.matched(&question));
                let mut cells: Vec<_> = index.facet(&selection, column, &cells).iter().map(|cell| format!("{cell:?}")).collect();
                cells.sort();
                cells
            };
            prop_assert_eq!(facet(&index), facet(&anew));
        }
    }

    #[test]
    fn a_conjunct_more_never_counts_more(patients in patients(), question in question(), conjunct in question()) {
        let index = index(&fields(), &patients);
        let before = counted(&index, &question);
        let both = |one: Plan, other: Plan| Plan::And(vec![one, other]);
        let after = counted(&index, &Question {
            of_series: both(question.of_series, conjunct.of_series),
            of_studies: both(question.of_studies, conjunct.of_studies),
            of_patients: both(question.of_patients, conjunct.of_patients),
        });
        prop_assert!(after.patients <= before.patients);
        prop_assert!(after.studies <= before.studies);
        prop_assert!(after.series <= before.series);
    }

    #[test]
    fn what_is_refused_changes_nothing(patients in patients(), question in question()) {
        let fields = fields();
        let mut index = index(&fields, &patients);
        let before = counted(&index, &question);
        let misplaced = Tree::new(Level::PATIENT).with(Tree::new(Level::SERIES));
        let wrong = Tree::new(Level::PATIENT).word(fields.modality, "CT");
        for tree in [misplaced, wrong] {
            index.patch(vec![Change { patient: "p0", now: Some(tree.branch()) }]).unwrap_err();
            index.append("z", &tree.branch()).unwrap_err();
        }
        let twice = Change { patient: "p0", now: None };
        index.patch(vec![twice.clone(), twice]).unwrap_err();
        prop_assert_eq!(counted(&index, &question), before);
        prop_assert_eq!(index.count(Level::PATIENT), patients.len());
    }
}

/// More distinct numbers than are kept in a dictionary: the same answers, and steps still count.
#[test]
fn numbers_that_hardly_repeat_are_kept_as_they_are() {
    let fields = fields();
    let patients = 70_000_u32;
    let mut index = Index::new(fields.schema.clone());
    for patient in 0..patients {
        let series = Tree::new(Level::SERIES).number(fields.thickness, f64::from(patient) / 8.0);
        let tree = Tree::new(Level::PATIENT).with(Tree::new(Level::STUDY).with(series));
        index
            .append(&format!("{patient:06}"), &tree.branch())
            .unwrap();
    }
    let without =
        Tree::new(Level::PATIENT).with(Tree::new(Level::STUDY).with(Tree::new(Level::SERIES)));
    index.append("x", &without.branch()).unwrap();
    index.settle();
    let below = |limit| strategy::below(fields.thickness, limit);
    assert_eq!(counted(&index, &below(1.0).into()).series, 8);
    assert_eq!(
        counted(&index, &Plan::Not(Box::new(below(1.0))).into()).series,
        u64::from(patients) - 8
    );
    assert_eq!(index.recorded(fields.thickness), u64::from(patients));
    let everything = index.selection(index.matched(&Plan::everything().into()));
    let steps = index.facet(&everything, fields.thickness, &Cells::Steps(vec![1.0, 2.0]));
    let series: Vec<_> = steps.iter().map(|cell| cell.counts.series).collect();
    assert_eq!(series, [1, 8, 8, u64::from(patients) - 16]);
    index
        .patch(vec![Change {
            patient: "000000",
            now: None,
        }])
        .unwrap();
    assert_eq!(counted(&index, &below(1.0).into()).series, 7);
    // Eight bytes a series for the column, nine places of four bytes a patient, and their keys.
    assert!(index.bytes() < 70_001 * 100, "{}", index.bytes());
}

/// What stands in real headers stays a value of its own.
#[test]
fn a_sex_of_6657_is_a_value() {
    let fields = fields();
    let tree = |sex: &str| Tree::new(Level::PATIENT).word(fields.sex, sex);
    let patients =
        [("a", "0000"), ("b", "6657"), ("c", "F")].map(|(key, sex)| (key.to_owned(), tree(sex)));
    let index = index(&fields, &patients.into());
    let mut words: Vec<_> = index.words(fields.sex).collect();
    words.sort_unstable();
    assert_eq!(words, ["0000", "6657", "F"]);
    assert_eq!(
        counted(
            &index,
            &strategy::one_of(fields.sex, &["6657", "0000"]).into()
        )
        .patients,
        2
    );
}

/// Stages that hang on nobody knows which diagnosis: of a diagnosis that stands for nothing, nothing is known.
#[test]
fn what_hangs_on_a_placeholder_makes_nothing_of_it_known() {
    let fields = fields();
    let stage = |group| Tree::new(fields.stage).word(fields.group, group);
    let nowhere = Tree {
        presence: Presence::Placeholder,
        below: vec![stage("F"), stage("f")],
        ..Tree::new(fields.diagnosis)
    };
    let patient = Tree::new(Level::PATIENT).with(nowhere);
    let patients = BTreeMap::from([("p".to_owned(), patient)]);
    let exists = |of, plan| Plan::Exists {
        level: fields.stage,
        of,
        plan: Box::new(plan),
    };
    let any = strategy::one_of(fields.group, &["F"]);
    let index = index(&fields, &patients);
    for (of, expect) in [(Level::PATIENT, 1), (fields.diagnosis, 0)] {
        let plan = exists(Level::PATIENT, exists(of, any.clone()));
        let question = Question {
            of_series: plan.clone(),
            of_studies: plan.clone(),
            of_patients: plan,
        };
        assert_eq!(counted(&index, &question).patients, expect, "{of:?}");
    }
}
