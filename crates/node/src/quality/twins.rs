//! Series with the same pixels: byte by byte, found by prints and proved by SHA-256; or nearly, found by looks.

use std::collections::BTreeMap;

use arno_quality::{
    Twin,
    look::{Look, NEAR_BITS},
};
use arno_store::{
    StoreError,
    node::{CheckRow, PackLocation, PackRange, PixelTwin},
};
use sha2::{Digest as _, Sha256};

use crate::{Node, NodeError};

/// Instances of one series that are compared byte by byte; enough to prove that two series are twins.
const MAX_PROVED: usize = 24;
/// Prints that are looked for at once.
const MAX_PRINTS: usize = 4096;

impl Node {
    /// Series that have pixels of this one, the same or nearly.
    pub(super) async fn twins(
        &self,
        series_uid: &str,
        rows: &[CheckRow],
        look: Option<Look>,
    ) -> Result<Vec<Twin>, NodeError> {
        let mut twins = self.exact_twins(rows).await?;
        if let Some(look) = look {
            let found = self.store().looks_like(series_uid, &look.bands()).await?;
            let near = found.into_iter().filter(|(uid, text)| {
                let other = Look::parse(text);
                other.is_some_and(|other| look.distance(&other) <= NEAR_BITS)
                    && !twins.contains_key(uid)
            });
            let near: Vec<_> = near.map(|(uid, _)| (uid, 0)).collect();
            twins.extend(near);
        }
        let twin = |(series_uid, same_instances)| Twin {
            series_uid,
            same_instances,
        };
        Ok(twins.into_iter().map(twin).collect())
    }

    /// How many instances of which series have the same pixels as one of these.
    async fn exact_twins(&self, rows: &[CheckRow]) -> Result<BTreeMap<String, u64>, NodeError> {
        let own: BTreeMap<&str, &CheckRow> = rows
            .iter()
            .filter_map(|row| Some((row.pixel_print.as_deref()?, row)))
            .take(MAX_PRINTS)
            .collect();
        let prints: Vec<String> = own.keys().map(|print| (*print).to_owned()).collect();
        let mut pairs: Vec<(CheckRow, PixelTwin)> = Vec::new();
        for other in self.store().pixel_twins(&prints).await? {
            let row = own.get(other.pixel_print.as_str());
            let is_new = |row: &&CheckRow| {
                let known =
                    |(_, pair): &(CheckRow, PixelTwin)| pair.instance_uid == other.instance_uid;
                row.view.instance_uid != other.instance_uid && !pairs.iter().any(known)
            };
            if let Some(row) = row.copied().filter(is_new) {
                pairs.push((row.clone(), other));
            }
            if pairs.len() >= MAX_PROVED {
                break;
            }
        }
        if pairs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let node = self.clone();
        tokio::task::spawn_blocking(move || node.prove(&pairs)).await?
    }

    fn prove(&self, pairs: &[(CheckRow, PixelTwin)]) -> Result<BTreeMap<String, u64>, NodeError> {
        let mut proved = BTreeMap::new();
        for (row, other) in pairs {
            let own = self.pixels(&row.location, row.pixel_offset)?;
            if own.is_some() && own == self.pixels(&other.location, Some(other.pixel_offset))? {
                *proved.entry(other.series_uid.clone()).or_default() += 1;
            }
        }
        Ok(proved)
    }

    /// SHA-256 of the pixel value; none of an instance that went away or moved meanwhile.
    fn pixels(
        &self,
        location: &PackLocation,
        pixel_offset: Option<u64>,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        let range = location.range();
        let Some(offset) = pixel_offset.filter(|offset| *offset < range.length) else {
            return Ok(None);
        };
        let read = self.packs().read(&PackRange {
            offset: range.offset + offset,
            length: range.length - offset,
            pack: range.pack,
        });
        match read {
            Ok(bytes) => Ok(Some(Sha256::digest(&bytes).into())),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
