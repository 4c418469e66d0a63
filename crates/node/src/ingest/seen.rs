//! What waits for a look at its pixels, and what a person or the text finder decided, carried out before the instance goes the way of
//! any other: there is one maker of de-identified instances.

use arno_codecs::{Codec, Decoder};
use arno_deid::{
    DeidError, FaceProof, PixelProof, Recipe, ReviewReason, Secret, TextProof,
    has_overlay_in_pixels, is_worth_a_look, reason_to_review, shows_face,
};
use arno_dicom::{FrameError, FrameLayout, Instance, summarise};
use arno_dicomweb::rendered::Rendering;
use arno_pixels::{
    BlackenError, CleanError, Cleaned, Cut, Region, Verdict, WhyNot, blacken, deface,
};
use arno_protocol::node::review::{ReviewChoices, TextState};
use arno_store::node::NewReview;
use bytes::Bytes;

use super::refusal::Refusal;
use crate::painting::paint;

/// Why a radiograph or a localizer waits: a text finder is there, and looks first.
pub(crate) const HELD_FOR_LOOK: &str = "text";

/// What was decided by whoever looked at an instance, and lets it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// By a person: as it is.
    AsItIs,
    /// By a person: with these regions black.
    Covered(Vec<Region>),
    /// By what the text finder read in all frames.
    ByFinder(Verdict),
    /// By its header alone: no text finder can look at it, and without one it would not have waited.
    ByHeader,
    /// Without the face of its series.
    Defaced(Box<Cut>),
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
    /// What the text finder decided cannot be done.
    #[error(transparent)]
    Clean(#[from] CleanError),
    /// The face cannot be cut off this slice.
    #[error("its face cannot be removed: {0}")]
    Face(#[from] WhyNot),
}

impl Seen {
    /// The same decision with more regions black.
    pub(crate) fn and_covered(self, more: Vec<Region>) -> Self {
        match self {
            Self::AsItIs if !more.is_empty() => Self::Covered(more),
            Self::Covered(regions) => Self::Covered([regions, more].concat()),
            other => other,
        }
    }

    /// What a text finder said of it, for those who look at it next.
    fn text(&self) -> TextState {
        match self {
            Self::ByFinder(Verdict::Blacken(_) | Verdict::Doubt(..)) => TextState::Found,
            _ => TextState::Nothing,
        }
    }

    /// Does with the pixels what was decided, and says what is vouched for.
    pub(super) fn carry_out(
        &self,
        instance: Instance,
        decoder: &dyn Decoder,
    ) -> Result<(Instance, PixelProof), CarryOutError> {
        if has_overlay_in_pixels(&instance.header) {
            return Err(CarryOutError::Overlay);
        }
        let is_person = matches!(self, Self::AsItIs | Self::Covered(_));
        let faces = match shows_face(&instance.header).filter(|_| is_person) {
            Some(_) => FaceProof::KeptByPerson,
            None => FaceProof::NotLookedFor,
        };
        let (instance, text) = match self {
            Self::ByHeader => (instance, TextProof::NotLookedFor),
            Self::ByFinder(verdict) => match verdict.carry_out(instance, decoder)? {
                Cleaned::AsItWas(instance) => (instance, TextProof::NoneFound),
                Cleaned::Black(instance) => (instance, TextProof::Removed),
            },
            Self::Defaced(cut) => {
                let proof = PixelProof {
                    text: TextProof::NotLookedFor,
                    faces: FaceProof::Removed,
                };
                return Ok((deface(&instance, cut, decoder)?.instance, proof));
            }
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
pub(super) fn refusal(
    error: DeidError,
    seen: Option<&Seen>,
    bytes: &Bytes,
    secret: &Secret,
) -> Refusal {
    match error {
        DeidError::NeedsReview { why } => match waiting(bytes, secret, &Why::of(why), seen) {
            Some(review) => Refusal::waits(why, review),
            None => error.into(),
        },
        other => other.into(),
    }
}

/// The refusal of what was to come in and could not.
pub(super) fn not_carried_out(
    error: &CarryOutError,
    seen: &Seen,
    bytes: &Bytes,
    recipe: &Recipe,
    secret: &Secret,
) -> Refusal {
    let why = Instance::read(bytes.clone()).ok();
    let why = why.and_then(|instance| reason_to_review(&instance.header, recipe));
    let why = why.map_or_else(Why::text, Why::of);
    match waiting(bytes, secret, &why, Some(seen)) {
        Some(review) => Refusal::not_carried_out(error, review),
        None => Refusal::defect(),
    }
}

/// The refusal of what only waits for the text finder.
pub(super) fn for_text_finder(bytes: &Bytes, secret: &Secret) -> Refusal {
    match waiting(bytes, secret, &Why::text(), None) {
        Some(review) => Refusal::waits_for_text_finder(review),
        None => Refusal::defect(),
    }
}

/// Why an instance waits, as its row says it.
struct Why {
    word: &'static str,
    is_about_pixels: bool,
}

impl Why {
    fn of(reason: ReviewReason) -> Self {
        Self {
            word: reason.word(),
            is_about_pixels: reason.is_about_pixels(),
        }
    }

    fn text() -> Self {
        Self {
            word: HELD_FOR_LOOK,
            is_about_pixels: true,
        }
    }
}

/// What a person is to know of an instance, read a second time: the first reading was used up.
fn waiting(bytes: &Bytes, secret: &Secret, why: &Why, seen: Option<&Seen>) -> Option<NewReview> {
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
        why: why.word.to_owned(),
        choices: match why.is_about_pixels && is_seen_whole {
            true => ReviewChoices::All,
            false => ReviewChoices::RefuseOnly,
        },
        modality: summary.modality,
        sop_class: summary.sop_class_uid,
        rows: summary.rows.map_or(0, u32::from),
        columns: summary.columns.map_or(0, u32::from),
        frames: layout.map_or(0, |layout| layout.count),
        text: match seen {
            Some(seen) => seen.text(),
            None if is_worth_a_look(&instance.header) => TextState::Due,
            None => TextState::Nothing,
        },
    })
}
