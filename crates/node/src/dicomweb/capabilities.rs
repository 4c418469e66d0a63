//! What there is (PS3.18 section 8.9), as a short JSON text. The conformance statement is `docs/dicomweb.md`.

use arno_dicomweb::{accept::DICOM_JSON, query_string::MAX_ROWS};
use axum::{
    Json,
    http::{StatusCode, header::ALLOW},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{answers::WebError, asked::Asked, table};

/// Methods of a resource as the router knows them, `OPTIONS` included.
pub(super) async fn options(asked: Asked) -> Response {
    drop(asked);
    // Every resource has GET; those that have more say so in the list.
    (StatusCode::NO_CONTENT, [(ALLOW, "GET, HEAD, OPTIONS")]).into_response()
}

#[derive(Serialize)]
struct Capabilities {
    resources: Vec<&'static str>,
    metadata: &'static str,
    max_rows: usize,
}

/// The list of resources.
pub(super) async fn get_capabilities(asked: Asked) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    let resources = table().into_iter().map(|(path, _)| path).collect();
    let capabilities = Capabilities {
        resources,
        metadata: DICOM_JSON,
        max_rows: MAX_ROWS,
    };
    Ok(Json(capabilities).into_response())
}
