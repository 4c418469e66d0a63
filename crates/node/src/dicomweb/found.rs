//! The instances that a request means, page by page, and their bytes.

use std::{ops::Range, sync::Arc};

use arno_dicomweb::accept::{DICOM, Stored};
use arno_store::{
    StoreError,
    node::{KeptInstance, KeptKey, PackLocation, PackRange, Scope},
};
use bytes::Bytes;

use super::answers::WebError;
use crate::{Node, NodeError};

/// Rows that are held at a time: about a megabyte. Larger series and studies are asked for as they are sent.
const PAGE: u32 = 1000;

/// Bytes of an instance that are read at a time.
pub(super) const PIECE_BYTES: u64 = 1 << 20;

/// A page of instances.
pub(super) struct Found {
    scope: Scope,
    /// The instances, at least one.
    pub(super) page: Vec<Arc<KeptInstance>>,
}

impl Found {
    /// The first page of a scope.
    pub(super) async fn of(node: &Node, scope: &Scope) -> Result<Self, WebError> {
        let page = first_page(node, scope).await?;
        match (page.is_empty(), &scope.instance_uid, &scope.series_uid) {
            (false, ..) => Ok(Self {
                scope: scope.clone(),
                page,
            }),
            (true, Some(_), _) => Err(WebError::not_found("instance")),
            (true, None, Some(_)) => Err(WebError::not_found("series")),
            (true, None, None) => Err(WebError::not_found("study")),
        }
    }

    /// Whether there is nothing behind this page.
    pub(super) fn is_all(&self) -> bool {
        self.scope.instance_uid.is_some() || self.page.len() < PAGE as usize
    }

    /// The next page, if there is one.
    pub(super) async fn next(self, node: &Node) -> Result<Option<Self>, StoreError> {
        let last = match self.page.last() {
            Some(last) if !self.is_all() => last.key(),
            _ => return Ok(None),
        };
        let scope = self.scope;
        let page = stored_page(node, &scope, Some(&last)).await?;
        Ok((!page.is_empty()).then_some(Self { scope, page }))
    }

    /// The middle one of those with pixels in the first series that has any.
    pub(super) fn middle(self) -> Option<Arc<KeptInstance>> {
        let has_pixels = |kept: &Arc<KeptInstance>| kept.pixel_offset.is_some();
        let series = self
            .page
            .iter()
            .find(|kept| has_pixels(kept))?
            .series_uid
            .clone();
        let is_of_series = |kept: &Arc<KeptInstance>| has_pixels(kept) && kept.series_uid == series;
        let mut images: Vec<_> = self.page.into_iter().filter(is_of_series).collect();
        let middle = images.len() / 2;
        Some(images.swap_remove(middle))
    }

    /// The only instance, if there is but one.
    pub(super) fn single_if(mut self, is_one: bool) -> Result<Arc<KeptInstance>, Self> {
        match self.page.pop() {
            Some(single) if is_one && self.page.is_empty() => Ok(single),
            last => {
                self.page.extend(last);
                Err(self)
            }
        }
    }
}

/// Of what was acknowledged before. An instance is whole once it is there; whoever asks for one does not wait for others.
async fn first_page(node: &Node, scope: &Scope) -> Result<Vec<Arc<KeptInstance>>, StoreError> {
    if scope.instance_uid.is_some() {
        let page = page_now(node, scope).await?;
        if !page.is_empty() {
            return Ok(page);
        }
    }
    node.catch_up().await;
    page_now(node, scope).await
}

async fn page_now(node: &Node, scope: &Scope) -> Result<Vec<Arc<KeptInstance>>, StoreError> {
    match recent_page(node, scope).await? {
        Some(page) => Ok(page),
        None => stored_page(node, scope, None).await,
    }
}

async fn stored_page(
    node: &Node,
    scope: &Scope,
    after: Option<&KeptKey>,
) -> Result<Vec<Arc<KeptInstance>>, StoreError> {
    let page = node.store().kept_instances(scope, after, PAGE).await?;
    Ok(page.into_iter().map(Arc::new).collect())
}

/// The whole scope from the series that are in memory, if they are, and if it is less than a page.
async fn recent_page(
    node: &Node,
    scope: &Scope,
) -> Result<Option<Vec<Arc<KeptInstance>>>, StoreError> {
    let series = match (&scope.study_uid, &scope.series_uid) {
        (_, Some(series_uid)) => vec![series_uid.clone()],
        (Some(study_uid), None) => node.store().series_of_study(study_uid, PAGE).await?,
        (None, None) => return Ok(None),
    };
    let mut page = Vec::new();
    for series_uid in series {
        let Some(series) = node.recent_series(&series_uid).await? else {
            return Ok(None);
        };
        match &scope.instance_uid {
            Some(instance_uid) => page.extend(series.instance(instance_uid)),
            None => page.extend(series.rows().iter().map(|row| row.kept.clone())),
        }
        if page.len() >= PAGE as usize {
            return Ok(None);
        }
    }
    let is_of_study = |kept: &Arc<KeptInstance>| {
        let study_uid = scope.study_uid.as_ref();
        study_uid.is_none_or(|study_uid| *study_uid == kept.study_uid)
    };
    page.retain(is_of_study);
    Ok(Some(page))
}

/// What a choice of transfer syntax depends on.
pub(super) fn stored(kept: &KeptInstance) -> Stored<'_> {
    Stored {
        transfer_syntax: &kept.transfer_syntax,
        media_type: DICOM,
        decodable: kept.pixel_offset.is_none() || is_decodable(&kept.transfer_syntax),
    }
}

/// Whether there is a decoder for a transfer syntax; a single damaged frame may still fail.
pub(super) fn is_decodable(transfer_syntax: &str) -> bool {
    /// Native, and the two that wrap native frames.
    const UNCOMPRESSED: [&str; 5] = [
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.2",
        "1.2.840.10008.1.2.1.98",
        "1.2.840.10008.1.2.8.1",
    ];
    UNCOMPRESSED.contains(&transfer_syntax) || arno_codecs::Codec::of(transfer_syntax).is_some()
}

/// Reads bytes of an instance; what is beyond its end is left out.
pub(super) async fn read(
    node: &Node,
    kept: &KeptInstance,
    bytes: Range<u64>,
) -> Result<Bytes, NodeError> {
    let read = node.read_part(kept, |location| part(location, &bytes));
    read.await?.ok_or_else(gone)
}

/// Reads the metadata of an instance.
pub(super) async fn read_metadata(node: &Node, kept: &KeptInstance) -> Result<Bytes, NodeError> {
    let read = node.read_part(kept, PackLocation::metadata_range);
    read.await?.ok_or_else(gone)
}

fn gone() -> NodeError {
    StoreError::NotFound { what: "instance" }.into()
}

fn part(location: &PackLocation, bytes: &Range<u64>) -> PackRange {
    let whole = location.range();
    let start = bytes.start.min(whole.length);
    PackRange {
        offset: whole.offset + start,
        length: bytes.end.min(whole.length).saturating_sub(start),
        pack: whole.pack,
    }
}
