//! What waits for a person to look at its pixels, and what the person decided, carried out before the instance goes the way of
//! any other: there is one maker of de-identified instances.

use arno_codecs::{Codec, Decoder};
use arno_deid::{
    DeidError, FaceProof, PixelProof, Recipe, ReviewReason, Secret, TextProof,
    has_overlay_in_pixels, reason_to_review, shows_face,
};
use arno_dicom::{FrameError, FrameLayout, Instance, summarise};
use arno_dicomweb::rendered::Rendering;
use arno_pixels::{BlackenError, Region, blacken};
use arno_protocol::node::review::ReviewChoices;
use arno_store::node::NewReview;
use bytes::Bytes;

use super::refusal::Refusal;
use crate::painting::paint;

/// What a person decided who looked at an instance, and lets it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// As it is.
    AsItIs,
    /// With these regions black.
    Covered(Vec<Region>),
}

/// Why a decision cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum CarryOutError {
    /// Nobody can have seen it.
    #[error("no picture can be made of it, so nobody has seen what it shows")]
    NotShown,
    /// No picture shows all of it.
    #[error("an overlay is stored inside its pixels, which no picture shows")]
    Overlay,
    /// Nothing can be covered.
    #[error(transparent)]
    Blacken(#[from] BlackenError),
}

impl Seen {
    /// Does with the pixels what was decided, and says what is vouched for.
    pub(super) fn carry_out(
        &self,
        instance: Instance,
        decoder: &dyn Decoder,
    ) -> Result<(Instance, PixelProof), CarryOutError> {
        if has_overlay_in_pixels(&instance.header) {
            return Err(CarryOutError::Overlay);
        }
        let faces = match shows_face(&instance.header) {
            Some(_) => FaceProof::KeptByPerson,
            None => FaceProof::NotLookedFor,
        };
        let (instance, text) = match self {
            Self::AsItIs => {
                first_picture(&instance, decoder)?;
                (instance, TextProof::SeenByPerson)
            }
            Self::Covered(regions) => {
                let blackened = blacken(&instance, regions, decoder)?;
                (blackened.instance, TextProof::Removed)
            }
        };
        Ok((instance, PixelProof { text, faces }))
    }
}

/// Whether a picture can be made of it at all: what has no pixels needs none.
fn first_picture(instance: &Instance, decoder: &dyn Decoder) -> Result<(), CarryOutError> {
    let layout = match FrameLayout::of(instance) {
        Err(FrameError::NoPixels) => return Ok(()),
        layout => layout.map_err(|_| CarryOutError::NotShown)?,
    };
    let frame = frame(instance, &layout, 0, decoder).map_err(|_| CarryOutError::NotShown)?;
    paint(
        &instance.header,
        &layout,
        (&frame, 0),
        &Rendering::default(),
    )
    .map_err(|_| CarryOutError::NotShown)?;
    Ok(())
}

/// Decodes a frame, counted from zero, of an instance in memory.
pub(crate) fn frame(
    instance: &Instance,
    layout: &FrameLayout,
    frame: u32,
    decoder: &dyn Decoder,
) -> Result<arno_dicom::Frame, FrameError> {
    let pixels = instance.pixels.as_ref().ok_or(FrameError::NoPixels)?;
    let range = layout.range(frame)?;
    let within = |at: u64| usize::try_from(at).map_err(|_| FrameError::Damaged);
    let bytes = pixels.value().get(within(range.start)?..within(range.end)?);
    layout.decode(frame, bytes.ok_or(FrameError::Damaged)?, decoder)
}

/// The refusal of what a person must look at, with what the person is to know; of anything else, the plain one.
pub(super) fn refusal(error: DeidError, bytes: &Bytes, secret: &Secret) -> Refusal {
    match error {
        DeidError::NeedsReview { why } => match waiting(bytes, secret, why) {
            Some(review) => Refusal::waits(why, review),
            None => error.into(),
        },
        other => other.into(),
    }
}

/// The refusal of what was to come in and could not.
pub(super) fn not_carried_out(
    error: &CarryOutError,
    bytes: &Bytes,
    recipe: &Recipe,
    secret: &Secret,
) -> Refusal {
    let why = Instance::read(bytes.clone()).ok();
    let why = why.and_then(|instance| reason_to_review(&instance.header, recipe));
    match why.and_then(|why| waiting(bytes, secret, why)) {
        Some(review) => Refusal::not_carried_out(error, review),
        None => Refusal::defect(),
    }
}

/// What a person is to know of an instance, read a second time: the first reading was used up.
fn waiting(bytes: &Bytes, secret: &Secret, why: ReviewReason) -> Option<NewReview> {
    let instance = Instance::read(bytes.clone()).ok()?;
    let summary = summarise(&instance).ok()?;
    let layout = FrameLayout::of(&instance).ok();
    let is_shown = match (&instance.pixels, &layout) {
        (Some(pixels), Some(_)) => {
            !pixels.encapsulated || Codec::of(&instance.transfer_syntax).is_some()
        }
        (pixels, _) => pixels.is_none(),
    };
    let is_seen_whole = is_shown && !has_overlay_in_pixels(&instance.header);
    Some(NewReview {
        series: secret.map_uid(&summary.series_uid),
        why: why.word().to_owned(),
        choices: match why.is_about_pixels() && is_seen_whole {
            true => ReviewChoices::All,
            false => ReviewChoices::RefuseOnly,
        },
        modality: summary.modality,
        sop_class: summary.sop_class_uid,
        rows: summary.rows.map_or(0, u32::from),
        columns: summary.columns.map_or(0, u32::from),
        frames: layout.map_or(0, |layout| layout.count),
    })
}
