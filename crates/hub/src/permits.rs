//! Permits: what is proposed to the committee, what it signed, and taking it back.

use arno_domain::{
    PermitId, PublicKey, QuestionId, RequestId,
    audit::Outcome,
    permit::{LEAST_SITES, Permit, PermittedDataset, SignedPermit},
};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    federation::{Question, QuestionBody},
    requests::{AccessRequest, NewRequest, NewRevocation, RequestState},
    session::Role,
};
use arno_store::hub::{
    questions::{self, Subject},
    requests,
};
use axum::{
    Json,
    extract::{Path, State},
};
use chrono::{DateTime, Duration, Utc};

use crate::{
    Hub,
    catalogue::parse_id,
    hub::act,
    limits::{MAX_TEXT_CHARS, check_text},
};

/// A permit is in force from a little before it was asked for, so that a node whose clock is late honours it.
const CLOCK_SLACK: Duration = Duration::minutes(5);

/// Nodes that come back within a year still learn of a revocation.
const REVOCATION_KEPT: Duration = Duration::days(365);

/// Of all but counts, sums over sites are seen, so one site is none.
#[derive(Debug, thiserror::Error)]
#[error(
    "name datasets of at least {LEAST_SITES} sites: only sums over sites are seen, unless counts are all that is asked for"
)]
pub(crate) struct TooFewSites;

/// What the committee signs when it says yes: what was asked, and a majority of the sites as the least number.
pub(crate) fn proposed_permit(
    request: RequestId,
    data_user: &str,
    asked: &NewRequest,
    datasets: Vec<PermittedDataset>,
    now: DateTime<Utc>,
) -> Result<Permit, TooFewSites> {
    let mut nodes: Vec<_> = datasets.iter().map(|entry| entry.node).collect();
    nodes.sort();
    nodes.dedup();
    let sites = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let adds_up = asked
        .operations
        .iter()
        .any(|operation| operation.adds_up_sites());
    if adds_up && sites < LEAST_SITES {
        return Err(TooFewSites);
    }
    Ok(Permit {
        id: PermitId::new(),
        request,
        data_user: data_user.to_owned(),
        purpose: asked.purpose.clone(),
        datasets,
        operations: asked.operations.clone(),
        // A majority: a site that is away does not stop the others, and a few cannot be singled out.
        min_sites: LEAST_SITES.max(sites / 2 + 1),
        least_count: asked.least_count,
        valid_from: now - CLOCK_SLACK,
        valid_until: now + Duration::days(i64::from(asked.days)),
    })
}

/// Whether the committee signed exactly what was proposed.
pub(crate) fn granted(
    request: &AccessRequest,
    signed: &SignedPermit,
    committee: &PublicKey,
) -> Result<(), ApiError> {
    let permit = signed.verify(committee);
    let permit =
        permit.map_err(|error| ApiError::bad_request("permit_not_signed", error.to_string()))?;
    if permit == request.proposed_permit {
        return Ok(());
    }
    Err(ApiError::conflict(
        "other_permit",
        "The signed permit is not the one that was proposed for this request.",
    ))
}

/// The committee takes a permit back; every node learns of it with its next poll.
#[utoipa::path(post, path = "/v1/permits/{id}/revocation", tag = "access", params(("id" = PermitId, Path)),
    request_body = NewRevocation,
    responses((status = 200, body = AccessRequest), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn revoke_permit(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(id): Path<String>,
    ApiJson(new): ApiJson<NewRevocation>,
) -> ApiResult<AccessRequest> {
    who.require(&[Role::Committee])?;
    let id = parse_id(&id, "permit")?;
    let mut request = requests::request_of_permit(&hub.database, id).await?;
    let revocation = new.revocation.verify(&hub.committee);
    let revocation = revocation
        .map_err(|error| ApiError::bad_request("revocation_not_signed", error.to_string()))?;
    check_text("reason", &revocation.reason, MAX_TEXT_CHARS)?;
    if revocation.permit != id {
        return Err(ApiError::conflict(
            "other_permit",
            "The revocation names another permit.",
        ));
    }
    if !matches!(request.state, RequestState::Granted { .. }) {
        return Err(ApiError::conflict(
            "not_granted",
            "Only a permit that was granted can be taken back.",
        ));
    }
    let now = hub.now();
    let next = RequestState::Revoked {
        permit: id,
        reason: revocation.reason,
        revoked_at: revocation.revoked_at,
    };
    let members = hub.members().await;
    let mut tx = hub.database.write().await?;
    requests::decide_request(&mut tx, &request, &next).await?;
    for member in &members {
        let body = QuestionBody::Revoke(new.revocation.clone());
        let question = Question {
            id: QuestionId::new(),
            expires_at: now + REVOCATION_KEPT,
            body,
        };
        let (node, subject) = (member.card.node, Subject::Revocation(id));
        questions::create_question(&mut tx, node, subject, &question, now).await?;
    }
    tx.audit(
        now,
        act(&who.account, "permit revoked", id, Outcome::Done, ""),
    )
    .await?;
    tx.commit().await?;
    members
        .iter()
        .for_each(|member| hub.presence.wake(member.card.node));
    request.state = next;
    Ok(Json(request))
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        DatasetId, NodeId, RequestId,
        permit::{Operation, PermittedDataset},
    };
    use arno_protocol::requests::NewRequest;
    use chrono::Utc;

    use super::proposed_permit;

    fn check(sites: usize, expect: Option<u32>) {
        check_operations(sites, &[Operation::Train], expect);
    }

    fn check_operations(sites: usize, operations: &[Operation], expect: Option<u32>) {
        let asked = NewRequest {
            title: "t".into(),
            purpose: "p".into(),
            datasets: Vec::new(),
            operations: operations.to_vec(),
            days: 1,
            least_count: None,
        };
        let nodes: Vec<_> = (0..sites).map(|_| NodeId::new()).collect();
        // Two datasets a site: a site counts once.
        let datasets = nodes.iter().chain(&nodes).map(|node| PermittedDataset {
            dataset: DatasetId::new(),
            node: *node,
        });
        let permit = proposed_permit(
            RequestId::new(),
            "researcher",
            &asked,
            datasets.collect(),
            Utc::now(),
        );
        assert_eq!(
            permit.ok().map(|permit| permit.min_sites),
            expect,
            "{sites} sites"
        );
    }

    #[test]
    fn a_majority_of_at_least_two_sites_is_asked_for() {
        check(0, None);
        check(1, None);
        check(2, Some(2));
        check(3, Some(2));
        check(4, Some(3));
        check(5, Some(3));
    }

    #[test]
    fn counts_alone_are_of_one_site_too() {
        check_operations(1, &[Operation::Count], Some(2));
        check_operations(1, &[Operation::Count, Operation::Train], None);
    }
}
