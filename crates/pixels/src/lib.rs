//! Black boxes in pixel data, and where they go (PS3.15 E.3.1, Clean Pixel Data Option).
//!
//! [`blacken`] overwrites [`Region`]s in the frames of an instance, whatever its interpretation, sample size and
//! compression; [`device_regions`] knows where some devices write the patient's name.
//!
//! Pure: no I/O, no clock, no state. Not here: what a recipe wants and what a person decides (`arno-deid`, `arno-node`), and
//! looking for text in a picture, which a program of its own does.

mod black;
mod blacken;
mod device;
mod paint;
mod region;

pub use blacken::{BlackenError, Blackened, blacken};
pub use device::{DeviceRule, DeviceRules, RulesError, device_regions};
pub use region::{Frames, Region};
