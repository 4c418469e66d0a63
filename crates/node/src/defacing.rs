//! Series that wait because they can show a face, let in without it.
//!
//! ```text
//! all slices that wait → find_cut → kept in the database → each slice cut alike, by the way of what a person lets in
//! ```
//! What is kept is where the face is, so that a crash in between changes nothing, and slices that come later are cut like the
//! first. Where no face is surely found, the reason is kept, and the series waits for a person.

use std::{fs, path::PathBuf};

use arno_dicom::Instance;
use arno_dicomweb::render::{self, encode_png};
use arno_pixels::{CoarseSlice, Cut, MOST_SLICES, SliceBudget, WhyNot, face_views, find_cut};
use arno_protocol::node::review::{NewDecision, NotKept, ReviewScope, Verdict};
use arno_store::{
    StoreError,
    node::{FaceFound, FaceSeries, HeldInstance},
};
use bytes::Bytes;
use chrono::Duration;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::{Node, NodeError, ingest::Seen, review::PictureError};

/// Why instances wait of which a face can be computed.
const FACE: &str = "face";
/// Who removes faces where the data holder's settings say so.
const ACTOR: &str = "node";
/// A series that got nothing for so long is complete: scanners and archives send one after the other.
pub(crate) const REST: Duration = Duration::minutes(5);
/// Instances that are taken in at a time.
const MAX_AT_ONCE: usize = 256;

/// What was done about series with faces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FacesRemoved {
    /// Series of which instances came in.
    pub series: u64,
    /// These instances.
    pub instances: u64,
    /// Series that go on waiting, for a person.
    pub left: u64,
}

impl Node {
    /// Removes the faces of all series that wait for it and got nothing for `rest`.
    ///
    /// # Errors
    /// When the database or the disk fails; what was let in before stays.
    pub async fn remove_faces_due(&self, rest: Duration) -> Result<FacesRemoved, NodeError> {
        let mut removed = FacesRemoved::default();
        let before = self.now() - rest;
        for due in self.store().faces_due().await? {
            if due.newest <= before {
                let instances = self.remove_face_of(&due).await?;
                removed.series += u64::from(instances > 0);
                removed.instances += instances;
                removed.left += u64::from(instances == 0);
            }
        }
        Ok(removed)
    }

    async fn remove_face_of(&self, due: &FaceSeries) -> Result<u64, NodeError> {
        let _turn = self.review_turn().lock().await;
        let ids = self.store().faces_waiting(&due.series).await?;
        let Ok(cut) = self.find_face(&due.series, &ids).await? else {
            return Ok(0);
        };
        let decision = NewDecision {
            scope: ReviewScope::Alike,
            verdict: Verdict::Deface,
        };
        let (kept, _) = self
            .deface(&due.series, &ids, cut, (&decision, ACTOR))
            .await?;
        Ok(kept)
    }

    /// Lets in all that wait of the series of `held`, without the face, because a person said so.
    pub(crate) async fn deface_series(
        &self,
        held: &HeldInstance,
        decision: &NewDecision,
        actor: &str,
    ) -> Result<(u64, Vec<NotKept>), NodeError> {
        let ids = self.faces_beside(held).await?;
        if decision.scope != ReviewScope::Alike {
            return Err(whole_series());
        }
        let cut = self.find_face(&held.series, &ids).await?;
        let cut = cut.map_err(no_face)?;
        self.deface(&held.series, &ids, cut, (decision, actor))
            .await
    }

    /// The head that `id` belongs to, from the front and from the right, with its face and without, as PNG.
    ///
    /// # Errors
    /// [`PictureError`]; with the reason where no face is surely found.
    pub(crate) async fn face_picture(&self, id: i64) -> Result<Vec<u8>, PictureError> {
        let held = self
            .store()
            .held_instance(id)
            .await
            .map_err(NodeError::from)?;
        let ids = self.faces_beside(&held).await?;
        let cut = self.find_face(&held.series, &ids).await?.map_err(no_face)?;
        let slices = self.slices(&ids).await?;
        let views = slices.ok().and_then(|slices| face_views(slices, &cut));
        let views = views.ok_or_else(|| no_face(WhyNot::Uneven.to_string()))?;
        Ok(encode_png(&render::Picture {
            width: views.columns.into(),
            height: views.rows.into(),
            channels: 1,
            bytes: views.bytes,
        })?)
    }

