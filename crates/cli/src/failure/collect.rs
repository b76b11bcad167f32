//! What is wrong with an ingest: its sources, its table, its commit.

use std::io;

use hosu_collect::CollectError;

use super::{Failure, UNKNOWN_REMEDY, with_causes};

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        let message = with_causes(&error);
        match error {
            CollectError::Name(error) => error.into(),
            CollectError::Stopped => Self::interrupted(),
            CollectError::Catalog { source, .. } => Self::from(*source).message(message),
            CollectError::DataFile { source, .. } => Self::from(*source).message(message),
            CollectError::SourceStore { source, .. } => Self::from(source).message(message),
            other => {
                let told = of_source(&other).or_else(|| of_change(&other)).or_else(|| of_table(&other));
                let (code, remedy) =
                    told.unwrap_or(("INGEST_FAILED", "nothing was committed: run the command again"));
                Self::new(code, message).remedy(remedy)
            }
        }
    }
}

/// The code of an error and what helps.
type Told = (&'static str, &'static str);

/// A source that is not there, cannot be read, or is not what can be loaded.
fn of_source(error: &CollectError) -> Option<Told> {
    Some(match error {
        CollectError::SourceMissing { .. } => {
            ("SOURCE_NOT_FOUND", "name a file, a folder, a glob in quotes, or `-`")
        }
        // Only what is written can want space: the copy of what can be read once.
        CollectError::SourceUnreadable { source, .. } if source.kind() == io::ErrorKind::StorageFull => (
            "SCRATCH_FAILED",
            "free space in the temporary folder, or set `query.spill` in hosu.toml to another one",
        ),
        CollectError::SourceUnreadable { .. } => {
            ("SOURCE_UNREADABLE", "check the file, its permissions and what links to it")
        }
        CollectError::SourceUrl { .. } => {
            ("SOURCE_INVALID", "name a file, a folder, a glob, `-` or s3://bucket/prefix")
        }
        CollectError::SourceName { .. } => {
            ("SOURCE_INVALID", "rename the file, or write it to standard input")
        }
        CollectError::SourceEmpty { .. } | CollectError::NoSources => {
            ("SOURCE_EMPTY", "name a source that has records")
        }
        CollectError::SourceBinary { .. } => {
            ("SOURCE_BINARY", "name files of JSON or CSV, plain or compressed, or of Parquet")
        }
        CollectError::SourceEncoding { .. } => {
            ("SOURCE_ENCODING", "convert it to UTF-8 first, for example with iconv")
        }
        CollectError::SourceHeader { .. } => {
            ("SOURCE_HEADER", "its first line must name each column, once; --format says what a source is")
        }
        CollectError::SourceDamaged { .. } => {
            ("SOURCE_DAMAGED", "get the file again: nothing of it was loaded")
        }
        CollectError::SourceParquet { .. } => (
            "SOURCE_DAMAGED",
            "write the file again, as plain Parquet that is complete: nothing of it was loaded",
        ),
        CollectError::SourceWindow { .. } => {
            ("SOURCE_WINDOW", "pipe it in: `zstd -dc --long=31 FILE | hosu ingest TABLE -`")
        }
        CollectError::SourceTooLong { .. } => (
            "SOURCE_TOO_LONG",
            "if it is to be so large, allow more: --decompressed-max 100GB, or `decompressed_max` in hosu.toml",
        ),
        CollectError::FolderEmpty { .. } | CollectError::NothingMatches { .. } => (
            "SOURCE_NOT_FOUND",
            "names that begin with `.` or `_`, and the lake's own files, are left out; check the spelling",
        ),
        CollectError::BadPattern { .. } => {
            ("SOURCE_INVALID", "patterns have `*`, `?`, `[abc]`, `{a,b}` and `**`")
        }
        _ => return None,
    })
}

/// A source that is not what the ledger knows, or what it was a moment before.
fn of_change(error: &CollectError) -> Option<Told> {
    Some(match error {
        CollectError::SourceChanged { .. } => (
            "SOURCE_CHANGED",
            "`--on-changed tail` loads what was added to it, `--on-changed new` all of it as a new source",
        ),
        CollectError::BeginsDifferently { .. } => (
            "SOURCE_CHANGED",
            "`--on-changed new` loads all of it as a new source; its old content stays in the table",
        ),
        CollectError::LineWentOn { .. } => (
            "SOURCE_CHANGED",
            "`--on-changed new` loads all of it as a new source; delete what it gave before, or the table has that twice",
        ),
        CollectError::NoTail { .. } => {
            ("SOURCE_CHANGED", "`--on-changed new` loads all of it as a new source")
        }
        CollectError::BatchChanged { .. } => ("BATCH_CHANGED", "give each batch an id of its own"),
        CollectError::ChangedWhileRead { .. } => {
            ("SOURCE_CHANGED", "run the command again when nobody writes to it")
        }
        _ => return None,
    })
}

/// A table that cannot take the events, or cannot be as asked.
fn of_table(error: &CollectError) -> Option<Told> {
    Some(match error {
        CollectError::ShapeDiffers { .. } => {
            ("TABLE_DIFFERS", "leave the option out, or load into another table")
        }
        CollectError::SchemaFails { .. } => (
            "SCHEMA_FAILS",
            "nothing was written; `--schema-evolution add-columns` or `rescue` takes it, or change the event",
        ),
        CollectError::RawColumn { .. } => ("RAW_COLUMN", "leave --keep-raw out, or load into another table"),
        CollectError::Partition { .. } => {
            ("INVALID_PARTITION", "write it like 'day(event_time), bucket(16, user_id)'")
        }
        CollectError::Sort { .. } => ("INVALID_SORT_ORDER", "write it like 'event_time desc, user_id'"),
        CollectError::Schema { .. } => ("INVALID_SCHEMA", "docs/ingest.md says what a schema may have"),
        CollectError::Contract { .. } => ("INVALID_SCHEMA", "docs/contracts.md says what a contract may be"),
        CollectError::ContractUnusable { .. } => (
            "INVALID_CONTRACT",
            "set another one with --schema FILE --set-contract, or remove it with ALTER TABLE … UNSET TBLPROPERTIES ('hosu.contract')",
        ),
        CollectError::NoContract { .. } => (
            "NO_CONTRACT",
            "--set-contract makes the schema the contract of this table; without --schema nothing is checked",
        ),
        CollectError::Evolve { .. } => ("SCHEMA_CONFLICT", "load into another table, or change the events"),
        CollectError::RejectsTable { .. } => ("REJECTS_TABLE", "rename or drop that table"),
        CollectError::CommitUnknown { .. } => ("COMMIT_UNKNOWN", UNKNOWN_REMEDY),
        _ => return None,
    })
}
