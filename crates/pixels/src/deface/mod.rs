//! Removing faces from heads in CT and MR (PS3.15 E.3.2, Clean Recognizable Visual Features Option).
//!
//! ```text
//! slices → CoarseSlice each → find_cut: one volume, a head, the root of its nose → Cut → deface each slice
//! ```
//! Geometry alone, without an atlas or a network: what goes hangs on one point and the directions of the head, in the patient's
//! coordinates. Whatever is not as a head should be is refused with [`WhyNot`], and a person decides. Nothing here is random.
//!
//! A multi-frame object is as many slices as it has frames. Not here: PET, and whether a series shows a face at all (`arno-deid`).

mod apply;
mod coarse;
mod cut;
mod derived;
mod frames;
mod grid;
mod landmarks;
mod mask;
mod profile;
mod sections;
mod space;
mod stack;
mod views;

pub use apply::{Defaced, deface};
pub use coarse::CoarseSlice;
pub use cut::Cut;
pub use frames::SliceBudget;
pub use stack::MOST_SLICES;
pub use views::face_views;

use stack::Stack;

/// Why a face is not removed by a program. Names no value of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNot {
    /// Other than CT and MR.
    #[error("faces are removed from CT and MR alone")]
    Modality,
    /// A slice does not say where it lies.
    #[error("a slice does not say where it lies in the patient")]
    NoPlace,
    /// Colour, or samples that are not whole numbers of 8 or 16 bits.
    #[error("its pixels are not those of grey slices")]
    Pixels,
    /// The frame cannot be read or decoded.
    #[error("its pixels cannot be read and decoded")]
    NotDecodable,
    /// Too few slices, or too far apart.
    #[error("it has too few slices, or they lie too far apart")]
    TooFew,
    /// Slices of several sizes or directions.
    #[error("its slices differ in size or direction")]
    Mixed,
    /// Missing slices.
    #[error("its slices do not lie at even steps: one may be missing")]
    Uneven,
    /// More than is looked at.
    #[error("it is larger than what is looked at")]
    TooLarge,
    /// Nothing that has the shape of a head.
    #[error("no head was found in it")]
    NoHead,
    /// The field of view ends inside the head.
    #[error("its field of view cuts off the top, the brow or the back of the head")]
    CutOff,
    /// A head without brow and nose.
    #[error("no brow and nose were found")]
    NoFace,
    /// Turned too far.
    #[error("the head is turned, leans or nods too far")]
    Tilted,
    /// Not of the size of a head.
    #[error("what was found has not the measures of a head")]
    Implausible,
}

/// Where the face is in a series, from all of its slices.
///
/// # Errors
/// [`WhyNot`]: then nothing may be removed by a program, and the series waits for a person.
pub fn find_cut(slices: Vec<CoarseSlice>) -> Result<Cut, WhyNot> {
    landmarks::find_cut(&Stack::of(slices)?)
}