    async fn faces_beside(&self, held: &HeldInstance) -> Result<Vec<i64>, NodeError> {
        match held.item.why == FACE {
            true => Ok(self.store().faces_waiting(&held.series).await?),
            false => Err(NodeError::rule(
                "no_face",
                "It does not wait because of a face: decide about what it waits for.",
            )),
        }
    }

    /// Where the face of a series is, or why it is not removed: as was found before, else found now and kept.
    async fn find_face(&self, series: &str, ids: &[i64]) -> Result<Result<Cut, String>, NodeError> {
        let waiting = ids.len() as u64;
        let corrupt = |_| StoreError::Corrupt { what: "face" };
        match self.store().face(series, waiting).await? {
            Some(FaceFound::Cut(cut)) => {
                return Ok(Ok(serde_json::from_str(&cut).map_err(corrupt)?));
            }
            Some(FaceFound::WhyNot(why_not)) => return Ok(Err(why_not)),
            None => {}
        }
        let slices = self.slices(ids).await?;
        let find = move || slices.and_then(find_cut);
        let cut = tokio::task::spawn_blocking(find).await?;
        let (found, settled) = match &cut {
            Ok(cut) => (
                FaceFound::Cut(serde_json::to_string(cut).map_err(corrupt)?),
                0,
            ),
            Err(why_not) => (FaceFound::WhyNot(why_not.to_string()), waiting),
        };
        self.store()
            .put_face(series, &found, settled, self.now())
            .await?;
        Ok(cut.map_err(|why_not| why_not.to_string()))
    }

    /// The slices of these instances in small.
    async fn slices(&self, ids: &[i64]) -> Result<Result<Vec<CoarseSlice>, WhyNot>, NodeError> {
        if ids.len() > MOST_SLICES {
            return Ok(Err(WhyNot::TooLarge));
        }
        let mut paths = Vec::with_capacity(ids.len());
        for id in ids {
            let held = self.store().held_instance(*id).await?;
            paths.push(self.held_copy(&held));
        }
        let node = self.clone();
        let read = move || {
            let budget = SliceBudget::default();
            let slice = |path: &PathBuf| {
                let bytes = fs::read(path).map_err(|_| WhyNot::NotDecodable)?;
                let instance = Instance::read(Bytes::from(bytes));
                CoarseSlice::of(
                    &instance.map_err(|_| WhyNot::Pixels)?,
                    node.codecs(),
                    &budget,
                )
            };
            let slices: Result<Vec<Vec<CoarseSlice>>, WhyNot> = node
                .threads()
                .install(|| paths.par_iter().map(slice).collect());
            slices.map(|slices| slices.concat())
        };
        Ok(tokio::task::spawn_blocking(read).await?)
    }

    /// Takes in what waits of a series, cut, and keeps how many were left.
    async fn deface(
        &self,
        series: &str,
        ids: &[i64],
        cut: Cut,
        (decision, actor): (&NewDecision, &str),
    ) -> Result<(u64, Vec<NotKept>), NodeError> {
        let (mut kept, mut not_kept) = (0, Vec::new());
        for ids in ids.chunks(MAX_AT_ONCE) {
            let mut held = Vec::with_capacity(ids.len());
            for id in ids {
                held.push(self.store().held_instance(*id).await?);
            }
            let seen = Seen::Defaced(Box::new(cut));
            let (more, failed) = self.let_in(held, &seen, decision, actor).await?;
            kept += more;
            not_kept.extend(failed);
        }
        let left = self.store().faces_waiting(series).await?.len() as u64;
        let found =
            serde_json::to_string(&cut).map_err(|_| StoreError::Corrupt { what: "face" })?;
        self.store()
            .put_face(series, &FaceFound::Cut(found), left, self.now())
            .await?;
        Ok((kept, not_kept))
    }
}

pub(crate) fn whole_series() -> NodeError {
    NodeError::rule(
        "whole_series",
        "A face is cut off all slices of a series alike: decide about all of them.",
    )
}

fn no_face(why_not: String) -> NodeError {
    NodeError::rule(
        "face_not_found",
        format!(
            "The face cannot be removed: {why_not}. Let the series in as it is, or keep it away."
        ),
    )
}
