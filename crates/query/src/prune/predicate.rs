//! A filter in the form in which it prunes, and the columns that it may speak of.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use iceberg::spec::{Datum, NestedFieldRef, PrimitiveLiteral, PrimitiveType, Schema, Transform, Type};
use iceberg::transform::create_transform_function;

use super::container::Container;
use super::statistics::ContainerStatistics;
use crate::columns::FieldAccess;
use crate::views;

/// A column of a primitive type, at the top or in structs.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Its field id.
    pub id: i32,
    /// Its type.
    pub primitive: PrimitiveType,
    /// Its Arrow type.
    pub arrow: DataType,
    /// Whether it is a column of the table itself. Of a field in a struct, NULLs cannot be told from those of
    /// the struct.
    pub is_top: bool,
}

impl Leaf {
    fn datum(&self, value: &ScalarValue) -> Option<Datum> {
        Some(match (value, &self.primitive) {
            (ScalarValue::Int32(Some(value)), PrimitiveType::Int) => Datum::int(*value),
            (ScalarValue::Int64(Some(value)), PrimitiveType::Long) => Datum::long(*value),
            (ScalarValue::Utf8(Some(value)) | ScalarValue::Utf8View(Some(value)), PrimitiveType::String) => {
                Datum::string(value)
            }
            (ScalarValue::Date32(Some(value)), PrimitiveType::Date) => Datum::date(*value),
            (ScalarValue::TimestampMicrosecond(Some(value), _), PrimitiveType::Timestamp) => {
                Datum::timestamp_micros(*value)
            }
            (ScalarValue::TimestampMicrosecond(Some(value), _), PrimitiveType::Timestamptz) => {
                Datum::timestamptz_micros(*value)
            }
            (ScalarValue::Binary(Some(value)), PrimitiveType::Binary) => Datum::binary(value.clone()),
            _ => return None,
        })
    }
}

/// Values that a filter asks for in a column, and their buckets once somebody wants to know.
pub(crate) struct Wanted<'a> {
    leaf: &'a Leaf,
    values: &'a HashSet<ScalarValue>,
    buckets: RefCell<HashMap<Transform, Option<HashSet<i32>>>>,
}

impl<'a> Wanted<'a> {
    /// These values of this column.
    #[allow(clippy::mutable_key_type, reason = "scalars are not changed here")]
    pub fn new(leaf: &'a Leaf, values: &'a HashSet<ScalarValue>) -> Self {
        Self { leaf, values, buckets: RefCell::default() }
    }

    /// Whether none of the values is in this bucket; false when one of them has no bucket.
    pub fn all_outside(&self, transform: Transform, bucket: i32) -> bool {
        let mut cache = self.buckets.borrow_mut();
        let buckets = cache.entry(transform).or_insert_with(|| self.buckets(transform));
        buckets.as_ref().is_some_and(|buckets| !buckets.contains(&bucket))
    }

    fn buckets(&self, transform: Transform) -> Option<HashSet<i32>> {
        let function = create_transform_function(&transform).ok()?;
        let buckets = self.values.iter().map(|value| {
            let bucket = function.transform_literal(&self.leaf.datum(value)?).ok()??;
            match bucket.literal() {
                PrimitiveLiteral::Int(bucket) => Some(*bucket),
                _ => None,
            }
        });
        buckets.collect()
    }
}

/// The columns of a table that pruning knows, by name: `a` for a column, `a.b` for a field of a struct.
#[derive(Debug)]
pub(crate) struct Leaves {
    by_name: HashMap<String, Leaf>,
    schema: SchemaRef,
}

impl Leaves {
    /// The leaves of a table's schema.
    pub fn new(schema: &Schema) -> Self {
        let mut fields: Vec<Field> =
            views::schema_inside(schema).fields().iter().map(|field| field.as_ref().clone()).collect();
        let mut by_name = HashMap::new();
        for column in schema.as_struct().fields() {
            collect(column, &column.name, true, &mut by_name);
        }
        let nested = by_name.iter().filter(|(_, leaf)| !leaf.is_top);
        fields.extend(nested.map(|(name, leaf)| Field::new(name, leaf.arrow.clone(), true)));
        Self { by_name, schema: Arc::new(ArrowSchema::new(fields)) }
    }

    /// A leaf by its name.
    pub fn get(&self, name: &str) -> Option<&Leaf> {
        self.by_name.get(name)
    }

    /// A filter that speaks of leaves as columns.
    fn flatten(&self, filter: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        filter
            .transform_down(|expr| {
                let Some(access) = FieldAccess::of(&expr) else { return Ok(Transformed::no(expr)) };
                let name = access.full_name();
                match self.schema.index_of(&name) {
                    Ok(index) if self.by_name.contains_key(&name) => {
                        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, index));
                        Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
                    }
                    _ => Ok(Transformed::no(expr)),
                }
            })
            .data()
    }
}

fn collect(field: &NestedFieldRef, name: &str, is_top: bool, leaves: &mut HashMap<String, Leaf>) {
    match field.field_type.as_ref() {
        Type::Primitive(primitive) => {
            let arrow = views::type_inside(&field.field_type);
            let leaf = Leaf { id: field.id, primitive: primitive.clone(), arrow, is_top };
            leaves.entry(name.to_owned()).or_insert(leaf);
        }
        Type::Struct(inside) => {
            for field in inside.fields() {
                collect(field, &format!("{name}.{}", field.name), false, leaves);
            }
        }
        // Of elements and values there is one bound for all rows' lists: no filter can use it.
        Type::List(_) | Type::Map(_) => {}
    }
}

/// A filter that tells which containers may hold rows that it keeps.
pub(crate) struct Pruner<'a> {
    leaves: &'a Leaves,
    predicate: Option<PruningPredicate>,
}

impl<'a> Pruner<'a> {
    /// For a filter over the table's columns. One that prunes nothing keeps everything.
    pub fn new(leaves: &'a Leaves, filter: Option<Arc<dyn PhysicalExpr>>) -> Self {
        let predicate = filter.and_then(|filter| {
            let flat = leaves.flatten(filter).ok()?;
            PruningPredicate::try_new(flat, leaves.schema.clone()).ok()
        });
        Self { leaves, predicate: predicate.filter(|predicate| !predicate.always_true()) }
    }

    /// Which of the containers may hold such rows.
    pub fn keep<C: Container>(&self, containers: &[C]) -> Vec<bool> {
        let all = || vec![true; containers.len()];
        let Some(predicate) = &self.predicate else { return all() };
        let statistics = ContainerStatistics::new(self.leaves, containers);
        // What cannot be evaluated over bounds keeps its files; the scan evaluates it over rows.
        predicate.prune(&statistics).unwrap_or_else(|_| all())
    }
}
