//! Rewrites the expressions of a scan from the table's columns to those of each file.
//!
//! DataFusion calls this for filters and projections alike, before row groups and pages are pruned. What is
//! read of a struct stays as narrow as it was: `get_field(device, 'os')` becomes the file's own
//! `get_field(…)`, so that one leaf is decoded and not the whole struct.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::functions::core::get_field;
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal, lit};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};
use iceberg::spec::{NameMapping, SchemaRef as IcebergSchemaRef};

use super::rebuild::{RebuildExpr, inside};
use super::{Child, FileColumns, Reading, Source};
use crate::sampled::{PruningOnly, SampledFilter};

/// Makes the adapter of each file of a table.
#[derive(Debug)]
pub(crate) struct FieldIdAdapterFactory {
    /// The table's name, for messages.
    table: String,
    schema: IcebergSchemaRef,
    mapping: Option<Arc<NameMapping>>,
}

impl FieldIdAdapterFactory {
    /// For a table with this schema, whose names are those that the plan uses.
    pub fn new(table: String, schema: IcebergSchemaRef, mapping: Option<Arc<NameMapping>>) -> Self {
        Self { table, schema, mapping }
    }
}

impl PhysicalExprAdapterFactory for FieldIdAdapterFactory {
    fn create(
        &self,
        _logical_file_schema: SchemaRef,
        physical_file_schema: SchemaRef,
    ) -> Result<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(FieldIdAdapter {
            table: self.table.clone(),
            columns: FileColumns::new(&self.schema, &physical_file_schema, self.mapping.as_deref()),
            file: physical_file_schema,
        }))
    }
}

#[derive(Debug)]
struct FieldIdAdapter {
    table: String,
    columns: FileColumns,
    file: SchemaRef,
}

impl PhysicalExprAdapter for FieldIdAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        expr.transform_down(|expr| {
            let rewritten = match FieldAccess::of(&expr) {
                Some(access) => self.field(&access)?,
                None => {
                    match expr.downcast_ref::<SampledFilter>().and_then(SampledFilter::not_worth_asking) {
                        Some(filter) => Some(PruningOnly::of(self.rewrite(filter.clone())?, &self.file)),
                        None => {
                            expr.downcast_ref::<Column>().map(|column| self.column(column)).transpose()?
                        }
                    }
                }
            };
            Ok(match rewritten {
                // What was rewritten names the file's columns now and must not be looked at again.
                Some(rewritten) => Transformed::new(rewritten, true, TreeNodeRecursion::Jump),
                None => Transformed::no(expr),
            })
        })
        .data()
    }
}

impl FieldIdAdapter {
    fn of(&self, name: &str) -> Result<&Child> {
        self.columns
            .get(name)
            .ok_or_else(|| DataFusionError::Internal(format!("table {} has no column {name}", self.table)))
    }

    fn unreadable<T>(&self, reason: &str) -> Result<T> {
        exec_err!("table {}: {reason}", self.table)
    }

    fn column(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let child = self.of(column.name())?;
        match &child.source {
            Source::File { index, reading } => Ok(read(self.file_column(*index)?, reading, &child.target)),
            Source::Constant(value) => Ok(lit(value.clone())),
            Source::Unreadable(reason) => self.unreadable(reason),
        }
    }

    fn file_column(&self, index: usize) -> Result<Arc<dyn PhysicalExpr>> {
        match self.file.fields().get(index) {
            Some(field) => Ok(Arc::new(Column::new(field.name(), index))),
            None => exec_err!("table {}: the file has no column {index}", self.table),
        }
    }

    /// A field of a struct as the file's; none where the column has to be rebuilt as a whole.
    fn field(&self, access: &FieldAccess) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let root = self.of(&access.column)?;
        let mut child = root;
        let mut file_path: Vec<String> = Vec::new();
        let mut file_field = match &root.source {
            Source::File { index, .. } => self.file.fields().get(*index),
            _ => None,
        };
        for (depth, name) in access.path.iter().enumerate() {
            let children = match &child.source {
                Source::Constant(value) => return Ok(constant_below(value, child, &access.path[depth..])),
                Source::File { reading: Reading::Struct(children), .. } => children,
                Source::File { .. } => return Ok(None),
                Source::Unreadable(reason) => return self.unreadable(reason),
            };
            let Some(next) = children.iter().find(|child| child.target.name() == name) else {
                return Ok(None);
            };
            if let Source::File { index, .. } = &next.source {
                file_field = file_field.and_then(|field| match field.data_type() {
                    DataType::Struct(fields) => fields.get(*index),
                    _ => None,
                });
                let Some(field) = file_field else { return Ok(None) };
                file_path.push(field.name().clone());
            }
            child = next;
        }
        match (&root.source, &child.source) {
            (Source::File { index, .. }, Source::File { reading, .. }) => {
                let field = self.file_field(*index, file_path)?;
                let target = child.target.as_ref().clone().with_nullable(true);
                Ok(Some(read(field, reading, &Arc::new(target))))
            }
            (_, Source::Constant(value)) if value.is_null() => Ok(Some(lit(value.clone()))),
            (_, Source::Unreadable(reason)) => self.unreadable(reason),
            // A default holds where the struct is there, NULL where it is not: only the whole struct tells.
            _ => Ok(None),
        }
    }

    fn file_field(&self, index: usize, path: Vec<String>) -> Result<Arc<dyn PhysicalExpr>> {
        let mut arguments = vec![self.file_column(index)?];
        arguments.extend(path.into_iter().map(lit));
        let options = Arc::new(ConfigOptions::default());
        Ok(Arc::new(ScalarFunctionExpr::try_new(get_field(), arguments, &self.file, options)?))
    }
}

fn read(from: Arc<dyn PhysicalExpr>, reading: &Reading, target: &FieldRef) -> Arc<dyn PhysicalExpr> {
    match reading {
        Reading::AsIs => from,
        Reading::Cast(_) => Arc::new(CastExpr::new_with_target_field(from, target.clone(), None)),
        nested => Arc::new(RebuildExpr::new(from, nested.clone(), target.clone())),
    }
}

/// What is below a struct that the file lacks: NULL, when the struct is.
fn constant_below(value: &ScalarValue, child: &Child, path: &[String]) -> Option<Arc<dyn PhysicalExpr>> {
    if !value.is_null() {
        return None;
    }
    let mut field = &child.target;
    for name in path {
        field = inside(field, name)?.1;
    }
    ScalarValue::try_new_null(field.data_type()).ok().map(lit)
}

/// `column.a.b` as DataFusion writes it: one call of `get_field` with many names, or one inside of the other.
pub(crate) struct FieldAccess {
    column: String,
    path: Vec<String>,
}

impl FieldAccess {
    /// The names joined by dots.
    pub fn full_name(&self) -> String {
        let path = std::iter::once(&self.column).chain(&self.path);
        path.map(String::as_str).collect::<Vec<_>>().join(".")
    }

    /// Reads an expression as such an access.
    pub fn of(expr: &Arc<dyn PhysicalExpr>) -> Option<Self> {
        let call = ScalarFunctionExpr::try_downcast_func::<GetFieldFunc>(expr.as_ref())?;
        let (base, names) = call.args().split_first()?;
        let mut access = match base.downcast_ref::<Column>() {
            Some(column) => Self { column: column.name().to_owned(), path: Vec::new() },
            None => Self::of(base)?,
        };
        for name in names {
            let name = name.downcast_ref::<Literal>()?.value().try_as_str()??;
            access.path.push(name.to_owned());
        }
        Some(access)
    }
}
