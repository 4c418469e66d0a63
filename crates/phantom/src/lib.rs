//! Demo input: LIDC-IDRI outlines, phantom CT series round them, invented identities.
//!
//! What is real: who read what (6,859 readings of 1,010 patients), the outlines, pixel and slice spacing, z positions,
//! study and series UIDs, scanner, and sex and age where the public record has them (see `data/SOURCE.md`).
//! What is invented: every image pixel, every name, number, address, date and outcome. The images say so in each instance
//! (`PHANTOM` in the descriptions, Quality Control Image (0028,0300) and Quality Control Subject (0010,0200) = YES).
//!
//! The entry points are [`write_site_input`], which fills a folder as a hospital's export would, [`write_site_outcomes`], a table of
//! invented outcomes of the same patients, and [`raw_readings`], the same readings as a yardstick for pooled training.
//!
//! Not here: splitting a folder of real series over the sites, and reading the files back (`arno-dicom`,
//! `arno-learning`, whose form of a reading is the one written here).

mod anatomy;
mod broken;
mod canvas;
mod clinical;
mod ct;
mod data;
mod element;
mod error;
mod font;
mod header;
mod identity;
mod nodule;
mod reading;
mod rtstruct;
mod select;
mod site;
mod stable;
mod thorax;
mod vessels;
mod window;
mod write;

pub use crate::clinical::write_site_outcomes;
pub use crate::error::PhantomError;
pub use crate::reading::raw_readings;
pub use crate::site::{SITES, SiteSpec};
pub use crate::write::{InputOptions, Progress, SiteInput, write_site_input};
