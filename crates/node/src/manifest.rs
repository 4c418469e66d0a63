//! The node's capability manifest: counted from its index when data have changed, signed, and told to the hub. Not here: what it may
//! name (`arno_domain::manifest`).

use std::sync::Arc;

use arno_domain::{Signed, cohort::Cohort, manifest::Manifest};
use arno_protocol::search::{CriterionReport, CriterionStatus};
use tokio::sync::RwLock;

use crate::{Node, NodeError};

/// The last manifest and the version of the data that it was counted from.
#[derive(Debug, Default)]
pub(crate) struct LastManifest(RwLock<Option<(u64, Arc<Manifest>)>>);

impl Node {
    /// The manifest of what the node holds now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn manifest(&self) -> Result<Arc<Manifest>, NodeError> {
        let version = self.store().data_version().await?;
        let mut last = self.last_manifest().0.write().await;
        if let Some((counted, manifest)) = last.as_ref().filter(|(counted, _)| *counted == version)
        {
            tracing::trace!(version = counted, "nothing changed");
            return Ok(manifest.clone());
        }
        let issued = (self.id(), self.now());
        let counted = self.ask_index(move |index| index.manifest(issued)).await?;
        let manifest = Arc::new(counted);
        *last = Some((version, manifest.clone()));
        Ok(manifest)
    }

    pub(crate) fn signed(&self, manifest: &Manifest) -> Signed<Manifest> {
        Signed::new(manifest, &self.keys().signing)
    }

    /// Says of each criterion that looked under its codes how many of the named ones it reached. Goes by the last manifest: what was
    /// counted for a search is not counted again for this.
    pub(crate) async fn tell_expanded(&self, cohort: &Cohort, criteria: &mut [CriterionReport]) {
        let last = self.last_manifest().0.read().await;
        let Some((_, manifest)) = last.as_ref() else {
            return;
        };
        for (claim, report) in cohort.claims().iter().zip(criteria) {
            let expanded = claim
                .criterion
                .as_ref()
                .and_then(|it| manifest.expanded(it));
            if let (CriterionStatus::Applied, Some(codes)) = (report.status, expanded) {
                report.status = CriterionStatus::Expanded(codes);
            }
        }
    }
}
