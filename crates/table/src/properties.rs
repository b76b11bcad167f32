//! The settings that a table carries with it, under Iceberg's own names and with Iceberg's own defaults.
//!
//! Properties are text that any engine may have written. A value that makes no sense must not make a table
//! unreadable, so [`TableProperties::from`] takes the default instead; where a person sets properties,
//! [`TableProperties::parse`] refuses it by name.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use crate::evolution::SchemaEvolution;

/// A property whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table property `{key}` cannot be `{value}`: {expected} is expected")]
pub struct PropertyError {
    /// The property's name.
    pub key: String,
    /// Its value as given.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

/// How the pages of a Parquet file are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CompressionCodec {
    /// Not at all.
    Uncompressed,
    /// Snappy.
    Snappy,
    /// Gzip.
    Gzip,
    /// LZ4 in frames of its own, as Parquet's `LZ4_RAW`.
    Lz4,
    /// Zstandard: Iceberg's default.
    #[default]
    Zstd,
}

/// Which metrics of a column go into the manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricsMode {
    /// None.
    None,
    /// Counts of values, NULLs and NaNs.
    Counts,
    /// Counts, and bounds cut to that many characters or bytes.
    Truncate(usize),
    /// Counts and whole bounds.
    Full,
}

/// Where a commit's metadata is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetadataCompression {
    /// `*.metadata.json`.
    #[default]
    None,
    /// `*.gz.metadata.json`.
    Gzip,
}

/// A table's properties, typed. Sizes in bytes, times in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TableProperties {
    /// `write.target-file-size-bytes`; `None` leaves the size to who writes.
    pub target_file_size_bytes: Option<u64>,
    /// `write.format.default`, in lower case: `parquet` is the only one that is written.
    pub file_format: String,
    /// `write.parquet.compression-codec`.
    pub parquet_compression_codec: CompressionCodec,
    /// `write.parquet.compression-level`; `None` leaves the level to who writes.
    pub parquet_compression_level: Option<i32>,
    /// `write.parquet.row-group-size-bytes`.
    pub row_group_size_bytes: u64,
    /// `write.parquet.page-size-bytes`.
    pub page_size_bytes: usize,
    /// `write.parquet.page-row-limit`.
    pub page_row_limit: usize,
    /// `write.parquet.dict-size-bytes`.
    pub dictionary_size_bytes: usize,
    /// `write.parquet.bloom-filter-enabled.column.NAME`: the full names of the columns with `true`, sorted,
    /// each with its `write.parquet.bloom-filter-fpp.column.NAME`, the share of false positives (0 to 1).
    pub bloom_filter_columns: BTreeMap<String, f64>,
    /// `write.parquet.bloom-filter-max-bytes`: the largest filter of one column in one row group.
    pub bloom_filter_max_bytes: usize,
    /// `write.metadata.metrics.default`.
    pub metrics_default: MetricsMode,
    /// `write.metadata.metrics.column.NAME`, by full column name.
    pub metrics_columns: BTreeMap<String, MetricsMode>,
    /// `write.metadata.metrics.max-inferred-column-defaults`: of wider tables only so many columns have the
    /// default metrics.
    pub metrics_columns_max: usize,
    /// `write.metadata.compression-codec`.
    pub metadata_compression: MetadataCompression,
    /// `write.metadata.previous-versions-max`: how many older metadata files the log keeps.
    pub metadata_previous_versions_max: usize,
    /// `write.metadata.delete-after-commit.enabled`: whether files that leave the log are deleted.
    pub metadata_delete_after_commit: bool,
    /// `write.data.path`: where data files go instead of `LOCATION/data`.
    pub data_path: Option<String>,
    /// `write.metadata.path`: where metadata files go instead of `LOCATION/metadata`.
    pub metadata_path: Option<String>,
    /// `write.summary.partition-limit`: changed partitions are listed in a snapshot's summary up to this number.
    pub summary_partition_limit: u64,
    /// `commit.manifest-merge.enabled`.
    pub manifest_merge_enabled: bool,
    /// `commit.manifest.min-count-to-merge`.
    pub manifest_min_count_to_merge: usize,
    /// `commit.manifest.target-size-bytes`.
    pub manifest_target_size_bytes: u64,
    /// `commit.retry.num-retries`. 20 when it is not set, where other engines try 4 times: hours of decoding are not
    /// thrown away because of a busy minute.
    pub commit_retries: u32,
    /// `commit.retry.min-wait-ms`.
    pub commit_retry_wait_ms_min: u64,
    /// `commit.retry.max-wait-ms`.
    pub commit_retry_wait_ms_max: u64,
    /// `commit.retry.total-timeout-ms`.
    pub commit_retry_total_ms: u64,
    /// `history.expire.max-snapshot-age-ms`.
    pub snapshot_age_ms_max: i64,
    /// `history.expire.min-snapshots-to-keep`.
    pub snapshots_to_keep_min: usize,
    /// `history.expire.max-ref-age-ms`.
    pub ref_age_ms_max: i64,
    /// `gc.enabled`: whether files may be deleted at all.
    pub gc_enabled: bool,
    /// `hosu.schema-evolution`: what an ingest does with new fields and misfits, where it is not told.
    pub schema_evolution: Option<SchemaEvolution>,
    /// `hosu.columns-max`: up to how many columns an ingest lets the table grow, where it is not told.
    pub columns_max: Option<usize>,
}

