//! Fuzz target `identifier`; its body is in `bodies/identifier.rs`.
#![no_main]

#[path = "../bodies/identifier.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::identifier(bytes));
