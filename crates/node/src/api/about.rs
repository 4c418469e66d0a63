//! Which program this is, and what the node is doing.

use arno_httpkit::ApiResult;
use arno_protocol::{
    Problem,
    node::Overview,
    session::{About, Program},
};
use axum::{Json, extract::State};

use super::DataManager;
use crate::Node;

/// Which program this is.
#[utoipa::path(get, path = "/v1/about", tag = "node", responses((status = 200, body = About)))]
pub(crate) async fn get_about(State(node): State<Node>) -> Json<About> {
    let site = &node.config().site;
    Json(About {
        program: Program::Node,
        name: site.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        demo: site.demo,
        identifiable: node.is_identifiable(),
    })
}

/// What the node keeps, does and belongs to.
#[utoipa::path(get, path = "/v1/overview", tag = "node",
    responses((status = 200, body = Overview), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn get_overview(_: DataManager, State(node): State<Node>) -> ApiResult<Overview> {
    Ok(Json(node.overview().await?))
}
