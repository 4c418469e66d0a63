//! The review queue: what waits for a person, its pictures, and decisions. For the data manager alone, and kept by no cache.

use std::sync::Arc;

use arno_dicom::FrameError;
use arno_httpkit::{ApiError, ApiJson, ApiResult};
use arno_protocol::{
    Problem,
    node::review::{NewDecision, ReviewItem, ReviewOutcome, ReviewQueue},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use tokio::sync::Semaphore;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::DataManager;
use crate::{Node, review::PictureError};

/// Pictures that are made at a time; each reads a whole instance.
const PICTURES: usize = 2;

/// The routes, with the turns that pictures take.
pub(super) fn review_routes() -> OpenApiRouter<Node> {
    OpenApiRouter::new()
        .routes(routes!(list_review))
        .routes(routes!(get_review_item))
        .routes(routes!(get_review_frame))
        .routes(routes!(get_review_face))
        .routes(routes!(decide_review))
        .layer(Extension(Arc::new(Semaphore::new(PICTURES))))
}

/// All that waits, by series, size and reason.
#[utoipa::path(get, path = "/v1/review", tag = "review",
    responses((status = 200, body = ReviewQueue), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_review(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<ReviewQueue> {
    Ok(Json(node.list_review().await?))
}

/// One that waits. That it was looked at is recorded.
#[utoipa::path(get, path = "/v1/review/{id}", tag = "review", params(("id" = i64, Path)),
    responses((status = 200, body = ReviewItem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_review_item(
    DataManager(person): DataManager,
    State(node): State<Node>,
    Path(id): Path<i64>,
) -> ApiResult<ReviewItem> {
    Ok(Json(node.review_item(id, &person.account).await?))
}

/// A frame of it, from 1, as it came: a picture in the frame's own size.
#[utoipa::path(get, path = "/v1/review/{id}/frames/{frame}", tag = "review",
    params(("id" = i64, Path), ("frame" = u32, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_review_frame(
    _: DataManager,
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Semaphore>>,
    Path((id, frame)): Path<(i64, u32)>,
) -> Result<Response, ApiError> {
    let stopping = |_| ApiError::unavailable("stopping", "The node is stopping.");
    let _turn = turns.acquire().await.map_err(stopping)?;
    let picture = node.review_picture(id, frame).await?;
    let about = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, about, Body::from(picture)).into_response())
}

/// The head that it is a slice of, from the front and from the right, with its face and below without: a picture. For what waits
/// because it can show a face.
#[utoipa::path(get, path = "/v1/review/{id}/face", tag = "review", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_review_face(
    _: DataManager,
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Semaphore>>,
    Path(id): Path<i64>,
) -> Result<Response, ApiError> {
    let stopping = |_| ApiError::unavailable("stopping", "The node is stopping.");
    let _turn = turns.acquire().await.map_err(stopping)?;
    let picture = node.face_picture(id).await?;
    let about = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")];
    Ok((StatusCode::OK, about, Body::from(picture)).into_response())
}

/// Lets in, lets in with boxes or without the face, or refuses, one or all that are alike; up to 256 at a time.
#[utoipa::path(post, path = "/v1/review/{id}/decision", tag = "review", params(("id" = i64, Path)),
    request_body = NewDecision,
    responses((status = 200, body = ReviewOutcome), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn decide_review(
    DataManager(person): DataManager,
    State(node): State<Node>,
    Path(id): Path<i64>,
    ApiJson(decision): ApiJson<NewDecision>,
) -> ApiResult<ReviewOutcome> {
    let outcome = node.decide_review(id, &decision, &person.account).await?;
    Ok(Json(outcome))
}

impl From<PictureError> for ApiError {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Node(error) => error.into(),
            PictureError::Frame(FrameError::NoSuchFrame { count, .. }) => {
                Self::not_found("no_such_frame", format!("There are frames 1 to {count}."))
            }
            error => Self::bad_request(
                "not_shown",
                format!("No picture can be made of this frame: {error}."),
            ),
        }
    }
}
