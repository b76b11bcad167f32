//! DataFusion over pinned snapshots: planning, pruning, reading. Nothing here writes.
//!
//! [`Engine::plan`] takes the text of a query, looks each of its tables up once, and plans it: manifests and
//! then files are pruned by what the filter says, and DataFusion's own Parquet source reads the files that are
//! left, their columns found by field id. [`Planned::stream`] runs it.

mod bound;
mod bounded;
mod columns;
mod deep;
mod engine;
mod error;
mod functions;
mod increment;
mod inputs;
mod memory;
mod names;
mod percentiles;
mod planned;
mod provider;
mod prune;
mod reading;
mod row_test;
mod sampled;
mod scan;
mod source;
mod statement;
mod statistics;
mod stats;
mod stoppable;
mod store;
pub mod system;
mod utc;
mod values;
mod views;
mod window;

pub use bound::{Bound, NotRowWise};
pub use deep::deep_stack;
pub use engine::{Engine, EngineSettings};
pub use error::{Position, QueryError, run_error};
pub use functions::{FunctionInfo, FunctionKind};
pub use increment::{Increment, IncrementError, increment};
pub use inputs::{Input, InputRows, TableRead, find_table};
pub use planned::Planned;
pub use provider::provider;
pub use row_test::RowTest;
pub use stats::{Live, ScanStats};

#[cfg(test)]
mod tests;
