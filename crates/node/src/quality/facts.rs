//! What the rules are asked of, from rows and packs: the metadata of the instance in the middle, one frame of it, and what a
//! segmentation points at.

use arno_dicom::FrameLayout;
use arno_quality::{
    Attributes, InstanceFacts, Plane, ReferencedSeries, SeriesFacts,
    facts::{KeptSeries, frame_planes, referenced_series},
    look::{Look, Samples},
};
use arno_store::{
    StoreError,
    node::{CheckRow, PackRange},
};

use crate::{Node, NodeError};

/// Longest metadata that are read: those of 20,000 frames.
const MAX_METADATA_BYTES: u64 = 32 << 20;
/// Longest frame that is decoded for its look.
const MAX_FRAME_BYTES: u64 = 64 << 20;
/// Series that one segmentation may point at.
const MAX_REFERENCES: usize = 32;
/// Frame of Reference UID (0020,0052).
const FRAME_OF_REFERENCE: &str = "00200052";

impl Node {
    /// The facts of a series, and how the instance in its middle looks.
    pub(super) async fn series_facts(
        &self,
        series_uid: &str,
        rows: &[CheckRow],
    ) -> Result<(SeriesFacts, Option<Look>), NodeError> {
        let Some(middle) = rows.get(rows.len() / 2).cloned() else {
            return Ok((SeriesFacts::default(), None));
        };
        let node = self.clone();
        let read = move || (node.attributes(&middle), node.look(&middle));
        let (attributes, look) = tokio::task::spawn_blocking(read).await?;
        let attributes = attributes?;
        let mut facts = SeriesFacts {
            instances: rows.iter().map(instance_facts).collect(),
            frames: frame_planes(&attributes),
            attributes,
            ..SeriesFacts::default()
        };
        // Masks are alike where they are empty; only images have twins.
        let look = look.filter(|_| facts.modality() != "SEG");
        if facts.modality() != "SEG" {
            facts.twins = self.twins(series_uid, rows, look).await?;
        }
        for (uid, instances) in referenced_series(&facts.attributes)
            .into_iter()
            .take(MAX_REFERENCES)
        {
            let kept = self.kept_series(&uid, &instances).await?;
            facts.references.push(ReferencedSeries {
                series_uid: uid,
                kept,
            });
        }
        Ok((facts, look))
    }

    fn attributes(&self, row: &CheckRow) -> Result<Attributes, StoreError> {
        let range = row.location.metadata_range();
        if range.length == 0 || range.length > MAX_METADATA_BYTES {
            return Ok(Attributes::default());
        }
        Ok(Attributes::parse(&self.packs().read(&range)?))
    }

    /// A frame that cannot be decoded has no look; that it cannot is for other rules to say.
    fn look(&self, row: &CheckRow) -> Option<Look> {
        let layout: FrameLayout = serde_json::from_str(row.layout_json.as_ref()?).ok()?;
        let index = layout.count / 2;
        let range = layout.range(index).ok()?;
        let (start, length) = (
            row.pixel_offset?.checked_add(range.start)?,
            range.end.checked_sub(range.start)?,
        );
        let instance = row.location.range();
        let ends_inside = start
            .checked_add(length)
            .is_some_and(|end| end <= instance.length);
        if !ends_inside || length > MAX_FRAME_BYTES {
            return None;
        }
        let bytes = self.packs().read(&PackRange {
            pack: instance.pack,
            offset: instance.offset + start,
            length,
        });
        let frame = self.decode_frame(&layout, index, &bytes.ok()?).ok()?;
        if frame.float {
            return None;
        }
        Look::of(&Samples {
            bytes: &frame.bytes,
            rows: row.view.rows as usize,
            columns: row.view.columns as usize,
            bytes_per_sample: usize::from(frame.bytes_per_sample),
            signed: row.view.pixel_signed,
            samples_per_pixel: usize::from(row.view.samples_per_pixel.max(1)),
        })
    }

    /// What is kept of a series that something points at.
    async fn kept_series(
        &self,
        series_uid: &str,
        instances: &[String],
    ) -> Result<Option<KeptSeries>, NodeError> {
        let rows = self.store().check_rows(series_uid).await?;
        let Some(middle) = rows.get(rows.len() / 2).cloned() else {
            return Ok(None);
        };
        let node = self.clone();
        let facts = instance_facts(&middle);
        let attributes = tokio::task::spawn_blocking(move || node.attributes(&middle)).await??;
        let here: std::collections::BTreeSet<&str> = rows
            .iter()
            .map(|row| row.view.instance_uid.as_str())
            .collect();
        Ok(Some(KeptSeries {
            frame_of_reference: attributes.text(FRAME_OF_REFERENCE),
            plane: facts
                .plane
                .or_else(|| frame_planes(&attributes).first().copied()),
            matrix: facts.matrix,
            has_all_instances: instances.iter().all(|uid| here.contains(uid.as_str())),
        }))
    }
}

fn instance_facts(row: &CheckRow) -> InstanceFacts {
    let plane = row.geometry_json.as_deref();
    InstanceFacts {
        uid: row.view.instance_uid.clone(),
        sop_class: row.sop_class.clone(),
        number: row.view.number,
        plane: plane.and_then(|plane| serde_json::from_str::<Plane>(plane).ok()),
        matrix: [row.view.rows, row.view.columns],
        frames: row.view.frames,
        has_pixels: row.pixel_offset.is_some(),
        is_readable: row.layout_json.is_some(),
    }
}
