//! Access requests and permits: who may do what, with which datasets, for how long.
//!
//! A permit is a document signed by the access committee. A node verifies it with the committee's key that it
//! pinned when it joined; the hub only carries it. [`ActivePermit`] is the proof that this was done, and whatever
//! computes over data takes one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{DatasetId, Document, NodeId, PermitId, PublicKey, RequestId, Signed};

/// What a permit can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Exact counts of cohorts within the datasets, site by site.
    Count,
    /// Sums over patients.
    Statistics,
    /// Rounds of federated training.
    Train,
    /// A model measured against hidden labels.
    Evaluate,
}

impl Operation {
    /// The word in text and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Statistics => "statistics",
            Self::Train => "train",
            Self::Evaluate => "evaluate",
        }
    }

    /// Whether nothing of it is seen but a sum over sites. A count is seen site by site, so one site is enough.
    #[must_use]
    pub fn adds_up_sites(self) -> bool {
        self != Self::Count
    }
}

/// A permit as the committee signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// Its id.
    pub id: PermitId,
    /// The request that it answers.
    pub request: RequestId,
    /// The data user's account.
    pub data_user: String,
    /// What the results are for.
    pub purpose: String,
    /// The dataset versions that may be used, each with the node that keeps it.
    pub datasets: Vec<PermittedDataset>,
    /// What may be done.
    pub operations: Vec<Operation>,
    /// Fewest sites whose contributions are added before a total is seen.
    pub min_sites: u32,
    /// Exact counts of fewer patients than this are said as "fewer than"; absent where none are hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_count: Option<u32>,
    /// From when.
    pub valid_from: DateTime<Utc>,
    /// Until when.
    pub valid_until: DateTime<Utc>,
}

/// One dataset version of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermittedDataset {
    /// The dataset version.
    pub dataset: DatasetId,
    /// The node that keeps it.
    pub node: NodeId,
}

impl Document for Permit {
    const KIND: &'static str = "arno/permit/1";
}

/// A permit as it travels.
pub type SignedPermit = Signed<Permit>;

/// A revocation as it travels.
pub type SignedRevocation = Signed<Revocation>;

/// The committee takes a permit back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The permit.
    pub permit: PermitId,
    /// Why.
    pub reason: String,
    /// When.
    pub revoked_at: DateTime<Utc>,
}

impl Document for Revocation {
    const KIND: &'static str = "arno/revocation/1";
}

/// The fewest sites that any permit may ask for: below two, a total is one site's own figure.
pub const LEAST_SITES: u32 = 2;

/// Why a node does not act on a permit. Each has a stable code for programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PermitRefusal {
    /// None came with the question.
    #[error("no permit: ask for access first")]
    Missing,
    /// Not signed by the pinned committee.
    #[error("the permit is not signed by this federation's access committee")]
    NotSigned,
    /// Its time has not come or is over.
    #[error("the permit is valid from {valid_from} until {valid_until}")]
    NotInForce {
        /// From when.
        valid_from: DateTime<Utc>,
        /// Until when.
        valid_until: DateTime<Utc>,
    },
    /// Taken back.
    #[error("the permit was revoked")]
    Revoked,
    /// Somebody else's.
    #[error("the permit belongs to another data user")]
    OtherDataUser,
    /// For other data.
    #[error("the permit does not name a dataset of this node")]
    OtherDataset,
    /// For something else.
    #[error("the permit does not allow to {operation}", operation = .0.as_str())]
    OtherOperation(Operation),
    /// Too few contributions would be added up.
    #[error("the permit wants at least {wanted} sites; there are {found}")]
    TooFewSites {
        /// As the permit says.
        wanted: u32,
        /// As the question says.
        found: u32,
    },
}

