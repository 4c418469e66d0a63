//! Looking for text in all frames of an instance, one after the other, and carrying out what was decided of it: the same for
//! `arno deid` and for a node.

use arno_codecs::Decoder;
use arno_dicom::{FrameError, FrameLayout, Instance};

use crate::blacken::{BlackenError, blacken};
use crate::decide::{Doubt, Verdict};
use crate::finder::{FinderError, TextFinder};
use crate::found::Known;
use crate::looked::{Looked, Reading};
use crate::picture::each_picture;

/// Frames of one instance that are looked at: at a second and a half each, 25 minutes. The longest recordings of ultrasound that
/// are sent around have some hundred.
const MAX_FRAMES: u32 = 1000;

/// Readings of one instance that are weighed: a thousand frames with twenty lines each.
const MAX_READINGS: usize = 20_000;

/// Why nobody has looked at all of an instance.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    /// There is no picture of it: no text finder will ever see it.
    #[error("its frames cannot be decoded")]
    NotShown(#[from] FrameError),
    /// It would take too long.
    #[error("it has {frames} frames; up to {MAX_FRAMES} are looked at")]
    TooLong {
        /// How many it has.
        frames: u32,
    },
    /// More was read than can be voted on.
    #[error("more is read in it than can be weighed")]
    TooMuch,
    /// The text finder.
    #[error(transparent)]
    Finder(#[from] FinderError),
}

/// Looks at all frames of an instance.
///
/// # Errors
/// [`LookError`]; then not all of it was looked at.
pub fn look(
    instance: &Instance,
    finder: &TextFinder,
    decoder: &dyn Decoder,
) -> Result<Looked, LookError> {
    let frames = FrameLayout::of(instance)?.count;
    if frames > MAX_FRAMES {
        return Err(LookError::TooLong { frames });
    }
    let known = Known::of(&instance.header);
    let mut readings: Vec<Reading> = Vec::new();
    let layout = each_picture(instance, decoder, |frame, picture| {
        let found = finder.find(&picture, frame)?;
        readings.extend(found.iter().map(|found| Reading::of(found, &known)));
        match readings.len() > MAX_READINGS {
            true => Err(LookError::TooMuch),
            false => Ok(()),
        }
    })?;
    Ok(Looked::new(&instance.header, &layout, readings))
}

/// What came of carrying a verdict out.
#[derive(Debug, Clone)]
pub enum Cleaned {
    /// No text was found: it is as it was.
    AsItWas(Instance),
    /// All that was found is black.
    Black(Instance),
}

/// Why a verdict is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CleanError {
    /// It is a person's to carry out.
    #[error(transparent)]
    Doubt(Doubt),
    /// Nothing can be overwritten.
    #[error(transparent)]
    Blacken(#[from] BlackenError),
}

impl Verdict {
    /// Does with the pixels what was decided.
    ///
    /// # Errors
    /// [`CleanError`]; a person has to look then.
    pub fn carry_out(
        &self,
        instance: Instance,
        decoder: &dyn Decoder,
    ) -> Result<Cleaned, CleanError> {
        match self {
            Self::Clean => Ok(Cleaned::AsItWas(instance)),
            Self::Blacken(regions) => {
                let blackened = blacken(&instance, regions, decoder)?;
                Ok(Cleaned::Black(blackened.instance))
            }
            Self::Doubt(doubt, _) => Err(CleanError::Doubt(*doubt)),
        }
    }
}
