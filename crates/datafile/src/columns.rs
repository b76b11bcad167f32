//! Columns of a batch by their path through structs.

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, RecordBatch, make_array};
use arrow::buffer::NullBuffer;
use arrow::error::ArrowError;
use iceberg::spec::{Schema, StructType, Type};

/// The way to a column that lies in no list or map: its position in the batch, then in each struct.
pub(crate) type Path = Vec<usize>;

/// The path of the field with this id; none if it is not there, or in a list or map.
pub(crate) fn path_of(schema: &Schema, field_id: i32) -> Option<Path> {
    path_in(schema.as_struct(), field_id)
}

fn path_in(fields: &StructType, field_id: i32) -> Option<Path> {
    fields.fields().iter().enumerate().find_map(|(position, field)| {
        if field.id == field_id {
            return Some(vec![position]);
        }
        let Type::Struct(inner) = field.field_type.as_ref() else { return None };
        let mut path = path_in(inner, field_id)?;
        path.insert(0, position);
        Some(path)
    })
}

/// The column at `path`, null wherever a struct around it is.
pub(crate) fn column_at(batch: &RecordBatch, path: &[usize]) -> Result<ArrayRef, ArrowError> {
    let missing = || ArrowError::SchemaError(format!("the batch has no column at {path:?}"));
    let (first, rest) = path.split_first().ok_or_else(missing)?;
    let mut column = batch.columns().get(*first).ok_or_else(missing)?.clone();
    let mut around: Option<NullBuffer> = None;
    for position in rest {
        let group = column.as_struct_opt().ok_or_else(missing)?;
        around = NullBuffer::union(around.as_ref(), group.nulls());
        column = group.columns().get(*position).ok_or_else(missing)?.clone();
    }
    match around {
        Some(around) if around.null_count() > 0 => {
            let nulls = NullBuffer::union(Some(&around), column.nulls());
            Ok(make_array(column.to_data().into_builder().nulls(nulls).build()?))
        }
        _ => Ok(column),
    }
}

/// What an array takes beside its values. Of a batch of one row it is nearly all.
const ARRAY_BYTES: usize = 256;

/// What the rows of a batch take in memory. Of a slice only its share counts.
pub(crate) fn batch_bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter().map(|column| column.to_data());
    columns.map(|data| data.get_slice_memory_size().unwrap_or_default() + ARRAY_BYTES * arrays(&data)).sum()
}

fn arrays(data: &ArrayData) -> usize {
    1 + data.child_data().iter().map(arrays).sum::<usize>()
}
