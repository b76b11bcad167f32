//! Rows of a statement as rows of a table: same types, the table's names, and no NULL where it allows none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Fields, SchemaRef};
use arrow::error::ArrowError;
use hosu_table::name::TableName;

use crate::error::ChangeError;

/// A batch with the columns of `schema`, which are those of the table, by their places.
pub(crate) fn batch(
    table: &TableName,
    schema: &SchemaRef,
    rows: &RecordBatch,
) -> Result<RecordBatch, ChangeError> {
    let refused = |reason: String| ChangeError::Columns { table: table.clone(), reason };
    if rows.num_columns() != schema.fields().len() {
        let (has, wants) = (rows.num_columns(), schema.fields().len());
        return Err(refused(format!("they have {has} columns, and the table has {wants}")));
    }
    let mut columns = Vec::with_capacity(rows.num_columns());
    for (field, column) in schema.fields().iter().zip(rows.columns()) {
        if let Some(column) = null_in_required(field, column, field.name()) {
            return Err(ChangeError::Null { table: table.clone(), column });
        }
        let fitting = retyped(column, field.data_type());
        columns.push(fitting.map_err(|error| refused(format!("column {}: {error}", field.name())))?);
    }
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| refused(error.to_string()))
}

/// The full name of a required field that has a NULL where what it is in has none.
fn null_in_required(field: &Field, array: &ArrayRef, path: &str) -> Option<String> {
    if !field.is_nullable() && array.null_count() > 0 {
        return Some(path.to_owned());
    }
    match (field.data_type(), array.data_type()) {
        (DataType::Struct(fields), DataType::Struct(_)) => {
            let parent = array.as_struct();
            fields.iter().zip(parent.columns()).find_map(|(field, column)| {
                let path = format!("{path}.{}", field.name());
                let is_missing = |row| column.is_null(row) && parent.is_valid(row);
                if !field.is_nullable() && (0..column.len()).any(is_missing) {
                    return Some(path);
                }
                null_in_required(&field.as_ref().clone().with_nullable(true), column, &path)
            })
        }
        _ => None,
    }
}

/// The same values as a type that differs at most in the names and nullability of what is inside.
fn retyped(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    match (array.data_type(), target) {
        (has, wants) if has == wants => Ok(array.clone()),
        (DataType::Struct(has), DataType::Struct(fields)) if has.len() == fields.len() => {
            let array = array.as_struct();
            Ok(Arc::new(StructArray::try_new(
                fields.clone(),
                each(array.columns(), fields)?,
                array.nulls().cloned(),
            )?))
        }
        (DataType::List(_), DataType::List(element)) => {
            let array = array.as_list::<i32>();
            let values = retyped(array.values(), element.data_type())?;
            let list =
                ListArray::try_new(element.clone(), array.offsets().clone(), values, array.nulls().cloned())?;
            Ok(Arc::new(list))
        }
        (DataType::Map(_, _), DataType::Map(entry, sorted)) => {
            let DataType::Struct(fields) = entry.data_type() else {
                return Err(ArrowError::SchemaError("a map needs keys and values".to_owned()));
            };
            let array = array.as_map();
            let entries = array.entries();
            let columns = each(entries.columns(), fields)?;
            let entries = StructArray::try_new(fields.clone(), columns, entries.nulls().cloned())?;
            let nulls = array.nulls().cloned();
            Ok(Arc::new(MapArray::try_new(entry.clone(), array.offsets().clone(), entries, nulls, *sorted)?))
        }
        (has, wants) => Err(ArrowError::SchemaError(format!("{has} is not {wants}"))),
    }
}

fn each(columns: &[ArrayRef], fields: &Fields) -> Result<Vec<ArrayRef>, ArrowError> {
    columns.iter().zip(fields).map(|(column, field)| retyped(column, field.data_type())).collect()
}
