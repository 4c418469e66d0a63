//! Re-identification risk of a dataset: how far its patients hide among each other by what somebody else may know of them.
//!
//! Patients with the same values in all columns are an equivalence class. The smallest class is k; a patient alone in a class is
//! unique. The one figure is the expected share of patients that somebody with the same columns of the whole population of the
//! dataset would name rightly (marketer risk: classes by patients); the highest for one patient is 1/k (prosecutor risk).
//! El Emam, Guide to the De-Identification of Personal Health Information, chapter 16.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Width of groups that numbers are tried in, from fine to coarse.
const GROUP_WIDTHS: [f64; 3] = [5.0, 10.0, 20.0];
/// Shares that differ by less are the same.
const SAME_SHARE: f64 = 1e-9;

/// One column of what may be known of patients, a value for each patient in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Values; a missing one is a value like others: somebody who knows what is recorded knows that too.
    pub values: Vec<Known>,
}

/// What may be known of one patient in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Nothing is recorded.
    Nothing,
    /// A number.
    Number(f64),
    /// A word, or several joined.
    Words(String),
}

/// The risk of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Patients.
    pub patients: u64,
    /// Equivalence classes.
    pub classes: u64,
    /// Size of the smallest class; zero without patients.
    pub k: u64,
    /// Patients alone in their class.
    pub unique: u64,
    /// Classes by patients: the one figure, 0 to 1.
    pub share: f64,
    /// Columns, that which drives the risk most first.
    pub columns: Vec<ColumnRisk>,
}

/// What a column adds to the risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnRisk {
    /// Its name.
    pub name: String,
    /// Different values.
    pub values: u64,
    /// The share without it: the less, the more it drives the risk.
    pub share_without: f64,
    /// Patients alone in their class without it.
    pub unique_without: u64,
    /// What to generalise, where that helps, and what would be left of the risk.
    pub advice: Option<Advice>,
}

/// A coarser way to give a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// Width of groups of numbers; `None` when the column is better left out.
    pub group_width: Option<f64>,
    /// The share that is left.
    pub share: f64,
    /// Size of the smallest class that is left.
    pub k: u64,
}

/// Classes of patients.
struct Classes(Vec<u64>);

impl Classes {
    fn of(columns: &[&Column], patients: usize) -> Self {
        let mut sizes: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for patient in 0..patients {
            let key = columns.iter().map(|column| text(column, patient)).collect();
            *sizes.entry(key).or_default() += 1;
        }
        Self(sizes.into_values().collect())
    }

    fn k(&self) -> u64 {
        self.0.iter().copied().min().unwrap_or_default()
    }

    fn unique(&self) -> u64 {
        self.0.iter().filter(|size| **size == 1).count() as u64
    }

    fn share(&self) -> f64 {
        let patients: u64 = self.0.iter().sum();
        if patients == 0 {
            return 0.0;
        }
        self.0.len() as f64 / patients as f64
    }
}

fn text(column: &Column, patient: usize) -> String {
    match column.values.get(patient) {
        None | Some(Known::Nothing) => String::new(),
        Some(Known::Number(number)) => format!("#{number}"),
        Some(Known::Words(words)) => format!("\"{words}"),
    }
}

/// The risk of `patients` patients by these columns.
#[must_use]
pub fn risk(columns: &[Column], patients: usize) -> Risk {
    let all: Vec<&Column> = columns.iter().collect();
    let classes = Classes::of(&all, patients);
    let mut found: Vec<ColumnRisk> = (0..columns.len())
        .map(|at| column_risk(columns, at, patients, &classes))
        .collect();
    found.sort_by(|one, other| {
        let by_share = one.share_without.total_cmp(&other.share_without);
        by_share.then_with(|| one.name.cmp(&other.name))
    });
    Risk {
        patients: patients as u64,
        classes: classes.0.len() as u64,
        k: classes.k(),
        unique: classes.unique(),
        share: classes.share(),
        columns: found,
    }
}

fn column_risk(columns: &[Column], at: usize, patients: usize, all: &Classes) -> ColumnRisk {
    let without = with(columns, at, None, patients);
    let values: BTreeSet<String> = (0..patients)
        .map(|patient| text(&columns[at], patient))
        .collect();
    let helps = without.share() < all.share() - SAME_SHARE;
    ColumnRisk {
        name: columns[at].name.clone(),
        values: values.len() as u64,
        share_without: without.share(),
        unique_without: without.unique(),
        advice: helps.then(|| advice(columns, at, patients, &without)),
    }
}

