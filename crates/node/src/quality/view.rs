//! What pages show of quality: a series, and the whole node.

use std::collections::BTreeMap;

use arno_protocol::node::quality::{
    BodySiteView, Finding, KindCount, QualityOverview, RuleCount, SeriesFinding, SeriesQuality,
};
use arno_quality::{Failure, RULES, Rule, SeriesReport, body::BodySite};

use super::report_of;
use crate::{Node, NodeError};

/// Examples of one rule on the overview.
const EXAMPLES: u32 = 5;

impl Node {
    /// What the rules found in a series.
    pub(crate) async fn series_quality(
        &self,
        series_uid: &str,
    ) -> Result<SeriesQuality, NodeError> {
        self.store().series(series_uid).await?;
        let reports = self
            .store()
            .series_reports(&[series_uid.to_owned()])
            .await?;
        let Some(stored) = reports.into_iter().next() else {
            return Ok(waiting());
        };
        let report = report_of(&stored.report_json)?;
        Ok(SeriesQuality {
            checked_at: Some(stored.checked_at),
            kind: super::kind_word(&report)?,
            passed: report
                .passed
                .iter()
                .filter_map(|id| Some(Rule::of(id)?.title.to_owned()))
                .collect(),
            findings: findings(&report),
            body: report.body.map(body_view),
            kind_details: report.kind.details,
            evidence: report.kind.evidence,
        })
    }

    /// Findings by rule, with examples.
    pub(crate) async fn quality_overview(&self) -> Result<QualityOverview, NodeError> {
        let [checked, due] = self.store().quality_counts().await?;
        let counts: BTreeMap<String, u64> =
            self.store().finding_counts().await?.into_iter().collect();
        let mut rules = Vec::with_capacity(RULES.len());
        for rule in &RULES {
            let failed = counts.get(rule.id).copied().unwrap_or_default();
            let examples = match failed {
                0 => Vec::new(),
                _ => self.findings_of(rule, EXAMPLES, 0).await?,
            };
            rules.push(RuleCount {
                rule: rule.id.to_owned(),
                title: rule.title.to_owned(),
                severity: rule.severity,
                remedy: rule.remedy.to_owned(),
                failed,
                examples,
            });
        }
        rules.sort_by_key(|rule| (rule.failed == 0, std::cmp::Reverse(rule.severity)));
        let kinds = self.store().kind_counts().await?.into_iter();
        Ok(QualityOverview {
            checked,
            due,
            kinds: kinds
                .map(|(kind, series)| KindCount { kind, series })
                .collect(),
            rules,
        })
    }

    /// Series that break a rule, a page of them.
    pub(crate) async fn findings_of(
        &self,
        rule: &Rule,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<SeriesFinding>, NodeError> {
        let found = self.store().list_findings(rule.id, limit, offset).await?;
        let view = found
            .into_iter()
            .map(|(series_uid, finding)| SeriesFinding {
                series_uid,
                count: finding.instances,
                detail: finding.detail,
            });
        Ok(view.collect())
    }
}

fn waiting() -> SeriesQuality {
    SeriesQuality {
        checked_at: None,
        kind: "unknown".to_owned(),
        kind_details: Vec::new(),
        evidence: Vec::new(),
        body: None,
        passed: Vec::new(),
        findings: Vec::new(),
    }
}

/// Rules of an older version that are gone say nothing any more.
fn findings(report: &SeriesReport) -> Vec<Finding> {
    let finding = |(id, failure): &(String, Failure)| {
        let rule = Rule::of(id)?;
        Some(Finding {
            rule: id.clone(),
            title: rule.title.to_owned(),
            severity: rule.severity,
            remedy: rule.remedy.to_owned(),
            count: failure.count,
            detail: failure.detail.clone(),
            examples: failure.examples.clone(),
        })
    };
    let mut findings: Vec<_> = report.failed.iter().filter_map(finding).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn body_view(site: BodySite) -> BodySiteView {
    let laterality = site.laterality.and_then(|side| {
        let word = serde_json::to_value(side).ok()?;
        Some(word.as_str()?.to_owned())
    });
    let (code, meaning) = site.code.map(|code| (code.value, code.meaning)).unzip();
    BodySiteView {
        source: site.source,
        code,
        meaning,
        laterality,
    }
}
