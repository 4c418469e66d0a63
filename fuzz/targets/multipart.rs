//! Fuzz target `multipart`; its body is in `bodies/multipart.rs`.
#![no_main]

#[path = "../bodies/multipart.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::multipart(bytes));
