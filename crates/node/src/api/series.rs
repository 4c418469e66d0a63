//! Series for lists and viewer: rows, instances, frames, outlines, and what de-identification did.

use arno_codecs::DecodeError;
use arno_dicom::{FrameError, FrameLayout};
use arno_httpkit::{ApiError, ApiQuery, ApiResult};
use arno_protocol::{
    Problem,
    node::{DeidentificationPreview, OutlineRegion, SeriesDetail, SeriesPage},
};
use arno_store::{
    StoreError,
    node::{FrameSource, PackRange, SeriesFilter},
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use utoipa::IntoParams;

use super::DataManager;
use crate::{Node, NodeError};

/// Widest samples that the viewer reads.
const VIEWER_SAMPLE_BYTES: u8 = 2;

/// Series on one page.
const MAX_PAGE: u32 = 200;

/// Which series are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesQuery {
    /// Rows at most, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// Rows to leave out at the beginning.
    offset: Option<u64>,
    /// Such as `CT`.
    modality: Option<String>,
    /// A pseudonym.
    patient: Option<String>,
}

/// A page of series, newest first.
#[utoipa::path(get, path = "/v1/series", tag = "series", params(SeriesQuery),
    responses((status = 200, body = SeriesPage), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_series(
    _: DataManager,
    State(node): State<Node>,
    ApiQuery(query): ApiQuery<SeriesQuery>,
) -> ApiResult<SeriesPage> {
    let limit = query.limit.unwrap_or(50);
    if limit == 0 || limit > MAX_PAGE {
        return Err(ApiError::bad_request(
            "bad_limit",
            format!("A page has 1 to {MAX_PAGE} rows."),
        ));
    }
    let SeriesQuery {
        modality,
        patient,
        offset,
        ..
    } = query;
    let filter = SeriesFilter {
        modality,
        patient,
        limit,
        offset: offset.unwrap_or_default(),
    };
    Ok(Json(node.store().list_series(&filter).await?))
}

/// A series and its instances in viewing order.
#[utoipa::path(get, path = "/v1/series/{series_uid}", tag = "series", params(("series_uid" = String, Path)),
    responses((status = 200, body = SeriesDetail), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_series(
    _: DataManager,
    State(node): State<Node>,
    Path(series_uid): Path<String>,
) -> ApiResult<SeriesDetail> {
    let row = node.store().series(&series_uid).await?;
    Ok(Json(SeriesDetail {
        instances: node.store().view_instances(&series_uid).await?,
        row,
    }))
}

/// One frame, from 1: 8- or 16-bit little-endian samples, row by row, colour as RGB.
#[utoipa::path(get, path = "/v1/series/{series_uid}/instances/{instance_uid}/frames/{frame}", tag = "series",
    params(("series_uid" = String, Path), ("instance_uid" = String, Path), ("frame" = u32, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 304),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn get_frame(
    _: DataManager,
    State(node): State<Node>,
    Path((series_uid, instance_uid, frame)): Path<(String, String, u32)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let source = node.frame_source(&series_uid, &instance_uid).await?;
    let tag = format!("\"{}-{frame}\"", source.location.sha256);
    let about = [
        (ETAG, tag.clone()),
        (CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes())
    {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let stored = match StoredFrame::read(&node, &source, frame).await {
        Err(FrameReading::Moved) => {
            let source = node
                .store()
                .frame_source(&series_uid, &instance_uid)
                .await?;
            StoredFrame::read(&node, &source, frame).await
        }
        read => read,
    }?;
    let decoded = tokio::task::spawn_blocking(move || decode(&node, &stored)).await;
    let bytes = decoded
        .map_err(|_| ApiError::internal("frame_failed", "The frame could not be read."))??;
    let kind = [(CONTENT_TYPE, "application/octet-stream")];
    Ok((StatusCode::OK, about, kind, Body::from(bytes)).into_response())
}

/// A frame as it is stored.
struct StoredFrame {
    layout: FrameLayout,
    index: u32,
    bytes: Bytes,
}

/// Why a stored frame was not read.
enum FrameReading {
    /// The pack is gone: compaction moved the instance after the index was asked.
    Moved,
    Failed(ApiError),
}

impl From<FrameReading> for ApiError {
    fn from(reading: FrameReading) -> Self {
        match reading {
            FrameReading::Moved => StoreError::NotFound { what: "instance" }.into(),
            FrameReading::Failed(error) => error,
        }
    }
}

impl StoredFrame {
    async fn read(node: &Node, source: &FrameSource, frame: u32) -> Result<Self, FrameReading> {
        let (layout, index, range) = place(source, frame).map_err(FrameReading::Failed)?;
        match node.read_range(range).await {
            Ok(bytes) => Ok(Self {
                layout,
                index,
                bytes,
            }),
            Err(NodeError::Store(StoreError::NotFound { .. })) => Err(FrameReading::Moved),
            Err(error) => Err(FrameReading::Failed(error.into())),
        }
    }
}

/// Where the bytes of a frame lie.
fn place(source: &FrameSource, frame: u32) -> Result<(FrameLayout, u32, PackRange), ApiError> {
    let corrupt = || ApiError::from(StoreError::Corrupt { what: "frame" });
    let layout: FrameLayout = serde_json::from_str(&source.layout_json).map_err(|_| corrupt())?;
    let missing = || {
        ApiError::not_found(
            "no_such_frame",
            format!("There are frames 1 to {}.", layout.count),
        )
    };
    let index = frame.checked_sub(1).ok_or_else(missing)?;
    let range = layout.range(index).map_err(|_| missing())?;
    let instance = source.location.range();
    let (start, end) = (
        source.pixel_offset + range.start,
        source.pixel_offset + range.end,
    );
    if end > instance.length {
        return Err(corrupt());
    }
    let range = PackRange {
        pack: instance.pack,
        offset: instance.offset + start,
        length: end - start,
    };
    Ok((layout, index, range))
}

fn decode(node: &Node, stored: &StoredFrame) -> Result<Vec<u8>, ApiError> {
    match node.decode_frame(&stored.layout, stored.index, &stored.bytes) {
        Ok(frame) if frame.float || frame.bytes_per_sample > VIEWER_SAMPLE_BYTES => {
            Err(ApiError::bad_request(
                "not_decodable",
                "Samples of more than 16 bits and floating-point samples are not shown; \
                 fetch the instance instead.",
            ))
        }
        Ok(frame) => Ok(frame.bytes),
        Err(FrameError::Decoder(DecodeError::Busy)) => Err(ApiError::internal(
            "decoders_busy",
            "All decoders are busy; try again in a while.",
        )),
        Err(error @ FrameError::NotDecodable { .. }) => {
            Err(ApiError::bad_request("not_decodable", error.to_string()))
        }
        Err(error) => Err(ApiError::bad_request("frame_damaged", error.to_string())),
    }
}

/// Regions of interest on a series, in pixels.
#[utoipa::path(get, path = "/v1/series/{series_uid}/outlines", tag = "series", params(("series_uid" = String, Path)),
    responses((status = 200, body = Vec<OutlineRegion>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn list_outlines(
    _: DataManager,
    State(node): State<Node>,
    Path(series_uid): Path<String>,
) -> ApiResult<Vec<OutlineRegion>> {
    Ok(Json(node.outlines(&series_uid).await?))
}

/// The first instance of a series before and after de-identification, while the left side is kept.
#[utoipa::path(get, path = "/v1/series/{series_uid}/deidentification", tag = "series",
    params(("series_uid" = String, Path)),
    responses((status = 200, body = DeidentificationPreview), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_deidentification(
    DataManager(person): DataManager,
    State(node): State<Node>,
    Path(series_uid): Path<String>,
) -> ApiResult<DeidentificationPreview> {
    let preview = node.store().preview(&series_uid, node.now()).await?;
    node.note_preview(&series_uid, &person.account).await?;
    Ok(Json(preview))
}
