//! Rows of a query in the columns of a table.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use crate::convert::convert;

/// The rows with all columns of the table `target`, of which `filled` says, for each column of the rows, which one it fills:
/// those that are not filled are NULL. A NULL where the table allows none is found, and named, where rows are written.
///
/// Each column has a type that [`crate::fits`] the one that it fills; a value that does not is an error of the stream.
pub fn filled_rows(
    rows: SendableRecordBatchStream,
    target: SchemaRef,
    filled: Vec<usize>,
) -> SendableRecordBatchStream {
    let made = target.clone();
    let rows = rows.map(move |batch| filled_batch(&batch?, &made, &filled));
    Box::pin(RecordBatchStreamAdapter::new(target, rows))
}

fn filled_batch(
    batch: &RecordBatch,
    target: &ArrowSchema,
    filled: &[usize],
) -> Result<RecordBatch, DataFusionError> {
    let column = |(at, field): (usize, &FieldRef)| -> Result<ArrayRef, DataFusionError> {
        match filled.iter().position(|filled| *filled == at).and_then(|from| batch.columns().get(from)) {
            Some(array) => Ok(convert(array, field.data_type())?),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        }
    };
    let columns: Vec<ArrayRef> = target.fields().iter().enumerate().map(column).collect::<Result<_, _>>()?;
    let fields = target.fields().iter().zip(&columns);
    let fields: Vec<Field> =
        fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(fields)), columns, &options)?)
}