/// The names of the properties that are read here.
pub mod key {
    #![allow(missing_docs, reason = "each constant is the property's name, documented where its value is")]
    pub const TARGET_FILE_SIZE_BYTES: &str = "write.target-file-size-bytes";
    pub const FILE_FORMAT: &str = "write.format.default";
    pub const PARQUET_COMPRESSION_CODEC: &str = "write.parquet.compression-codec";
    pub const PARQUET_COMPRESSION_LEVEL: &str = "write.parquet.compression-level";
    pub const ROW_GROUP_SIZE_BYTES: &str = "write.parquet.row-group-size-bytes";
    pub const PAGE_SIZE_BYTES: &str = "write.parquet.page-size-bytes";
    pub const PAGE_ROW_LIMIT: &str = "write.parquet.page-row-limit";
    pub const DICTIONARY_SIZE_BYTES: &str = "write.parquet.dict-size-bytes";
    pub const BLOOM_FILTER_ENABLED_PREFIX: &str = "write.parquet.bloom-filter-enabled.column.";
    pub const BLOOM_FILTER_FPP_PREFIX: &str = "write.parquet.bloom-filter-fpp.column.";
    pub const BLOOM_FILTER_MAX_BYTES: &str = "write.parquet.bloom-filter-max-bytes";
    pub const METRICS_DEFAULT: &str = "write.metadata.metrics.default";
    pub const METRICS_COLUMN_PREFIX: &str = "write.metadata.metrics.column.";
    pub const METRICS_COLUMNS_MAX: &str = "write.metadata.metrics.max-inferred-column-defaults";
    pub const METADATA_COMPRESSION_CODEC: &str = "write.metadata.compression-codec";
    pub const METADATA_PREVIOUS_VERSIONS_MAX: &str = "write.metadata.previous-versions-max";
    pub const METADATA_DELETE_AFTER_COMMIT: &str = "write.metadata.delete-after-commit.enabled";
    pub const DATA_PATH: &str = "write.data.path";
    pub const METADATA_PATH: &str = "write.metadata.path";
    pub const SUMMARY_PARTITION_LIMIT: &str = "write.summary.partition-limit";
    pub const MANIFEST_MERGE_ENABLED: &str = "commit.manifest-merge.enabled";
    pub const MANIFEST_MIN_COUNT_TO_MERGE: &str = "commit.manifest.min-count-to-merge";
    pub const MANIFEST_TARGET_SIZE_BYTES: &str = "commit.manifest.target-size-bytes";
    pub const COMMIT_RETRIES: &str = "commit.retry.num-retries";
    pub const COMMIT_RETRY_WAIT_MS_MIN: &str = "commit.retry.min-wait-ms";
    pub const COMMIT_RETRY_WAIT_MS_MAX: &str = "commit.retry.max-wait-ms";
    pub const COMMIT_RETRY_TOTAL_MS: &str = "commit.retry.total-timeout-ms";
    pub const SNAPSHOT_AGE_MS_MAX: &str = "history.expire.max-snapshot-age-ms";
    pub const SNAPSHOTS_TO_KEEP_MIN: &str = "history.expire.min-snapshots-to-keep";
    pub const REF_AGE_MS_MAX: &str = "history.expire.max-ref-age-ms";
    pub const GC_ENABLED: &str = "gc.enabled";
    pub const SCHEMA_EVOLUTION: &str = "hosu.schema-evolution";
    pub const COLUMNS_MAX: &str = "hosu.columns-max";
}

