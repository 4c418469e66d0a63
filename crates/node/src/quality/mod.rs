//! Rules of quality, asked of every series that came in: from its rows, the metadata of one instance, and one frame. What is found
//! is kept beside the series; nothing is refused because of it.
//!
//! Off the hot path: a run asks when it ends, publishing asks of what it publishes, and a node that serves asks of what is left.

mod certificate;
mod facts;
mod twins;
mod view;

pub(crate) use certificate::certify;

use arno_quality::{SeriesReport, check_series};
use arno_store::{
    StoreError,
    node::{NewFinding, NewSeriesReport},
};
use tokio::sync::Mutex;

use crate::{Node, NodeError};

/// Series that are asked between two looks at the list.
const PAGE: u32 = 200;

/// One check at a time, so that two runs that end together do not do the work twice.
#[derive(Debug, Default)]
pub(crate) struct CheckTurn(Mutex<()>);

impl Node {
    /// Asks all series that wait; how many were asked. A series that cannot be read keeps waiting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_due(&self) -> Result<u64, NodeError> {
        let _turn = self.check_turn().0.lock().await;
        let (mut asked, mut left) = (0, Vec::new());
        loop {
            let due = self.store().series_due(PAGE).await?;
            let due: Vec<_> = due.into_iter().filter(|uid| !left.contains(uid)).collect();
            if due.is_empty() {
                return Ok(asked);
            }
            for series_uid in due {
                match self.check_series(&series_uid).await {
                    Ok(()) => asked += 1,
                    Err(NodeError::Store(error @ StoreError::Corrupt { .. })) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a series cannot be checked"
                        );
                        left.push(series_uid);
                    }
                    Err(error) => return Err(error),
                }
                if left.len() >= PAGE as usize {
                    return Ok(asked);
                }
            }
        }
    }

    /// Asks one series, and keeps what was found.
    pub(crate) async fn check_series(&self, series_uid: &str) -> Result<(), NodeError> {
        let rows = self.store().check_rows(series_uid).await?;
        let (facts, look) = self.series_facts(series_uid, &rows).await?;
        let report = check_series(&facts);
        let twins = facts.twins.iter().map(|twin| twin.series_uid.clone());
        let new = NewSeriesReport {
            series_uid: series_uid.to_owned(),
            instances: rows.len() as u64,
            kind: kind_word(&report)?,
            look: look.map(|look| (look.to_string(), look.bands().to_vec())),
            report_json: json(&report)?,
            findings: findings(&report)?,
            twins: twins.filter(|twin| twin != series_uid).collect(),
        };
        Ok(self.store().put_series_report(&new, self.now()).await?)
    }
}

/// The word of a kind, as it stands in JSON.
fn kind_word(report: &SeriesReport) -> Result<String, StoreError> {
    let word = serde_json::to_value(report.kind.kind).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.map(str::to_owned).ok_or(CORRUPT)
}

fn findings(report: &SeriesReport) -> Result<Vec<NewFinding>, StoreError> {
    let finding = |(rule, failure): &(String, arno_quality::Failure)| {
        Ok(NewFinding {
            rule: rule.clone(),
            instances: failure.count,
            detail: failure.detail.clone(),
            examples_json: json(&failure.examples)?,
        })
    };
    report.failed.iter().map(finding).collect()
}

const CORRUPT: StoreError = StoreError::Corrupt {
    what: "quality report",
};

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| CORRUPT)
}

/// A report as it was kept.
fn report_of(report_json: &str) -> Result<SeriesReport, StoreError> {
    serde_json::from_str(report_json).map_err(|_| CORRUPT)
}

#[cfg(test)]
mod tests {
    use arno_quality::RULES;

    #[test]
    fn rules_that_sql_names_are_there() {
        for id in [
            "exact_duplicate",
            "near_duplicate",
            "references_kept",
            "segmentation_fits",
        ] {
            assert!(RULES.iter().any(|rule| rule.id == id), "{id}");
        }
    }
}
