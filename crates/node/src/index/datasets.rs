//! Indexes of dataset versions, for what a permit opens: their patients alone, with no other images of them than those in the datasets.
//!
//! What else is known of these patients (diagnoses, treatment, outcome) is as it stands at the node. Series and studies that the datasets
//! do not name cannot decide anything, not even by their absence: they are not in the index at all. Not here: who may ask.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use arno_domain::model::{Entity, Record};
use arno_store::node::DatasetMembers;
use tokio::sync::Mutex;

use super::{ModelIndex, SearchIndex};
use crate::{Node, NodeError};

/// Sets of dataset versions whose index is kept, each at most as large as the node's own.
const MAX_KEPT: usize = 2;

/// Indexes that were made before, the one that was asked last at the end.
#[derive(Debug, Default)]
pub(crate) struct DatasetIndexes(Mutex<Vec<Kept>>);

/// Versions never change: an index of them only follows what becomes known of their patients.
#[derive(Debug, Clone)]
struct Kept {
    datasets: Vec<String>,
    of: Of,
    index: Arc<SearchIndex>,
}

/// Whom an index is of.
#[derive(Debug, Clone)]
pub(super) enum Of {
    /// Everybody at the node.
    Everybody,
    /// Those of some dataset versions.
    Datasets(Arc<Members>),
}

/// What is in some dataset versions.
#[derive(Debug)]
pub(super) struct Members {
    series: HashSet<String>,
    /// Patients of whom a version has no series.
    without_series: HashSet<String>,
    /// All patients.
    pub(super) patients: Vec<String>,
}

impl Of {
    /// What of one patient's records the index is made of; nothing of those who are not in it.
    pub(super) fn records(&self, records: Vec<Record>) -> Vec<Record> {
        match self {
            Self::Everybody => records,
            Self::Datasets(members) => members.records(records),
        }
    }
}

impl Members {
    pub(super) fn new(members: DatasetMembers) -> Self {
        Self {
            series: members.series.into_iter().collect(),
            without_series: members.without_series.into_iter().collect(),
            patients: members.patients,
        }
    }

    fn records(&self, mut records: Vec<Record>) -> Vec<Record> {
        let of = |entity: Entity| move |record: &&Record| record.entity == entity;
        let is_in = |record: &Record| self.series.contains(&record.key);
        let all = records.iter().filter(of(Entity::Series)).count();
        let series = records.iter().filter(of(Entity::Series));
        let series = series.filter(|record| is_in(record));
        let (series, studies): (BTreeSet<_>, BTreeSet<_>) = series
            .map(|record| (record.key.clone(), record.parent.clone()))
            .unzip();
        let bare = |record: &Record| self.without_series.contains(&record.patient);
        if series.is_empty() && !records.first().is_some_and(bare) {
            return Vec::new();
        }
        records.retain(|record| match (record.entity, &record.parent) {
            (Entity::Series, _) => series.contains(&record.key),
            (Entity::Study, _) => studies.contains(&Some(record.key.clone())),
            (Entity::Annotation, Some(on)) => series.contains(on),
            // It would be taken for one of the only series that is left.
            (Entity::Annotation, None) => series.len() == all,
            _ => true,
        });
        records
    }
}

impl Node {
    /// Asks the index of some dataset versions, named in order, which is brought up to date before.
    pub(crate) async fn ask_datasets<T: Send + 'static>(
        &self,
        datasets: &[String],
        ask: impl FnOnce(&ModelIndex) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let kept = self.kept_index(datasets).await?;
        Ok(self.ask_one(&kept.index, &kept.of, ask).await?.1)
    }

    async fn kept_index(&self, datasets: &[String]) -> Result<Kept, NodeError> {
        let mut all = self.dataset_indexes().0.lock().await;
        let known = all.iter().position(|kept| kept.datasets == datasets);
        let kept = match known {
            Some(at) => all.remove(at),
            None => Kept {
                datasets: datasets.to_vec(),
                of: Of::Datasets(Arc::new(Members::new(
                    self.store().dataset_members(datasets).await?,
                ))),
                index: Arc::default(),
            },
        };
        if all.len() >= MAX_KEPT {
            all.remove(0);
        }
        all.push(kept.clone());
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::model::{Entity, Record};
    use arno_store::node::DatasetMembers;

    use super::Members;

    fn records() -> Vec<Record> {
        let on = |entity, key: &str, parent: Option<&str>| {
            let mut record = Record::new(entity, "P", key);
            record.parent = parent.map(str::to_owned);
            record
        };
        vec![
            on(Entity::Patient, "P", None),
            on(Entity::Study, "A", None),
            on(Entity::Series, "A.1", Some("A")),
            on(Entity::Series, "A.2", Some("A")),
            on(Entity::Study, "B", None),
            on(Entity::Series, "B.1", Some("B")),
            on(Entity::Annotation, "of B.1", Some("B.1")),
            on(Entity::Annotation, "of A.2", Some("A.2")),
            on(Entity::Annotation, "of something", None),
            on(Entity::Diagnosis, "d", None),
        ]
    }

    fn check(series: &[&str], without_series: &[&str], expect: &[&str]) {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let members = Members::new(DatasetMembers {
            series: texts(series),
            without_series: texts(without_series),
            patients: Vec::new(),
        });
        let found = members.records(records());
        let keys: Vec<_> = found.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(keys, expect, "{series:?}");
    }

    #[test]
    fn of_a_patient_only_the_images_of_the_datasets_are_seen() {
        check(&["A.2"], &[], &["P", "A", "A.2", "of A.2", "d"]);
        check(
            &["A.1", "B.1", "other"],
            &[],
            &["P", "A", "A.1", "B", "B.1", "of B.1", "d"],
        );
        let all: Vec<_> = records().into_iter().map(|record| record.key).collect();
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        check(&["A.1", "A.2", "B.1"], &[], &all);
        check(&[], &["P"], &["P", "d"]);
        check(&["other"], &["Q"], &[]);
    }
}
