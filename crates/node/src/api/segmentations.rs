//! What the viewer lays over a series: places of its slices, and segmentations.

use std::sync::Arc;

use arno_httpkit::ApiResult;
use arno_protocol::{
    Problem,
    node::segmentations::{SeriesPlacement, SeriesSegmentation},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::DataManager;
use crate::{Node, segmentations::TableCache};

/// The routes, with the cache that they share.
pub(crate) fn segmentation_routes() -> OpenApiRouter<Node> {
    OpenApiRouter::new()
        .routes(routes!(get_placements))
        .routes(routes!(list_segmentations))
        .layer(Extension(Arc::new(TableCache::default())))
}

/// Where the frames of a series lie in the patient.
#[utoipa::path(get, path = "/v1/series/{series_uid}/placements", tag = "series",
    params(("series_uid" = String, Path)),
    responses((status = 200, body = SeriesPlacement), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_placements(
    _: DataManager,
    State(node): State<Node>,
    Path(series_uid): Path<String>,
) -> ApiResult<SeriesPlacement> {
    Ok(Json(node.placements(&series_uid).await?))
}

/// Segmentations of the same study that lie on a series.
#[utoipa::path(get, path = "/v1/series/{series_uid}/segmentations", tag = "series",
    params(("series_uid" = String, Path)),
    responses((status = 200, body = Vec<SeriesSegmentation>), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list_segmentations(
    _: DataManager,
    State(node): State<Node>,
    Extension(cache): Extension<Arc<TableCache>>,
    Path(series_uid): Path<String>,
) -> ApiResult<Vec<SeriesSegmentation>> {
    Ok(Json(node.segmentations(&series_uid, cache).await?))
}
