//! The texts of DICOMweb (PS3.18): multipart bodies, query strings, media types and answers, without I/O.
//!
//! All of it reads what strangers send: linear in time, bounded in memory, and never a panic. Not here: routes, access and
//! bytes of instances (`arno-node`), matching and DICOM JSON (`arno-dicom`).

pub mod accept;
pub mod fragments;
pub mod frame_list;
pub mod frame_types;
pub mod media;
pub mod multipart;
pub mod percent;
pub mod query_string;
pub mod ranges;
pub mod render;
pub mod rendered;
pub mod stow;
