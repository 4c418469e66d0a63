//! What searches learnt of this site: the ledger and its alarms.

use arno_httpkit::ApiResult;
use arno_protocol::{Problem, node::disclosure::DisclosureState};
use axum::{Json, extract::State};

use super::DataManager;
use crate::Node;

/// Who asked what, what it cost, and whose questions single out few patients.
#[utoipa::path(get, path = "/v1/disclosure", tag = "disclosure",
    responses((status = 200, body = DisclosureState), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn get_disclosure(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<DisclosureState> {
    Ok(Json(node.disclosure_state().await?))
}
