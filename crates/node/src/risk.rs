//! The re-identification risk of a dataset version: what may be known of its patients, from the same facts that searches ask, as
//! columns for [`arno_quality::risk`]; and what the data holder's policy says of it.

use std::collections::{BTreeMap, BTreeSet};

use arno_domain::cohort::{Facts, Field, Value};
use arno_protocol::node::quality::{RiskAdvice, RiskColumn, RiskFigure, RiskReport};
use arno_quality::risk::{Column, ColumnRisk, Known, Risk, risk};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What the data holder wants done about risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskPolicy {
    /// The fewest patients that may look the same.
    pub least_k: u32,
    /// What happens below.
    pub below: BelowLimit,
}

/// What happens to a dataset whose patients hide too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BelowLimit {
    /// It is published, with a warning.
    Warn,
    /// It is not published.
    Refuse,
}

impl Default for RiskPolicy {
    /// Five, as for small counts. Under a permit data are not public, so that the default warns.
    fn default() -> Self {
        Self {
            least_k: 5,
            below: BelowLimit::Warn,
        }
    }
}

/// Study dates of a patient, `YYYYMMDD`, by pseudonym. They were moved, each patient's by an offset of its own: only what lies
/// between them is as it was.
pub(crate) type StudyDates = BTreeMap<String, Vec<String>>;

/// The risk of the patients in these rows.
pub(crate) fn risk_report(rows: &[&Facts], dates: &StudyDates, policy: RiskPolicy) -> RiskReport {
    let mut of_patient: BTreeMap<&str, Vec<&Facts>> = BTreeMap::new();
    for row in rows {
        of_patient.entry(&row.patient).or_default().push(row);
    }
    let patients: Vec<(&str, Vec<&Facts>)> = of_patient.into_iter().collect();
    let mut columns: Vec<Column> = Facts::fields()
        .map(|field| column(field.as_str(), &patients, |(_, rows)| known(field, rows)))
        .collect();
    columns.push(column("studies", &patients, |(_, rows)| {
        let studies: BTreeSet<_> = rows.iter().filter_map(|row| row.study.as_ref()).collect();
        Known::Number(studies.len() as f64)
    }));
    columns.push(column("days_between_studies", &patients, |(patient, _)| {
        dates
            .get(*patient)
            .map_or(Known::Nothing, |dates| intervals(dates))
    }));
    columns.retain(|column| column.values.iter().any(|value| *value != Known::Nothing));
    report(risk(&columns, patients.len()), policy)
}

fn column(
    name: &str,
    patients: &[(&str, Vec<&Facts>)],
    of: impl Fn(&(&str, Vec<&Facts>)) -> Known,
) -> Column {
    Column {
        name: name.to_owned(),
        values: patients.iter().map(of).collect(),
    }
}

/// What is recorded of a patient: a number where all rows agree, else all values together.
fn known(field: Field, rows: &[&Facts]) -> Known {
    let values: Vec<Value<'_>> = rows.iter().filter_map(|row| row.value(field)).collect();
    match values.as_slice() {
        [] => Known::Nothing,
        [Value::Number(first), others @ ..]
            if others.iter().all(|other| other == &Value::Number(*first)) =>
        {
            Known::Number(*first)
        }
        _ => {
            let words: BTreeSet<String> = values
                .iter()
                .map(|value| match value {
                    Value::Word(word) => (*word).to_owned(),
                    Value::Number(number) => number.to_string(),
                })
                .collect();
            Known::Words(words.into_iter().collect::<Vec<_>>().join("; "))
        }
    }
}

/// Days from each study to the next.
fn intervals(dates: &[String]) -> Known {
    let parsed = dates
        .iter()
        .filter_map(|date| NaiveDate::parse_from_str(date, "%Y%m%d").ok());
    let dates: BTreeSet<NaiveDate> = parsed.collect();
    let pairs = dates.iter().zip(dates.iter().skip(1));
    let days: Vec<String> = pairs
        .map(|(first, next)| (*next - *first).num_days().to_string())
        .collect();
    match days.is_empty() {
        true => Known::Nothing,
        false => Known::Words(days.join("; ")),
    }
}

fn report(risk: Risk, policy: RiskPolicy) -> RiskReport {
    let advice = |column: &ColumnRisk| {
        column.advice.as_ref().map(|advice| RiskAdvice {
            group_width: advice.group_width,
            share: advice.share,
            k: advice.k,
        })
    };
    let columns = risk.columns.iter().map(|column| RiskColumn {
        column: column.name.clone(),
        values: column.values,
        share_without: column.share_without,
        unique_without: column.unique_without,
        advice: advice(column),
    });
    RiskReport {
        figure: RiskFigure {
            share: risk.share,
            k: risk.k,
            unique: risk.unique,
            within_limit: risk.k >= u64::from(policy.least_k),
        },
        least_k: policy.least_k,
        patients: risk.patients,
        classes: risk.classes,
        columns: columns.collect(),
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::cohort::Facts;

    use super::{RiskPolicy, StudyDates, risk_report};

    fn row(patient: &str, sex: &str, age: f64) -> Facts {
        Facts {
            patient: patient.into(),
            study: Some(format!("1.{patient}")),
            series: Some(format!("1.{patient}.1")),
            sex: Some(sex.into()),
            age_years: Some(age),
            ..Facts::default()
        }
    }

    #[test]
    fn patients_hide_by_what_is_recorded_and_by_the_days_between_studies() {
        let facts: Vec<Facts> = (0..6).map(|at| row(&at.to_string(), "F", 60.0)).collect();
        let rows: Vec<&Facts> = facts.iter().collect();
        let mut dates = StudyDates::new();
        let policy = RiskPolicy::default();
        let report = risk_report(&rows, &dates, policy);
        assert_eq!((report.figure.k, report.classes), (6, 1));
        assert!(report.figure.within_limit);
        dates.insert("3".into(), vec!["20260101".into(), "20260315".into()]);
        let report = risk_report(&rows, &dates, policy);
        assert_eq!((report.figure.k, report.figure.unique), (1, 1));
        assert!(!report.figure.within_limit);
        assert_eq!(report.columns[0].column, "days_between_studies");
        assert_eq!(report.columns[0].unique_without, 0);
    }

    #[test]
    fn a_patient_is_counted_once_however_many_series() {
        let facts = [
            row("1", "F", 60.0),
            row("1", "F", 60.0),
            row("2", "M", 61.0),
        ];
        let report = risk_report(
            &facts.iter().collect::<Vec<_>>(),
            &StudyDates::new(),
            RiskPolicy::default(),
        );
        assert_eq!((report.patients, report.figure.unique), (2, 2));
    }
}
