//! Any bytes as lines of a source: both ways of decoding make the same of them.

#![no_main]

#[path = "../../crates/collect/tests/all/agree.rs"]
#[allow(dead_code)]
mod agree;

libfuzzer_sys::fuzz_target!(|text: &[u8]| agree::decoding(text));
