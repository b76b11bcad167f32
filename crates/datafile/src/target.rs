//! What is written to, with which limits, and what came of it.

use hosu_host::Location;
use hosu_table::properties::TableProperties;
use iceberg::spec::{DataFile, PartitionSpecRef, SchemaRef, SortOrderRef};

/// The table that data files are for, as it is when the operation plans them.
#[derive(Clone, Debug)]
pub struct WriteTarget {
    /// The current schema.
    pub schema: SchemaRef,
    /// The default partition spec.
    pub spec: PartitionSpecRef,
    /// The default sort order.
    pub sort_order: SortOrderRef,
    /// Where the table lies.
    pub location: Location,
    /// Its properties.
    pub properties: TableProperties,
}

/// Limits of one writer. Where the table's properties say something else about its files, they win.
#[derive(Clone, Debug)]
pub struct WriterSettings {
    /// Files are closed when they reach about this size.
    pub target_file_bytes: u64,
    /// The level of compression, in the codec's own scale.
    pub compression_level: i32,
    /// What rows and encoded pages may take in memory. Parts that are being uploaded come on top: 32 MiB a file,
    /// for as many files as fit into a quarter of this limit, and one at least.
    pub memory_bytes: usize,
    /// How many partitions have an open file at a time, fewer where memory is small for so many columns. The rows of
    /// further ones are sorted first.
    pub open_partitions_max: usize,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self {
            target_file_bytes: 128 << 20,
            compression_level: 1,
            memory_bytes: 256 << 20,
            open_partitions_max: 64,
        }
    }
}

/// What a writer made: durable, and not yet part of any table.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The files, with partition, counts and bounds.
    pub files: Vec<DataFile>,
    /// The rows in all of them.
    pub rows: u64,
    /// Their size together.
    pub bytes: u64,
}
