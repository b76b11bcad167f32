//! Rows added by statements: data files and one commit.
//!
//! A change writes its files first, where no reader looks, and then asks the catalog to make them part of the
//! table. It deletes what it wrote only when it is certain that the commit did not happen.

mod error;
mod fit;
mod insert;

pub use error::ChangeError;
pub use insert::{Inserted, insert};