impl PermitRefusal {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "permit_missing",
            Self::NotSigned => "permit_not_signed",
            Self::NotInForce { .. } => "permit_not_in_force",
            Self::Revoked => "permit_revoked",
            Self::OtherDataUser => "permit_of_other_user",
            Self::OtherDataset => "permit_for_other_dataset",
            Self::OtherOperation(_) => "permit_for_other_operation",
            Self::TooFewSites { .. } => "too_few_sites",
        }
    }
}

/// What somebody wants to do under a permit.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// The data user's account.
    pub data_user: &'a str,
    /// What is to be done.
    pub operation: Operation,
    /// Where.
    pub node: NodeId,
    /// Sites that take part.
    pub sites: u32,
    /// When.
    pub at: DateTime<Utc>,
}

impl Permit {
    /// Whether somebody may do something under it at a time, wherever it holds. Whether it was revoked, and is signed at all, it does
    /// not know.
    ///
    /// # Errors
    /// [`PermitRefusal`] names the first thing that does not fit.
    pub fn allows(
        &self,
        data_user: &str,
        operation: Operation,
        at: DateTime<Utc>,
    ) -> Result<(), PermitRefusal> {
        let (valid_from, valid_until) = (self.valid_from, self.valid_until);
        if at < valid_from || at >= valid_until {
            return Err(PermitRefusal::NotInForce {
                valid_from,
                valid_until,
            });
        }
        if self.data_user != data_user {
            return Err(PermitRefusal::OtherDataUser);
        }
        if !self.operations.contains(&operation) {
            return Err(PermitRefusal::OtherOperation(operation));
        }
        Ok(())
    }

    /// Its datasets at one node.
    pub fn datasets_at(&self, node: NodeId) -> impl Iterator<Item = DatasetId> {
        let here = self.datasets.iter().filter(move |entry| entry.node == node);
        here.map(|entry| entry.dataset)
    }
}

/// A permit that this node verified for one use. Made by [`activate`] only.
#[derive(Debug, Clone)]
pub struct ActivePermit {
    permit: Permit,
    datasets: Vec<DatasetId>,
}

impl ActivePermit {
    /// The permit.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The datasets of this node that it opens; never empty.
    #[must_use]
    pub fn datasets(&self) -> &[DatasetId] {
        &self.datasets
    }

    /// Those of them whose names are among these, each once.
    #[must_use]
    pub fn datasets_among(&self, names: &[String]) -> Vec<DatasetId> {
        let mut among: Vec<_> = self.datasets.clone();
        among.retain(|dataset| names.contains(&dataset.to_string()));
        among.sort();
        among.dedup();
        among
    }
}