impl TableProperties {
    /// Reads properties that a person sets.
    ///
    /// # Errors
    /// [`PropertyError`] for the first value, in the order of their names, that cannot be used. Names that are
    /// not known here are fine: other engines have their own.
    pub fn parse(properties: &HashMap<String, String>) -> Result<Self, PropertyError> {
        let mut reader = Reader { properties, errors: Vec::new() };
        let typed = reader.read();
        match reader.errors.into_iter().min_by(|a, b| a.key.cmp(&b.key)) {
            Some(error) => Err(error),
            None => Ok(typed),
        }
    }

    /// The metrics to keep of a column, which is the `position`th of its table.
    pub fn metrics_mode(&self, column: &str, position: usize) -> MetricsMode {
        match self.metrics_columns.get(column) {
            Some(mode) => *mode,
            None if position < self.metrics_columns_max => self.metrics_default,
            None => MetricsMode::None,
        }
    }
}

impl From<&HashMap<String, String>> for TableProperties {
    /// Reads the properties of a table that exists: the default stands for a value that cannot be used.
    fn from(properties: &HashMap<String, String>) -> Self {
        Reader { properties, errors: Vec::new() }.read()
    }
}

impl Default for TableProperties {
    fn default() -> Self {
        Self::from(&HashMap::new())
    }
}

struct Reader<'a> {
    properties: &'a HashMap<String, String>,
    errors: Vec<PropertyError>,
}

const MIB: u64 = 1024 * 1024;
const BYTES: &str = "a number of bytes above 0";
const COUNT: &str = "a whole number";
const MILLISECONDS: &str = "a number of milliseconds";

