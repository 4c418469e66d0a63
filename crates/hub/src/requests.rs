//! Access requests: asking for data, and the committee's decision. The nodes verify the permit again by themselves.

use arno_domain::{
    RequestId,
    audit::Outcome,
    permit::{Operation, PermittedDataset},
};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    requests::{AccessRequest, Decision, NewRequest, RequestState},
    session::Role,
};
use arno_store::{
    StoreError,
    hub::{datasets, requests},
};
use axum::{
    Json,
    extract::{Path, State},
};

use crate::{
    Hub,
    catalogue::parse_id,
    hub::act,
    limits::{MAX_LIST, MAX_TEXT_CHARS, MAX_TITLE_CHARS, check_text},
    permits::{granted, proposed_permit},
};

/// Datasets of one request.
pub(crate) const MAX_DATASETS: usize = 100;
/// Counts below more than this are not hidden as small ones.
const MAX_LEAST_COUNT: u32 = 1_000;
/// Five years: longer than any project that is approved once.
const MAX_DAYS: u32 = 5 * 365;

/// Asks for access to datasets.
#[utoipa::path(post, path = "/v1/requests", tag = "access", request_body = NewRequest,
    responses((status = 200, body = AccessRequest), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn create_request(
    State(hub): State<Hub>,
    who: SignedIn,
    ApiJson(mut asked): ApiJson<NewRequest>,
) -> ApiResult<AccessRequest> {
    who.require(&[Role::DataUser])?;
    check_request(&mut asked)?;
    let now = hub.now();
    let mut permitted = Vec::new();
    for id in &asked.datasets {
        let record = datasets::dataset(&hub.database, *id).await?.record;
        permitted.push(PermittedDataset {
            dataset: record.id,
            node: record.node,
        });
    }
    let id = RequestId::new();
    let proposed_permit = proposed_permit(id, &who.account, &asked, permitted, now)
        .map_err(|error| ApiError::bad_request("too_few_sites", error.to_string()))?;
    let state = RequestState::InReview;
    let request = AccessRequest {
        id,
        submitted_by: who.account,
        submitted_at: now,
        asked,
        proposed_permit,
        state,
    };
    let mut tx = hub.database.write().await?;
    requests::create_request(&mut tx, &request).await?;
    tx.audit(
        now,
        act(
            &request.submitted_by,
            "access requested",
            id,
            Outcome::Done,
            &request.asked.title,
        ),
    )
    .await?;
    tx.commit().await?;
    Ok(Json(request))
}

/// The account's requests; all of them for the committee and the operator.
#[utoipa::path(get, path = "/v1/requests", tag = "access",
    responses((status = 200, body = Vec<AccessRequest>), (status = 401, body = Problem)))]
pub(crate) async fn list_requests(
    State(hub): State<Hub>,
    who: SignedIn,
) -> ApiResult<Vec<AccessRequest>> {
    who.require(&[Role::DataUser, Role::Committee, Role::Operator])?;
    let own = (who.role == Role::DataUser).then_some(who.account.as_str());
    Ok(Json(
        requests::requests(&hub.database, own, MAX_LIST).await?,
    ))
}

/// One request.
#[utoipa::path(get, path = "/v1/requests/{id}", tag = "access", params(("id" = RequestId, Path)),
    responses((status = 200, body = AccessRequest), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_request(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(id): Path<String>,
) -> ApiResult<AccessRequest> {
    who.require(&[Role::DataUser, Role::Committee, Role::Operator])?;
    let request = requests::request(&hub.database, parse_id(&id, "access request")?).await?;
    if who.role == Role::DataUser && request.submitted_by != who.account {
        return Err(StoreError::NotFound {
            what: "access request",
        }
        .into());
    }
    Ok(Json(request))
}

/// The committee decides.
#[utoipa::path(post, path = "/v1/requests/{id}/decision", tag = "access", params(("id" = RequestId, Path)),
    request_body = Decision,
    responses((status = 200, body = AccessRequest), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn decide_request(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(id): Path<String>,
    ApiJson(decision): ApiJson<Decision>,
) -> ApiResult<AccessRequest> {
    who.require(&[Role::Committee])?;
    let mut request = requests::request(&hub.database, parse_id(&id, "access request")?).await?;
    let (decided_by, decided_at) = (who.account.clone(), hub.now());
    let (next, action, detail) = match decision {
        Decision::Grant { permit } => {
            granted(&request, &permit, &hub.committee)?;
            let permit_id = request.proposed_permit.id;
            let next = RequestState::Granted {
                permit: permit_id,
                signed: permit,
                decided_by,
                decided_at,
            };
            (next, "permit granted", permit_id.to_string())
        }
        Decision::Refuse { reason } => {
            check_text("reason", &reason, MAX_TEXT_CHARS)?;
            let next = RequestState::Refused {
                reason: reason.clone(),
                decided_by,
                decided_at,
            };
            (next, "access refused", reason)
        }
    };
    if !matches!(request.state, RequestState::InReview) {
        return Err(ApiError::conflict(
            "already_decided",
            "This request was decided before.",
        ));
    }
    let mut tx = hub.database.write().await?;
    requests::decide_request(&mut tx, &request, &next).await?;
    tx.audit(
        decided_at,
        act(&who.account, action, request.id, Outcome::Done, detail),
    )
    .await?;
    tx.commit().await?;
    request.state = next;
    Ok(Json(request))
}

fn check_request(asked: &mut NewRequest) -> Result<(), ApiError> {
    check_text("title", &asked.title, MAX_TITLE_CHARS)?;
    check_text("purpose", &asked.purpose, MAX_TEXT_CHARS)?;
    asked.datasets.sort();
    asked.datasets.dedup();
    let order = |operation: &Operation| operation.as_str();
    asked.operations.sort_by_key(order);
    asked.operations.dedup();
    if let Some(least) = asked.least_count
        && !(asked.operations.contains(&Operation::Count) && (1..=MAX_LEAST_COUNT).contains(&least))
    {
        let detail =
            format!("least_count goes with the operation count and is 1 to {MAX_LEAST_COUNT}.");
        return Err(ApiError::bad_request("bad_request", detail));
    }
    let detail = match (asked.datasets.len(), asked.operations.len(), asked.days) {
        (0, _, _) => "Name at least one dataset.".to_owned(),
        (found, _, _) if found > MAX_DATASETS => format!("Name at most {MAX_DATASETS} datasets."),
        (_, 0, _) => "Name at least one operation.".to_owned(),
        (_, _, 0) => "Ask for at least one day.".to_owned(),
        (_, _, days) if days > MAX_DAYS => format!("Ask for at most {MAX_DAYS} days."),
        _ => return Ok(()),
    };
    Err(ApiError::bad_request("bad_request", detail))
}
