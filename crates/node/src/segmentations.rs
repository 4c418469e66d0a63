//! Segmentations for the viewer: which of a study's lie on a series, and on which slice each of their frames lies.
//!
//! Tables come from headers, read when somebody looks (only the bytes before the pixels), and are kept in a cache of
//! bounded size. Pixels stay where they are: the viewer asks for the frames of the slices that it shows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arno_dicom::{
    Geometry, Header, Instance,
    planes::{frame_of_reference, planes},
    segments::{Segmentation, segmentation},
};
use arno_protocol::node::{
    ViewInstance,
    segmentations::{FramePlacement, SeriesPlacement, SeriesSegmentation},
};
use arno_store::{
    StoreError,
    node::{FrameSource, PackRange, SeriesFilter},
};

use crate::{Node, NodeError};

mod lay;

/// Bytes before the pixels of a segmentation that are read for its table: 60,000 frames take about 40 MB.
const MAX_TABLE_HEADER_BYTES: u64 = 48 << 20;
/// Segmentations of one study that are looked at.
const MAX_SEGMENTATIONS: usize = 64;
/// Multi-frame instances of one series whose functional groups are read for the places of their frames.
const MAX_PLACED_INSTANCES: usize = 64;
/// Bytes of tables that are kept; a large one takes 12 MB.
const CACHE_BYTES: usize = 48 << 20;

/// Tables by the digest of their instance, the latest used last. Its lock also lets one header be parsed at a time,
/// which bounds the memory that many questions at once may take.
#[derive(Debug, Default)]
pub(crate) struct TableCache(Mutex<Vec<(String, Arc<Table>)>>);

/// What is known of a segmentation's header.
type Table = Result<Segmentation, String>;

impl TableCache {
    fn get(&self, digest: &str, make: impl FnOnce() -> Table) -> Arc<Table> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(known, _)| known == digest);
        let entry = match found {
            Some(at) => kept.remove(at),
            None => (digest.to_owned(), Arc::new(make())),
        };
        let table = entry.1.clone();
        kept.push(entry);
        while kept.len() > 1
            && kept
                .iter()
                .map(|(_, table)| size_of_table(table))
                .sum::<usize>()
                > CACHE_BYTES
        {
            kept.remove(0);
        }
        table
    }
}

/// Bytes that a table takes, near enough to bound all of them.
fn size_of_table(table: &Table) -> usize {
    const UID_BYTES: usize = 64;
    const SEGMENT_BYTES: usize = 256;
    table.as_ref().map_or(UID_BYTES, |table| {
        let frame = size_of::<arno_dicom::segments::SegmentFrame>() + UID_BYTES;
        table.frames.len() * frame + table.segments.len() * SEGMENT_BYTES
    })
}

/// A slice of a series and where it lies, if it says so.
pub(crate) struct PlacedSlice {
    pub(crate) instance_uid: String,
    pub(crate) frame: u32,
    pub(crate) geometry: Option<Geometry>,
}

impl Node {
    /// Where the frames of a series lie.
    pub(crate) async fn placements(&self, series_uid: &str) -> Result<SeriesPlacement, NodeError> {
        self.store().series(series_uid).await?;
        let (slices, frame_of_reference) = self.placed_slices(series_uid).await?;
        let frames = slices.into_iter().filter_map(|slice| {
            let geometry = slice.geometry?;
            Some(FramePlacement {
                instance_uid: slice.instance_uid,
                frame: slice.frame,
                position_mm: geometry.position_mm,
                orientation: geometry.orientation,
                spacing_mm: geometry.spacing_mm,
            })
        });
        Ok(SeriesPlacement {
            frames: frames.collect(),
            frame_of_reference,
        })
    }

    /// The segmentations of the study that lie on a series.
    pub(crate) async fn segmentations(
        &self,
        series_uid: &str,
        cache: Arc<TableCache>,
    ) -> Result<Vec<SeriesSegmentation>, NodeError> {
        let row = self.store().series(series_uid).await?;
        let filter = SeriesFilter {
            modality: Some("SEG".to_owned()),
            patient: Some(row.patient),
            limit: u32::try_from(MAX_SEGMENTATIONS).unwrap_or(u32::MAX),
            offset: 0,
        };
        let mut candidates = self.store().list_series(&filter).await?.rows;
        candidates
            .retain(|other| other.study_uid == row.study_uid && other.series_uid != row.series_uid);
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let (slices, frame_of_reference) = self.placed_slices(series_uid).await?;
        let mut found = Vec::new();
        for candidate in candidates {
            let views = self.store().view_instances(&candidate.series_uid).await?;
            for view in views.iter().take(MAX_SEGMENTATIONS - found.len()) {
                let table = self
                    .table(&candidate.series_uid, view, cache.clone())
                    .await?;
                let same_frame = match &*table {
                    Ok(table) => table.frame_of_reference == frame_of_reference,
                    Err(_) => false,
                };
                let laid = lay::lay(&table, same_frame, &slices);
                if let Some(laid) = lay::describe(laid, &table, &candidate, view) {
                    found.push(laid);
                }
            }
        }
        Ok(found)
    }

