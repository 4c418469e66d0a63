//! Which program answers, for pages and programs that ask first.

use arno_protocol::session::{About, Program};
use axum::{Json, extract::State};

use crate::Hub;

/// Which program this is.
#[utoipa::path(get, path = "/v1/about", tag = "federation", responses((status = 200, body = About)))]
pub(crate) async fn get_about(State(hub): State<Hub>) -> Json<About> {
    Json(About {
        program: Program::Hub,
        name: hub.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        demo: hub.config.demo,
        identifiable: false,
    })
}
