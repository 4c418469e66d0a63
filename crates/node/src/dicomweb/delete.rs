//! `DELETE` of a study, a series or an instance: no part of PS3.18's studies service, but what other archives have too.

use axum::{extract::State, http::StatusCode};

use super::{answers::WebError, asked::Asked};
use crate::Node;

/// Deletes what is named. It is gone from the index when this returns; bytes go with the next compaction.
pub(super) async fn delete(State(node): State<Node>, asked: Asked) -> Result<StatusCode, WebError> {
    asked.refuse_parameters()?;
    node.delete(&asked.scope, asked.caller.name()).await?;
    Ok(StatusCode::NO_CONTENT)
}
