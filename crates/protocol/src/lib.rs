//! What travels: signed messages between hub and nodes, the two public APIs, problem+json. Serde and schema only.

pub mod analyses;
pub mod base64_bytes;
pub mod catalogue;
pub mod federation;
pub mod node;
pub mod problem;
pub mod requests;
pub mod search;
pub mod session;

pub use base64_bytes::Base64;
pub use problem::Problem;
