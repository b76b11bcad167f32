//! Any bytes as lines of a source: the columns that they need.

#![no_main]

#[path = "../../crates/collect/tests/all/agree.rs"]
#[allow(dead_code)]
mod agree;

libfuzzer_sys::fuzz_target!(|text: &[u8]| agree::inference(text));
