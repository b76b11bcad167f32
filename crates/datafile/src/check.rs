//! A batch must have the table's columns: what does not fit is refused here, because the encoder would write
//! something else in silence (a null in a required column becomes a zero).

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, RecordBatch, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::error::ArrowError;
use hosu_host::Location;

use crate::error::{self, DataFileError};

/// The rows of `batch` under exactly the table's schema, which may differ in metadata and in who may be null.
pub(crate) fn check(
    batch: &RecordBatch,
    schema: &SchemaRef,
    table: &Location,
) -> Result<RecordBatch, DataFileError> {
    let fields = schema.fields();
    let fail = |column: &str, reason: String| DataFileError::Column {
        table: table.clone(),
        column: column.to_owned(),
        reason,
    };
    if batch.num_columns() != fields.len() {
        let reason = format!("{} columns came and the table has {}", batch.num_columns(), fields.len());
        return Err(fail("*", reason));
    }
    for ((field, given), array) in fields.iter().zip(batch.schema_ref().fields()).zip(batch.columns()) {
        if given.name() != field.name() || !same_type(field.data_type(), array.data_type()) {
            let reason = format!(
                "{} {} is expected and {} {} came",
                field.name(),
                field.data_type(),
                given.name(),
                array.data_type()
            );
            return Err(fail(field.name(), reason));
        }
        if has_required(field) {
            no_nulls(field, array.as_ref(), None, field.name())
                .map_err(|column| fail(&column, "it is required and a value is null".to_owned()))?;
        }
    }
    let columns = fields.iter().zip(batch.columns()).map(|(field, array)| retyped(array, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>, _>>();
    columns.and_then(|columns| RecordBatch::try_new(schema.clone(), columns)).map_err(error::rows(table))
}

/// The same values under another name of their type.
fn retyped(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type {
        return Ok(array.clone());
    }
    retyped_data(array.to_data(), data_type).map(make_array)
}

fn retyped_data(data: ArrayData, data_type: &DataType) -> Result<ArrayData, ArrowError> {
    let inner: Vec<&DataType> = match data_type {
        DataType::List(element) | DataType::Map(element, _) => vec![element.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        _ => Vec::new(),
    };
    let children = data.child_data().iter().cloned().zip(inner);
    let children = children.map(|(child, data_type)| retyped_data(child, data_type));
    let children = children.collect::<Result<Vec<_>, _>>()?;
    data.into_builder().data_type(data_type.clone()).child_data(children).build()
}

/// Whether the types are the same but for field metadata and for who may be null.
fn same_type(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::List(a), DataType::List(b)) => same_type(a.data_type(), b.data_type()),
        (DataType::Map(a, _), DataType::Map(b, _)) => same_type(a.data_type(), b.data_type()),
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.name() == b.name() && same_type(a.data_type(), b.data_type()))
        }
        _ => a == b,
    }
}

fn has_required(field: &Field) -> bool {
    !field.is_nullable()
        || match field.data_type() {
            DataType::List(element) => has_required(element),
            DataType::Struct(fields) => fields.iter().any(|field| has_required(field)),
            DataType::Map(_, _) => true,
            _ => false,
        }
}

/// Err with the full name of a required column that has a null where everything around it is there.
fn no_nulls(field: &Field, array: &dyn Array, around: Option<&NullBuffer>, name: &str) -> Result<(), String> {
    let nulls = NullBuffer::union(around, array.nulls());
    if !field.is_nullable() {
        let count = nulls.as_ref().map_or(0, NullBuffer::null_count);
        if count > around.map_or(0, NullBuffer::null_count) {
            return Err(name.to_owned());
        }
    }
    match field.data_type() {
        DataType::Struct(fields) => {
            let Some(group) = array.as_struct_opt() else { return Ok(()) };
            for (field, column) in fields.iter().zip(group.columns()) {
                no_nulls(field, column.as_ref(), nulls.as_ref(), &format!("{name}.{}", field.name()))?;
            }
            Ok(())
        }
        DataType::List(element) if has_required(element) => {
            let Some(list) = array.as_list_opt::<i32>() else { return Ok(()) };
            let (values, around) = inside(list.values().as_ref(), list.value_offsets(), nulls.as_ref());
            no_nulls(element, values.as_ref(), around.as_ref(), &format!("{name}.element"))
        }
        DataType::Map(entry, _) => {
            let (Some(map), DataType::Struct(fields)) = (array.as_map_opt(), entry.data_type()) else {
                return Ok(());
            };
            for (field, column) in fields.iter().zip(map.entries().columns()) {
                let (values, around) = inside(column.as_ref(), map.value_offsets(), nulls.as_ref());
                no_nulls(field, values.as_ref(), around.as_ref(), &format!("{name}.{}", field.name()))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The values that lists refer to, and which of them lie in a null list.
fn inside(
    values: &dyn Array,
    offsets: &[i32],
    nulls: Option<&NullBuffer>,
) -> (arrow::array::ArrayRef, Option<NullBuffer>) {
    let bounds = offsets.first().zip(offsets.last());
    let (start, end) = bounds.map_or((0, 0), |(start, end)| (*start as usize, *end as usize));
    let values = values.slice(start, end - start);
    let around = nulls.filter(|nulls| nulls.null_count() > 0).map(|nulls| {
        let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
        let valid =
            lengths.enumerate().flat_map(|(row, length)| std::iter::repeat_n(nulls.is_valid(row), length));
        valid.collect::<Vec<bool>>().into()
    });
    (values, around)
}
