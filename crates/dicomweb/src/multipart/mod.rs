//! `multipart/related` (RFC 2046 section 5.1, RFC 2387), as PS3.18 section 8.6 uses it: an incremental reader for
//! what strangers send, a writer for answers.
//!
//! Lines end in CRLF and nothing else. Not here: nested multiparts, transfer encodings of parts (binary only).

mod boundary;
mod headers;
mod read;
mod write;

pub use boundary::{Boundary, BoundaryError};
pub use headers::PartHeaders;
pub use read::{Event, Limits, MultipartError, Reader};
pub use write::Writer;
