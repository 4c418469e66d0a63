//! Fuzz target `file`; its body is in `bodies/file.rs`.
#![no_main]

#[path = "../bodies/file.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::file(bytes));
