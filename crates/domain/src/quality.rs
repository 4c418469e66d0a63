//! The quality certificate of a dataset version: which rules were asked of how many series, and how many broke each.
//!
//! The whole certificate, with examples, stays at the node, signed. The catalogue record carries its summary, in which counts
//! pass [`crate::disclosure`], and its digest, so that whoever gets the certificate can tell that it is the one meant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    DatasetId, Document, NodeId, Signed,
    disclosure::{DisclosurePolicy, ProtectedCount},
};

/// How much a broken rule matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// May mislead an analysis.
    Warning,
    /// Misleads an analysis.
    Error,
}

/// The certificate of one dataset version. It names series by their mapped UIDs and is for the data holder alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QualityCertificate {
    /// The dataset version.
    pub dataset: DatasetId,
    /// The node that checked it.
    pub node: NodeId,
    /// What the version consists of: the digest that its record has too.
    pub manifest_sha256: String,
    /// Version of the program whose rules they are.
    pub software: String,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// Series of the version.
    pub series: u64,
    /// Every rule, in the order in which they are asked.
    pub rules: Vec<RuleResult>,
}

impl Document for QualityCertificate {
    const KIND: &'static str = "arno/quality/1";
}

/// A certificate with its signature.
pub type SignedCertificate = Signed<QualityCertificate>;

/// One rule over all series of a dataset version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleResult {
    /// The rule's id.
    pub rule: String,
    /// What it asks.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// Series that it could be asked of.
    pub checked: u64,
    /// Series that broke it.
    pub failed: u64,
    /// Some of them, by mapped Series Instance UID.
    pub examples: Vec<String>,
}

/// What a catalogue record says of its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QualitySummary {
    /// SHA-256 of the signed certificate ([`crate::Signed::digest`]).
    pub certificate_sha256: String,
    /// Version of the program whose rules they are.
    pub software: String,
    /// The rules that could be asked of any series.
    pub rules: Vec<RuleSummary>,
}

/// One rule as it may leave the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSummary {
    /// The rule's id.
    pub rule: String,
    /// What it asks.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// Series that it could be asked of.
    pub checked: ProtectedCount,
    /// Series that broke it; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<ProtectedCount>,
}

impl QualityCertificate {
    /// What may be said of it outside the node.
    #[must_use]
    pub fn summary(&self, certificate_sha256: String, policy: DisclosurePolicy) -> QualitySummary {
        let asked = self.rules.iter().filter(|rule| rule.checked > 0);
        let rule = |rule: &RuleResult| RuleSummary {
            rule: rule.rule.clone(),
            title: rule.title.clone(),
            severity: rule.severity,
            checked: policy.protect(rule.checked),
            failed: (rule.failed > 0).then(|| policy.protect(rule.failed)),
        };
        QualitySummary {
            certificate_sha256,
            software: self.software.clone(),
            rules: asked.map(rule).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{QualityCertificate, RuleResult, Severity};
    use crate::{
        DatasetId, NodeId, SecretKey, Signed,
        disclosure::{DisclosurePolicy, ProtectedCount},
    };

    fn certificate() -> QualityCertificate {
        let rule = |rule: &str, checked, failed| RuleResult {
            rule: rule.into(),
            title: "No slice is missing".into(),
            severity: Severity::Error,
            checked,
            failed,
            examples: vec!["2.25.1".into(); usize::from(failed > 0)],
        };
        QualityCertificate {
            dataset: DatasetId::new(),
            node: NodeId::new(),
            manifest_sha256: "00".into(),
            software: "0.1.0".into(),
            issued_at: chrono::DateTime::UNIX_EPOCH,
            series: 12,
            rules: vec![rule("a", 12, 0), rule("b", 12, 2), rule("c", 0, 0)],
        }
    }

    #[test]
    fn what_leaves_the_node_names_no_series_and_hides_small_counts() {
        let summary = certificate().summary("ab".into(), DisclosurePolicy::default());
        let found: Vec<_> = summary
            .rules
            .iter()
            .map(|rule| (rule.rule.as_str(), rule.checked, rule.failed))
            .collect();
        let about = ProtectedCount::About(10);
        let few = ProtectedCount::FewerThan(5);
        assert_eq!(found, [("a", about, None), ("b", about, Some(few))]);
        let text = serde_json::to_string(&summary).unwrap();
        assert!(!text.contains("2.25."), "{text}");
    }

    #[test]
    fn a_certificate_is_verified_by_whoever_has_the_key() {
        let key = SecretKey::from_seed(&[3; 32]);
        let signed = Signed::new(&certificate(), &key);
        assert_eq!(signed.verify(&key.public()).unwrap().series, 12);
        let other = SecretKey::from_seed(&[4; 32]).public();
        assert!(signed.verify(&other).is_err());
    }
}
