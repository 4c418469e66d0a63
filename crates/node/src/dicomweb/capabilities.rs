//! What there is (PS3.18 section 8.9), as a short JSON text. The conformance statement is `docs/dicomweb.md`.

use std::collections::BTreeMap;

use arno_dicomweb::{accept::DICOM_JSON, query_string::MAX_ROWS};
use axum::{
    Extension, Json,
    http::{StatusCode, header::ALLOW},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{Allowed, answers::WebError, asked::Asked, table};

/// Methods of a resource.
pub(super) async fn options(
    Extension(Allowed(allow)): Extension<Allowed>,
    asked: Asked,
) -> Response {
    drop(asked);
    (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response()
}

#[derive(Serialize)]
struct Capabilities {
    resources: BTreeMap<String, &'static str>,
    metadata: &'static str,
    max_rows: usize,
}

/// The resources with their methods.
pub(super) async fn get_capabilities(asked: Asked) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    let resources = table().into_iter().map(|(path, allow, _)| (path, allow));
    let capabilities = Capabilities {
        resources: resources.collect(),
        metadata: DICOM_JSON,
        max_rows: MAX_ROWS,
    };
    Ok(Json(capabilities).into_response())
}
