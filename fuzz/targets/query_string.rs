//! Fuzz target `query_string`; its body is in `bodies/query_string.rs`.
#![no_main]

#[path = "../bodies/query_string.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::query_string(bytes));
