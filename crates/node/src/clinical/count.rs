//! `arno-node clinical count`: how many match a cohort at this node, exactly, for the data manager at the node's own shell. It reads all
//! records once, as a start of the node does, and stands in the audit log.
//!
//! Nothing of it is for data users: what they may learn goes through [`crate::disclosure`].

use std::path::PathBuf;

use anyhow::bail;
use arno_domain::{
    audit::Outcome,
    cohort::Cohort,
    disclosure::{DisclosureBudget, ExactCounts},
};
use arno_protocol::search::CriterionStatus;
use clap::Args;
use serde_json::json;

use crate::{
    Node, NodeError,
    commands::{ACTOR, open, say},
    search::search,
};

/// What is counted.
#[derive(Debug, Args)]
pub struct Count {
    /// The cohort, such as 'modality = CT and overall_survival_days >= 730'; empty for everybody.
    #[arg(default_value = "")]
    cohort: String,
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    /// Print the counts as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(count: &Count) -> anyhow::Result<()> {
    let cohort: Cohort = count.cohort.parse()?;
    cohort.check()?;
    let node = open(&count.data).await?;
    match node.count_exactly(cohort).await? {
        Err(unsupported) => bail!("not recorded here: {}", unsupported.join(", ")),
        Ok(exact) if count.json => say(&json!({
            "patients": exact.patients, "studies": exact.studies, "series": exact.series,
        })
        .to_string()),
        Ok(exact) => say(&format!(
            "{} patients, {} studies, {} series. Exact: for this node's data manager alone.",
            exact.patients, exact.studies, exact.series
        )),
    }
}

impl Node {
    /// Counts a cohort without caps and noise, for the data manager; or the criteria that cannot be evaluated here.
    ///
    /// # Errors
    /// When the cohort is too large or tests a field in a way it cannot be tested, or the database fails.
    pub async fn count_exactly(
        &self,
        cohort: Cohort,
    ) -> Result<Result<ExactCounts, Vec<String>>, NodeError> {
        let uncapped = DisclosureBudget {
            studies_per_patient: u32::MAX,
            series_per_patient: u32::MAX,
            ..DisclosureBudget::default()
        };
        let text = cohort.to_string();
        let counted = self.ask_index(move |index| search((&cohort, &[]), index, &uncapped));
        let counted = counted
            .await?
            .map_err(|error| NodeError::rule("bad_cohort", error.to_string()))?;
        let act = self.act(ACTOR, "clinical count", &text, Outcome::Done, String::new());
        let mut tx = self.store().database().write().await?;
        tx.audit(self.now(), act).await?;
        tx.commit().await?;
        let unsupported = counted.criteria.into_iter();
        let unsupported =
            unsupported.filter(|report| report.status == CriterionStatus::Unsupported);
        let unsupported = unsupported.map(|report| report.criterion).collect();
        Ok(counted.exact.ok_or(unsupported))
    }
}
