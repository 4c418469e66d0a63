//! Analyses on the public API: starting one, watching it, and the yardstick of whoever has the pooled data.
//!
//! The hub does not decide whether an analysis may run: it asks the nodes, and each decides by the permit.

mod driver;
mod finish;
pub(crate) mod learned;
mod machine;
#[cfg(test)]
mod machine_tests;
pub(crate) mod masked;
mod view;

use arno_domain::{AnalysisId, NodeId, PermitId, audit::Outcome};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    analyses::{Analysis, AnalysisStatus, LogisticModel, NewAnalysis, Yardstick},
    session::Role,
};
use arno_store::{
    StoreError,
    hub::{
        analyses::{self, AnalysisRow},
        requests,
    },
};
use axum::{
    Json,
    extract::{Path, State},
};

use self::learned::Model;
use crate::{
    Hub,
    catalogue::parse_id,
    hub::act,
    limits::{MAX_TITLE_CHARS, check_text},
};

/// Analyses that run at a time.
const MAX_RUNNING: usize = 8;
/// Analyses of one list; each comes with its rounds.
const MAX_ANALYSES: u32 = 50;
/// A minute a round is slow enough for any audience.
const MAX_PACE_MS: u32 = 60_000;
/// Points of a yardstick's ROC curve.
const MAX_ROC_POINTS: usize = 4_096;

/// Goes on with the analyses that were running when the hub stopped.
pub(crate) async fn resume(hub: &Hub) -> Result<(), StoreError> {
    for id in analyses::running_analyses(&hub.database).await? {
        start_driver(hub, id);
    }
    Ok(())
}

fn start_driver(hub: &Hub, id: AnalysisId) {
    let mut drivers = hub
        .drivers
        .lock()
        .expect("nothing panics while it holds this lock");
    while drivers.try_join_next().is_some() {}
    drivers.spawn(driver::drive(hub.clone(), id));
}

/// Starts a federated training.
#[utoipa::path(post, path = "/v1/analyses", tag = "analyses", request_body = NewAnalysis,
    responses((status = 200, body = Analysis), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn create_analysis(
    State(hub): State<Hub>,
    who: SignedIn,
    ApiJson(new): ApiJson<NewAnalysis>,
) -> ApiResult<Analysis> {
    who.require(&[Role::DataUser])?;
    check_text("title", &new.title, MAX_TITLE_CHARS)?;
    if analyses::running_analyses(&hub.database).await?.len() >= MAX_RUNNING {
        let detail = format!("{MAX_RUNNING} analyses are running. Wait until one has ended.");
        return Err(ApiError::unavailable("too_many_analyses", detail));
    }
    let sites = sites_of(&hub, new.permit).await?;
    let now = hub.now();
    let analysis = AnalysisRow {
        id: AnalysisId::new(),
        title: new.title,
        started_by: who.account,
        started_at: now,
        finished_at: None,
        permit: new.permit,
        pace_ms: new.pace_ms.min(MAX_PACE_MS),
        status: AnalysisStatus::Running,
        models: Vec::new(),
        yardstick: None,
    };
    let permit = new.permit.map_or("without a permit".to_owned(), |permit| {
        format!("under {permit}")
    });
    let mut tx = hub.database.write().await?;
    analyses::create_analysis(&mut tx, &analysis, &sites).await?;
    tx.audit(
        now,
        act(
            &analysis.started_by,
            "analysis started",
            analysis.id,
            Outcome::Done,
            permit,
        ),
    )
    .await?;
    tx.commit().await?;
    start_driver(&hub, analysis.id);
    Ok(Json(load(&hub, analysis).await?))
}

/// The nodes that the permit names, or all when there is none.
async fn sites_of(hub: &Hub, permit: Option<PermitId>) -> Result<Vec<NodeId>, ApiError> {
    let mut nodes: Vec<NodeId> = match permit {
        Some(id) => {
            let permit = requests::signed_permit(&hub.database, id)
                .await?
                .unverified();
            let permit = permit.map_err(|_| StoreError::Corrupt { what: "permit" })?;
            permit.datasets.iter().map(|entry| entry.node).collect()
        }
        None => hub
            .members()
            .await
            .iter()
            .map(|member| member.card.node)
            .collect(),
    };
    nodes.sort();
    nodes.dedup();
    Ok(nodes)
}

/// The account's analyses; all of them for the committee and the operator.
#[utoipa::path(get, path = "/v1/analyses", tag = "analyses",
    responses((status = 200, body = Vec<Analysis>), (status = 401, body = Problem)))]
