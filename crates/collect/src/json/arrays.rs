//! Columns of Arrow, filled row by row.
//!
//! A row that is left out is null. So what a record does not have costs nothing when the record is put in, also in a
//! table of a thousand columns; and a row that was begun can be taken back.

mod nested;
mod scalars;

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow::error::ArrowError;
use hosu_table::json::{Cell, Scalar};

pub(super) use nested::List;
use nested::{Map, Struct};
pub(super) use scalars::Bytes;
use scalars::{Booleans, FixedBytes, Numbers};

/// What a text takes beside its bytes, and all that a null takes where a text could be.
const TEXT_NULL_BYTES: usize = size_of::<i32>();

/// What a number takes, and a null where a number could be.
const NUMBER_BYTES: usize = size_of::<i64>();

const FIXED_BYTES: usize = size_of::<i128>();

/// One column under construction, with all that is inside it.
#[derive(Debug)]
pub(super) enum Column {
    Boolean(Booleans),
    Int(Numbers<Int32Type>),
    Long(Numbers<Int64Type>),
    Float(Numbers<Float32Type>),
    Double(Numbers<Float64Type>),
    Decimal(Numbers<Decimal128Type>),
    Date(Numbers<Date32Type>),
    Time(Numbers<Time64MicrosecondType>),
    Micros(Numbers<TimestampMicrosecondType>),
    Nanos(Numbers<TimestampNanosecondType>),
    Text(Bytes),
    Bytes(Bytes),
    FixedBytes(FixedBytes),
    Struct(Struct),
    List(List),
    Map(Map),
}

/// Does the same with whatever the column is.
macro_rules! each {
    ($column:expr, $inside:ident => $does:expr) => {
        match $column {
            Column::Boolean($inside) => $does,
            Column::Int($inside) => $does,
            Column::Long($inside) => $does,
            Column::Float($inside) => $does,
            Column::Double($inside) => $does,
            Column::Decimal($inside) => $does,
            Column::Date($inside) => $does,
            Column::Time($inside) => $does,
            Column::Micros($inside) => $does,
            Column::Nanos($inside) => $does,
            Column::Text($inside) => $does,
            Column::Bytes($inside) => $does,
            Column::FixedBytes($inside) => $does,
            Column::Struct($inside) => $does,
            Column::List($inside) => $does,
            Column::Map($inside) => $does,
        }
    };
}

impl Column {
    pub(super) fn new(data_type: &DataType) -> Result<Self, ArrowError> {
        Ok(match data_type {
            DataType::Boolean => Self::Boolean(Booleans::new()),
            DataType::Int32 => Self::Int(Numbers::new(data_type)),
            DataType::Int64 => Self::Long(Numbers::new(data_type)),
            DataType::Float32 => Self::Float(Numbers::new(data_type)),
            DataType::Float64 => Self::Double(Numbers::new(data_type)),
            DataType::Decimal128(_, _) => Self::Decimal(Numbers::new(data_type)),
            DataType::Date32 => Self::Date(Numbers::new(data_type)),
            DataType::Time64(TimeUnit::Microsecond) => Self::Time(Numbers::new(data_type)),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Micros(Numbers::new(data_type)),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Self::Nanos(Numbers::new(data_type)),
            DataType::Utf8 => Self::Text(Bytes::new(true)),
            DataType::Binary => Self::Bytes(Bytes::new(false)),
            DataType::FixedSizeBinary(width) => Self::FixedBytes(FixedBytes::new(*width)),
            DataType::Struct(fields) => Self::Struct(Struct::new(fields)?),
            DataType::List(element) => Self::List(List::new(element)?),
            DataType::Map(entry, _) => Self::Map(Map::new(entry)?),
            other => return Err(ArrowError::NotYetImplemented(format!("columns of {other}"))),
        })
    }

    /// Puts a cell into a row that comes after those so far, and tells about how many bytes it takes.
    pub(super) fn put(&mut self, row: usize, cell: &Cell<'_>) -> usize {
        match (&mut *self, cell) {
            (Self::Boolean(column), Cell::Scalar(Scalar::Boolean(value))) => column.put(row, *value),
            (Self::Int(column), Cell::Scalar(Scalar::Int(value))) => column.put(row, *value),
            (Self::Long(column), Cell::Scalar(Scalar::Long(value))) => column.put(row, *value),
            (Self::Float(column), Cell::Scalar(Scalar::Float(value))) => column.put(row, *value),
            (Self::Double(column), Cell::Scalar(Scalar::Double(value))) => column.put(row, *value),
            (Self::Decimal(column), Cell::Scalar(Scalar::Decimal(value))) => column.put(row, *value),
            (Self::Date(column), Cell::Scalar(Scalar::Date(value))) => column.put(row, *value),
            (Self::Time(column), Cell::Scalar(Scalar::Time(value))) => column.put(row, *value),
            (Self::Micros(column), Cell::Scalar(Scalar::Timestamp(value))) => column.put(row, *value),
            (Self::Nanos(column), Cell::Scalar(Scalar::Timestamp(value))) => column.put(row, *value),
            (Self::Text(column), Cell::Scalar(Scalar::Text(value))) => {
                column.put(row, value.as_bytes());
                return value.len() + TEXT_NULL_BYTES;
            }
            (Self::Bytes(column), Cell::Scalar(Scalar::Bytes(value))) => {
                column.put(row, value);
                return value.len() + TEXT_NULL_BYTES;
            }
            (Self::FixedBytes(column), Cell::Scalar(Scalar::Bytes(value))) => column.put(row, value),
            (Self::Struct(column), Cell::Struct(cells)) => return column.put(row, cells),
            (Self::List(column), Cell::List(elements)) => return column.put(row, elements),
            (Self::Map(column), Cell::Map(entries)) => return column.put(row, entries),
            (column, _) => column.put_null(row),
        }
        self.null_bytes()
    }

    #[inline]
    pub(super) fn put_null(&mut self, row: usize) {
        each!(self, column => column.pad(row + 1));
    }

    /// About how many bytes a null takes.
    pub(super) fn null_bytes(&self) -> usize {
        match self {
            Self::Text(_) | Self::Bytes(_) | Self::List(_) | Self::Map(_) => TEXT_NULL_BYTES,
            Self::FixedBytes(_) => FIXED_BYTES,
            Self::Struct(column) => column.null_bytes(),
            _ => NUMBER_BYTES,
        }
    }

    /// Takes back all but the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        each!(self, column => column.truncate(rows));
    }

    /// The array of so many rows; the column is empty again.
    pub(super) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        each!(self, column => column.pad(rows));
        match self {
            Self::Boolean(column) => Ok(column.finish()),
            Self::Int(column) => column.finish(),
            Self::Long(column) => column.finish(),
            Self::Float(column) => column.finish(),
            Self::Double(column) => column.finish(),
            Self::Decimal(column) => column.finish(),
            Self::Date(column) => column.finish(),
            Self::Time(column) => column.finish(),
            Self::Micros(column) => column.finish(),
            Self::Nanos(column) => column.finish(),
            Self::Text(column) | Self::Bytes(column) => column.finish(),
            Self::FixedBytes(column) => column.finish(),
            Self::Struct(column) => column.finish(),
            Self::List(column) => column.finish(),
            Self::Map(column) => column.finish(),
        }
    }
}
