//! What the rules of quality found, and what is known of a dataset version: its certificate and its re-identification risk.

use arno_domain::DatasetId;
use arno_httpkit::{ApiError, ApiQuery, ApiResult};
use arno_protocol::{
    Problem,
    node::quality::{
        DatasetCertificate, QualityOverview, RiskReport, SeriesFinding, SeriesQuality,
    },
};
use arno_quality::Rule;
use arno_store::StoreError;
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::DataManager;
use crate::Node;

/// Findings on one page.
const PAGE: u32 = 100;

pub(super) fn quality_routes() -> OpenApiRouter<Node> {
    OpenApiRouter::new()
        .routes(routes!(get_quality))
        .routes(routes!(list_findings))
        .routes(routes!(get_series_quality))
        .routes(routes!(get_dataset_certificate))
        .routes(routes!(get_dataset_risk))
}

/// Findings by rule over all series, with examples, and series by kind.
#[utoipa::path(get, path = "/v1/quality", tag = "quality",
    responses((status = 200, body = QualityOverview), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn get_quality(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<QualityOverview> {
    Ok(Json(node.quality_overview().await?))
}

/// Which page of findings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingsQuery {
    /// Findings to leave out at the beginning.
    offset: Option<u64>,
}

/// Series that break a rule, a hundred at a time.
#[utoipa::path(get, path = "/v1/quality/{rule}", tag = "quality", params(("rule" = String, Path), FindingsQuery),
    responses((status = 200, body = Vec<SeriesFinding>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn list_findings(
    _: DataManager,
    State(node): State<Node>,
    Path(rule): Path<String>,
    ApiQuery(query): ApiQuery<FindingsQuery>,
) -> ApiResult<Vec<SeriesFinding>> {
    let rule = Rule::of(&rule)
        .ok_or_else(|| ApiError::not_found("no_such_rule", "There is no rule of that id."))?;
    let offset = query.offset.unwrap_or_default();
    Ok(Json(node.findings_of(rule, PAGE, offset).await?))
}

/// What the rules found in a series, and what kind it is.
#[utoipa::path(get, path = "/v1/series/{series_uid}/quality", tag = "quality", params(("series_uid" = String, Path)),
    responses((status = 200, body = SeriesQuality), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_series_quality(
    _: DataManager,
    State(node): State<Node>,
    Path(series_uid): Path<String>,
) -> ApiResult<SeriesQuality> {
    Ok(Json(node.series_quality(&series_uid).await?))
}

/// The quality certificate of a dataset version, signed by this node. It names series: it is for the data holder.
#[utoipa::path(get, path = "/v1/datasets/{id}/certificate", tag = "quality", params(("id" = String, Path)),
    responses((status = 200, body = DatasetCertificate), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_dataset_certificate(
    _: DataManager,
    State(node): State<Node>,
    Path(id): Path<String>,
) -> ApiResult<DatasetCertificate> {
    let signed = node.store().dataset_certificate(dataset_id(&id)?).await?;
    let certificate = signed.unverified().map_err(|_| StoreError::Corrupt {
        what: "certificate",
    })?;
    Ok(Json(DatasetCertificate {
        certificate,
        signed,
    }))
}

/// How far the patients of a dataset version hide among each other, and what drives the risk.
#[utoipa::path(get, path = "/v1/datasets/{id}/risk", tag = "quality", params(("id" = String, Path)),
    responses((status = 200, body = RiskReport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_dataset_risk(
    _: DataManager,
    State(node): State<Node>,
    Path(id): Path<String>,
) -> ApiResult<RiskReport> {
    Ok(Json(node.store().dataset_risk(dataset_id(&id)?).await?))
}

fn dataset_id(text: &str) -> Result<DatasetId, ApiError> {
    text.parse().map_err(|_| {
        ApiError::not_found("no_such_dataset", "There is no dataset version of that id.")
    })
}
