//! The rejects table: how it looks, and rejected records as rows of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::error::ArrowError;
use hosu_catalog::{Catalog, Table};
use hosu_table::arrow_schema::to_arrow;
use hosu_table::name::TableName;
use hosu_table::rejects::{BYTE_OFFSET, INGESTED_AT, LINE_NUMBER, REASON, RECORD, SOURCE, rejects_schema};
use iceberg::spec::Schema;

use super::shape::Shape;
use crate::contract::group_of;
use crate::error::CollectError;
use crate::json::Reject;
use crate::report::RejectReason;

/// The rejects table, if there should be a reject.
pub(super) struct RejectsPlan {
    pub name: TableName,
    /// The table, or why it cannot take rejected records. That is an error with the first of them only.
    shape: Result<Shape, String>,
}

impl RejectsPlan {
    /// The table as it is, or as it will be made.
    pub(super) fn new(existing: Option<Arc<Table>>, name: TableName, catalog: &Catalog) -> Self {
        let shape = match existing {
            Some(table) => of_existing(table),
            None => Shape::of_new_plain(name.clone(), rejects_schema(), catalog),
        };
        let shape = shape.map_err(|error| match error {
            CollectError::RejectsTable { reason, .. } => reason,
            other => other.to_string(),
        });
        Self { name, shape }
    }

    /// The table, once there is a reject.
    ///
    /// # Errors
    /// [`CollectError::RejectsTable`].
    pub(super) fn shape(&self) -> Result<&Shape, CollectError> {
        self.shape.as_ref().map_err(|reason| self.refused(reason.clone()))
    }

    pub(super) fn refused(&self, reason: String) -> CollectError {
        CollectError::RejectsTable { table: self.name.clone(), reason }
    }
}

/// A table of the right name. It may have further columns, which stay empty.
///
/// # Errors
/// [`CollectError::RejectsTable`] when rejected records do not fit into it.
fn of_existing(table: Arc<Table>) -> Result<Shape, CollectError> {
    let refused = |reason: String| Err(CollectError::RejectsTable { table: table.name.clone(), reason });
    let ours = rejects_schema();
    for wanted in ours.as_struct().fields() {
        match table.schema().as_struct().field_by_name(&wanted.name) {
            None => return refused(format!("it has no column `{}`", wanted.name)),
            Some(found) if found.field_type != wanted.field_type => {
                return refused(format!(
                    "its column `{}` is {}, not {}",
                    wanted.name, found.field_type, wanted.field_type
                ));
            }
            Some(_) => {}
        }
    }
    let unknown = table
        .schema()
        .as_struct()
        .fields()
        .iter()
        .find(|field| field.required && ours.as_struct().field_by_name(&field.name).is_none());
    match unknown {
        Some(field) => refused(format!("its column `{}` must have a value", field.name)),
        None => Shape::of_table(table),
    }
}

/// So many kinds of reasons are told one by one.
const REASONS_MAX: usize = 100;

/// The kind under which further ones are counted.
const OTHER_REASONS: &str = "other reasons";

/// Why records were rejected, counted by what is the same in their reasons.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons {
    counted: BTreeMap<String, RejectReason>,
}

impl Reasons {
    /// Counts the rejects of a source.
    pub(super) fn add(&mut self, source: &str, rejects: &[Reject]) {
        for reject in rejects {
            let mut group = group_of(&reject.reason);
            if self.counted.len() >= REASONS_MAX && !self.counted.contains_key(&group) {
                OTHER_REASONS.clone_into(&mut group);
            }
            let counted = self.counted.entry(group).or_insert_with_key(|group| RejectReason {
                reason: group.clone(),
                records: 0,
                example: reject.reason.clone(),
                source: source.to_owned(),
                line_number: reject.line_number,
            });
            counted.records += 1;
        }
    }

    /// Most records first.
    pub(super) fn told(&self) -> Vec<RejectReason> {
        let mut told: Vec<RejectReason> = self.counted.values().cloned().collect();
        told.sort_by_key(|reason| std::cmp::Reverse(reason.records));
        told
    }
}

/// Rejected records of one source as rows of their table.
///
/// # Errors
/// When the table has a column that cannot be empty.
pub(super) fn to_batch(
    schema: &Schema,
    source: &str,
    rejects: &[Reject],
    now_ms: i64,
) -> Result<RecordBatch, ArrowError> {
    let arrow = Arc::new(to_arrow(schema));
    let rows = rejects.len();
    let integers = |number: fn(&Reject) -> u64| -> ArrayRef {
        Arc::new(rejects.iter().map(|reject| i64::try_from(number(reject)).ok()).collect::<Int64Array>())
    };
    let columns = arrow.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            RECORD => Arc::new(BinaryArray::from_iter_values(rejects.iter().map(|reject| &reject.record))),
            REASON => Arc::new(StringArray::from_iter_values(rejects.iter().map(|reject| &reject.reason))),
            SOURCE => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(source, rows))),
            BYTE_OFFSET => integers(|reject| reject.byte_offset),
            LINE_NUMBER => integers(|reject| reject.line_number),
            INGESTED_AT => {
                let now_us = now_ms.saturating_mul(1000);
                let times = TimestampMicrosecondArray::from_iter_values(std::iter::repeat_n(now_us, rows));
                Arc::new(times.with_timezone("UTC"))
            }
            _ => new_null_array(field.data_type(), rows),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(arrow, columns)
}
