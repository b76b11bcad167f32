//! Builds nested values as the table has them out of those in a file.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

use super::{Child, Reading, Source};

/// A nested column of a file, rebuilt as the table's.
#[derive(Debug, Eq)]
pub(super) struct RebuildExpr {
    child: Arc<dyn PhysicalExpr>,
    reading: Reading,
    target: FieldRef,
}

impl RebuildExpr {
    pub fn new(child: Arc<dyn PhysicalExpr>, reading: Reading, target: FieldRef) -> Self {
        Self { child, reading, target }
    }
}

// Derived, these would ask `Arc<dyn PhysicalExpr>` for what it has not (rust-lang/rust#78808).
impl PartialEq for RebuildExpr {
    fn eq(&self, other: &Self) -> bool {
        self.child.eq(&other.child) && self.reading == other.reading && self.target == other.target
    }
}

impl Hash for RebuildExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.child.hash(state);
        self.reading.hash(state);
        self.target.hash(state);
    }
}

impl fmt::Display for RebuildExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by_field_id({})", self.child)
    }
}

impl PhysicalExpr for RebuildExpr {
    fn return_field(&self, _input_schema: &Schema) -> Result<FieldRef> {
        Ok(self.target.clone())
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let array = self.child.evaluate(batch)?.into_array(batch.num_rows())?;
        rebuild(&array, &self.reading, self.target.data_type()).map(ColumnarValue::Array)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.child]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match children.into_iter().next() {
            Some(child) => Ok(Arc::new(Self::new(child, self.reading.clone(), self.target.clone()))),
            None => exec_err!("a nested column needs its file's"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An array of a file as one of type `target`.
pub(super) fn rebuild(array: &ArrayRef, reading: &Reading, target: &DataType) -> Result<ArrayRef> {
    match (reading, target) {
        (Reading::AsIs, _) => Ok(array.clone()),
        (Reading::Cast(target), _) => Ok(cast(array, target)?),
        (Reading::Struct(children), DataType::Struct(fields)) => rebuild_struct(array, children, fields),
        (Reading::List(element), DataType::List(field)) => rebuild_list(array, element, field),
        (Reading::Map(key, value), DataType::Map(entry, sorted)) => {
            rebuild_map(array, [key, value], entry, *sorted)
        }
        _ => exec_err!("{} cannot be read as {target}", array.data_type()),
    }
}

fn rebuild_struct(array: &ArrayRef, children: &[Child], fields: &Fields) -> Result<ArrayRef> {
    let array = downcast::<StructArray>(array)?;
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(array.len(), array.nulls().cloned())));
    }
    let columns: Result<Vec<ArrayRef>> =
        children.iter().map(|child| rebuild_child(child, array.columns(), array.len())).collect();
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns?, array.nulls().cloned())?))
}

fn rebuild_list(array: &ArrayRef, element: &Child, field: &FieldRef) -> Result<ArrayRef> {
    let as_list = match array.data_type() {
        DataType::List(_) => array.clone(),
        DataType::LargeList(inside) | DataType::FixedSizeList(inside, _) => {
            cast(array, &DataType::List(inside.clone()))?
        }
        other => return exec_err!("{other} is no list"),
    };
    let list = downcast::<ListArray>(&as_list)?;
    let values = rebuild_child(element, std::slice::from_ref(list.values()), list.values().len())?;
    let rebuilt = ListArray::try_new(field.clone(), list.offsets().clone(), values, list.nulls().cloned())?;
    Ok(Arc::new(rebuilt))
}

fn rebuild_map(array: &ArrayRef, parts: [&Child; 2], entry: &FieldRef, sorted: bool) -> Result<ArrayRef> {
    let map = downcast::<MapArray>(array)?;
    let DataType::Struct(fields) = entry.data_type() else {
        return exec_err!("a map needs keys and values");
    };
    let entries = map.entries();
    let columns: Result<Vec<ArrayRef>> =
        parts.iter().map(|part| rebuild_child(part, entries.columns(), entries.len())).collect();
    let rebuilt = StructArray::try_new(fields.clone(), columns?, entries.nulls().cloned())?;
    let map = MapArray::try_new(entry.clone(), map.offsets().clone(), rebuilt, map.nulls().cloned(), sorted)?;
    Ok(Arc::new(map))
}

fn rebuild_child(child: &Child, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    match &child.source {
        Source::File { index, reading } => match columns.get(*index) {
            Some(array) => rebuild(array, reading, child.target.data_type()),
            None => exec_err!("field `{}` is missing", child.target.name()),
        },
        Source::Constant(value) if value.is_null() => Ok(new_null_array(child.target.data_type(), rows)),
        Source::Constant(value) => value.to_array_of_size(rows),
        Source::Unreadable(reason) => Err(DataFusionError::Execution(reason.clone())),
    }
}

fn downcast<T: 'static>(array: &ArrayRef) -> Result<&T> {
    array.as_any().downcast_ref::<T>().ok_or_else(|| {
        DataFusionError::Execution(format!(
            "a column of {} was expected to be nested otherwise",
            array.data_type()
        ))
    })
}

/// The type of the value below a nested one, for fields that are read one by one.
pub(super) fn inside<'a>(parent: &'a Field, name: &str) -> Option<(usize, &'a FieldRef)> {
    match parent.data_type() {
        DataType::Struct(fields) => fields.find(name),
        _ => None,
    }
}
