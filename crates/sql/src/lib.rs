//! Binds Athena's statements and runs them.
//!
//! A [`Session`] takes statements that `dialect` has parsed. What has no SELECT is done here with the catalog; a query goes
//! to `query` as text, and its rows come back as a stream; INSERT hands the rows on to `change`. Every error has Trino's
//! code and a place in the text.

mod answer;
pub mod encode;
mod error;
mod hive;
mod like;
mod names;
mod session;
mod statements;

pub use answer::{Answer, Column, Stats};
pub use error::{SqlError, code, from_query};
pub use hosu_query::{Live, ScanStats};
pub use session::{Session, SqlSettings};

#[cfg(test)]
mod tests;
