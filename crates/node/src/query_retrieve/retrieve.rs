//! C-GET and C-MOVE: which instances an identifier means, and the data set of each as it lies in its pack, or decoded where
//! the receiver takes nothing else.

use std::sync::Arc;

use arno_dicom::{
    Instance, data_set_start,
    query::{Level, Query, Returned, parse_path},
    transcode::transcode,
};
use arno_dimse::{
    Uid,
    scp::{
        NotOpened, OpenRequest, Opened, QueryFailure, RetrieveHandler, RetrieveRequest, Selected,
    },
    transfer_syntaxes,
};
use arno_store::node::{KeptInstance, PackLocation, Scope};
use bytes::Bytes;

use super::identifier;
use crate::{Node, NodeError, Row};

/// Instances that are looked up at a time.
const PAGE: u32 = 1_000;
/// Instances of one retrieval; what is beyond a hospital's largest study is asked for in parts.
const MAX_SELECTED: usize = 200_000;
/// Study, Series and SOP Instance UID.
const UIDS: [&str; 3] = ["0020000D", "0020000E", "00080018"];

pub(super) fn handler(node: Node) -> RetrieveHandler {
    let opening = node.clone();
    RetrieveHandler::new(
        move |request: RetrieveRequest| {
            let node = node.clone();
            async move { select(&node, request).await }
        },
        move |request: OpenRequest| {
            let node = opening.clone();
            async move { open(node, request).await }
        },
    )
}

async fn select(node: &Node, request: RetrieveRequest) -> Result<Vec<Selected>, QueryFailure> {
    let RetrieveRequest {
        model,
        transfer_syntax,
        extensions,
        identifier,
        ..
    } = request;
    let query = identifier::read(&identifier, &transfer_syntax, model, &extensions)?;
    if query.keys.iter().all(|key| key.value.is_empty()) {
        return Err(QueryFailure::IdentifierMismatch);
    }
    let failed = |error: NodeError| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a retrieval failed"
        );
        QueryFailure::UnableToProcess
    };
    let mut selected = Vec::new();
    for scope in scopes(node, query).await.map_err(failed)? {
        kept(node, &scope, &mut selected).await.map_err(failed)?;
        if selected.len() > MAX_SELECTED {
            return Err(QueryFailure::OutOfResources);
        }
    }
    Ok(selected)
}

/// The studies, series or instances that the keys mean.
async fn scopes(node: &Node, mut query: Query) -> Result<Vec<Scope>, NodeError> {
    if query.level == Level::Patient {
        query.level = Level::Study;
    }
    query.returned = Returned::Only(
        UIDS.iter()
            .filter_map(|name| parse_path(name).ok())
            .collect(),
    );
    query.limit = MAX_SELECTED;
    let found = node.find(&query).await?;
    let scope = |row: &Row| {
        let [study_uid, series_uid, instance_uid] = UIDS.map(|name| row.word(name));
        Scope {
            study_uid,
            series_uid,
            instance_uid,
        }
    };
    Ok(found.rows.iter().map(scope).collect())
}

async fn kept(node: &Node, scope: &Scope, selected: &mut Vec<Selected>) -> Result<(), NodeError> {
    let mut after = None;
    loop {
        let page = node
            .store()
            .kept_instances(scope, after.as_ref(), PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.key());
        selected.extend(page.iter().filter_map(as_selected));
    }
}

/// Nothing for what the protocol cannot name, which ingest does not let in.
fn as_selected(kept: &KeptInstance) -> Option<Selected> {
    Some(Selected {
        sop_class: kept.sop_class.parse().ok()?,
        sop_instance: kept.instance_uid.parse().ok()?,
        transfer_syntax: kept.transfer_syntax.parse().ok()?,
        size_bytes: kept.location.length,
    })
}

async fn open(node: Node, request: OpenRequest) -> Result<Opened, NotOpened> {
    let kept = kept_instance(&node, request.instance.sop_instance.as_str()).await?;
    let part10 = node.read_part(&kept, PackLocation::range).await;
    let part10 = part10.ok().flatten().ok_or(NotOpened)?;
    let accepted = request.accepted;
    let own = accepted
        .iter()
        .find(|uid| uid.as_str() == kept.transfer_syntax);
    if let Some(own) = own {
        return Ok(Opened {
            transfer_syntax: own.clone(),
            data_set: data_set(&part10).ok_or(NotOpened)?,
        });
    }
    let decoded = tokio::task::spawn_blocking(move || decoded(&node, part10, &accepted)).await;
    decoded.map_err(|_| NotOpened)?
}

/// Of one study or series, most are opened: all of the series is looked up with the first.
async fn kept_instance(node: &Node, instance_uid: &str) -> Result<Arc<KeptInstance>, NotOpened> {
    if let Some(kept) = node.recent_instance(instance_uid) {
        return Ok(kept);
    }
    let scope = Scope {
        instance_uid: Some(instance_uid.to_owned()),
        ..Scope::default()
    };
    let kept = node.store().kept_instances(&scope, None, 1).await;
    let kept = kept.ok().and_then(|mut kept| kept.pop()).ok_or(NotOpened)?;
    let series = node.recent_series(&kept.series_uid).await;
    series.map_err(|_| NotOpened)?;
    Ok(Arc::new(kept))
}

fn decoded(node: &Node, part10: Bytes, accepted: &[Uid]) -> Result<Opened, NotOpened> {
    let plain = |uid: &&Uid| {
        let uid = uid.as_str();
        uid == transfer_syntaxes::EXPLICIT_VR_LE || uid == transfer_syntaxes::IMPLICIT_VR_LE
    };
    let to = accepted.iter().find(plain).ok_or(NotOpened)?;
    let instance = Instance::read(part10).map_err(|_| NotOpened)?;
    let plain = transcode(&instance, to.as_str(), node.codecs()).map_err(|_| NotOpened)?;
    let part10 = Bytes::from(plain.write());
    Ok(Opened {
        transfer_syntax: to.clone(),
        data_set: data_set(&part10).ok_or(NotOpened)?,
    })
}

/// What follows the file meta information.
fn data_set(part10: &Bytes) -> Option<Bytes> {
    Some(part10.slice(data_set_start(part10).ok()?..))
}