pub(crate) async fn list_analyses(
    State(hub): State<Hub>,
    who: SignedIn,
) -> ApiResult<Vec<Analysis>> {
    who.require(&[Role::DataUser, Role::Committee, Role::Operator])?;
    let own = (who.role == Role::DataUser).then_some(who.account.as_str());
    let mut list = Vec::new();
    for row in analyses::analyses(&hub.database, own, MAX_ANALYSES).await? {
        list.push(load(&hub, row).await?);
    }
    Ok(Json(list))
}

/// One analysis, its rounds so far and its models.
#[utoipa::path(get, path = "/v1/analyses/{id}", tag = "analyses", params(("id" = AnalysisId, Path)),
    responses((status = 200, body = Analysis), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_analysis(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(id): Path<String>,
) -> ApiResult<Analysis> {
    who.require(&[Role::DataUser, Role::Committee, Role::Operator])?;
    let row = find(&hub, &who, &id).await?;
    Ok(Json(load(&hub, row).await?))
}

/// Puts a model of the pooled data beside the federation's; the hub computes how far they differ.
#[utoipa::path(put, path = "/v1/analyses/{id}/yardstick", tag = "analyses", params(("id" = AnalysisId, Path)),
    request_body = Yardstick,
    responses((status = 200, body = Analysis), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn put_yardstick(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(id): Path<String>,
    ApiJson(mut yardstick): ApiJson<Yardstick>,
) -> ApiResult<Analysis> {
    who.require(&[Role::DataUser])?;
    let mut row = find(&hub, &who, &id).await?;
    let pooled = check_yardstick(&yardstick)?;
    let federation = row.models.iter().find(|model| model.node.is_none());
    let Some(federation) = federation else {
        return Err(ApiError::conflict(
            "not_finished",
            "The analysis has no model yet.",
        ));
    };
    yardstick.max_coefficient_difference = largest_difference(&federation.model, &pooled);
    let now = hub.now();
    let mut tx = hub.database.write().await?;
    analyses::put_yardstick(&mut tx, row.id, &yardstick).await?;
    tx.audit(
        now,
        act(
            &who.account,
            "yardstick set",
            row.id,
            Outcome::Done,
            &yardstick.source,
        ),
    )
    .await?;
    tx.commit().await?;
    row.yardstick = Some(yardstick);
    Ok(Json(load(&hub, row).await?))
}

/// An analysis that this person may see.
async fn find(hub: &Hub, who: &SignedIn, id: &str) -> Result<AnalysisRow, ApiError> {
    let row = analyses::analysis(&hub.database, parse_id(id, "analysis")?).await?;
    if who.role == Role::DataUser && row.started_by != who.account {
        return Err(StoreError::NotFound { what: "analysis" }.into());
    }
    Ok(row)
}

async fn load(hub: &Hub, row: AnalysisRow) -> Result<Analysis, StoreError> {
    let sites = analyses::analysis_sites(&hub.database, row.id).await?;
    let rounds = analyses::rounds(&hub.database, row.id).await?;
    Ok(view::analysis(row, &sites, &rounds, &hub.members().await))
}

fn check_yardstick(yardstick: &Yardstick) -> Result<Model, ApiError> {
    check_text("source", &yardstick.source, MAX_TITLE_CHARS)?;
    let rate = |value: &f64| (0.0..=1.0).contains(value);
    let points = yardstick.roc.len() <= MAX_ROC_POINTS && yardstick.roc.iter().flatten().all(rate);
    if !points || !rate(&yardstick.auc) {
        return Err(ApiError::bad_request(
            "bad_yardstick",
            "AUC and ROC points lie between 0 and 1.",
        ));
    }
    Model::try_from(&yardstick.model)
        .map_err(|error| ApiError::bad_request("bad_yardstick", error.to_string()))
}

fn largest_difference(federation: &LogisticModel, pooled: &Model) -> f64 {
    let pairs = federation.coefficients.iter().zip(pooled.coefficients);
    pairs
        .map(|(one, other)| (one - other).abs())
        .fold(0.0, f64::max)
}
