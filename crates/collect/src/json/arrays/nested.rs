//! Columns with columns inside: structs, lists and maps.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, NullBufferBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use arrow::error::ArrowError;
use hosu_table::json::{Cell, Scalar};

use super::scalars::Bytes;
use super::{Column, TEXT_NULL_BYTES};

/// A column for each field, and which rows have the struct at all.
#[derive(Debug)]
pub(in crate::json) struct Struct {
    fields: Fields,
    pub(in crate::json) columns: Vec<Column>,
    rows: usize,
    valid: NullBufferBuilder,
    null_bytes: usize,
}

/// The elements of all rows one after another.
#[derive(Debug)]
pub(in crate::json) struct List {
    element: FieldRef,
    pub(in crate::json) values: Box<Column>,
    places: Places,
}

/// Keys and values of all rows one after another.
#[derive(Debug)]
pub(in crate::json) struct Map {
    entry: FieldRef,
    fields: Fields,
    keys: Bytes,
    values: Box<Column>,
    places: Places,
}

/// Where the values of each row end, and which rows have any.
#[derive(Debug)]
struct Places {
    ends: Vec<usize>,
    valid: NullBufferBuilder,
}

impl Struct {
    pub(super) fn new(fields: &Fields) -> Result<Self, ArrowError> {
        let columns = fields.iter().map(|field| Column::new(field.data_type()));
        let columns: Vec<Column> = columns.collect::<Result<_, _>>()?;
        let null_bytes = columns.iter().map(Column::null_bytes).sum::<usize>() + size_of::<bool>();
        Ok(Self { fields: fields.clone(), columns, rows: 0, valid: NullBufferBuilder::new(0), null_bytes })
    }

    pub(super) fn null_bytes(&self) -> usize {
        self.null_bytes
    }

    pub(super) fn put(&mut self, row: usize, cells: &[Cell<'_>]) -> usize {
        let mut bytes = size_of::<bool>();
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            bytes += column.put(row, cell);
        }
        self.put_filled(row);
        bytes
    }

    /// A struct whose fields were put in.
    #[inline]
    pub(in crate::json) fn put_filled(&mut self, row: usize) {
        self.pad(row);
        self.rows += 1;
        self.valid.append_non_null();
    }

    pub(super) fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.rows);
        if missing > 0 {
            self.rows = rows;
            self.valid.append_n_nulls(missing);
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        // Fields are put in before their struct, so theirs may be more.
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        if rows < self.rows {
            self.rows = rows;
            self.valid.truncate(rows);
        }
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let arrays = self.columns.iter_mut().map(|column| column.finish(rows)).collect::<Result<_, _>>()?;
        let array = StructArray::try_new_with_length(self.fields.clone(), arrays, self.valid.finish(), rows)?;
        Ok(Arc::new(array))
    }
}

impl List {
    pub(super) fn new(element: &FieldRef) -> Result<Self, ArrowError> {
        let values = Box::new(Column::new(element.data_type())?);
        Ok(Self { element: element.clone(), values, places: Places::new() })
    }

    pub(super) fn put(&mut self, row: usize, elements: &[Cell<'_>]) -> usize {
        let start = self.start();
        let places = (start..).zip(elements);
        let bytes = places.map(|(at, element)| self.values.put(at, element)).sum::<usize>();
        self.put_filled(row, start + elements.len());
        bytes + Places::ROW_BYTES
    }

    /// Which place among all elements the next list's first element has.
    #[inline]
    pub(in crate::json) fn start(&self) -> usize {
        self.places.end()
    }

    /// A list whose elements were put in, up to the place `end`.
    #[inline]
    pub(in crate::json) fn put_filled(&mut self, row: usize, end: usize) {
        self.places.put(row, end);
    }

    pub(super) fn pad(&mut self, rows: usize) {
        self.places.pad(rows);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.places.truncate(rows);
        self.values.truncate(self.places.end());
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = self.values.finish(self.places.end())?;
        let (offsets, nulls) = self.places.finish()?;
        Ok(Arc::new(ListArray::try_new(self.element.clone(), offsets, values, nulls)?))
    }
}

impl Map {
    pub(super) fn new(entry: &FieldRef) -> Result<Self, ArrowError> {
        match entry.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Ok(Self {
                entry: entry.clone(),
                fields: fields.clone(),
                keys: Bytes::new(true),
                values: Box::new(Column::new(fields[1].data_type())?),
                places: Places::new(),
            }),
            other => Err(ArrowError::SchemaError(format!("{other} is no entry of a map"))),
        }
    }

    pub(super) fn put(&mut self, row: usize, entries: &[(Scalar<'_>, Cell<'_>)]) -> usize {
        let start = self.places.end();
        let mut bytes = Places::ROW_BYTES;
        for (at, (key, value)) in (start..).zip(entries) {
            if let Scalar::Text(key) = key {
                self.keys.put(at, key.as_bytes());
                bytes += key.len();
            }
            bytes += TEXT_NULL_BYTES + self.values.put(at, value);
        }
        self.places.put(row, start + entries.len());
        bytes
    }

    pub(super) fn pad(&mut self, rows: usize) {
        self.places.pad(rows);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.places.truncate(rows);
        self.keys.truncate(self.places.end());
        self.values.truncate(self.places.end());
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = self.values.finish(self.places.end())?;
        // A map that JSON cannot fill (its keys are no texts) has no entries, and an array of its keys' type.
        let keys: ArrayRef = match self.fields.first().map(|key| key.data_type()) {
            Some(key_type) if *key_type != DataType::Utf8 => arrow::array::new_empty_array(key_type),
            _ => self.keys.finish()?,
        };
        let entries = StructArray::try_new(self.fields.clone(), vec![keys, values], None)?;
        let (offsets, nulls) = self.places.finish()?;
        Ok(Arc::new(MapArray::try_new(self.entry.clone(), offsets, entries, nulls, false)?))
    }
}

impl Places {
    /// What a row takes, null or not.
    const ROW_BYTES: usize = size_of::<i32>();

    fn new() -> Self {
        Self { ends: Vec::new(), valid: NullBufferBuilder::new(0) }
    }

    #[inline]
    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    #[inline]
    fn put(&mut self, row: usize, end: usize) {
        self.pad(row);
        self.ends.push(end);
        self.valid.append_non_null();
    }

    fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.ends.len());
        if missing > 0 {
            self.ends.resize(rows, self.end());
            self.valid.append_n_nulls(missing);
        }
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.valid.truncate(rows);
    }

    fn finish(&mut self) -> Result<(OffsetBuffer<i32>, Option<NullBuffer>), ArrowError> {
        let ends = std::mem::take(&mut self.ends);
        let offsets = std::iter::once(0).chain(ends).map(i32::try_from).collect::<Result<Vec<_>, _>>();
        let offsets = offsets.map_err(|_| ArrowError::OffsetOverflowError(usize::MAX))?;
        Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), self.valid.finish()))
    }
}
