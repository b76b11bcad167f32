//! Texts while a query runs: views into what was decoded.
//!
//! A text of a table is `Utf8View` to DataFusion, in structs too. Such values are not copied when they are decoded,
//! joined, sorted or filtered, and those of up to twelve bytes are compared as numbers. Texts that are themselves elements
//! of a list, and those in maps, are not: few functions of lists and maps know views. Outside of a query a text is
//! `Utf8`, as in [`hosu_table::arrow_schema::to_arrow`]: what leaves a query is converted.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef};
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use hosu_table::arrow_schema;
use iceberg::spec::{Schema, Type};

mod hint;

pub(crate) use hint::asking_for_views;

/// A table's schema while a query runs.
pub(crate) fn schema_inside(schema: &Schema) -> ArrowSchema {
    let fields = schema
        .as_struct()
        .fields()
        .iter()
        .map(|column| Field::new(&column.name, type_inside(&column.field_type), !column.required));
    ArrowSchema::new(fields.collect::<Vec<_>>())
}

/// The type of a column while a query runs.
pub(crate) fn type_inside(column_type: &Type) -> DataType {
    with_views(&arrow_schema::to_arrow_type(column_type))
}

/// Whether a column has views of texts in structs: DataFusion asks files only for those at the top.
pub(crate) fn has_nested_views(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields.iter().any(|field| {
            matches!(field.data_type(), DataType::Utf8View) || has_nested_views(field.data_type())
        }),
        DataType::List(element) => has_nested_views(element.data_type()),
        _ => false,
    }
}

fn with_views(data_type: &DataType) -> DataType {
    let inside =
        |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(with_views(field.data_type())));
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inside).collect()),
        DataType::List(element) if element.data_type().is_nested() => DataType::List(inside(element)),
        other => other.clone(),
    }
}

/// A schema outside of queries.
pub(crate) fn schema_outside(schema: &SchemaRef) -> SchemaRef {
    let fields = fields_outside(schema.fields());
    if &fields == schema.fields() {
        return schema.clone();
    }
    Arc::new(ArrowSchema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The plan with its result as it is outside of queries; each partition converts its own rows.
pub(crate) fn outside(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let inside = plan.schema();
    let outside = schema_outside(&inside);
    if outside == inside {
        return Ok(plan);
    }
    let columns = inside.fields().iter().zip(outside.fields()).enumerate();
    let columns = columns.map(|(index, (inside, outside))| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(inside.name(), index));
        let value = if inside == outside {
            column
        } else {
            Arc::new(CastExpr::new_with_target_field(column, outside.clone(), None))
        };
        (value, outside.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), plan)?))
}

fn fields_outside(fields: &Fields) -> Fields {
    fields.iter().map(field_outside).collect()
}

fn field_outside(field: &FieldRef) -> FieldRef {
    let outside = type_outside(field.data_type());
    if &outside == field.data_type() {
        return field.clone();
    }
    Arc::new(field.as_ref().clone().with_data_type(outside))
}

fn type_outside(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::List(element) => DataType::List(field_outside(element)),
        DataType::LargeList(element) => DataType::LargeList(field_outside(element)),
        DataType::FixedSizeList(element, size) => DataType::FixedSizeList(field_outside(element), *size),
        DataType::Struct(fields) => DataType::Struct(fields_outside(fields)),
        DataType::Map(entry, sorted) => DataType::Map(field_outside(entry), *sorted),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
