//! The binary hosu.
fn main() {}
