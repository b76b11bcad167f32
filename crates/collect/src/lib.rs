//! The collect stage: sources of raw records become decoded rows, data files and one commit.
//!
//! The promise, and how it is kept, is told in `ingest`.

pub mod json;
