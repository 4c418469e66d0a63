//! What the federation asked of this node: permits that came along, and the audit log.

use arno_httpkit::{ApiError, ApiQuery, ApiResult};
use arno_protocol::{Problem, catalogue::AuditLog, node::SeenPermit};
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::DataManager;
use crate::Node;

/// Entries in one answer.
const MAX_ENTRIES: u32 = 500;

/// How much of the log is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Entries at most, 1 to 500; 100 when absent.
    limit: Option<u32>,
}

/// Permits that were used here, newest first.
#[utoipa::path(get, path = "/v1/permits", tag = "audit",
    responses((status = 200, body = Vec<SeenPermit>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_permits(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<Vec<SeenPermit>> {
    Ok(Json(node.store().list_permits(node.id()).await?))
}

/// The newest entries of the audit log, and whether the whole chain holds.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = AuditLog), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn get_audit(
    _: DataManager,
    State(node): State<Node>,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> ApiResult<AuditLog> {
    let limit = query.limit.unwrap_or(100);
    if limit == 0 || limit > MAX_ENTRIES {
        return Err(ApiError::bad_request(
            "bad_limit",
            format!("The limit is 1 to {MAX_ENTRIES}."),
        ));
    }
    Ok(Json(node.store().database().audit_log(limit).await?))
}
