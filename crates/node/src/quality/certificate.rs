//! The certificate of a dataset version: what the rules found in its series, signed. Series that still wait are asked first.

use std::collections::BTreeMap;

use arno_domain::{
    Signed,
    dataset::DatasetRecord,
    quality::{QualityCertificate, QualitySummary, RuleResult},
};
use arno_quality::RULES;

use super::report_of;
use crate::{Node, NodeError};

/// Examples of one rule that a certificate names.
const MAX_EXAMPLES: usize = 5;

/// A certificate, and what the catalogue record says of it.
#[derive(Debug)]
pub(crate) struct Certified {
    pub(crate) signed: Signed<QualityCertificate>,
    pub(crate) summary: QualitySummary,
}

/// Series that were asked of a rule and those that broke it.
#[derive(Default)]
struct Tally {
    checked: u64,
    failed: u64,
    examples: Vec<String>,
}

/// Asks, counts and signs.
pub(crate) async fn certify(
    node: &Node,
    record: &DatasetRecord,
    series: &[String],
) -> Result<Certified, NodeError> {
    for due in node.store().due_of(series).await? {
        node.check_series(&due).await?;
    }
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for stored in node.store().series_reports(series).await? {
        let report = report_of(&stored.report_json)?;
        for rule in report.passed {
            tallies.entry(rule).or_default().checked += 1;
        }
        for (rule, _) in report.failed {
            let tally = tallies.entry(rule).or_default();
            tally.checked += 1;
            tally.failed += 1;
            if tally.examples.len() < MAX_EXAMPLES {
                tally.examples.push(stored.series_uid.clone());
            }
        }
    }
    let rules = RULES.iter().map(|rule| {
        let tally = tallies.remove(rule.id).unwrap_or_default();
        RuleResult {
            rule: rule.id.to_owned(),
            title: rule.title.to_owned(),
            severity: rule.severity,
            checked: tally.checked,
            failed: tally.failed,
            examples: tally.examples,
        }
    });
    let certificate = QualityCertificate {
        dataset: record.id,
        node: record.node,
        manifest_sha256: record.manifest_sha256.clone(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        issued_at: record.published_at,
        series: series.len() as u64,
        rules: rules.collect(),
    };
    let signed = Signed::new(&certificate, &node.keys().signing);
    let policy = node.config().site.disclosure;
    Ok(Certified {
        summary: certificate.summary(signed.digest(), policy),
        signed,
    })
}
