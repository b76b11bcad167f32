//! Rows of a Parquet file to rows of a table: columns that mean the same as they are, the rest by way of JSON.
//!
//! Each row is a JSON object ([`crate::parquet`]). What of it lands as it is, is left out of the object that is decoded,
//! and put into the decoded rows afterwards. A table with a contract, or with columns that must have a value, gets whole
//! objects: there each row is judged as a whole.

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array,
};
use arrow::compute::filter;
use arrow::compute::kernels::zip::zip;
use arrow::error::ArrowError;
use hosu_table::rejects::raw_column;
use iceberg::spec::{NestedFieldRef, Schema, Type};

use super::decode::Decoding;
use crate::frame::{self, Chunk, HEAD_BYTES_MAX};
use crate::json::{Decoder, DecoderError, Place, Pushed, Reject, Told};
use crate::parquet::{Landed, Rows};

/// Whether a schema has columns that must have a value.
pub(super) fn has_required(schema: &Schema) -> bool {
    schema.as_struct().fields().iter().any(is_required)
}

fn is_required(field: &NestedFieldRef) -> bool {
    let inside = match field.field_type.as_ref() {
        Type::Primitive(_) => false,
        Type::Struct(fields) => fields.fields().iter().any(is_required),
        Type::List(list) => is_required(&list.element_field),
        Type::Map(map) => is_required(&map.value_field),
    };
    field.required || inside
}

/// What became of rows one after another.
#[derive(Default)]
struct Taken {
    /// Of each whether it is a row of the batch.
    landed: Vec<bool>,
    /// The objects of those that the decoder rejected, whole.
    rejected: Vec<Vec<u8>>,
    too_long: Vec<Reject>,
    /// The objects of those that landed, for a table that keeps them.
    raw: Option<BinaryBuilder>,
}

impl Decoding {
    /// The rows of a chunk, or of its beginning.
    pub(super) fn decode_rows(
        &self,
        decoder: &mut Decoder,
        chunk: &Chunk,
        rows: &Rows,
    ) -> Result<(RecordBatch, Told, Option<Chunk>), DecoderError> {
        let piece = rows.first(rows.fitting(self.rows_bytes_max));
        let landed = if self.judges_whole { None } else { Some(piece.landed(&self.schema)) };
        let raw = raw_column(&self.schema);
        let is_all = raw.is_none() && landed.as_ref().is_some_and(Landed::is_all);
        let mut taken = Taken { raw: raw.map(|_| BinaryBuilder::new()), ..Taken::default() };
        let count = match &landed {
            Some(_) if is_all => piece.len(),
            Some(landed) => piece.each_rest(landed, |row, record, whole| {
                self.take(decoder, chunk, &mut taken, (row, record), rows.record_bytes_max(), whole)
            }),
            None => piece.each(|row, record| {
                let whole = || record.to_vec();
                self.take(decoder, chunk, &mut taken, (row, record), rows.record_bytes_max(), &whole)
            }),
        };
        let mut told = decoder.tell();
        let mut batch = decoder.finish_batch()?;
        // Which columns they need their file says.
        told.unknown.forget_fields();
        for (reject, record) in told.rejects.iter_mut().zip(taken.rejected) {
            reject.record = record;
        }
        told.rejects.extend(taken.too_long);
        if let Some(landed) = landed {
            let kept =
                if is_all { Kept::First(count) } else { Kept::These(BooleanArray::from(taken.landed)) };
            let raw = raw.zip(taken.raw.map(|mut raw| raw.finish()));
            batch = put_together(&batch, &landed, &kept, raw).map_err(DecoderError::Batch)?;
        }
        told.rows = batch.num_rows();
        let rest = (count < rows.len()).then(|| chunk.rest_from_row(count));
        Ok((batch, told, rest))
    }

    fn take(
        &self,
        decoder: &mut Decoder,
        chunk: &Chunk,
        taken: &mut Taken,
        (row, record): (usize, &[u8]),
        record_bytes_max: usize,
        whole: &dyn Fn() -> Vec<u8>,
    ) -> bool {
        let place = Place { byte_offset: chunk.byte_offset, line_number: chunk.line_number + row as u64 };
        if !self.has_room(decoder) {
            return false;
        }
        if record.len() > record_bytes_max {
            let mut head = whole();
            let bytes = head.len() as u64;
            head.truncate(HEAD_BYTES_MAX);
            let what = "record, as JSON,";
            taken.too_long.push(frame::too_long(what, bytes, head, place.byte_offset, place.line_number));
            taken.landed.push(false);
            return true;
        }
        let Ok(pushed) = decoder.push(record, place) else { return false };
        let is_row = pushed == Pushed::Row;
        taken.landed.push(is_row);
        match &mut taken.raw {
            _ if !is_row => taken.rejected.push(whole()),
            Some(raw) => raw.append_value(whole()),
            None => {}
        }
        true
    }
}

/// Which of the rows are in the batch.
enum Kept {
    First(usize),
    These(BooleanArray),
}

impl Kept {
    fn of(&self, array: &dyn Array) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::First(rows) => Ok(array.slice(0, *rows)),
            Self::These(rows) => filter(&array.slice(0, rows.len()), rows),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::First(rows) => *rows,
            Self::These(rows) => rows.true_count(),
        }
    }
}

/// The rows with all of their columns.
fn put_together(
    decoded: &RecordBatch,
    landed: &Landed,
    rows: &Kept,
    raw: Option<(usize, impl Array + 'static)>,
) -> Result<RecordBatch, ArrowError> {
    let schema = decoded.schema();
    let count = rows.count();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let rest = || match decoded.columns().get(at) {
            Some(array) if array.len() == count => array.clone(),
            _ => new_null_array(field.data_type(), count),
        };
        columns.push(match landed.columns.get(at) {
            Some(Some((array, None))) => rows.of(array)?,
            Some(Some((array, Some(failed)))) => {
                let failed = rows.of(&BooleanArray::new(failed.clone(), None))?;
                let failed = failed.as_any().downcast_ref::<BooleanArray>();
                let failed = failed.ok_or_else(|| ArrowError::ComputeError("no rows".to_owned()))?;
                zip(failed, &rest(), &rows.of(array)?)?
            }
            _ => rest(),
        });
    }
    if let Some((at, raw)) = raw
        && let Some(column) = columns.get_mut(at)
    {
        *column = std::sync::Arc::new(raw);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(schema, columns, &options)
}
