//! What an ingest is asked for.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use hosu_host::Stop;
use hosu_table::evolution::SchemaEvolution;
use hosu_table::name::TableName;

use crate::frame::{Bounds, Format, Given};
use crate::ingest::GiveBack;
use crate::source::Newer;

/// One ingest: these sources into this table.
#[derive(Clone, Debug)]
pub struct IngestRequest {
    /// The table; it and its database are made when they are not there.
    pub table: TableName,
    /// The sources as a person names them: files, folders, globs, `-`, URLs (see [`crate::source`]).
    pub sources: Vec<String>,
    /// The folder that relative paths count from.
    pub folder: PathBuf,
    /// What the sources are; `None` looks at their content.
    pub format: Option<Format>,
    /// Names from an envelope to the array of its records: `Records`, `detail.items`; none when there is no envelope, or
    /// one that is known.
    pub records_path: Vec<String>,
    /// How a new table is partitioned, for example `day(event_time), bucket(16, user_id)`.
    pub partition_by: Option<String>,
    /// How a new table's files are sorted, for example `event_time desc`.
    pub sort_by: Option<String>,
    /// The columns of a new table, as the text of a JSON Schema; `None` infers them from a sample.
    pub schema: Option<String>,
    /// What becomes of new fields and misfits; `None` does what the table's property says, or else adds columns.
    pub evolution: Option<SchemaEvolution>,
    /// Up to how many columns a table gets new ones; `None` does what the table's property says, or else 1,000.
    pub columns_max: Option<usize>,
    /// Whether each record is kept as it was read, in the column `_raw`. A table that has it gets it filled anyway.
    pub keep_raw: bool,
    /// Which of the sources are wanted.
    pub newer: Newer,
    /// Whether sources that the table has already are ingested again.
    pub reingest: bool,
    /// The id under which the ledger knows what comes by standard input.
    pub batch_id: Option<String>,
    /// What happens to a source whose path is known with other content.
    pub on_changed: OnChanged,
    /// Whether to tell only what would happen.
    pub dry_run: bool,
    /// Memory, sizes, cores.
    pub settings: CollectSettings,
    /// Called when memory becomes short: gives the system back what is free and kept for later.
    pub give_back: GiveBack,
    /// Ends the ingest early when it is asked.
    pub stop: Stop,
}

impl IngestRequest {
    /// `sources` into `table`, everything else by default.
    pub fn new(table: TableName, sources: Vec<String>, folder: PathBuf) -> Self {
        Self {
            table,
            sources,
            folder,
            format: None,
            records_path: Vec::new(),
            partition_by: None,
            sort_by: None,
            schema: None,
            evolution: None,
            columns_max: None,
            keep_raw: false,
            newer: Newer::default(),
            reingest: false,
            batch_id: None,
            on_changed: OnChanged::Refuse,
            dry_run: false,
            settings: CollectSettings::default(),
            give_back: || {},
            stop: Stop::new(),
        }
    }
}

impl IngestRequest {
    /// What is said of the sources.
    pub(crate) fn given(&self) -> Given {
        Given { format: self.format, records_path: self.records_path.clone() }
    }
}

/// What happens to a source whose path the table's ledger knows with other content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnChanged {
    /// The ingest ends with [`crate::CollectError::SourceChanged`].
    #[default]
    Refuse,
    /// The source is taken as a new one.
    New,
    /// What was added to the source is taken; its beginning must be what was ingested.
    Tail,
}

/// How long the longest line that is read as a record may be.
pub const LINE_BYTES_MAX: RangeInclusive<u64> = (64 << 10)..=(64 << 20);

/// Whatever it reads, an ingest takes so much.
const MEMORY_BYTES_MIN: u64 = 256 << 20;

/// With less memory than this an ingest cannot stay within it, whatever it reads: a line is there several times while it becomes a
/// row of a file. One that is nothing but a list of digits, or of keys, takes up to 31 times its length.
pub fn memory_bytes_min(line_bytes_max: u64) -> u64 {
    line_bytes_max.saturating_mul(24).saturating_add(128 << 20).max(MEMORY_BYTES_MIN)
}

/// Text that is decoded at a time is longer only when it is one line.
pub(crate) const CHUNK_BYTES_MAX: usize = 2 << 20;

/// The program and what it always needs.
const PROGRAM_BYTES: usize = 48 << 20;

/// How much of the machine an ingest may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectSettings {
    /// Memory of the whole process.
    pub memory_bytes: usize,
    /// The size at which data files are rolled; the table's own property wins.
    pub target_file_bytes: u64,
    /// The level of zstd; the table's own property wins.
    pub compression_level: i32,
    /// How many cores decode.
    pub cores: usize,
    /// The longest line that is read as a record; a longer one is rejected.
    pub line_bytes_max: usize,
    /// How long the text of a compressed source may be; `None` for 10 GiB or 200 times what is stored, whichever is more.
    pub decompressed_bytes_max: Option<u64>,
    /// How many bytes of the sources a new table's columns are inferred from.
    pub sample_bytes: usize,
}

impl Default for CollectSettings {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            target_file_bytes: 128 << 20,
            compression_level: 1,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            line_bytes_max: 16 << 20,
            decompressed_bytes_max: None,
            sample_bytes: 16 << 20,
        }
    }
}

impl CollectSettings {
    // Of the memory that the program leaves, a sixteenth is text that waits, six sixteenths at most are rows being decoded (of
    // two chunks more than there are cores), seven are the writers', and what these upload comes on top of theirs.

    fn work_bytes(&self) -> usize {
        self.memory_bytes.saturating_sub(PROGRAM_BYTES).max(self.memory_bytes / 4)
    }

    /// The share of text that is between the reader and the writers, or a sample.
    pub fn text_bytes(&self) -> usize {
        (self.work_bytes() / 16).max(256 << 10)
    }

    /// Bytes of text that are decoded at a time.
    pub fn chunk_bytes(&self) -> usize {
        let chunks = self.cores.max(1) + 2;
        (self.text_bytes() / chunks).clamp(64 << 10, CHUNK_BYTES_MAX).min(self.line_bytes_max.max(1))
    }

    /// Bytes of text that may be read and not written: more than keeps all cores busy is of no use.
    pub fn text_ahead_bytes(&self) -> usize {
        self.text_bytes().min(self.chunk_bytes().saturating_mul(self.cores.max(1) + 4))
    }

    /// What it may take to decompress a source. The window is as much as `zstd --long` takes, where there is enough memory.
    pub fn bounds(&self) -> Bounds {
        let window_bytes_max = (self.memory_bytes as u64 / 4).min(128 << 20);
        Bounds { window_bytes_max, text_bytes_max: self.decompressed_bytes_max }
    }

    /// The largest page of a Parquet file that is read. What other programs write by default must be read in any case.
    pub fn page_bytes_max(&self) -> u64 {
        (self.memory_bytes as u64 / 4).max(128 << 20)
    }

    /// Memory that the rows of one chunk may take, about.
    pub fn rows_bytes(&self) -> usize {
        self.chunk_bytes().saturating_mul(6).max(1 << 20)
    }

    /// Memory of the table's writer.
    pub fn writer_bytes(&self) -> usize {
        self.work_bytes() / 16 * 6
    }

    /// Memory of the rejects table's writer.
    pub fn rejects_writer_bytes(&self) -> usize {
        self.work_bytes() / 16
    }
}
