//! The cases of dataset versions: readings of one nodule become one case. Versions never change, so a result is kept.

use std::sync::Arc;

use arno_domain::permit::ActivePermit;
use arno_learning::{
    nodule::{Nodule, nodules},
    reading::Reading,
};
use arno_store::StoreError;
use tokio::sync::Mutex;

use super::{Refused, Stop};
use crate::{Node, NodeError};

/// Sets of dataset versions whose cases are kept: as many analyses run at a time at most.
const MAX_KEPT: usize = 4;

/// Cases that were made before, oldest first.
#[derive(Debug, Default)]
pub(crate) struct CaseCache(Mutex<Vec<Kept>>);

/// Cases and the dataset versions that they are of.
#[derive(Debug)]
struct Kept {
    datasets: Vec<String>,
    cases: Arc<Vec<Nodule>>,
}

impl Node {
    /// The dataset versions that a permit opens and this node keeps, in order; never none.
    pub(crate) async fn permitted_datasets(
        &self,
        active: &ActivePermit,
    ) -> Result<Vec<String>, Stop> {
        let mut datasets = self.store().known_datasets(active.datasets()).await?;
        datasets.sort();
        datasets.dedup();
        if datasets.is_empty() {
            return Err(Refused::new(
                "dataset_unknown",
                "this node keeps no dataset version that the permit names",
            )
            .into());
        }
        Ok(datasets)
    }

    /// The cases that a permit opens at this node.
    pub(super) async fn cases(&self, active: &ActivePermit) -> Result<Arc<Vec<Nodule>>, Stop> {
        let datasets = self.permitted_datasets(active).await?;
        let mut kept = self.case_cache().0.lock().await;
        if let Some(known) = kept.iter().find(|known| known.datasets == datasets) {
            return Ok(known.cases.clone());
        }
        let texts = self.store().dataset_readings(&datasets).await?;
        let cases = Arc::new(tokio::task::spawn_blocking(move || cases_of(&texts)).await??);
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push(Kept {
            datasets,
            cases: cases.clone(),
        });
        Ok(cases)
    }
}

fn cases_of(texts: &[String]) -> Result<Vec<Nodule>, NodeError> {
    let readings: Result<Vec<Reading>, _> = texts
        .iter()
        .map(|text| serde_json::from_str(text))
        .collect();
    Ok(nodules(
        readings.map_err(|_| StoreError::Corrupt { what: "reading" })?,
    ))
}
