//! Who and what is in a cohort at this node, by name: what a dataset is frozen from. Searches count the same from the index.
//!
//! The cohort is asked of every record that the node has, clinical ones included, by the language's own evaluation of one patient after the
//! other; a test compares it with what searches count. Series whose images are elsewhere are searched and cannot be in a dataset. What is described of the rows (breakdowns, risk) are the facts of the
//! images and readings, as before clinical records could be asked.

use std::collections::HashSet;

use arno_domain::{
    cohort::{Cohort, Facts, Patient},
    model::{Entity, Field, Record, Value},
};
use arno_protocol::search::CriterionStatus;

use crate::{Node, NodeError, index::ModelIndex, search::reports};

/// What matches: series, studies without series, and patients without either, by UID or pseudonym.
#[derive(Debug, Default)]
struct Matched {
    keys: HashSet<(Entity, String)>,
    /// Patients of whom perhaps only tables speak, with what the facts would say of them.
    bare: Vec<Facts>,
}

impl Matched {
    fn add(&mut self, cohort: &Cohort, name: &str, records: &[Record]) {
        let patient = Patient::from_records(records);
        for (row, (entity, key)) in patient.asked().enumerate() {
            if cohort.holds(&patient, row) != Some(true) {
                continue;
            }
            if entity == Entity::Patient {
                self.keys.insert((entity, name.to_owned()));
                self.bare.push(bare(name, records));
            } else {
                self.keys.insert((entity, key.to_owned()));
            }
        }
    }

    fn holds(&self, row: &Facts) -> bool {
        let (entity, key) = match (&row.series, &row.study) {
            (Some(series), _) => (Entity::Series, series),
            (None, Some(study)) => (Entity::Study, study),
            (None, None) => (Entity::Patient, &row.patient),
        };
        self.keys.contains(&(entity, key.clone()))
    }

    /// The rows of facts that match, and one for each patient that has none; those of one patient side by side.
    fn rows(self, mut facts: Vec<Facts>) -> Vec<Facts> {
        facts.retain(|row| self.holds(row));
        let known: HashSet<String> = facts.iter().map(|row| row.patient.clone()).collect();
        let bare = self.bare.into_iter();
        facts.extend(bare.filter(|row| !known.contains(&row.patient)));
        facts
    }
}

impl Node {
    /// The facts of all that is in a cohort that was checked.
    ///
    /// # Errors
    /// [`NodeError::Rule`] when a criterion is about something of which this node records nothing, as in a search.
    pub(crate) async fn select(&self, cohort: &Cohort) -> Result<Vec<Facts>, NodeError> {
        self.require_supported(cohort).await?;
        let mut matched = Matched::default();
        let each = |patient: &str, records: Vec<Record>| {
            matched.add(cohort, patient, &records);
            Ok::<_, NodeError>(())
        };
        self.store().each_patient(each).await?;
        Ok(matched.rows(self.store().facts().await?))
    }

    async fn require_supported(&self, cohort: &Cohort) -> Result<(), NodeError> {
        let asked = cohort.clone();
        let ask =
            move |index: &ModelIndex| reports(&asked, |field| index.records_of_anybody(field));
        let mut criteria = self.ask_index(ask).await?;
        criteria.retain(|report| report.status == CriterionStatus::Unsupported);
        let criteria: Vec<_> = criteria
            .iter()
            .map(|report| format!("`{}`", report.criterion))
            .collect();
        if criteria.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "this node records nothing of what {} asks about: load it first, or leave it out",
            criteria.join(" and ")
        );
        Err(NodeError::rule("unsupported_criterion", detail))
    }
}

fn bare(patient: &str, records: &[Record]) -> Facts {
    let sex = Field::parse("sex").ok();
    let sex = sex.and_then(|sex| records.iter().find_map(|record| record.value(sex)));
    Facts {
        patient: patient.to_owned(),
        sex: match sex {
            Some(Value::Code(coded)) => Some(coded.code.clone()),
            _ => None,
        },
        ..Facts::default()
    }
}
