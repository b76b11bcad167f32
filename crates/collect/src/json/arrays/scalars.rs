//! Columns of single values. Rows may be left out: they are null once a later row is put in, or the column is finished.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeBinaryArray, GenericByteArray, NullBufferBuilder,
    PrimitiveArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{BinaryType, ByteArrayType, DataType, Utf8Type};
use arrow::error::ArrowError;

/// Numbers, and all that is stored as numbers.
#[derive(Debug)]
pub(in crate::json) struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    valid: NullBufferBuilder,
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(super) fn new(data_type: &DataType) -> Self {
        Self { values: Vec::new(), valid: NullBufferBuilder::new(0), data_type: data_type.clone() }
    }

    /// The value of a row that comes after those so far.
    #[inline]
    pub(in crate::json) fn put(&mut self, row: usize, value: T::Native) {
        self.pad(row);
        self.values.push(value);
        self.valid.append_non_null();
    }

    #[inline]
    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.values.len());
        if missing > 0 {
            self.values.resize(rows, T::Native::default());
            self.valid.append_n_nulls(missing);
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.valid.truncate(rows);
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = ScalarBuffer::from(replace_with_room(&mut self.values));
        let array = PrimitiveArray::<T>::try_new(values, self.valid.finish())?;
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }
}

/// Booleans.
#[derive(Debug)]
pub(in crate::json) struct Booleans {
    values: Vec<bool>,
    valid: NullBufferBuilder,
}

impl Booleans {
    pub(super) fn new() -> Self {
        Self { values: Vec::new(), valid: NullBufferBuilder::new(0) }
    }

    #[inline]
    pub(in crate::json) fn put(&mut self, row: usize, value: bool) {
        self.pad(row);
        self.values.push(value);
        self.valid.append_non_null();
    }

    #[inline]
    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.values.len());
        if missing > 0 {
            self.values.resize(rows, false);
            self.valid.append_n_nulls(missing);
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.valid.truncate(rows);
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let values = BooleanBuffer::from(self.values.as_slice());
        self.values.clear();
        Arc::new(BooleanArray::new(values, self.valid.finish()))
    }
}

/// Texts, or bytes of any length.
#[derive(Debug)]
pub(in crate::json) struct Bytes {
    bytes: Vec<u8>,
    /// Where each row ends, with a 0 before the first.
    ends: Vec<i32>,
    valid: NullBufferBuilder,
    is_text: bool,
}

impl Bytes {
    pub(super) fn new(is_text: bool) -> Self {
        Self { bytes: Vec::new(), ends: vec![0], valid: NullBufferBuilder::new(0), is_text }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    #[inline]
    pub(in crate::json) fn put(&mut self, row: usize, value: &[u8]) {
        if self.len() < row {
            self.pad(row);
        }
        self.bytes.extend_from_slice(value);
        self.ends.push(self.end());
        self.valid.append_non_null();
    }

    /// Where the bytes end; `finish` refuses more than can be counted.
    #[inline]
    fn end(&self) -> i32 {
        i32::try_from(self.bytes.len()).unwrap_or(i32::MAX)
    }

    #[inline]
    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.len());
        if missing > 0 {
            self.ends.resize(rows + 1, self.end());
            self.valid.append_n_nulls(missing);
        }
    }

    pub(in crate::json) fn truncate(&mut self, rows: usize) {
        if rows < self.len() {
            self.ends.truncate(rows + 1);
            let end = self.ends.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or(0);
            self.bytes.truncate(end);
            self.valid.truncate(rows);
        }
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        if i32::try_from(self.bytes.len()).is_err() {
            return Err(ArrowError::OffsetOverflowError(self.bytes.len()));
        }
        Ok(if self.is_text {
            Arc::new(self.array::<Utf8Type>()?)
        } else {
            Arc::new(self.array::<BinaryType>()?)
        })
    }

    fn array<T: ByteArrayType<Offset = i32>>(&mut self) -> Result<GenericByteArray<T>, ArrowError> {
        let ends = replace_with_room(&mut self.ends);
        self.ends.push(0);
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        let bytes = Buffer::from_vec(replace_with_room(&mut self.bytes));
        GenericByteArray::try_new(ends, bytes, self.valid.finish())
    }
}

/// Takes what is there, and leaves room for as much and a bit more: batches are about as long as those before, and to
/// take more room in the midst of one costs a copy.
fn replace_with_room<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len() + values.len() / 8);
    std::mem::replace(values, room)
}

/// Bytes of one length.
#[derive(Debug)]
pub(in crate::json) struct FixedBytes {
    bytes: Vec<u8>,
    width: i32,
    width_bytes: usize,
    rows: usize,
    valid: NullBufferBuilder,
}

impl FixedBytes {
    pub(super) fn new(width: i32) -> Self {
        let width_bytes = usize::try_from(width).unwrap_or(0);
        Self { bytes: Vec::new(), width, width_bytes, rows: 0, valid: NullBufferBuilder::new(0) }
    }

    /// Takes a value of the column's length; any other is null.
    pub(super) fn put(&mut self, row: usize, value: &[u8]) {
        if value.len() == self.width_bytes {
            self.pad(row);
            self.bytes.extend_from_slice(value);
            self.rows += 1;
            self.valid.append_non_null();
        } else {
            self.pad(row + 1);
        }
    }

    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.rows);
        if missing > 0 {
            self.rows = rows;
            self.bytes.resize(rows * self.width_bytes, 0);
            self.valid.append_n_nulls(missing);
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        if rows < self.rows {
            self.rows = rows;
            self.bytes.truncate(rows * self.width_bytes);
            self.valid.truncate(rows);
        }
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let bytes = Buffer::from_vec(std::mem::take(&mut self.bytes));
        let rows = std::mem::take(&mut self.rows);
        // Of values without a byte the nulls alone tell how many there are.
        let valid = self.valid.finish().or_else(|| (self.width == 0).then(|| NullBuffer::new_valid(rows)));
        Ok(Arc::new(FixedSizeBinaryArray::try_new(self.width, bytes, valid)?))
    }
}