/// The coarsest help that is needed: groups where they bring at least half of what leaving out would, else leaving out.
fn advice(columns: &[Column], at: usize, patients: usize, without: &Classes) -> Advice {
    let all: Vec<&Column> = columns.iter().collect();
    let gain = Classes::of(&all, patients).share() - without.share();
    let is_number = columns[at]
        .values
        .iter()
        .any(|value| matches!(value, Known::Number(_)));
    let grouped = GROUP_WIDTHS.iter().filter(|_| is_number).find_map(|width| {
        let coarse = grouped(&columns[at], *width);
        let classes = with(columns, at, Some(&coarse), patients);
        let enough = classes.share() <= without.share() + gain / 2.0;
        enough.then_some((Some(*width), classes))
    });
    let (group_width, classes) = match &grouped {
        Some((width, classes)) => (*width, classes),
        None => (None, without),
    };
    Advice {
        group_width,
        share: classes.share(),
        k: classes.k(),
    }
}

/// The classes with one column replaced, or left out.
fn with(columns: &[Column], at: usize, instead: Option<&Column>, patients: usize) -> Classes {
    let mut chosen: Vec<&Column> = columns.iter().collect();
    match instead {
        Some(column) => chosen[at] = column,
        None => {
            chosen.remove(at);
        }
    }
    Classes::of(&chosen, patients)
}

/// Numbers in groups of a width.
fn grouped(column: &Column, width: f64) -> Column {
    let group = |value: &Known| match value {
        Known::Number(number) => Known::Number((number / width).floor() * width),
        other => other.clone(),
    };
    Column {
        name: column.name.clone(),
        values: column.values.iter().map(group).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{
        ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, proptest,
    };

    use super::{Column, Known, Risk, risk};

    fn words(name: &str, values: &[&str]) -> Column {
        Column {
            name: name.into(),
            values: values
                .iter()
                .map(|value| Known::Words((*value).into()))
                .collect(),
        }
    }

    fn numbers(name: &str, values: &[f64]) -> Column {
        Column {
            name: name.into(),
            values: values.iter().map(|value| Known::Number(*value)).collect(),
        }
    }

    #[test]
    fn the_figures_of_a_small_table() {
        let columns = [
            words("sex", &["F", "F", "F", "M", "M", "M"]),
            numbers("age", &[61.0, 62.0, 63.0, 71.0, 71.0, 71.0]),
        ];
        let Risk {
            classes,
            k,
            unique,
            share,
            columns,
            ..
        } = risk(&columns, 6);
        assert_eq!((classes, k, unique), (4, 1, 3));
        assert!((share - 4.0 / 6.0).abs() < 1e-12);
        assert_eq!(columns[0].name, "age", "it drives the risk");
        let advice = columns[0].advice.as_ref().unwrap();
        assert_eq!((advice.group_width, advice.k), (Some(5.0), 3));
        assert_eq!(
            columns[1].advice, None,
            "sex adds nothing that age does not say"
        );
    }

    #[test]
    fn nobody_is_at_no_risk_and_one_patient_always_at_all() {
        assert_eq!(risk(&[], 0).share, 0.0);
        assert_eq!(risk(&[words("sex", &["F"])], 1).k, 1);
        assert_eq!(risk(&[], 9).k, 9, "without columns all are alike");
    }

    fn tables() -> impl Strategy<Value = (Vec<Column>, usize)> {
        (1_usize..25, 1_usize..5).prop_flat_map(|(patients, columns)| {
            let value = (0_u8..4).prop_map(|value| match value {
                0 => Known::Nothing,
                1 => Known::Words("x".into()),
                other => Known::Number(f64::from(other) * 7.0),
            });
            let values = prop::collection::vec(value, patients);
            let column = values.prop_map(|values| Column {
                name: "c".into(),
                values,
            });
            (
                prop::collection::vec(column, columns),
                prop::strategy::Just(patients),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn laws((columns, patients) in tables()) {
            let all = risk(&columns, patients);
            prop_assert!(all.k >= 1 && all.k * all.classes <= all.patients);
            prop_assert!(all.unique <= all.classes && all.share <= 1.0);
            prop_assert_eq!(all.k == 1, all.unique > 0);
            for column in &all.columns {
                prop_assert!(column.share_without <= all.share, "knowing less never tells more");
                prop_assert!(column.unique_without <= all.unique);
            }
            let fewer = risk(&columns[1..], patients);
            prop_assert!(fewer.share <= all.share && fewer.k >= all.k);
            let doubled: Vec<Column> = columns.iter().map(|column| Column {
                name: column.name.clone(),
                values: [column.values.clone(), column.values.clone()].concat(),
            }).collect();
            let twice = risk(&doubled, patients * 2);
            prop_assert_eq!(twice.k, all.k * 2);
            prop_assert_eq!(twice.unique, 0);
        }
    }
}
