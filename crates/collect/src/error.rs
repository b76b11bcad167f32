//! What can go wrong with an ingest, always with the source or table that it went wrong with. Nothing was committed
//! then, except after [`CollectError::CommitUnknown`], which says so.

use std::io;

use hosu_catalog::CatalogError;
use hosu_datafile::DataFileError;
use hosu_host::StoreError;
use hosu_table::evolve::EvolveError;
use hosu_table::json_schema::JsonSchemaError;
use hosu_table::name::{NameError, TableName};
use hosu_table::partition::PartitionError;
use hosu_table::sort::SortError;

use crate::contract::{CONTRACT_PROPERTY, ContractError};
use crate::json::DecoderError;
use crate::parquet::Broken;

/// Why an ingest did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The table cannot take events under this name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No source was named.
    #[error("no source was named")]
    NoSources,
    /// Nothing is there.
    #[error("{name} does not exist")]
    SourceMissing {
        /// The source as it was named.
        name: String,
    },
    /// It is there, but cannot be read.
    #[error("{name} cannot be read: {source}")]
    SourceUnreadable {
        /// The source's path.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The object store failed.
    #[error("{name} cannot be read: {source}")]
    SourceStore {
        /// The source's URL.
        name: String,
        /// What the store said.
        source: StoreError,
    },
    /// A URL that names no place.
    #[error("`{name}` is no source: {reason}")]
    SourceUrl {
        /// The source as it was named.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file whose name is no text: two such files could not be told apart in the ledger.
    #[error("the name of {name} is not UTF-8")]
    SourceName {
        /// The path, with what is no text replaced.
        name: String,
    },
    /// The only source holds no record.
    #[error("{name} has no records")]
    SourceEmpty {
        /// The source.
        name: String,
    },
    /// The source is no text: nothing of it could be an event.
    #[error("{name} is {kind}, not JSON, CSV or Parquet")]
    SourceBinary {
        /// The source.
        name: String,
        /// What it is, with an article: `a Parquet file`.
        kind: &'static str,
    },
    /// The source is a text in another encoding.
    #[error("{name} is {encoding}, not UTF-8")]
    SourceEncoding {
        /// The source.
        name: String,
        /// The encoding that it begins in.
        encoding: &'static str,
    },
    /// The header of a CSV or TSV source cannot name columns.
    #[error("the header of {name} cannot be used: {reason}")]
    SourceHeader {
        /// The source.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A Parquet file that is cut off, damaged, encrypted, or written as nothing here reads it.
    #[error("{name} cannot be read as Parquet: {reason}")]
    SourceParquet {
        /// The source.
        name: String,
        /// Its row group, from 0, and what is wrong there.
        reason: Broken,
    },
    /// Compressed data that is damaged.
    #[error("{name} is damaged: its {compression} data fails at byte {offset_bytes}: {source}")]
    SourceDamaged {
        /// The source.
        name: String,
        /// How it is compressed.
        compression: crate::Compression,
        /// How much of it was read, as it is stored: the damage is at or shortly before that.
        offset_bytes: u64,
        /// What the decompressor said.
        source: io::Error,
    },
    /// Zstandard data that wants more memory to be decompressed than there is for it.
    #[error("{name} cannot be decompressed: its zstd data has a window{}, and {bytes_max} bytes are allowed", size_of_window(*window_bytes))]
    SourceWindow {
        /// The source.
        name: String,
        /// The window, where it is known.
        window_bytes: Option<u64>,
        /// What it may have.
        bytes_max: u64,
    },
    /// Compressed data that becomes more text than it may.
    #[error("{name} is refused: {too_long}")]
    SourceTooLong {
        /// The source.
        name: String,
        /// How long it is, and may be.
        too_long: crate::frame::TextTooLong,
    },
    /// A folder or prefix with nothing in it to read.
    #[error("{name} holds no file to read{}", were_left_out(*left_out))]
    FolderEmpty {
        /// The folder.
        name: String,
        /// How many of its files and folders were left out.
        left_out: usize,
    },
    /// A glob that nothing matches.
    #[error("nothing matches `{pattern}`{}", were_left_out(*left_out))]
    NothingMatches {
        /// The glob as it was given.
        pattern: String,
        /// How many matches were left out.
        left_out: usize,
    },
    /// A glob that is none.
    #[error("`{pattern}` is no pattern: {reason}")]
    BadPattern {
        /// The glob as it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The ledger knows the source's path with other content.
    #[error("{name} was ingested into {table} before, with other content")]
    SourceChanged {
        /// The source.
        name: String,
        /// The table.
        table: TableName,
    },
    /// The source does not begin with what the ledger knows of its path.
    #[error("{name} does not begin with what was ingested of it into {table}")]
    BeginsDifferently {
        /// The source.
        name: String,
        /// The table.
        table: TableName,
    },
    /// The source went on with a line that was ingested as a record before it was complete.
    #[error(
        "{name} went on with its last line, which was ingested into {table} before it was complete, at byte {byte}"
    )]
    LineWentOn {
        /// The source.
        name: String,
        /// The table.
        table: TableName,
        /// Where what was ingested ends.
        byte: u64,
    },
    /// What was added to the source cannot be told from the rest.
    #[error("what was added to {name} cannot be taken: {reason}")]
    NoTail {
        /// The source.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// The ledger knows the id of a batch with other content.
    #[error("batch `{id}` was ingested into {table} before, with other content")]
    BatchChanged {
        /// The id.
        id: String,
        /// The table.
        table: TableName,
    },
    /// Somebody wrote to the source while it was read.
    #[error("{name} changed while it was read")]
    ChangedWhileRead {
        /// The source.
        name: String,
    },
    /// `--partition-by`, `--sort-by` or `--schema` are not what the table has.
    #[error("{table} has another {what}: {existing}, not {given}")]
    ShapeDiffers {
        /// The table.
        table: TableName,
        /// `partitioning`, `sort order` or `schema`.
        what: &'static str,
        /// What was asked for.
        given: String,
        /// What the table has.
        existing: String,
    },
    /// The partitioning that was asked for cannot be.
    #[error("the partitioning of {table} cannot be: {source}")]
    Partition {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<PartitionError>,
    },
    /// The sort order that was asked for cannot be.
    #[error("the sort order of {table} cannot be: {source}")]
    Sort {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<SortError>,
    },
    /// The JSON Schema that was given is not one that a table can have.
    #[error("the schema of {table} cannot be: {source}")]
    Schema {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<JsonSchemaError>,
    },
    /// The JSON Schema that was given is no contract.
    #[error("the schema cannot be the contract of {table}: {source}")]
    Contract {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<ContractError>,
    },
    /// The contract that the table has is none.
    #[error("the contract of {table}, its property `{CONTRACT_PROPERTY}`, cannot be used: {source}")]
    ContractUnusable {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<ContractError>,
    },
    /// A schema was given for a table without a contract.
    #[error("{table} has no contract, so the schema that was given would not be checked")]
    NoContract {
        /// The table.
        table: TableName,
    },
    /// The table's schema cannot take the fields that were found.
    #[error("the schema of {table} cannot grow: {source}")]
    Evolve {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<EvolveError>,
    },
    /// The table's schema may not change, and nothing may be rescued: that was asked for.
    #[error("{table} cannot take line {line_number} of {name}: {reason}")]
    SchemaFails {
        /// The table.
        table: TableName,
        /// The source.
        name: String,
        /// The record's line, from 1.
        line_number: u64,
        /// The new field, or the value that does not fit.
        reason: String,
    },
    /// `--keep-raw`, and the table has a column of that name for something else.
    #[error(
        "{table} cannot keep records as they are: its column `{column}` is {column_type}, not an optional binary"
    )]
    RawColumn {
        /// The table.
        table: TableName,
        /// The column's name.
        column: String,
        /// Its type.
        column_type: String,
    },
    /// The table has columns that records cannot be decoded for.
    #[error("{table} cannot take records: {source}")]
    Columns {
        /// The table.
        table: TableName,
        /// Why.
        source: Box<DecoderError>,
    },
    /// A table of the rejects table's name is there and cannot take rejected records.
    #[error("{table} cannot take rejected records: {reason}")]
    RejectsTable {
        /// The rejects table.
        table: TableName,
        /// What is wrong with it.
        reason: String,
    },
    /// A data file could not be written.
    #[error("{table} cannot be written: {source}")]
    DataFile {
        /// The table.
        table: TableName,
        /// What failed.
        source: Box<DataFileError>,
    },
    /// The catalog failed, and nothing was committed.
    #[error("{table} is as it was: {source}")]
    Catalog {
        /// The table.
        table: TableName,
        /// What failed.
        source: Box<CatalogError>,
    },
    /// Whether the commit happened is not known: the files are kept. The same command again skips what was
    /// committed and ingests what was not.
    #[error("whether {table} was changed is not known: {source}")]
    CommitUnknown {
        /// The table.
        table: TableName,
        /// What failed.
        source: Box<CatalogError>,
    },
    /// It was asked to stop.
    #[error("stopped before anything was committed")]
    Stopped,
}

