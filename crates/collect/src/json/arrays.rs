//! Columns of Arrow, filled cell by cell.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder,
    Float32Builder, Float64Builder, Int32Builder, Int64Builder, ListArray, MapArray, StringBuilder,
    StructArray, Time64MicrosecondBuilder, TimestampMicrosecondBuilder, TimestampNanosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit};
use arrow::error::ArrowError;
use hosu_table::json::{Cell, Scalar};

/// One column under construction, with all that is inside it.
#[derive(Debug)]
pub(super) enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    Nanos(TimestampNanosecondBuilder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    FixedBytes(FixedSizeBinaryBuilder),
    Struct(StructBuilder),
    List(ListBuilder),
    Map(MapBuilder),
}

#[derive(Debug)]
pub(super) struct StructBuilder {
    fields: Fields,
    columns: Vec<ColumnBuilder>,
    valid: Vec<bool>,
}

#[derive(Debug)]
pub(super) struct ListBuilder {
    element: FieldRef,
    values: Box<ColumnBuilder>,
    places: Places,
}

#[derive(Debug)]
pub(super) struct MapBuilder {
    entry: FieldRef,
    fields: Fields,
    keys: StringBuilder,
    values: Box<ColumnBuilder>,
    places: Places,
}

/// Where the values of each row end, and which rows have any.
#[derive(Debug, Default)]
struct Places {
    ends: Vec<usize>,
    valid: Vec<bool>,
}

/// Appends to a builder the value of the one kind of scalar that it takes, else null.
macro_rules! append {
    ($builder:expr, $cell:expr, $kind:ident) => {
        match $cell {
            Cell::Scalar(Scalar::$kind(value)) => $builder.append_value(*value),
            _ => $builder.append_null(),
        }
    };
}

impl ColumnBuilder {
    pub(super) fn new(data_type: &DataType) -> Result<Self, ArrowError> {
        Ok(match data_type {
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Int32 => Self::Int(Int32Builder::new()),
            DataType::Int64 => Self::Long(Int64Builder::new()),
            DataType::Float32 => Self::Float(Float32Builder::new()),
            DataType::Float64 => Self::Double(Float64Builder::new()),
            DataType::Decimal128(precision, scale) => {
                Self::Decimal(Decimal128Builder::new().with_precision_and_scale(*precision, *scale)?)
            }
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Time64(TimeUnit::Microsecond) => Self::Time(Time64MicrosecondBuilder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                Self::Micros(TimestampMicrosecondBuilder::new().with_timezone_opt(zone.clone()))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                Self::Nanos(TimestampNanosecondBuilder::new().with_timezone_opt(zone.clone()))
            }
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Binary => Self::Bytes(BinaryBuilder::new()),
            DataType::FixedSizeBinary(bytes) => Self::FixedBytes(FixedSizeBinaryBuilder::new(*bytes)),
            DataType::Struct(fields) => Self::Struct(StructBuilder::new(fields)?),
            DataType::List(element) => Self::List(ListBuilder {
                element: element.clone(),
                values: Box::new(Self::new(element.data_type())?),
                places: Places::default(),
            }),
            DataType::Map(entry, _) => Self::Map(MapBuilder::new(entry)?),
            other => return Err(ArrowError::NotYetImplemented(format!("columns of {other}"))),
        })
    }

    /// Appends one cell, and tells about how many bytes it takes.
    pub(super) fn append(&mut self, cell: &Cell<'_>) -> usize {
        match self {
            Self::Boolean(builder) => append!(builder, cell, Boolean),
            Self::Int(builder) => append!(builder, cell, Int),
            Self::Long(builder) => append!(builder, cell, Long),
            Self::Float(builder) => append!(builder, cell, Float),
            Self::Double(builder) => append!(builder, cell, Double),
            Self::Decimal(builder) => append!(builder, cell, Decimal),
            Self::Date(builder) => append!(builder, cell, Date),
            Self::Time(builder) => append!(builder, cell, Time),
            Self::Micros(builder) => append!(builder, cell, Timestamp),
            Self::Nanos(builder) => append!(builder, cell, Timestamp),
            Self::Text(builder) => return append_text(builder, cell),
            Self::Bytes(builder) => return append_bytes(builder, cell),
            Self::FixedBytes(builder) => return append_fixed(builder, cell),
            Self::Struct(builder) => return builder.append(cell),
            Self::List(builder) => return builder.append(cell),
            Self::Map(builder) => return builder.append(cell),
        }
        size_of::<i64>()
    }

    /// The array of what was appended; the builder is empty again.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Micros(builder) => Arc::new(builder.finish()),
            Self::Nanos(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::FixedBytes(builder) => Arc::new(builder.finish()),
            Self::Struct(builder) => Arc::new(builder.finish()?),
            Self::List(builder) => Arc::new(builder.finish()?),
            Self::Map(builder) => Arc::new(builder.finish()?),
        })
    }
}

fn append_text(builder: &mut StringBuilder, cell: &Cell<'_>) -> usize {
    let text = match cell {
        Cell::Scalar(Scalar::Text(text)) => Some(text.as_ref()),
        _ => None,
    };
    builder.append_option(text);
    text.map_or(0, str::len) + size_of::<i32>()
}

