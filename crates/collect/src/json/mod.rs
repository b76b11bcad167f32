//! JSON text to Arrow rows: a chunk of lines becomes one record batch of the table's schema.
//!
//! What fits where is decided in `hosu_table::json`, by the rule of `docs/unchanged.md`; here the decisions become
//! arrays, and what is to be reported is summed up. Nothing is dropped: a line becomes a row, or a reject with the
//! reason, or is blank. Most lines go the short way (`direct`), and whatever is unusual the plain one.

mod arrays;
mod decoder;
mod direct;
mod summary;

pub use decoder::{
    Decoded, Decoder, DecoderError, DecoderRules, Full, LINE_BYTES_MAX, Place, Pushed, Reject, Told,
};
pub use summary::{Misfit, Notes, RescuedColumn, Rescues, Spellings, Unknown};
