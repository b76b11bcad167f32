//! Which partition each row belongs to.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::row::{RowConverter, SortField};
use hosu_host::Location;
use iceberg::spec::{Literal, PrimitiveLiteral, PrimitiveType, Struct, Transform, Type};

use crate::columns::{Path, column_at, path_of};
use crate::error::{self, DataFileError};
use crate::target::WriteTarget;
use crate::transform;

/// A partition's number, in the order of first appearance.
pub(crate) type PartitionId = u32;

/// Numbers the partitions that rows belong to.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) table: Location,
    fields: Vec<Option<Field>>,
    converter: Option<RowConverter>,
    known: HashMap<Box<[u8]>, PartitionId>,
    partitions: Vec<Struct>,
}

/// A field of the partition spec. One that is void has no value.
#[derive(Debug)]
struct Field {
    name: String,
    path: Path,
    transform: Transform,
    /// Sixteen bytes are a number or not, by the column's type.
    is_uuid: bool,
}

impl Router {
    pub(crate) fn new(target: &WriteTarget) -> Result<Self, DataFileError> {
        let fail = |reason: String| DataFileError::Table { table: target.location.clone(), reason };
        let mut fields = Vec::new();
        for field in target.spec.fields() {
            if field.transform == Transform::Void {
                fields.push(None);
                continue;
            }
            let path = path_of(&target.schema, field.source_id).ok_or_else(|| {
                fail(format!("the column of its partition field `{}` does not exist", field.name))
            })?;
            let source = target.schema.field_by_id(field.source_id).map(|source| source.field_type.as_ref());
            fields.push(Some(Field {
                name: field.name.clone(),
                path,
                transform: field.transform,
                is_uuid: source == Some(&Type::Primitive(PrimitiveType::Uuid)),
            }));
        }
        let table = target.location.clone();
        let mut router =
            Self { table, fields, converter: None, known: HashMap::new(), partitions: Vec::new() };
        if router.is_unpartitioned() {
            router.partitions.push(Struct::from_iter(router.fields.iter().map(|_| None)));
        }
        Ok(router)
    }

    /// Whether all rows belong to partition 0.
    pub(crate) fn is_unpartitioned(&self) -> bool {
        self.fields.iter().all(Option::is_none)
    }

    /// The values of a partition.
    pub(crate) fn partition(&self, id: PartitionId) -> Struct {
        self.partitions.get(id as usize).cloned().unwrap_or_else(Struct::empty)
    }

    /// The partition of each row.
    pub(crate) fn route(&mut self, batch: &RecordBatch) -> Result<Vec<PartitionId>, DataFileError> {
        if self.is_unpartitioned() {
            return Ok(vec![0; batch.num_rows()]);
        }
        let values = self.values(batch)?;
        let rows_failed = error::rows(&self.table);
        let columns: Vec<ArrayRef> = values.iter().flatten().cloned().collect();
        let converter = match &mut self.converter {
            Some(converter) => converter,
            none => {
                let types = columns.iter().map(|column| SortField::new(column.data_type().clone()));
                none.insert(RowConverter::new(types.collect()).map_err(&rows_failed)?)
            }
        };
        let keys = converter.convert_columns(&columns).map_err(&rows_failed)?;
        let mut ids = Vec::with_capacity(batch.num_rows());
        let mut last: Option<(&[u8], PartitionId)> = None;
        for row in 0..keys.num_rows() {
            let key = keys.row(row).data();
            let id = match last {
                Some((same, id)) if same == key => id,
                _ => match self.known.get(key) {
                    Some(id) => *id,
                    None => self.add(key, &values, row)?,
                },
            };
            last = Some((key, id));
            ids.push(id);
        }
        Ok(ids)
    }

    fn values(&self, batch: &RecordBatch) -> Result<Vec<Option<ArrayRef>>, DataFileError> {
        let values = self.fields.iter().map(|field| {
            let Some(field) = field else { return Ok(None) };
            let column = column_at(batch, &field.path).map_err(error::rows(&self.table))?;
            transform::apply(field.transform, &column).map(Some).map_err(|reason| self.fail(field, &reason))
        });
        values.collect()
    }

    fn add(
        &mut self,
        key: &[u8],
        values: &[Option<ArrayRef>],
        row: usize,
    ) -> Result<PartitionId, DataFileError> {
        let id = PartitionId::try_from(self.partitions.len()).map_err(|_| DataFileError::Table {
            table: self.table.clone(),
            reason: "the rows have too many partitions".to_owned(),
        })?;
        let literals = self.fields.iter().zip(values).map(|(field, values)| {
            let (Some(field), Some(values)) = (field, values) else { return Ok(None) };
            let literal = transform::literal_at(values, row).map_err(|reason| self.fail(field, &reason))?;
            Ok(literal.map(|literal| Literal::Primitive(field.literal(literal))))
        });
        let partition = literals.collect::<Result<Vec<_>, DataFileError>>()?;
        self.partitions.push(Struct::from_iter(partition));
        self.known.insert(key.into(), id);
        Ok(id)
    }

    fn fail(&self, field: &Field, reason: &str) -> DataFileError {
        let reason = format!("partition field `{}`: {reason}", field.name);
        DataFileError::Table { table: self.table.clone(), reason }
    }
}

impl Field {
    fn literal(&self, literal: PrimitiveLiteral) -> PrimitiveLiteral {
        match literal {
            PrimitiveLiteral::UInt128(bits) if !self.is_uuid => {
                PrimitiveLiteral::Binary(bits.to_be_bytes().to_vec())
            }
            literal => literal,
        }
    }
}

/// The rows of each partition, in the order of first appearance.
pub(crate) fn group(ids: &[PartitionId]) -> Vec<(PartitionId, Vec<u32>)> {
    let mut groups: Vec<(PartitionId, Vec<u32>)> = Vec::new();
    let mut places: HashMap<PartitionId, usize> = HashMap::new();
    let mut last = None;
    for (row, id) in (0_u32..).zip(ids) {
        let place = match last {
            Some((same, place)) if same == id => place,
            _ => *places.entry(*id).or_insert_with(|| {
                groups.push((*id, Vec::new()));
                groups.len() - 1
            }),
        };
        last = Some((id, place));
        if let Some((_, rows)) = groups.get_mut(place) {
            rows.push(row);
        }
    }
    groups
}
