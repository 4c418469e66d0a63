//! Values that metadata points at (PS3.18 section 10.4.1.1.5): alone or as one part, whole or a range.

use std::sync::Arc;

use arno_dicom::{Instance, json};
use arno_dicomweb::accept::{Form, OCTET_STREAM};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{
    answers::{Version, WebError, answer, span, with_span},
    asked::Asked,
    body::ready,
    found::{Found, read},
    retrieve::slice,
    turns::Turns,
};
use crate::{Node, NodeError};

/// Largest instance whose values are looked up, since that needs it in memory; frames of larger ones can be had.
const MAX_INSTANCE_BYTES: u64 = 1 << 30;

/// The bytes of a value.
pub(super) async fn get_bulkdata(
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Turns>>,
    asked: Asked,
) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    let form = asked.accept()?.bulk().ok_or_else(|| {
        WebError::not_acceptable(
            "There is application/octet-stream, alone or in multipart/related.",
        )
    })?;
    let path = asked.name("path").unwrap_or_default().to_owned();
    let found = Found::of(&node, &asked.scope).await?;
    let kept = found
        .single_if(true)
        .map_err(|_| WebError::not_found("instance"))?;
    let mut digest = Sha256::new();
    let root = asked.root();
    digest.update(format!(
        "{}\n{form:?}\n{root}\n{path}",
        kept.location.sha256
    ));
    let version = Version::of(digest);
    if let Some(known) = version.unless_known(&asked.headers) {
        return Ok(known);
    }
    if kept.location.length > MAX_INSTANCE_BYTES {
        return Err(WebError::bad_request(
            "instance_too_large",
            "Values of so large an instance are not served: ask for its frames, or for all of it.",
        ));
    }
    let _turn = turns.making().await?;
    let instance = read(&node, &kept, 0..kept.location.length).await?;
    let value = value_at(instance, path).await?;
    match form {
        Form::Parts => Ok(as_part(value, &asked, &version)),
        Form::Single => Ok(alone(&value, &asked, &version)),
    }
}

async fn value_at(instance: Bytes, path: String) -> Result<Bytes, WebError> {
    let find = move || {
        let instance = Instance::read(instance).ok()?;
        json::bulk(&instance, &path)
    };
    let value = tokio::task::spawn_blocking(find).await;
    let value = value.map_err(NodeError::from)?;
    value.ok_or_else(|| WebError::not_found("value of this instance"))
}

fn as_part(value: Bytes, asked: &Asked, version: &Version) -> Response {
    let mut writer = version.writer();
    let path = asked.name("path").unwrap_or_default();
    let location = asked
        .instance_url()
        .map(|url| format!("{url}/bulkdata/{path}"));
    // Only what is a path of tags was found, so it fits into a header.
    let opening = writer.open(OCTET_STREAM, location.as_deref());
    let pieces = vec![opening.into(), value, writer.close().into()];
    let length = pieces.iter().map(|piece: &Bytes| piece.len() as u64).sum();
    let kind = writer.content_type(OCTET_STREAM);
    answer(&kind, Some(length), Some(version), ready(pieces))
}

fn alone(value: &Bytes, asked: &Asked, version: &Version) -> Response {
    match span(&asked.headers, version, value.len() as u64) {
        Err(refused) => *refused,
        Ok((wanted, part)) => {
            let bytes = slice(value, &wanted);
            let length = Some(bytes.len() as u64);
            let response = answer(OCTET_STREAM, length, Some(version), bytes.into());
            with_span(response, part.as_deref())
        }
    }
}
