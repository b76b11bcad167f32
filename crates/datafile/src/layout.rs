//! How the files of a table are laid out: decided once for a writer, from schema, properties and settings.

use std::sync::Arc;

use arrow::datatypes::SchemaRef as ArrowSchemaRef;
use hosu_table::arrow_schema;
use hosu_table::properties::{CompressionCodec, MetricsMode, TableProperties};
use iceberg::spec::Transform;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr,
};
use parquet::schema::types::{SchemaDescriptor, TypePtr};

use crate::encode::{self, Presses};
use crate::error::{self, DataFileError};
use crate::parquet_schema::{self, Leaf};
use crate::target::{WriteTarget, WriterSettings};

/// A row group takes at most this share of the memory, so that the next one can be filled while it is written.
const ROW_GROUP_SHARE: usize = 8;

/// As parquet's own default: a scan of few columns still finds enough row groups to share among cores.
const ROW_GROUP_ROWS_MAX: usize = 1 << 20;

/// No character of UTF-8 is longer.
const CHARACTER_BYTES_MAX: usize = 4;

/// What all files of a writer have in common.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The batches' schema.
    pub(crate) rows: ArrowSchemaRef,
    /// The same with field ids, for the encoder.
    pub(crate) arrow: ArrowSchemaRef,
    pub(crate) root: TypePtr,
    pub(crate) leaves: Vec<Leaf>,
    /// Which metrics are kept, for each leaf.
    pub(crate) modes: Vec<MetricsMode>,
    pub(crate) properties: WriterPropertiesPtr,
    pub(crate) presses: Presses,
    /// What a column's dictionary may take.
    pub(crate) dictionary_bytes: usize,
    pub(crate) row_group_bytes: usize,
    pub(crate) row_group_rows: usize,
    pub(crate) file_bytes: u64,
}

impl Layout {
    pub(crate) fn new(target: &WriteTarget, settings: &WriterSettings) -> Result<Self, DataFileError> {
        let properties = &target.properties;
        if properties.file_format != "parquet" {
            let reason =
                format!("its files are to be {}, and only parquet is written", properties.file_format);
            return Err(DataFileError::Table { table: target.location.clone(), reason });
        }
        let fail = error::parquet(&target.location);
        let (root, leaves) = parquet_schema::build(&target.schema).map_err(&fail)?;
        let modes = modes(target, &leaves);
        let written = writer_properties(target, settings, &leaves, &modes).map_err(&fail)?;
        let written = without_false_null_pages(written, &root, &leaves);
        let row_group_bytes = usize::try_from(properties.row_group_size_bytes).unwrap_or(usize::MAX);
        Ok(Self {
            rows: Arc::new(arrow_schema::to_arrow(&target.schema)),
            arrow: Arc::new(arrow_schema::with_field_ids(&target.schema)),
            root,
            leaves,
            modes,
            properties: Arc::new(written),
            presses: Presses::default(),
            dictionary_bytes: properties.dictionary_size_bytes,
            row_group_bytes: row_group_bytes.min(settings.memory_bytes / ROW_GROUP_SHARE).max(1),
            row_group_rows: ROW_GROUP_ROWS_MAX,
            file_bytes: properties.target_file_size_bytes.unwrap_or(settings.target_file_bytes).max(1),
        })
    }
}

/// The mode of each leaf. The bounds of a column that the table is sorted by are kept unless the column's own
/// property says otherwise: they are what the sorting is for.
fn modes(target: &WriteTarget, leaves: &[Leaf]) -> Vec<MetricsMode> {
    let properties = &target.properties;
    let sorted = |leaf: &Leaf| {
        let mut fields = target.sort_order.fields.iter();
        fields.any(|field| field.source_id == leaf.field_id && field.transform != Transform::Void)
    };
    let modes = leaves.iter().enumerate().map(|(position, leaf)| {
        let name = target.schema.name_by_field_id(leaf.field_id).unwrap_or_default();
        match properties.metrics_mode(name, position) {
            MetricsMode::None | MetricsMode::Counts
                if sorted(leaf) && !properties.metrics_columns.contains_key(name) =>
            {
                MetricsMode::Truncate(16)
            }
            mode => mode,
        }
    });
    modes.collect()
}