impl Reader<'_> {
    #[rustfmt::skip] // one line a property reads better than four
    fn read(&mut self) -> TableProperties {
        TableProperties {
            target_file_size_bytes: self.bytes(key::TARGET_FILE_SIZE_BYTES),
            file_format: self.one_of(key::FILE_FORMAT, file_format, "`parquet`, `orc` or `avro`").unwrap_or_else(|| "parquet".to_owned()),
            parquet_compression_codec: self.one_of(key::PARQUET_COMPRESSION_CODEC, codec, "`zstd`, `snappy`, `gzip`, `lz4` or `uncompressed`").unwrap_or_default(),
            parquet_compression_level: self.one_of(key::PARQUET_COMPRESSION_LEVEL, |text| text.parse().ok(), "a whole number"),
            row_group_size_bytes: self.bytes(key::ROW_GROUP_SIZE_BYTES).unwrap_or(128 * MIB),
            page_size_bytes: self.size(key::PAGE_SIZE_BYTES, 1024 * 1024),
            page_row_limit: self.size(key::PAGE_ROW_LIMIT, 20_000),
            dictionary_size_bytes: self.size(key::DICTIONARY_SIZE_BYTES, 2 * 1024 * 1024),
            bloom_filter_columns: self.bloom_filter_columns(),
            bloom_filter_max_bytes: self.size(key::BLOOM_FILTER_MAX_BYTES, 1024 * 1024),
            metrics_default: self.one_of(key::METRICS_DEFAULT, metrics_mode, METRICS).unwrap_or(MetricsMode::Truncate(16)),
            metrics_columns: self.metrics_columns(),
            metrics_columns_max: self.number(key::METRICS_COLUMNS_MAX, COUNT, 100),
            metadata_compression: self.one_of(key::METADATA_COMPRESSION_CODEC, metadata_compression, "`none` or `gzip`").unwrap_or_default(),
            metadata_previous_versions_max: self.number(key::METADATA_PREVIOUS_VERSIONS_MAX, COUNT, 100),
            metadata_delete_after_commit: self.flag(key::METADATA_DELETE_AFTER_COMMIT, false),
            data_path: self.properties.get(key::DATA_PATH).cloned(),
            metadata_path: self.properties.get(key::METADATA_PATH).cloned(),
            summary_partition_limit: self.number(key::SUMMARY_PARTITION_LIMIT, COUNT, 0),
            manifest_merge_enabled: self.flag(key::MANIFEST_MERGE_ENABLED, true),
            manifest_min_count_to_merge: self.number(key::MANIFEST_MIN_COUNT_TO_MERGE, COUNT, 100),
            manifest_target_size_bytes: self.bytes(key::MANIFEST_TARGET_SIZE_BYTES).unwrap_or(8 * MIB),
            commit_retries: self.number(key::COMMIT_RETRIES, COUNT, 20),
            commit_retry_wait_ms_min: self.number(key::COMMIT_RETRY_WAIT_MS_MIN, MILLISECONDS, 100),
            commit_retry_wait_ms_max: self.number(key::COMMIT_RETRY_WAIT_MS_MAX, MILLISECONDS, 60_000),
            commit_retry_total_ms: self.number(key::COMMIT_RETRY_TOTAL_MS, MILLISECONDS, 30 * 60_000),
            snapshot_age_ms_max: self.number(key::SNAPSHOT_AGE_MS_MAX, MILLISECONDS, 5 * 24 * 3_600_000),
            snapshots_to_keep_min: self.number(key::SNAPSHOTS_TO_KEEP_MIN, COUNT, 1),
            ref_age_ms_max: self.number(key::REF_AGE_MS_MAX, MILLISECONDS, i64::MAX),
            gc_enabled: self.flag(key::GC_ENABLED, true),
            schema_evolution: self.one_of(key::SCHEMA_EVOLUTION, |text| text.parse().ok(), "`add-columns`, `rescue`, `ignore` or `fail`"),
            columns_max: self.one_of(key::COLUMNS_MAX, |text| text.parse().ok().filter(|columns| *columns > 0), "a number of columns above 0"),
        }
    }

    fn one_of<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &'static str,
    ) -> Option<T> {
        let value = self.properties.get(key)?;
        let parsed = parse(value.trim());
        if parsed.is_none() {
            self.errors.push(PropertyError { key: key.to_owned(), value: value.clone(), expected });
        }
        parsed
    }

    fn number<T: FromStr>(&mut self, key: &str, expected: &'static str, default: T) -> T {
        self.one_of(key, |text| text.parse().ok(), expected).unwrap_or(default)
    }

    fn bytes(&mut self, key: &str) -> Option<u64> {
        self.one_of(key, |text| text.parse().ok().filter(|bytes| *bytes > 0), BYTES)
    }

    fn size(&mut self, key: &str, default: usize) -> usize {
        self.one_of(key, |text| text.parse().ok().filter(|bytes| *bytes > 0), BYTES).unwrap_or(default)
    }

    fn flag(&mut self, key: &str, default: bool) -> bool {
        self.one_of(key, flag, "`true` or `false`").unwrap_or(default)
    }

    fn bloom_filter_columns(&mut self) -> BTreeMap<String, f64> {
        let columns = self.columns(key::BLOOM_FILTER_ENABLED_PREFIX, flag, "`true` or `false`");
        let mut shares = self.columns(key::BLOOM_FILTER_FPP_PREFIX, share, "a number between 0 and 1");
        let enabled = columns.into_iter().filter(|(_, enabled)| *enabled);
        enabled.map(|(column, _)| (column.clone(), shares.remove(&column).unwrap_or(0.01))).collect()
    }

    fn metrics_columns(&mut self) -> BTreeMap<String, MetricsMode> {
        self.columns(key::METRICS_COLUMN_PREFIX, metrics_mode, METRICS)
    }

    /// The properties of single columns: what stands behind the prefix is the column's full name.
    fn columns<T>(
        &mut self,
        prefix: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &'static str,
    ) -> BTreeMap<String, T> {
        let properties = self.properties;
        let keys = properties.keys().filter_map(|key| Some((key, key.strip_prefix(prefix)?)));
        let values =
            keys.filter_map(|(key, column)| Some((column.to_owned(), self.one_of(key, &parse, expected)?)));
        values.collect()
    }
}

const METRICS: &str = "`none`, `counts`, `full` or `truncate(LENGTH)`";

fn flag(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

fn share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0)
}

fn file_format(text: &str) -> Option<String> {
    Some(text.to_ascii_lowercase()).filter(|format| ["parquet", "orc", "avro"].contains(&format.as_str()))
}

