//! Rows added or replaced by statements: data files and one commit.
//!
//! A change writes its files first, where no reader looks ([`write`]), and then asks the catalog to make them part of the
//! table ([`commit`]). It deletes what it wrote only when it is certain that the commit did not happen.

mod commit;
mod convert;
mod error;
mod fill;
mod fit;
mod insert;
mod types;
mod write;

pub use commit::{Effect, commit};
pub use error::ChangeError;
pub use fill::filled_rows;
pub use insert::{Inserted, insert};
pub use types::fits;
pub use write::{Target, write};
