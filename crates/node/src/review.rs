//! The review queue: what a person must look at before it may come in, the pictures of it, and what the person decides.
//!
//! Everything here is as it came, for the data manager alone. What is let in goes the way of any other file
//! (`ingest`), with the decision beside it.

use std::{fs, path::PathBuf};

use arno_dicom::{FrameError, FrameLayout, Instance};
use arno_dicomweb::{
    render::{EncodeError, RenderError, encode_png},
    rendered::Rendering,
};
use arno_domain::audit::Outcome;
use arno_pixels::{Frames, Region, device_regions};
use arno_protocol::node::{
    Holdings,
    review::{
        FinderState, NewDecision, NotKept, ReviewBox, ReviewChoices, ReviewItem, ReviewOutcome,
        ReviewQueue, ReviewScope, TextState, Verdict,
    },
};
use arno_store::node::{Decided, HeldInstance};
use bytes::Bytes;

use crate::{
    Fate, Node, NodeError, defacing,
    ingest::{Seen, SeenCopy, frame},
    painting::paint,
    text,
};

/// Instances that one decision reaches at a time: the person waits for the answer.
const MAX_AT_ONCE: u32 = 256;
/// Boxes of one decision: more than a screen full of text has lines.
const MAX_BOXES: usize = 500;

/// Why a frame that waits is not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    /// No such instance, or its copy cannot be read.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// There is no such frame, or it cannot be decoded.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// No screen shows it.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// It is too large for a picture.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Node {
    /// All that waits, and whether a text finder looks first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn list_review(&self) -> Result<ReviewQueue, NodeError> {
        let mut queue = self.store().list_review().await?;
        if self.text_finder().is_some() {
            let due = self.store().count_text_due().await?;
            queue.finder = match self.text_trouble() {
                Some(reason) => FinderState::Failing { due, reason },
                None => FinderState::Working { due },
            };
        }
        Ok(queue)
    }

    /// What is kept, and who looks at what waits.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn holdings(&self) -> Result<Holdings, NodeError> {
        let holdings = self.store().holdings().await?;
        Ok(match self.text_finder() {
            Some(_) => holdings,
            None => without_finder(holdings),
        })
    }

    /// One that waits, recorded as seen by `actor`.
    ///
    /// # Errors
    /// When none of that number waits.
    pub(crate) async fn review_item(&self, id: i64, actor: &str) -> Result<ReviewItem, NodeError> {
        let held = self.store().held_instance(id).await?;
        let subject = format!("review {id}");
        let mut tx = self.store().database().write().await?;
        let act = self.act(actor, "view in review", &subject, Outcome::Done, "");
        tx.audit(self.now(), act).await?;
        tx.commit().await?;
        let item = held.item.clone();
        let proposed = self.proposed(held).await?;
        Ok(ReviewItem { proposed, ..item })
    }

    /// Boxes where text was found, and where the rules of devices say that such a device writes.
    async fn proposed(&self, held: HeldInstance) -> Result<Vec<ReviewBox>, NodeError> {
        let verdict = self.store().text_verdict(&held.source_sha256).await?;
        let path = self.held_copy(&held);
        let propose = move || {
            let bytes = fs::read(path).unwrap_or_default();
            let device = Instance::read(Bytes::from(bytes));
            let device = device.map_or(Vec::new(), |instance| device_regions(&instance.header));
            let size = |pixels| u16::try_from(pixels).unwrap_or(u16::MAX);
            let frame = (size(held.item.rows), size(held.item.columns));
            text::proposed(verdict.as_deref(), device, frame, MAX_BOXES)
        };
        Ok(tokio::task::spawn_blocking(propose).await?)
    }

    /// A frame of one that waits, from 1, as PNG.
    ///
    /// # Errors
    /// [`PictureError`].
    pub(crate) async fn review_picture(
        &self,
        id: i64,
        number: u32,
    ) -> Result<Vec<u8>, PictureError> {
        let held = self
            .store()
            .held_instance(id)
            .await
            .map_err(NodeError::from)?;
        let node = self.clone();
        let picture = move || node.picture(&held, number);
        tokio::task::spawn_blocking(picture)
            .await
            .map_err(NodeError::from)?
    }

    fn picture(&self, held: &HeldInstance, number: u32) -> Result<Vec<u8>, PictureError> {
        let path = self.held_copy(held);
        let bytes = fs::read(&path).map_err(|error| NodeError::file(&path, error))?;
        let unreadable = |_| FrameError::Damaged;
        let instance = Instance::read(Bytes::from(bytes)).map_err(unreadable)?;
        let layout = FrameLayout::of(&instance)?;
        let no_such = FrameError::NoSuchFrame {
            frame: number,
            count: layout.count,
        };
        let index = number.checked_sub(1).ok_or(no_such)?;
        let decoded = frame(&instance, &layout, index, self.codecs())?;
        let rendering = Rendering::default();
        let picture = paint(&instance.header, &layout, (&decoded, index), &rendering)?;
        Ok(encode_png(&picture)?)
    }

    /// Where the bytes of one that waits lie.
    pub(crate) fn held_copy(&self, held: &HeldInstance) -> PathBuf {
        self.config().quarantine().join(&held.source_sha256)
    }

    /// Carries out what a person decided about one that waits, or about all that are alike. Decisions are carried out one after the
    /// other. At most [`MAX_AT_ONCE`] at a time.
    ///
    /// # Errors
    /// When none of that number waits, or the decision is not possible; then nothing was changed.
    pub(crate) async fn decide_review(
        &self,
        id: i64,
        decision: &NewDecision,
        actor: &str,
    ) -> Result<ReviewOutcome, NodeError> {
        let _turn = self.review_turn().lock().await;
        let first = self.store().held_instance(id).await?;
        if decision.verdict == Verdict::Deface {
            let (kept, not_kept) = self.deface_series(&first, decision, actor).await?;
            return Ok(ReviewOutcome {
                kept,
                refused: 0,
                not_kept,
                left: 0,
                next: self.store().next_to_review(&first).await?,
            });
        }
        let seen = seen(&first.item, decision)?;
        let ids = match decision.scope {
            ReviewScope::One => vec![id],
            ReviewScope::Alike => self.store().alike(&first, MAX_AT_ONCE).await?,
        };
        let mut held = Vec::with_capacity(ids.len());
        for id in ids {
            held.push(self.store().held_instance(id).await?);
        }
        let (kept, refused, not_kept) = match seen {
            None => (0, self.refuse(&held, decision, actor).await?, Vec::new()),
            Some(seen) => {
                let (kept, not_kept) = self.let_in(held, &seen, decision, actor).await?;
                (kept, 0, not_kept)
            }
        };
        let left = match decision.scope {
            ReviewScope::One => 0,
            ReviewScope::Alike => self.store().count_alike(&first).await?,
        };
        Ok(ReviewOutcome {
            kept,
            refused,
            not_kept,
            left,
            next: self.store().next_to_review(&first).await?,
        })
    }

    async fn refuse(
        &self,
        held: &[HeldInstance],
        decision: &NewDecision,
        actor: &str,
    ) -> Result<u64, NodeError> {
        let decided = self.decided(held, decision, actor);
        let store = self.store();
        store.refuse_review(held, decided, self.now()).await?;
        let copies = held.iter().map(|one| one.source_sha256.clone());
        self.drop_copies(&copies.collect::<Vec<_>>());
        Ok(held.len() as u64)
    }

    pub(crate) async fn let_in(
        &self,
        held: Vec<HeldInstance>,
        seen: &Seen,
        decision: &NewDecision,
        actor: &str,
    ) -> Result<(u64, Vec<NotKept>), NodeError> {
        let decided = self.decided(&held, decision, actor);
        let store = self.store();
        store.decide_review(&held, decided, self.now()).await?;
        let ids: Vec<i64> = held.iter().map(|one| one.item.id).collect();
        let all = ids.len() as u64;
        let copies = self.as_seen(held, seen).await?;
        let taken = self.take_in_seen(copies, actor).await?;
        let not_kept: Vec<NotKept> = ids
            .into_iter()
            .zip(taken)
            .filter_map(|(id, taken)| match taken.fate {
                Fate::Refused { code, reason } => Some(NotKept {
                    id,
                    code: code.to_owned(),
                    reason,
                }),
                Fate::Stored | Fate::Known => None,
            })
            .collect();
        Ok((all - not_kept.len() as u64, not_kept))
    }

    /// The first as the person saw it; of others, what was found in them is covered too, since nobody saw them.
    async fn as_seen(
        &self,
        held: Vec<HeldInstance>,
        seen: &Seen,
    ) -> Result<Vec<SeenCopy>, NodeError> {
        let mut copies = Vec::with_capacity(held.len());
        for one in held {
            let seen = match (copies.is_empty(), one.item.text) {
                (false, TextState::Found) => {
                    let verdict = self.store().text_verdict(&one.source_sha256).await?;
                    seen.clone().and_covered(text::found(verdict.as_deref()))
                }
                _ => seen.clone(),
            };
            copies.push(SeenCopy {
                name: one.name,
                source_sha256: one.source_sha256,
                size_bytes: one.item.size_bytes,
                seen,
            });
        }
        Ok(copies)
    }

    fn decided<'a>(
        &self,
        held: &[HeldInstance],
        decision: &'a NewDecision,
        actor: &'a str,
    ) -> Decided<'a> {
        let (action, boxes) = match &decision.verdict {
            Verdict::Accept => ("accept in review", 0),
            Verdict::Blacken { boxes } => ("blacken in review", boxes.len()),
            Verdict::Deface => ("deface in review", 0),
            Verdict::Refuse => ("refuse in review", 0),
        };
        let subject = match (decision.scope, held) {
            (ReviewScope::Alike, [first, ..]) => format!("series {}", first.series),
            (_, held) => {
                let id = held.first().map_or(0, |one| one.item.id);
                format!("review {id}")
            }
        };
        let detail = format!("{} instances, {boxes} boxes", held.len());
        Decided {
            decision,
            actor,
            act: self.act(actor, action, &subject, Outcome::Done, detail),
        }
    }
}

