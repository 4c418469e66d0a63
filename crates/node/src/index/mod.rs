//! The node's search index: everything that a cohort can ask about, in memory, kept up with the rows.
//!
//! It is made from all records after the start, and brought up to date before each question: where the store knows whom
//! the changes since then concern, those patients alone are read again; where another program changed something
//! (`arno-node ingest`, `clinical load`), all are. Counts are exact, and what of them may be said is for [`crate::disclosure`]. Not here:
//! the columns themselves (`arno-engine`).

mod branch;
mod datasets;
mod exact;
mod known;
mod panel;
mod patients;
mod plan;
mod shape;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

#[cfg(test)]
use arno_domain::{
    cohort::Cohort,
    disclosure::{DisclosureBudget, ExactCounts},
};
use arno_domain::{cohort::Patient, disclosure::Borders, model::Record};
use arno_engine::{Change, Index, IndexError, SchemaError};
use arno_store::{StoreError, node::Since};
use tokio::sync::Mutex;

use crate::{Node, NodeError};
use branch::branch;
pub(crate) use datasets::DatasetIndexes;
use datasets::Of;
pub(crate) use exact::ExactBars;
use known::KnownFields;
pub(crate) use panel::Conditions;
use shape::Shape;

/// A patient's pseudonym with all of their records.
type OfPatient = (String, Vec<Record>);

/// The index of one node, made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct SearchIndex {
    /// One at a time brings it up to date.
    turn: Mutex<()>,
    held: Arc<RwLock<Option<Held>>>,
}

#[derive(Debug)]
struct Held {
    /// Version of the data that it is of, or newer.
    version: u64,
    model: ModelIndex,
}

/// Why an index cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotIndex {
    /// The model does not fit.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A patient does not.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl From<CannotIndex> for NodeError {
    fn from(cannot: CannotIndex) -> Self {
        Self::rule("no_index", format!("the search index: {cannot}"))
    }
}

/// An index in the shape of the common data model.
#[derive(Debug)]
pub(crate) struct ModelIndex {
    shape: Shape,
    index: Index,
    /// From how many patients what is said of fields.
    borders: Borders,
    /// What was found out about fields; forgotten when a patient changes.
    known: KnownFields,
}

impl ModelIndex {
    pub(crate) fn new(borders: Borders) -> Result<Self, CannotIndex> {
        let shape = Shape::of_model()?;
        Ok(Self {
            index: Index::new(shape.schema.clone()),
            shape,
            borders,
            known: KnownFields::default(),
        })
    }

    /// Replaces, adds and, where there is no record of them, forgets patients.
    pub(crate) fn patch(
        &mut self,
        patients: &[(&str, Option<Patient<'_>>)],
    ) -> Result<(), CannotIndex> {
        let changes = patients.iter().map(|(patient, now)| Change {
            patient,
            now: now.as_ref().map(|now| branch(&self.shape, now)),
        });
        self.index.patch(changes.collect())?;
        self.known = KnownFields::default();
        Ok(())
    }

    /// Counts what is in a cohort that was checked, each patient with at most as many studies and series as the budget's caps say.
    #[cfg(test)]
    pub(crate) fn count(&self, cohort: &Cohort, budget: &DisclosureBudget) -> ExactCounts {
        self.conditions(cohort).count(budget)
    }

    /// Of rows of facts, those of one patient side by side.
    #[cfg(test)]
    pub(crate) fn of_facts(facts: &[arno_domain::cohort::Facts]) -> Self {
        let patients = facts.chunk_by(|one, other| one.patient == other.patient);
        let patients =
            patients.map(|rows| (rows[0].patient.as_str(), Some(Patient::from_facts(rows))));
        let mut index = Self::new(least_borders()).unwrap();
        index.patch(&patients.collect::<Vec<_>>()).unwrap();
        index
    }
}

impl Node {
    /// Asks the index of everybody, which is brought up to date before.
    pub(crate) async fn ask_index<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&ModelIndex) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        Ok(self.ask_version(ask).await?.1)
    }

