//! Bars and steps count each patient as a walk over their rows does: once a cell, in no more cells than allowed, the first ones first.

use std::collections::BTreeMap;

use arno_engine::{Choose, ColumnId, Level, Plan, Question};
use proptest::prelude::{prop_assert_eq, proptest};

use crate::{
    index,
    model::{Known, Model, Tree, rows_of_each},
    strategy::{fields, patients, question},
    words,
};

/// Patients by word, from what their rows hold in order.
fn bars(rows: &[Vec<Option<Known>>], words: &[String], most: usize) -> Vec<u64> {
    let mut counts = vec![0; words.len()];
    for known in rows {
        let mut cells = Vec::new();
        for word in known.iter().flatten() {
            let cell = words
                .iter()
                .position(|listed| Known::Word(listed.clone()) == *word);
            cells.extend(cell.filter(|cell| !cells.contains(cell)));
        }
        cells.iter().take(most).for_each(|cell| counts[*cell] += 1);
    }
    counts
}

/// Patients by the step of their least or greatest number.
fn steps(rows: &[Vec<Option<Known>>], limits: &[f64], choose: Choose) -> Vec<u64> {
    let mut counts = vec![0; limits.len() + 1];
    for known in rows {
        let numbers = known.iter().flatten().filter_map(|known| match known {
            Known::Number(number) => Some(*number),
            Known::Word(_) => None,
        });
        let chosen = match choose {
            Choose::Least => numbers.reduce(f64::min),
            Choose::Greatest => numbers.reduce(f64::max),
        };
        if let Some(number) = chosen {
            counts[limits.iter().filter(|limit| **limit <= number).count()] += 1;
        }
    }
    counts
}

proptest! {
    #[test]
    fn bars_are_those_of_a_walk_over_the_rows(patients in patients(), question in question(), most in 1_u32..6, listed in 0_usize..6) {
        let fields = fields();
        let index = index(&fields, &patients);
        let model = Model { fields: &fields, patients: &patients };
        let selection = index.selection(index.matched(&question));
        for column in [fields.sex, fields.modality, fields.code, fields.group, fields.label] {
            let mut words = words(&index, column);
            words.sort();
            words.truncate(listed);
            let found = index.patients_by(&selection, &index.listing(column, &words), most);
            let rows = rows_of_each(&model, &question, column);
            prop_assert_eq!(found, bars(&rows, &words, most as usize));
        }
    }

    #[test]
    fn steps_are_those_of_the_least_and_the_greatest_number(patients in patients(), question in question()) {
        let fields = fields();
        let index = index(&fields, &patients);
        let model = Model { fields: &fields, patients: &patients };
        let selection = index.selection(index.matched(&question));
        for column in [fields.age, fields.thickness, fields.day] {
            let rows = rows_of_each(&model, &question, column);
            for (limits, choose) in [(vec![0.0, 1.25], Choose::Least), (vec![-1.0, 0.5], Choose::Greatest), (Vec::new(), Choose::Least)] {
                let found = index.patients_in_steps(&selection, column, &limits, choose);
                prop_assert_eq!(found, steps(&rows, &limits, choose));
            }
        }
    }
}

/// Patients of whom each has three words that come one after the other.
fn patients_of(column: ColumnId, words: usize) -> BTreeMap<String, Tree> {
    let series =
        |word: usize| Tree::new(Level::SERIES).word(column, &format!("w{:03}", word % words));
    let patient = |at: usize| {
        let study = [at, at + 1, at + 2].map(series).into_iter();
        let study = study.fold(Tree::new(Level::STUDY), Tree::with);
        (format!("p{at:03}"), Tree::new(Level::PATIENT).with(study))
    };
    (0..words).map(patient).collect()
}

/// More cells than a word has bits, and codes of more than a byte: the same answers.
#[test]
fn bars_may_be_more_than_a_word_has_bits() {
    let fields = fields();
    for words in [63, 64, 65, 300] {
        let index = index(&fields, &patients_of(fields.modality, words));
        let everybody = Question::from(Plan::everything());
        let selection = index.selection(index.matched(&everybody));
        let names: Vec<_> = (0..words).map(|word| format!("w{word:03}")).collect();
        let listing = index.listing(fields.modality, &names);
        for most in 1..=4 {
            let found = index.patients_by(&selection, &listing, most);
            assert_eq!(
                found,
                vec![u64::from(most.min(3)); words],
                "{words}, {most}"
            );
        }
    }
}
