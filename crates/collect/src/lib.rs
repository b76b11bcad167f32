//! The collect stage: sources of raw records become decoded rows, data files and one commit.
//!
//! The promise, and how it is kept, is told in `ingest.rs`. [`source`] finds what is to be read and says what each
//! source *is*; [`frame`] takes its bytes apart into lines; [`json`] turns lines into rows of the table's columns.

mod audit;
pub mod contract;
mod error;
mod follow;
pub mod frame;
mod ingest;
pub mod json;
mod parallel;
pub mod parquet;
mod progress;
mod report;
mod request;
pub mod source;

pub use audit::{Audit, AuditFinding, OtherWriter, Removal, Repeated, audit};
pub use contract::attach_contract;
pub use error::CollectError;
pub use follow::{FollowEvent, FollowRequest, FollowWatch, Followed, follow};
pub use frame::{Compression, Content, Format, FormatError};
pub use ingest::{GiveBack, ingest};
pub use progress::{NoProgress, Progress};
pub use report::{
    Advice, ChangeKind, PartitionReport, RejectReason, Report, RescuedColumn, SchemaChange, SourceReport,
    SourceStatus,
};
pub use request::{CollectSettings, IngestRequest, LINE_BYTES_MAX, OnChanged, memory_bytes_min};