fn writer_properties(
    target: &WriteTarget,
    settings: &WriterSettings,
    leaves: &[Leaf],
    modes: &[MetricsMode],
) -> Result<WriterProperties, ParquetError> {
    let properties = &target.properties;
    let level = properties.parquet_compression_level.unwrap_or(settings.compression_level);
    let mut builder = WriterProperties::builder()
        .set_compression(compression(properties.parquet_compression_codec, level)?)
        .set_data_page_size_limit(properties.page_size_bytes)
        .set_data_page_row_count_limit(properties.page_row_limit)
        .set_dictionary_page_size_limit(properties.dictionary_size_bytes)
        .set_write_batch_size(properties.page_row_limit.clamp(1, 1024))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(bound_bytes(modes));
    for leaf in leaves {
        let name = target.schema.name_by_field_id(leaf.field_id).unwrap_or_default();
        let Some(share) = properties.bloom_filter_columns.get(name) else { continue };
        let path = || leaf.parquet_path.clone();
        builder = builder
            .set_column_bloom_filter_enabled(path(), true)
            .set_column_bloom_filter_fpp(path(), *share)
            .set_column_bloom_filter_ndv(path(), distinct_values(properties, settings, *share));
    }
    Ok(builder.build())
}

/// Parquet's own writer calls a page of a list null if it has as many nulls as rows, even if it has values, too (in
/// version 58; it counts rows where it should count values). Readers would pass such a page over, so the lists that it
/// encodes have no page statistics.
fn without_false_null_pages(
    properties: WriterProperties,
    root: &TypePtr,
    leaves: &[Leaf],
) -> WriterProperties {
    let columns = SchemaDescriptor::new(root.clone());
    let others: Vec<_> = encode::known_columns(leaves, &columns, &properties)
        .zip(columns.columns())
        .filter(|(known, column)| !known && column.max_rep_level() > 0)
        .map(|(_, column)| column.path().clone())
        .collect();
    let without = |builder: WriterPropertiesBuilder, path| {
        builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk)
    };
    others.into_iter().fold(properties.into_builder(), without).build()
}

/// The level is the caller's for every codec: outside of a codec's own scale it is the nearest.
fn compression(codec: CompressionCodec, level: i32) -> Result<Compression, ParquetError> {
    Ok(match codec {
        CompressionCodec::Uncompressed => Compression::UNCOMPRESSED,
        CompressionCodec::Snappy => Compression::SNAPPY,
        CompressionCodec::Gzip => Compression::GZIP(GzipLevel::try_new(level.clamp(1, 9).unsigned_abs())?),
        CompressionCodec::Lz4 => Compression::LZ4_RAW,
        CompressionCodec::Zstd => Compression::ZSTD(ZstdLevel::try_new(level.clamp(1, 22))?),
    })
}

/// How much of a value the Parquet statistics must keep so that the longest bound can be made of them; `None` for all.
fn bound_bytes(modes: &[MetricsMode]) -> Option<usize> {
    let lengths = modes.iter().map(|mode| match mode {
        MetricsMode::None | MetricsMode::Counts => Some(0),
        MetricsMode::Truncate(length) => length.checked_mul(CHARACTER_BYTES_MAX),
        MetricsMode::Full => None,
    });
    let longest = lengths.collect::<Option<Vec<usize>>>()?.into_iter().max();
    Some(longest.unwrap_or_default().max(64))
}

/// How many distinct values a filter is made for: as many as fit into its largest size, which is also what it takes
/// in memory while values come in. It is folded to what is needed before it is written.
fn distinct_values(properties: &TableProperties, settings: &WriterSettings, share: f64) -> u64 {
    let bytes_max = properties.bloom_filter_max_bytes.min(settings.memory_bytes / 64).max(32);
    // Sizes are powers of two: what is between them would be rounded up.
    let bytes = 1_usize << bytes_max.ilog2();
    let values = -(bytes as f64) * (1.0 - share.powf(1.0 / 8.0)).ln();
    (values.floor() as u64).max(1)
}
