//! Which columns an expression can see, and where they come from.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Where a column comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Origin {
    pub text: String,
    /// Whether it was read from a table, so that its type is not known from how it was computed.
    pub is_read: bool,
}

impl Origin {
    /// A column that a node computes.
    pub fn made(node: usize, index: usize) -> Self {
        Self { text: format!("{node}.{index}"), is_read: false }
    }

    /// A column of a table.
    pub fn read(text: String) -> Self {
        Self { text, is_read: true }
    }
}

/// The columns that an expression can see.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    sides: Vec<(DFSchema, Vec<Option<Origin>>)>,
}

impl Scope {
    /// The columns of one relation.
    pub fn new(schema: DFSchema, origins: Vec<Option<Origin>>) -> Self {
        Self { sides: vec![(schema, origins)] }
    }

    /// The columns of two relations.
    pub fn and(&self, other: &Self) -> Self {
        Self { sides: self.sides.iter().chain(&other.sides).cloned().collect() }
    }

    /// Where a column comes from.
    pub fn origin(&self, column: &Column) -> Option<&Origin> {
        self.sides
            .iter()
            .find_map(|(schema, origins)| origins.get(schema.maybe_index_of_column(column)?)?.as_ref())
    }

    /// The type of a column.
    pub fn data_type(&self, column: &Column) -> Option<DataType> {
        self.sides.iter().find_map(|(schema, _)| {
            Some(schema.field(schema.maybe_index_of_column(column)?).data_type().clone())
        })
    }

    /// Where an expression comes from that only passes a column on.
    pub fn passed_on(&self, expr: &Expr) -> Option<Origin> {
        match expr {
            Expr::Alias(alias) => self.passed_on(&alias.expr),
            Expr::Column(column) => self.origin(column).cloned(),
            _ => None,
        }
    }

    /// The column at this position of the first relation, with its type where that is not known from how it was computed.
    pub fn typed(&self, index: usize, data_type: &DataType) -> String {
        let origin = self.sides.first().and_then(|(_, origins)| origins.get(index)?.as_ref());
        origin.map_or_else(|| "?".to_owned(), |origin| with_type(&origin.text, origin.is_read, data_type))
    }
}

/// What was read, and of which type.
pub(super) fn with_type(text: &str, is_read: bool, data_type: &DataType) -> String {
    if is_read { format!("{text}:{}", type_text(data_type)) } else { text.to_owned() }
}

/// A type without what depends on how a query is run.
pub(super) fn type_text(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::List(element) | DataType::LargeList(element) => {
            format!("[{}]", type_text(element.data_type()))
        }
        DataType::Map(entry, _) => format!("map {}", type_text(entry.data_type())),
        DataType::Struct(fields) => {
            let fields = fields.iter();
            let fields = fields
                .map(|field| format!("{:?} {}", field.name().to_lowercase(), type_text(field.data_type())));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The positions of the columns that expressions read of a relation, those included that their subqueries read.
pub(super) fn columns_of<'a>(
    exprs: impl IntoIterator<Item = &'a Expr>,
    schema: &DFSchema,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for expr in exprs {
        let walked = expr.apply(|expr| {
            match expr {
                Expr::Column(column) => found.extend(schema.maybe_index_of_column(column)),
                Expr::Exists(exists) => found.extend(outer_columns_of(&exists.subquery.subquery, schema)),
                Expr::InSubquery(within) => found.extend(outer_columns_of(&within.subquery.subquery, schema)),
                Expr::ScalarSubquery(subquery) => found.extend(outer_columns_of(&subquery.subquery, schema)),
                Expr::SetComparison(comparison) => {
                    found.extend(outer_columns_of(&comparison.subquery.subquery, schema));
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(walked.is_ok());
    }
    found
}

/// The positions of the columns that a plan reads of a relation outside of it.
pub(super) fn outer_columns_of(plan: &LogicalPlan, schema: &DFSchema) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let walked = plan.apply_with_subqueries(|plan| {
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::OuterReferenceColumn(_, column) = expr {
                    found.extend(schema.maybe_index_of_column(column));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    debug_assert!(walked.is_ok());
    found
}
