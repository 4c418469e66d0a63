//! Black boxes in pixel data, and where they go (PS3.15 E.3.1, Clean Pixel Data Option).
//!
//! [`blacken`] overwrites [`Region`]s in the frames of an instance, whatever its interpretation, sample size and
//! compression; [`device_regions`] knows where some devices write the patient's name; [`decide`] says what goes of all that
//! a detector has read in a series.
//!
//! Pure, but for [`TextFinder`], which talks to the detector: a program of its own. Not here: what a recipe wants and what a
//! person decides (`arno-deid`, `arno-node`), and looking for text (`arno-textfinder`).

mod black;
mod blacken;
mod decide;
mod deface;
mod device;
mod finder;
mod found;
mod look;
mod looked;
mod paint;
mod picture;
mod region;
pub mod wire;

pub use blacken::{BlackenError, Blackened, blacken};
pub use decide::{Doubt, Verdict, decide};
pub use deface::{
    CoarseSlice, Cut, Defaced, MOST_SLICES, SliceBudget, WhyNot, deface, face_views, find_cut,
};
pub use device::{DeviceRule, DeviceRules, RulesError, device_regions};
pub use finder::{FinderError, TextFinder, WEIGHTS};
pub use found::{FoundText, Known};
pub use look::{CleanError, Cleaned, LookError, look};
pub use looked::{Looked, Reading, Weight};
pub use picture::{Picture, each_picture};
pub use region::{Frames, Region};
