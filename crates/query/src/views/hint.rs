//! Asks the reader of a file for views of texts inside of structs.
//!
//! DataFusion does so for columns at the top. What else a reader makes of a file is said by the Arrow schema that
//! writers may leave in its footer; so the footer gets one, which differs from what the reader would find only in
//! its texts.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, FieldRef, Fields, Schema};
use parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema, parquet_to_arrow_schema};
use parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaData};

use super::with_views;

/// The same footer with such a schema; the footer itself where that would change nothing, or more than that.
pub(crate) fn asking_for_views(footer: Arc<ParquetMetaData>) -> Arc<ParquetMetaData> {
    asking(&footer).map_or(footer, Arc::new)
}

fn asking(footer: &ParquetMetaData) -> Option<ParquetMetaData> {
    let file = footer.file_metadata();
    let found = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).ok()?;
    let fields: Fields = found.fields().iter().map(nested).collect();
    if &fields == found.fields() {
        return None;
    }
    let wanted = Schema::new_with_metadata(fields, found.metadata().clone());
    let mut pairs = file.key_value_metadata().cloned().unwrap_or_default();
    pairs.retain(|pair| pair.key != ARROW_SCHEMA_META_KEY);
    pairs.push(KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), encode_arrow_schema(&wanted)));
    // Readers fail where they cannot follow such a schema.
    if parquet_to_arrow_schema(file.schema_descr(), Some(&pairs)).ok()?.fields() != wanted.fields() {
        return None;
    }
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(ToOwned::to_owned),
        Some(pairs),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let mut builder = ParquetMetaData::new(file, footer.row_groups().to_vec()).into_builder();
    builder = builder.set_column_index(footer.column_index().cloned());
    builder = builder.set_offset_index(footer.offset_index().cloned());
    Some(builder.build())
}

fn nested(field: &FieldRef) -> FieldRef {
    if !field.data_type().is_nested() {
        return field.clone();
    }
    let data_type = with_views(field.data_type());
    Arc::new(Field::clone(field).with_data_type(data_type))
}