/// Verifies a permit for one use, offline: signature, time, revocation, person, dataset, operation, sites.
///
/// # Errors
/// [`PermitRefusal`] names the first thing that does not fit.
pub fn activate(
    permit: Option<&Signed<Permit>>,
    committee: &PublicKey,
    wanted: Use<'_>,
    is_revoked: impl FnOnce(PermitId) -> bool,
) -> Result<ActivePermit, PermitRefusal> {
    let permit = permit
        .ok_or(PermitRefusal::Missing)?
        .verify(committee)
        .map_err(|_| PermitRefusal::NotSigned)?;
    if is_revoked(permit.id) {
        return Err(PermitRefusal::Revoked);
    }
    permit.allows(wanted.data_user, wanted.operation, wanted.at)?;
    let datasets: Vec<_> = permit.datasets_at(wanted.node).collect();
    if datasets.is_empty() {
        return Err(PermitRefusal::OtherDataset);
    }
    let least = permit.min_sites.max(LEAST_SITES);
    if wanted.operation.adds_up_sites() && wanted.sites < least {
        return Err(PermitRefusal::TooFewSites {
            wanted: least,
            found: wanted.sites,
        });
    }
    Ok(ActivePermit { permit, datasets })
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, TimeZone as _, Utc};

    use super::{Operation, Permit, PermitRefusal, PermittedDataset, Use, activate};
    use crate::{DatasetId, NodeId, PermitId, RequestId, SecretKey, Signed};

    fn start() -> chrono::DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap()
    }

    fn permit(node: NodeId) -> Permit {
        Permit {
            id: PermitId::new(),
            request: RequestId::new(),
            data_user: "researcher".into(),
            purpose: "a model".into(),
            datasets: vec![PermittedDataset {
                dataset: DatasetId::new(),
                node,
            }],
            operations: vec![Operation::Train],
            min_sites: 2,
            least_count: None,
            valid_from: start(),
            valid_until: start() + Duration::days(30),
        }
    }

    fn check(change: impl Fn(&mut Permit, &mut Use<'_>), revoked: bool, expect: Result<(), &str>) {
        let (committee, node) = (SecretKey::from_seed(&[1; 32]), NodeId::new());
        let mut permit = permit(node);
        let mut wanted = Use {
            data_user: "researcher",
            operation: Operation::Train,
            node,
            sites: 3,
            at: start() + Duration::days(1),
        };
        change(&mut permit, &mut wanted);
        let signed = Signed::new(&permit, &committee);
        let found = activate(Some(&signed), &committee.public(), wanted, |_| revoked);
        assert_eq!(found.map(|_| ()).map_err(|refusal| refusal.code()), expect);
    }

    #[test]
    fn a_fitting_permit_is_activated() {
        check(|_, _| {}, false, Ok(()));
    }

    #[test]
    fn each_thing_that_does_not_fit_is_refused() {
        check(|_, _| {}, true, Err("permit_revoked"));
        check(
            |_, wanted| wanted.at = start() - Duration::seconds(1),
            false,
            Err("permit_not_in_force"),
        );
        check(
            |_, wanted| wanted.at = start() + Duration::days(30),
            false,
            Err("permit_not_in_force"),
        );
        check(
            |_, wanted| wanted.data_user = "stranger",
            false,
            Err("permit_of_other_user"),
        );
        check(
            |_, wanted| wanted.node = NodeId::new(),
            false,
            Err("permit_for_other_dataset"),
        );
        check(
            |_, wanted| wanted.operation = Operation::Evaluate,
            false,
            Err("permit_for_other_operation"),
        );
        check(|_, wanted| wanted.sites = 1, false, Err("too_few_sites"));
        check(
            |permit, wanted| (permit.min_sites, wanted.sites) = (0, 1),
            false,
            Err("too_few_sites"),
        );
    }

    #[test]
    fn a_count_is_of_one_site_and_only_where_it_is_allowed() {
        let counting = |permit: &mut Permit, wanted: &mut Use<'_>| {
            permit.operations = vec![Operation::Count];
            (wanted.operation, wanted.sites) = (Operation::Count, 1);
        };
        check(counting, false, Ok(()));
        check(counting, true, Err("permit_revoked"));
        check(
            |_, wanted| wanted.operation = Operation::Count,
            false,
            Err("permit_for_other_operation"),
        );
        check(
            |permit, wanted| {
                counting(permit, wanted);
                (wanted.operation, wanted.sites) = (Operation::Train, 3);
            },
            false,
            Err("permit_for_other_operation"),
        );
    }

    #[test]
    fn the_hub_cannot_sign_permits() {
        let (committee, hub, node) = (
            SecretKey::from_seed(&[1; 32]),
            SecretKey::from_seed(&[2; 32]),
            NodeId::new(),
        );
        let wanted = Use {
            data_user: "researcher",
            operation: Operation::Train,
            node,
            sites: 3,
            at: start(),
        };
        let forged = Signed::new(&permit(node), &hub);
        let refusal = activate(Some(&forged), &committee.public(), wanted, |_| false).unwrap_err();
        assert_eq!(refusal, PermitRefusal::NotSigned);
        assert_eq!(
            activate(None, &committee.public(), wanted, |_| false).unwrap_err(),
            PermitRefusal::Missing
        );
    }
}
