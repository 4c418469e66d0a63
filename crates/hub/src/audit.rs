//! The audit log on the public API.

use arno_httpkit::{ApiQuery, ApiResult, SignedIn};
use arno_protocol::{Problem, catalogue::AuditLog, session::Role};
use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Hub;

/// Entries of one answer.
const MAX_ENTRIES: u32 = 1_000;
const DEFAULT_ENTRIES: u32 = 200;

/// How much of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// How many of the newest entries, at most 1,000.
    limit: Option<u32>,
}

/// The newest entries of the audit log, and whether its chain holds.
#[utoipa::path(get, path = "/v1/audit", tag = "federation", params(AuditQuery),
    responses((status = 200, body = AuditLog), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn get_audit(
    State(hub): State<Hub>,
    who: SignedIn,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> ApiResult<AuditLog> {
    who.require(&[Role::Operator, Role::Committee])?;
    let limit = query.limit.unwrap_or(DEFAULT_ENTRIES).min(MAX_ENTRIES);
    Ok(Json(hub.database.audit_log(limit).await?))
}
