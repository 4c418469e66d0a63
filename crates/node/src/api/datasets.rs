//! Dataset versions of this node, and publishing one.

use arno_httpkit::{ApiError, ApiJson, ApiResult};
use arno_protocol::{
    Problem,
    node::{LocalDataset, NewDataset},
};
use axum::{Json, extract::State, http::StatusCode};

use super::DataManager;
use crate::Node;

/// All versions, newest first.
#[utoipa::path(get, path = "/v1/datasets", tag = "datasets",
    responses((status = 200, body = Vec<LocalDataset>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_datasets(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<Vec<LocalDataset>> {
    Ok(Json(node.store().list_datasets().await?))
}

/// Freezes a cohort to a new version and publishes its record.
#[utoipa::path(post, path = "/v1/datasets", tag = "datasets", request_body = NewDataset,
    responses((status = 201, body = LocalDataset), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
pub(crate) async fn create_dataset(
    DataManager(person): DataManager,
    State(node): State<Node>,
    ApiJson(new): ApiJson<NewDataset>,
) -> Result<(StatusCode, Json<LocalDataset>), ApiError> {
    let dataset = node.create_dataset(&new, &person.account).await?;
    Ok((StatusCode::CREATED, Json(dataset)))
}