fn codec(text: &str) -> Option<CompressionCodec> {
    match text.to_ascii_lowercase().as_str() {
        "zstd" => Some(CompressionCodec::Zstd),
        "snappy" => Some(CompressionCodec::Snappy),
        "gzip" => Some(CompressionCodec::Gzip),
        "lz4" | "lz4_raw" => Some(CompressionCodec::Lz4),
        "uncompressed" | "none" => Some(CompressionCodec::Uncompressed),
        _ => None,
    }
}

fn metadata_compression(text: &str) -> Option<MetadataCompression> {
    match text.to_ascii_lowercase().as_str() {
        "none" | "" => Some(MetadataCompression::None),
        "gzip" => Some(MetadataCompression::Gzip),
        _ => None,
    }
}

fn metrics_mode(text: &str) -> Option<MetricsMode> {
    match text.to_ascii_lowercase().as_str() {
        "none" => Some(MetricsMode::None),
        "counts" => Some(MetricsMode::Counts),
        "full" => Some(MetricsMode::Full),
        other => {
            let length = other.strip_prefix("truncate(")?.strip_suffix(')')?.trim().parse().ok()?;
            (length > 0).then_some(MetricsMode::Truncate(length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn defaults_are_icebergs() {
        let defaults = TableProperties::default();
        assert_eq!(defaults.target_file_size_bytes, None);
        assert_eq!(defaults.parquet_compression_codec, CompressionCodec::Zstd);
        assert_eq!(defaults.metrics_default, MetricsMode::Truncate(16));
        assert_eq!(defaults.manifest_min_count_to_merge, 100);
        assert_eq!(defaults.manifest_target_size_bytes, 8_388_608);
        assert_eq!(defaults.metadata_previous_versions_max, 100);
        assert_eq!(defaults.commit_retries, 20);
        assert!(defaults.bloom_filter_columns.is_empty() && defaults.gc_enabled);
    }

    #[test]
    fn values_are_typed() {
        let typed = TableProperties::parse(&properties(&[
            ("write.target-file-size-bytes", "1048576"),
            ("write.parquet.compression-codec", "SNAPPY"),
            ("write.parquet.compression-level", "-3"),
            ("write.parquet.bloom-filter-enabled.column.user_id", "true"),
            ("write.parquet.bloom-filter-fpp.column.user_id", "0.05"),
            ("write.parquet.bloom-filter-enabled.column.device.os", "TRUE"),
            ("write.parquet.bloom-filter-enabled.column.amount", "false"),
            ("write.metadata.metrics.column.message", "none"),
            ("write.metadata.metrics.default", "truncate(8)"),
            ("write.metadata.metrics.max-inferred-column-defaults", "2"),
            ("owner", "someone"),
        ]))
        .expect("all can be used");
        assert_eq!(typed.target_file_size_bytes, Some(1_048_576));
        assert_eq!(typed.parquet_compression_codec, CompressionCodec::Snappy);
        assert_eq!(typed.parquet_compression_level, Some(-3));
        let filters: Vec<_> = typed.bloom_filter_columns.iter().map(|(c, f)| (c.as_str(), *f)).collect();
        assert_eq!(filters, [("device.os", 0.01), ("user_id", 0.05)]);
        assert_eq!(typed.metrics_mode("message", 0), MetricsMode::None);
        assert_eq!(typed.metrics_mode("user_id", 1), MetricsMode::Truncate(8));
        assert_eq!(typed.metrics_mode("amount", 2), MetricsMode::None);
    }

    #[test]
    fn a_senseless_value_is_refused_from_a_person_and_ignored_in_a_table() {
        for (key, value) in [
            ("write.target-file-size-bytes", "0"),
            ("write.parquet.compression-codec", "brotli9"),
            ("write.metadata.metrics.column.x", "truncate(0)"),
            ("commit.retry.num-retries", "-1"),
            ("gc.enabled", "maybe"),
            ("hosu.schema-evolution", "none"),
            ("hosu.columns-max", "0"),
            ("write.parquet.bloom-filter-fpp.column.x", "1.5"),
        ] {
            let given = properties(&[(key, value)]);
            let error = TableProperties::parse(&given).expect_err(key);
            assert!(error.to_string().contains(key) && error.to_string().contains(value), "{error}");
            assert_eq!(TableProperties::from(&given), TableProperties::default(), "{key}");
        }
    }
}
