//! Ingest: what comes in is read, checked, de-identified, kept and indexed, or put into quarantine with its reason. Nothing
//! is dropped silently, and the same again changes nothing.
//!
//! ```text
//! folder, zip (folder) · PACS (receive) · STOW-RS (dicomweb) · quarantine (retry)
//!   → taking: known? → prepare (arno-dicom, arno-deid; on all cores) → turn → batch (packs, then rows)
//! ```
//! Bytes are durable before a row points at them, and a batch becomes visible at once, so that a crash or a full disk
//! leaves nothing half there.

mod archive;
mod batch;
mod described;
mod folder;
mod item;
mod kept;
mod plan;
mod prepare;
mod preview;
mod readings;
mod rebuild;
mod refusal;
mod retry;
mod reviewed;
mod rows;
mod seen;
mod taking;
mod turn;
mod walk;

pub use folder::FileOutcome;
pub(crate) use item::Received;
pub use item::{Fate, Incoming, KeptUids, Taken};
pub(crate) use rebuild::add_rows;
pub(crate) use reviewed::SeenCopy;
pub(crate) use seen::{HELD_FOR_LOOK, Seen, frame};
pub use taking::TakingIn;
