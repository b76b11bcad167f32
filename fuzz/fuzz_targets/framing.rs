//! Any bytes as a text of any format: taken apart into records, nothing of it is lost.

#![no_main]

#[path = "../../crates/collect/tests/all/agree.rs"]
#[allow(dead_code)]
mod agree;

libfuzzer_sys::fuzz_target!(|text: &[u8]| agree::framing(text));