    /// The same, with the version of the data that it was brought up to; what is asked may be newer.
    pub(crate) async fn ask_version<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&ModelIndex) -> T + Send + 'static,
    ) -> Result<(u64, T), NodeError> {
        self.ask_one(self.search_index(), &Of::Everybody, ask).await
    }

    async fn ask_one<T: Send + 'static>(
        &self,
        index: &SearchIndex,
        of: &Of,
        ask: impl FnOnce(&ModelIndex) -> T + Send + 'static,
    ) -> Result<(u64, T), NodeError> {
        let version = self.freshen(index, of).await?;
        let held = index.held.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let held = held.read().unwrap_or_else(PoisonError::into_inner);
            held.as_ref().map(|held| ask(&held.model))
        });
        let gone = StoreError::NotFound {
            what: "search index",
        };
        Ok((version, asked.await?.ok_or(gone)?))
    }

    fn borders(&self) -> Borders {
        let spread = self.config().site.disclosure.border_spread;
        Borders::new(self.keys().noise.clone(), spread)
    }

    /// Brings an index up to date; the version that the data had when this began, or a newer one.
    async fn freshen(&self, index: &SearchIndex, of: &Of) -> Result<u64, NodeError> {
        let _turn = index.turn.lock().await;
        let known = {
            let held = index.held.read().unwrap_or_else(PoisonError::into_inner);
            held.as_ref().map(|held| held.version)
        };
        let since = match known {
            Some(version) => (version, self.store().changed_since(version).await?),
            None => {
                let version = self.store().data_version().await?;
                (version, Since::Unknown { version })
            }
        };
        match since {
            (version, Since::Nothing) => Ok(version),
            (_, Since::Patients { version, patients }) => {
                self.read_again(index, of, (version, patients)).await?;
                Ok(version)
            }
            (_, Since::Unknown { version }) => {
                let model = self.whole_index(of).await?;
                index.hold(Some(Held { version, model }));
                Ok(version)
            }
        }
    }

    async fn read_again(
        &self,
        index: &SearchIndex,
        of: &Of,
        (version, patients): (u64, Vec<String>),
    ) -> Result<(), NodeError> {
        let records = self.records_in(of, &patients).await?;
        let held = index.held.clone();
        let patched = tokio::task::spawn_blocking(move || {
            let mut held = held.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = held.as_mut() {
                held.model.patch(&now(&patients, &records))?;
                held.version = version;
            }
            Ok::<_, CannotIndex>(())
        });
        Ok(patched.await??)
    }

    /// The records that an index is made of, of these patients.
    async fn records_in(&self, of: &Of, patients: &[String]) -> Result<Vec<OfPatient>, NodeError> {
        let records = self.store().records_of(patients).await?.into_iter();
        let records = records.map(|(patient, records)| (patient, of.records(records)));
        Ok(records.filter(|(_, records)| !records.is_empty()).collect())
    }

    async fn whole_index(&self, of: &Of) -> Result<ModelIndex, NodeError> {
        let mut model = ModelIndex::new(self.borders())?;
        let mut each = |patient: &str, records: Vec<Record>| {
            let records = of.records(records);
            if records.is_empty() {
                return Ok(());
            }
            let seen = branch(&model.shape, &Patient::from_records(&records));
            let added = model.index.append(patient, &seen);
            added.map_err(|refused| CannotIndex::from(refused).into())
        };
        match of {
            Of::Everybody => self.store().each_patient::<NodeError>(each).await?,
            Of::Datasets(members) => self.store().each_of(&members.patients, &mut each).await?,
        }
        model.index.settle();
        Ok(model)
    }
}

impl SearchIndex {
    fn hold(&self, held: Option<Held>) {
        let mut place = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *place = held;
    }
}

/// Borders at their least: a test of something else counts few patients.
#[cfg(test)]
fn least_borders() -> Borders {
    Borders::new(arno_domain::disclosure::NoiseSecret::new([0; 32]), 0)
}

/// What is known now of each patient.
fn now<'a>(
    patients: &'a [String],
    records: &'a [OfPatient],
) -> Vec<(&'a str, Option<Patient<'a>>)> {
    let known = |patient: &String| {
        let at = records.binary_search_by(|(other, _)| other.cmp(patient));
        at.ok().map(|at| Patient::from_records(&records[at].1))
    };
    let patients = patients.iter();
    patients
        .map(|patient| (patient.as_str(), known(patient)))
        .collect()
}
