//! End-to-end tests, one binary.

mod end_to_end;
mod tidy;