/// Where nothing looks for text, a person looks at once.
fn without_finder(holdings: Holdings) -> Holdings {
    Holdings {
        to_review: holdings.to_review + holdings.text_due,
        text_due: 0,
        ..holdings
    }
}

/// What is to be done with the pixels of what is let in; nothing for what is refused.
fn seen(item: &ReviewItem, decision: &NewDecision) -> Result<Option<Seen>, NodeError> {
    let seen = match &decision.verdict {
        Verdict::Refuse => return Ok(None),
        Verdict::Accept => Seen::AsItIs,
        Verdict::Deface => return Err(defacing::whole_series()),
        Verdict::Blacken { boxes } => Seen::Covered(regions(item, decision.scope, boxes)?),
    };
    match item.choices {
        ReviewChoices::All => Ok(Some(seen)),
        ReviewChoices::RefuseOnly => Err(NodeError::rule(
            "refuse_only",
            "No picture shows all that this instance holds, so that nobody can let it in: refuse it, or leave it where it is.",
        )),
    }
}

fn regions(
    item: &ReviewItem,
    scope: ReviewScope,
    boxes: &[ReviewBox],
) -> Result<Vec<Region>, NodeError> {
    let refused = |detail: String| NodeError::rule("bad_boxes", detail);
    if boxes.is_empty() || boxes.len() > MAX_BOXES {
        return Err(refused(format!("Give 1 to {MAX_BOXES} boxes.")));
    }
    let region = |(at, one): (usize, &ReviewBox)| {
        let outside = one.x >= item.columns || one.y >= item.rows;
        let frames = match one.frame {
            None => Some(Frames::All),
            Some(_) if scope == ReviewScope::Alike => None,
            Some(frame) if (1..=item.frames).contains(&frame) => Some(Frames::One(frame - 1)),
            Some(_) => None,
        };
        match frames {
            Some(frames) if !outside && one.width > 0 && one.height > 0 => Ok(Region {
                frames,
                x: one.x,
                y: one.y,
                width: one.width,
                height: one.height,
            }),
            _ => Err(refused(format!(
                "Box {} must lie within {} by {} pixels, on all frames or, for a single instance, on one of frames 1 to {}.",
                at + 1,
                item.columns,
                item.rows,
                item.frames
            ))),
        }
    };
    boxes.iter().enumerate().map(region).collect()
}
