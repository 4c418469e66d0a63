//! What was read in an instance, weighed: where, and how much it says. What it says is not kept.

use arno_dicom::{FrameLayout, Header};
use dicom_dictionary_std::tags;

use crate::device::device_regions;
use crate::found::{FoundText, Known};
use crate::region::Region;

/// How much a reading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing by itself: a single character, or a guess.
    Noise,
    /// A few characters: text if another frame has them in the same place, or if there is no other frame.
    Weak,
    /// Text.
    Clear,
}

/// A place where something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Where, in one frame.
    pub region: Region,
    /// How much it says.
    pub weight: Weight,
}

/// What was read in one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Height of its frames in pixels.
    pub rows: u16,
    /// Width of its frames in pixels.
    pub columns: u16,
    /// How many frames it has; all were looked at.
    pub frames: u32,
    /// All that was read in them.
    pub readings: Vec<Reading>,
    /// Where its device writes.
    pub device: Vec<Region>,
    /// Whether its header says that text is burned in, (0028,0301).
    pub is_declared: bool,
}

impl Reading {
    /// What was found, weighed against what a header says of the patient.
    #[must_use]
    pub fn of(found: &FoundText, known: &Known) -> Self {
        Self {
            region: found.region,
            weight: found.weight(known),
        }
    }
}

impl Looked {
    /// What was read in all frames of an instance.
    #[must_use]
    pub fn new(header: &Header, layout: &FrameLayout, readings: Vec<Reading>) -> Self {
        let declared = header.get(tags::BURNED_IN_ANNOTATION);
        let declared = declared.and_then(|element| element.to_str().ok());
        Self {
            rows: layout.format.rows,
            columns: layout.format.columns,
            frames: layout.count,
            readings,
            device: device_regions(header),
            is_declared: declared.is_some_and(|yes| yes.trim().eq_ignore_ascii_case("YES")),
        }
    }
}