    async fn table(
        &self,
        series_uid: &str,
        view: &ViewInstance,
        cache: Arc<TableCache>,
    ) -> Result<Arc<Table>, NodeError> {
        let source = match self
            .store()
            .frame_source(series_uid, &view.instance_uid)
            .await
        {
            Ok(source) => source,
            Err(StoreError::NotFound { .. }) => {
                return Ok(Arc::new(Err("It has no frames.".to_owned())));
            }
            Err(error) => return Err(error.into()),
        };
        let node = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            cache.get(&source.location.sha256, || {
                let header = node.header_of(&source).map_err(|error| error.to_string())?;
                segmentation(&header).map_err(|error| error.to_string())
            })
        });
        Ok(read.await?)
    }

    /// The slices of a series in viewing order, and its frame of reference. The order is the viewer's: instance by
    /// instance, frame by frame.
    async fn placed_slices(
        &self,
        series_uid: &str,
    ) -> Result<(Vec<PlacedSlice>, Option<String>), NodeError> {
        let views = self.store().view_instances(series_uid).await?;
        let placed = self.store().placed_instances(series_uid).await?;
        let placed: HashMap<String, String> = placed
            .into_iter()
            .map(|placed| (placed.instance_uid, placed.geometry_json))
            .collect();
        let (mut slices, mut frame, mut read) = (Vec::new(), None, 0);
        for (at, view) in views.iter().enumerate() {
            let known = placed.get(&view.instance_uid);
            let is_many = view.frames > 1 && read < MAX_PLACED_INSTANCES;
            let mut own = vec![known.and_then(|text| serde_json::from_str(text).ok())];
            if (at == 0 || is_many)
                && let Some(header) = self.header(series_uid, &view.instance_uid).await?
            {
                frame = frame.or_else(|| frame_of_reference(&header));
                if is_many {
                    own = planes(&header);
                    read += 1;
                }
            }
            for number in 0..view.frames {
                slices.push(PlacedSlice {
                    instance_uid: view.instance_uid.clone(),
                    frame: number + 1,
                    geometry: own.get(number as usize).copied().flatten(),
                });
            }
        }
        Ok((slices, frame))
    }

    async fn header(
        &self,
        series_uid: &str,
        instance_uid: &str,
    ) -> Result<Option<Header>, NodeError> {
        let source = match self.frame_source(series_uid, instance_uid).await {
            Ok(source) => source,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let node = self.clone();
        Ok(tokio::task::spawn_blocking(move || node.header_of(&source).ok()).await?)
    }

    fn header_of(&self, source: &FrameSource) -> Result<Header, HeaderError> {
        let instance = source.location.range();
        let length = source.pixel_offset;
        if length > MAX_TABLE_HEADER_BYTES.min(instance.length) {
            return Err(HeaderError::TooLarge);
        }
        let range = PackRange { length, ..instance };
        let mut bytes = self
            .packs()
            .read(&range)
            .map_err(|_| HeaderError::Unreadable)?;
        bytes.truncate(end_of_header(&bytes));
        let read = Instance::read(bytes.into()).map_err(|_| HeaderError::Unreadable)?;
        Ok(read.header)
    }
}

/// Why a header cannot be had; public text, no value of it.
#[derive(Debug, thiserror::Error)]
enum HeaderError {
    #[error("Its header has more than {MAX_TABLE_HEADER_BYTES} bytes: split it into several.")]
    TooLarge,
    #[error("Its header cannot be read: run `arno-node verify`.")]
    Unreadable,
}

/// Where the pixel data element starts in bytes that end where its value does: 8 or 12 bytes before (PS3.5 section
/// 7.1.2 and 7.1.3; the header of a first fragment comes after them).
fn end_of_header(bytes: &[u8]) -> usize {
    let is_pixel_element = |start: &usize| {
        let tag = bytes.get(*start..start + 4);
        tag.is_some_and(|tag| {
            matches!(
                tag,
                [0xE0, 0x7F, 0x08..=0x10, 0] | [0x7F, 0xE0, 0, 0x08..=0x10]
            )
        })
    };
    [12, 8]
        .into_iter()
        .filter_map(|before| bytes.len().checked_sub(before))
        .find(is_pixel_element)
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::{CACHE_BYTES, TableCache, end_of_header};

    #[test]
    fn the_header_ends_before_the_pixel_element() {
        let check = |bytes: &[u8], expect: usize| {
            assert_eq!(end_of_header(bytes), expect, "{bytes:x?}");
        };
        let explicit = [
            &[1; 20][..],
            &[0xE0, 0x7F, 0x10, 0, b'O', b'B', 0, 0, 4, 0, 0, 0],
        ]
        .concat();
        check(&explicit, 20);
        let implicit = [&[1; 20][..], &[0xE0, 0x7F, 0x10, 0, 4, 0, 0, 0]].concat();
        check(&implicit, 20);
        let big = [
            &[1; 20][..],
            &[0x7F, 0xE0, 0, 0x10, b'O', b'W', 0, 0, 0, 0, 0, 4],
        ]
        .concat();
        check(&big, 20);
        check(&[1; 20], 20);
        check(&[], 0);
    }

    #[test]
    fn a_table_is_made_once_and_the_cache_stays_small() {
        let cache = TableCache::default();
        let mut made = 0;
        for digest in ["a", "b", "a"] {
            cache.get(digest, || {
                made += 1;
                Err("no segmentation".to_owned())
            });
        }
        assert_eq!(made, 2);
        let large = || Ok(super::lay::tests::table_of(super::tests::LARGE_FRAMES));
        for digest in ["c", "d", "e"] {
            cache.get(digest, large);
        }
        let kept = cache.0.lock().unwrap();
        let bytes: usize = kept
            .iter()
            .map(|(_, table)| super::size_of_table(table))
            .sum();
        assert!(
            bytes <= CACHE_BYTES && kept.len() == 1,
            "{bytes} bytes in {}",
            kept.len()
        );
    }

    /// More than half of the cache.
    const LARGE_FRAMES: usize = CACHE_BYTES / 2 / 150;
}
