//! DICOM upper layer (PS3.8) and message exchange (PS3.7) over tokio TCP, TLS or any other byte stream: mainly the side
//! that is called, and as much of the side that calls as C-MOVE and storage commitment need.
//!
//! - [`pdu`]: the seven protocol data units, read and written within named limits.
//! - [`command`]: DIMSE command sets as typed structs.
//! - [`scp`]: the server, one task per association: verification, storage, query, retrieval, storage commitment.
//! - [`scu`]: associations to others.
//! - [`tls`]: certificates and keys for both.
//! - [`part10()`]: a received instance as a Part 10 file.
//!
//! It does not look into data sets, does not decide what may be stored and keeps nothing: a handler does.
//!
//! Why not `dicom-ul` (0.10): its reader bounds a PDU only in strict mode, never the number of contexts, sub-items or
//! presentation data values in it, answers a truncated inner item with "more bytes needed" instead of an error, and
//! copies every fragment twice. Against strangers each of these must be a limit or an error with a position.

mod ae;
mod budget;
pub mod command;
mod cursor;
mod dialogue;
pub mod limits;
mod link;
mod message;
pub mod part10;
pub mod pdu;
pub mod scp;
pub mod scu;
pub mod tls;
mod transport;
mod uid;

pub use ae::{AeTitle, AeTitleError};
pub use part10::part10;
pub use uid::{Uid, UidError, classes, transfer_syntaxes};