impl CollectError {
    /// The source that it is about.
    pub fn source_name(&self) -> Option<&str> {
        match self {
            Self::SourceMissing { name }
            | Self::SourceUnreadable { name, .. }
            | Self::SourceStore { name, .. }
            | Self::SourceUrl { name, .. }
            | Self::SourceName { name }
            | Self::SourceEmpty { name }
            | Self::SourceBinary { name, .. }
            | Self::SourceEncoding { name, .. }
            | Self::SourceHeader { name, .. }
            | Self::SourceDamaged { name, .. }
            | Self::SourceParquet { name, .. }
            | Self::SourceWindow { name, .. }
            | Self::SourceTooLong { name, .. }
            | Self::SourceChanged { name, .. }
            | Self::BeginsDifferently { name, .. }
            | Self::LineWentOn { name, .. }
            | Self::NoTail { name, .. }
            | Self::SchemaFails { name, .. }
            | Self::ChangedWhileRead { name } => Some(name),
            _ => None,
        }
    }

    /// Whether it stays as it is however often it is tried: what was asked for cannot be.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Name(_)
                | Self::NoSources
                | Self::BadPattern { .. }
                | Self::SourceUrl { .. }
                | Self::ShapeDiffers { .. }
                | Self::Partition { .. }
                | Self::Sort { .. }
                | Self::Schema { .. }
                | Self::Evolve { .. }
                | Self::Columns { .. }
                | Self::RejectsTable { .. }
                | Self::Stopped
        )
    }
}

fn were_left_out(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" ({count} left out)") }
}

fn size_of_window(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| " that is larger".to_owned(), |bytes| format!(" of {bytes} bytes"))
}
