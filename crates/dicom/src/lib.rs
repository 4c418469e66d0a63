//! Read, check and summarise DICOM: the fence round dicom-rs (PS3.5, PS3.10).
//!
//! Every byte from outside passes [`scan`] first, which walks the encoding within named limits and
//! without allocating for declared lengths; only then does it become dicom-rs' object model. Pixel bytes are
//! never re-encoded here: an [`Instance`] keeps them as the slice they arrived in.
//!
//! Not here: de-identification (`arno-deid`), storage (`arno-store`), DIMSE.

pub mod acquisition;
pub mod annotation;
mod attributes;
pub mod check;
mod claimed;
pub mod dataset;
pub mod directory;
mod element;
mod encode;
mod error;
pub mod frames;
mod header;
pub mod instance;
pub mod json;
pub mod listing;
mod meta;
pub mod outlines;
pub mod planes;
pub mod query;
pub mod scan;
pub mod segments;
pub mod summary;
mod syntax;
mod text;
pub mod transcode;
mod value;

pub use acquisition::Acquisition;
pub use annotation::{Annotation, AnnotationKind, SchemedCode};
pub use check::{CheckError, check};
pub use claimed::Claimed;
pub use error::{Limited, NotDicom, Problem};
pub use frames::{Frame, FrameError, FrameLayout};
pub use instance::{Header, Instance, PixelElement, ReadError, Written, data_set_start, inflated};
pub use listing::ElementText;
pub use meta::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};
pub use outlines::{Geometry, Outline};
pub use summary::{Summary, summarise};
