//! Arrays of a type that fits to arrays of the column's own type. A value that does not fit is an error, never NULL.

use crate::types;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;
use std::sync::Arc;

const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// The array as one of the wanted type.
pub(crate) fn convert(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    match (array.data_type(), wanted) {
        (DataType::Dictionary(_, values), _) => convert(&cast_with_options(array, values, &STRICT)?, wanted),
        (DataType::Struct(_), DataType::Struct(fields)) => structs(array, fields),
        (given, DataType::List(element)) if types::element(given).is_some() => lists(array, element),
        (DataType::Map(..), DataType::Map(entry, sorted)) => maps(array, entry, *sorted),
        _ => cast_with_options(array, wanted, &STRICT),
    }
}

fn structs(array: &ArrayRef, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let given = array.as_struct();
    let pairs = types::pairs(given.fields(), fields)
        .ok_or_else(|| ArrowError::CastError("rows with other fields".to_owned()))?;
    let column = |(from, field): (usize, &FieldRef)| convert(given.column(from), field.data_type());
    let columns: Vec<ArrayRef> = pairs.into_iter().zip(fields).map(column).collect::<Result<_, _>>()?;
    let fields = fields.iter().zip(&columns).map(|(field, column)| nullable(field, column)).collect();
    let made = StructArray::try_new_with_length(fields, columns, given.nulls().cloned(), given.len())?;
    Ok(Arc::new(made))
}

/// A field that may be NULL: one that may not is refused, with its name, where rows are written.
fn nullable(field: &Field, column: &ArrayRef) -> Field {
    Field::new(field.name(), column.data_type().clone(), true)
}

fn lists(array: &ArrayRef, element: &FieldRef) -> Result<ArrayRef, ArrowError> {
    // Whatever its layout, first a list of the same elements.
    let given = match array.data_type() {
        DataType::List(_) => array.clone(),
        other => {
            let inner = types::element(other).cloned().unwrap_or(DataType::Null);
            let plain = element.as_ref().clone().with_data_type(inner).with_nullable(true);
            cast_with_options(array, &DataType::List(Arc::new(plain)), &STRICT)?
        }
    };
    let given = given.as_list::<i32>();
    let values = convert(given.values(), element.data_type())?;
    let element = Arc::new(nullable(element, &values));
    let made = ListArray::try_new(element, given.offsets().clone(), values, given.nulls().cloned())?;
    Ok(Arc::new(made))
}

fn maps(array: &ArrayRef, entry: &FieldRef, sorted: bool) -> Result<ArrayRef, ArrowError> {
    let given = array.as_map();
    let DataType::Struct(fields) = entry.data_type() else {
        return Err(ArrowError::CastError("a map needs keys and values".to_owned()));
    };
    let columns: Result<Vec<ArrayRef>, ArrowError> = given
        .entries()
        .columns()
        .iter()
        .zip(fields)
        .map(|(column, field)| convert(column, field.data_type()))
        .collect();
    let columns = columns?;
    let fields: Fields = fields
        .iter()
        .zip(&columns)
        .map(|(field, column)| nullable(field, column).with_nullable(field.is_nullable()))
        .collect();
    let entries = StructArray::try_new(fields, columns, None)?;
    let entry = Arc::new(entry.as_ref().clone().with_data_type(entries.data_type().clone()));
    let made = MapArray::try_new(entry, given.offsets().clone(), entries, given.nulls().cloned(), sorted)?;
    Ok(Arc::new(made))
}

#[cfg(test)]
mod tests {
    use super::convert;
    use arrow::array::*;
    use arrow::datatypes::{DataType, Field, Fields, Int32Type};
    use std::sync::Arc;

    #[test]
    fn a_value_that_does_not_fit_is_an_error() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1, 1 << 40]));
        assert!(convert(&array, &DataType::Int32).is_err());
        let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        assert_eq!(
            convert(&array, &DataType::Int32).unwrap().as_ref(),
            &Int32Array::from(vec![Some(1), None])
        );
        let array: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        assert!(convert(&array, &DataType::Int64).is_err());
    }

    #[test]
    fn nested_values_are_converted_by_field_name() {
        let given = StructArray::from(vec![
            (
                Arc::new(Field::new("B", DataType::Utf8, true)),
                Arc::new(StringArray::from(vec!["x"])) as ArrayRef,
            ),
            (
                Arc::new(Field::new("a", DataType::Int64, true)),
                Arc::new(Int64Array::from(vec![1])) as ArrayRef,
            ),
        ]);
        let wanted =
            Fields::from(vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)]);
        let array: ArrayRef = Arc::new(given);
        let made = convert(&array, &DataType::Struct(wanted.clone())).unwrap();
        assert_eq!(made.data_type(), &DataType::Struct(wanted));
        assert_eq!(made.as_struct().column(0).as_primitive::<Int32Type>().value(0), 1);
    }

    #[test]
    fn lists_of_any_layout_become_lists() {
        let given = FixedSizeListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(
            [Some([Some(1), None]), None],
            2,
        );
        let wanted = DataType::List(Arc::new(Field::new("element", DataType::Int32, true)));
        let array: ArrayRef = Arc::new(given);
        let made = convert(&array, &wanted).unwrap();
        assert_eq!(made.data_type(), &wanted);
        assert_eq!((made.as_list::<i32>().value(0).len(), made.is_null(1)), (2, true));
    }
}
