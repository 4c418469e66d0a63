//! Metadata of instances as DICOM JSON (PS3.18 section 10.4.1.1.3): written at ingest beside each instance, so that one
//! range read gives it; here, addresses of bulk data are put before it.

use std::sync::Arc;

use arno_dicom::json::with_base;
use arno_dicomweb::accept::DICOM_JSON;
use arno_store::node::KeptInstance;
use axum::{extract::State, response::Response};
use sha2::{Digest as _, Sha256};

use super::{
    answers::{Version, WebError, answer},
    asked::{Asked, instance_url},
    body::{Gone, Pieces, body},
    found::{Found, read_metadata},
};
use crate::{Node, NodeError};

/// Instances whose metadata is read and sent at a time: about a megabyte of text.
const PIECE_INSTANCES: usize = 128;

/// Metadata.
pub(super) async fn get_metadata(
    State(node): State<Node>,
    asked: Asked,
) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    let kind = json_type(&asked)?;
    let found = Found::of(&node, &asked.scope).await?;
    let root = asked.root();
    let version = found.is_all().then(|| version(&found, &root, kind));
    let known = version
        .as_ref()
        .and_then(|version| version.unless_known(&asked.headers));
    if let Some(known) = known {
        return Ok(known);
    }
    if found.is_all() && found.page.len() <= PIECE_INSTANCES {
        let text = [b"[", &join(&node, &found.page, &root).await?[..], b"]"].concat();
        return Ok(answer(
            kind,
            Some(text.len() as u64),
            version.as_ref(),
            text.into(),
        ));
    }
    let (pieces, body) = body();
    tokio::spawn(async move { send_all(&node, &pieces, found, &root).await });
    Ok(answer(kind, None, version.as_ref(), body))
}

/// DICOM JSON under either of its names.
pub(super) fn json_type(asked: &Asked) -> Result<&'static str, WebError> {
    let accept = asked.accept()?;
    match accept.first_of(&[DICOM_JSON, "application/json"]) {
        Some("application/json") => Ok("application/json"),
        Some(_) => Ok(DICOM_JSON),
        None => Err(WebError::not_acceptable(
            "There is application/dicom+json, and no XML.",
        )),
    }
}

fn version(found: &Found, root: &str, kind: &str) -> Version {
    let mut digest = Sha256::new();
    for kept in &found.page {
        digest.update(&kept.location.sha256);
    }
    digest.update(format!("metadata\n{root}\n{kind}"));
    Version::of(digest)
}

async fn send_all(node: &Node, pieces: &Pieces, found: Found, root: &str) -> Result<(), Gone> {
    let (mut next, mut before) = (Some(found), "[");
    while let Some(found) = next {
        for part in found.page.chunks(PIECE_INSTANCES) {
            let text = match join(node, part, root).await {
                Ok(text) => text,
                Err(error) => {
                    pieces.fail(error).await;
                    return Err(Gone);
                }
            };
            pieces.send(before).await?;
            pieces.send(text).await?;
            before = ",";
        }
        next = match found.next(node).await {
            Ok(next) => next,
            Err(error) => {
                pieces.fail(error).await;
                return Err(Gone);
            }
        };
    }
    pieces.send("]").await
}

/// Metadata with commas between.
async fn join(node: &Node, kept: &[Arc<KeptInstance>], root: &str) -> Result<Vec<u8>, NodeError> {
    let length = |kept: &Arc<KeptInstance>| kept.location.metadata_length;
    let bytes: u64 = kept.iter().map(length).sum();
    let mut text = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    for kept in kept {
        let metadata = read_metadata(node, kept).await?;
        append(&mut text, &metadata, &url(root, kept));
    }
    Ok(text)
}

fn append(text: &mut Vec<u8>, metadata: &[u8], url: &str) {
    if !text.is_empty() {
        text.push(b',');
    }
    with_base(metadata, url, text);
}

fn url(root: &str, kept: &KeptInstance) -> String {
    instance_url(root, &kept.study_uid, &kept.series_uid, &kept.instance_uid)
}