fn append_bytes(builder: &mut BinaryBuilder, cell: &Cell<'_>) -> usize {
    let bytes = match cell {
        Cell::Scalar(Scalar::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    builder.append_option(bytes);
    bytes.map_or(0, Vec::len) + size_of::<i32>()
}

fn append_fixed(builder: &mut FixedSizeBinaryBuilder, cell: &Cell<'_>) -> usize {
    match cell {
        // Only another length can fail, and only the column's own length fits it.
        Cell::Scalar(Scalar::Bytes(bytes)) if builder.append_value(bytes).is_ok() => {}
        _ => builder.append_null(),
    }
    size_of::<i128>()
}

impl StructBuilder {
    fn new(fields: &Fields) -> Result<Self, ArrowError> {
        let columns = fields.iter().map(|field| ColumnBuilder::new(field.data_type()));
        Ok(Self { fields: fields.clone(), columns: columns.collect::<Result<_, _>>()?, valid: Vec::new() })
    }

    fn append(&mut self, cell: &Cell<'_>) -> usize {
        let cells = match cell {
            Cell::Struct(cells) => Some(cells),
            _ => None,
        };
        self.valid.push(cells.is_some());
        let columns = self.columns.iter_mut().enumerate();
        let bytes = columns
            .map(|(at, column)| column.append(cells.and_then(|cells| cells.get(at)).unwrap_or(&Cell::Null)));
        bytes.sum::<usize>() + size_of::<bool>()
    }

    fn finish(&mut self) -> Result<StructArray, ArrowError> {
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect::<Result<Vec<_>, _>>()?;
        let valid = std::mem::take(&mut self.valid);
        StructArray::try_new_with_length(self.fields.clone(), arrays, nulls(&valid), valid.len())
    }
}

impl ListBuilder {
    fn append(&mut self, cell: &Cell<'_>) -> usize {
        let elements = match cell {
            Cell::List(elements) => Some(elements.as_slice()),
            _ => None,
        };
        let bytes =
            elements.unwrap_or_default().iter().map(|element| self.values.append(element)).sum::<usize>();
        bytes + self.places.append(elements.map(<[_]>::len))
    }

    fn finish(&mut self) -> Result<ListArray, ArrowError> {
        let values = self.values.finish()?;
        let (offsets, nulls) = self.places.finish()?;
        ListArray::try_new(self.element.clone(), offsets, values, nulls)
    }
}

impl MapBuilder {
    fn new(entry: &FieldRef) -> Result<Self, ArrowError> {
        match entry.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Ok(Self {
                entry: entry.clone(),
                fields: fields.clone(),
                keys: StringBuilder::new(),
                values: Box::new(ColumnBuilder::new(fields[1].data_type())?),
                places: Places::default(),
            }),
            other => Err(ArrowError::SchemaError(format!("{other} is no entry of a map"))),
        }
    }

    fn append(&mut self, cell: &Cell<'_>) -> usize {
        let entries = match cell {
            Cell::Map(entries) => Some(entries.as_slice()),
            _ => None,
        };
        let mut bytes = 0;
        for (key, value) in entries.unwrap_or_default() {
            bytes += append_text(&mut self.keys, &Cell::Scalar(key.clone())) + self.values.append(value);
        }
        bytes + self.places.append(entries.map(<[_]>::len))
    }

    fn finish(&mut self) -> Result<MapArray, ArrowError> {
        let values = self.values.finish()?;
        // A map that JSON cannot fill (its keys are no texts) has no entries, and an array of its keys' type.
        let keys: ArrayRef = match self.fields.first().map(|key| key.data_type()) {
            Some(key_type) if *key_type != DataType::Utf8 => arrow::array::new_empty_array(key_type),
            _ => Arc::new(self.keys.finish()),
        };
        let entries = StructArray::try_new(self.fields.clone(), vec![keys, values], None)?;
        let (offsets, nulls) = self.places.finish()?;
        MapArray::try_new(self.entry.clone(), offsets, entries, nulls, false)
    }
}

impl Places {
    fn append(&mut self, values: Option<usize>) -> usize {
        let end = self.ends.last().copied().unwrap_or(0);
        self.ends.push(end + values.unwrap_or(0));
        self.valid.push(values.is_some());
        size_of::<i32>()
    }

    fn finish(&mut self) -> Result<(OffsetBuffer<i32>, Option<NullBuffer>), ArrowError> {
        let ends = std::mem::take(&mut self.ends);
        let offsets = std::iter::once(0).chain(ends).map(i32::try_from).collect::<Result<Vec<_>, _>>();
        let offsets = offsets.map_err(|_| ArrowError::OffsetOverflowError(usize::MAX))?;
        let valid = std::mem::take(&mut self.valid);
        Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), nulls(&valid)))
    }
}

fn nulls(valid: &[bool]) -> Option<NullBuffer> {
    valid.contains(&false).then(|| NullBuffer::from(valid))
}
