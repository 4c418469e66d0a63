//! Files in quarantine, and trying one again.

use arno_httpkit::ApiResult;
use arno_protocol::{Problem, node::Quarantined};
use axum::{
    Json,
    extract::{Path, State},
};

use super::DataManager;
use crate::Node;

/// Files in quarantine, newest first.
#[utoipa::path(get, path = "/v1/quarantine", tag = "ingest",
    responses((status = 200, body = Vec<Quarantined>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_quarantined(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<Vec<Quarantined>> {
    Ok(Json(node.store().list_quarantined().await?))
}

/// Tries a file again: nothing when it was taken in, else the entry with its reason now.
#[utoipa::path(post, path = "/v1/quarantine/{id}/retry", tag = "ingest", params(("id" = i64, Path)),
    responses((status = 200, body = Option<Quarantined>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn retry_quarantined(
    DataManager(person): DataManager,
    State(node): State<Node>,
    Path(id): Path<i64>,
) -> ApiResult<Option<Quarantined>> {
    if node.retry_quarantined(id, &person.account).await? {
        return Ok(Json(None));
    }
    let (entry, _) = node.store().quarantined(id).await?;
    Ok(Json(Some(entry)))
}
