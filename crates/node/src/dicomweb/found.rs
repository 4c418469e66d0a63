//! The instances that a request means, page by page, and their bytes.

use std::ops::Range;

use arno_dicomweb::accept::{DICOM, Stored};
use arno_store::{
    StoreError,
    node::{KeptInstance, PackRange, Scope},
};
use bytes::Bytes;

use super::answers::WebError;
use crate::{Node, NodeError};

/// Rows that are held at a time: about a megabyte. Larger series and studies are asked for as they are sent.
const PAGE: u32 = 1000;

/// Bytes of an instance that are read at a time.
pub(super) const PIECE_BYTES: u64 = 4 << 20;

/// A page of instances.
pub(super) struct Found {
    scope: Scope,
    /// The instances, at least one.
    pub(super) page: Vec<KeptInstance>,
}

impl Found {
    /// The first page of a scope.
    pub(super) async fn of(node: &Node, scope: &Scope) -> Result<Self, WebError> {
        let page = node.store().kept_instances(scope, None, PAGE).await?;
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
        let page = node
            .store()
            .kept_instances(&scope, Some(&last), PAGE)
            .await?;
        Ok((!page.is_empty()).then_some(Self { scope, page }))
    }

    /// The middle one of those with pixels in the first series that has any.
    pub(super) fn middle(self) -> Option<KeptInstance> {
        let has_pixels = |kept: &KeptInstance| kept.pixel_offset.is_some();
        let series = self
            .page
            .iter()
            .find(|kept| has_pixels(kept))?
            .series_uid
            .clone();
        let is_of_series = |kept: &KeptInstance| has_pixels(kept) && kept.series_uid == series;
        let mut images: Vec<_> = self.page.into_iter().filter(is_of_series).collect();
        let middle = images.len() / 2;
        Some(images.swap_remove(middle))
    }

    /// The only instance, if there is but one.
    pub(super) fn single_if(mut self, is_one: bool) -> Result<KeptInstance, Self> {
        match self.page.pop() {
            Some(single) if is_one && self.page.is_empty() => Ok(single),
            last => {
                self.page.extend(last);
                Err(self)
            }
        }
    }
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

/// Reads bytes of an instance off the async threads; what is beyond its end is left out.
pub(super) async fn read(
    node: &Node,
    kept: &KeptInstance,
    bytes: Range<u64>,
) -> Result<Bytes, NodeError> {
    match read_range(node, part(kept, &bytes)).await {
        // Compacted since the index was asked: it has the new place by now.
        Err(NodeError::Store(StoreError::NotFound { .. })) => {
            let kept = again(node, kept).await?;
            read_range(node, part(&kept, &bytes)).await
        }
        read => read,
    }
}

/// Reads the metadata of an instance.
pub(super) async fn read_metadata(node: &Node, kept: &KeptInstance) -> Result<Bytes, NodeError> {
    match read_range(node, kept.location.metadata_range()).await {
        Err(NodeError::Store(StoreError::NotFound { .. })) => {
            let kept = again(node, kept).await?;
            read_range(node, kept.location.metadata_range()).await
        }
        read => read,
    }
}

async fn read_range(node: &Node, range: PackRange) -> Result<Bytes, NodeError> {
    let node = node.clone();
    let read = tokio::task::spawn_blocking(move || node.packs().read(&range)).await?;
    Ok(Bytes::from(read?))
}

async fn again(node: &Node, kept: &KeptInstance) -> Result<KeptInstance, StoreError> {
    let scope = Scope {
        study_uid: Some(kept.study_uid.clone()),
        series_uid: Some(kept.series_uid.clone()),
        instance_uid: Some(kept.instance_uid.clone()),
    };
    let mut found = node.store().kept_instances(&scope, None, 1).await?;
    found.pop().ok_or(StoreError::NotFound { what: "instance" })
}

fn part(kept: &KeptInstance, bytes: &Range<u64>) -> PackRange {
    let whole = kept.location.range();
    let start = bytes.start.min(whole.length);
    PackRange {
        offset: whole.offset + start,
        length: bytes.end.min(whole.length).saturating_sub(start),
        pack: whole.pack,
    }
}
