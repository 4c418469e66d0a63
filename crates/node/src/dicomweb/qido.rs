//! QIDO-RS: studies, series and instances by their attributes (PS3.18 section 10.6). No image is opened for it.

use arno_dicom::query::{Key, Level, Query, parse_path};
use arno_dicomweb::query_string;
use axum::{
    extract::State,
    http::{HeaderValue, header::WARNING},
    response::Response,
};
use serde_json::json;

use super::{
    answers::{WebError, answer},
    asked::Asked,
    metadata::json_type,
};
use crate::{
    Node,
    query::{Found, Row},
};

/// What a client hears when there are more rows (PS3.18 section 8.3.4.4.1).
const MORE_ROWS: &str = "299 arno \"There are more results than these; ask again with offset.\"";

/// `/studies`.
pub(super) async fn find_studies(
    State(node): State<Node>,
    asked: Asked,
) -> Result<Response, WebError> {
    find(&node, &asked, Level::Study).await
}

/// `/series`, `/studies/{study}/series`.
pub(super) async fn find_series(
    State(node): State<Node>,
    asked: Asked,
) -> Result<Response, WebError> {
    find(&node, &asked, Level::Series).await
}

/// `/instances`, and those of a study or series.
pub(super) async fn find_instances(
    State(node): State<Node>,
    asked: Asked,
) -> Result<Response, WebError> {
    find(&node, &asked, Level::Instance).await
}

async fn find(node: &Node, asked: &Asked, level: Level) -> Result<Response, WebError> {
    let kind = json_type(asked)?;
    let query = query_string::parse(level, &asked.query)
        .map_err(|error| WebError::bad_request("bad_query", format!("{error}.")))?;
    let found = node.find(&within(query, asked)).await?;
    let text = rows(&found, &asked.root());
    let length = Some(text.len() as u64);
    let mut response = answer(kind, length, None, text.into());
    if !found.complete {
        let more = HeaderValue::from_static(MORE_ROWS);
        response.headers_mut().insert(WARNING, more);
    }
    Ok(response)
}

/// The identifiers in the address are keys like others.
fn within(mut query: Query, asked: &Asked) -> Query {
    let named = [
        ("StudyInstanceUID", &asked.scope.study_uid),
        ("SeriesInstanceUID", &asked.scope.series_uid),
    ];
    for (name, uid) in named {
        if let (Some(uid), Ok(path)) = (uid, parse_path(name)) {
            let value = uid.clone();
            query.keys.push(Key { path, value });
        }
    }
    query
}

/// An empty answer is an empty array: every client reads that, and not all expect 204.
fn rows(found: &Found, root: &str) -> Vec<u8> {
    let mut text = vec![b'['];
    for row in &found.rows {
        if text.len() > 1 {
            text.push(b',');
        }
        append(&mut text, row, root);
    }
    text.push(b']');
    text
}

/// One row with its Retrieve URL (0008,1190), which the standard asks for.
fn append(text: &mut Vec<u8>, row: &Row, root: &str) {
    let levels = [
        ("studies", "0020000D"),
        ("series", "0020000E"),
        ("instances", "00080018"),
    ];
    let mut url = root.to_owned();
    for (name, tag) in levels {
        if let Some(uid) = row.word(tag) {
            url.push_str(&format!("/{name}/{uid}"));
        }
    }
    let url = json!({ "vr": "UR", "Value": [url] }).to_string();
    row.write_with("00081190", &url, text);
}
