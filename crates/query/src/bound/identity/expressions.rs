//! The text of an expression.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, Subquery};

use super::scope::{Scope, type_text, with_type};
use super::{Wanted, Writer, all};

/// The function that takes a field out of a struct.
const FIELD: &str = "get_field";

impl Writer {
    /// Expressions with commas between them.
    pub(super) fn expressions<'a>(
        &mut self,
        exprs: impl IntoIterator<Item = &'a Expr>,
        scope: &Scope,
    ) -> String {
        exprs.into_iter().map(|expr| self.expression(expr, scope)).collect::<Vec<_>>().join(", ")
    }

    fn expression(&mut self, expr: &Expr, scope: &Scope) -> String {
        if let Some((text, data_type)) = self.path(expr, scope) {
            return format!("{text}:{}", type_text(&data_type));
        }
        match expr {
            Expr::Alias(alias) => self.expression(&alias.expr, scope),
            Expr::Column(column) => self.column(column, scope),
            Expr::OuterReferenceColumn(field, column) => {
                let origin = self.outer.iter().rev().find_map(|scope| scope.origin(column));
                match origin {
                    Some(origin) => with_type(&origin.text, origin.is_read, field.data_type()),
                    None => unknown(column),
                }
            }
            Expr::Literal(value, _) => literal(value),
            Expr::BinaryExpr(binary) => {
                let (left, right) =
                    (self.expression(&binary.left, scope), self.expression(&binary.right, scope));
                format!("({left} {} {right})", binary.op)
            }
            Expr::ScalarFunction(call) => {
                let args =
                    call.args.iter().map(|arg| match field_name(arg).filter(|_| call.name() == FIELD) {
                        Some(name) => name,
                        None => self.expression(arg, scope),
                    });
                format!("{}({})", call.name(), args.collect::<Vec<_>>().join(", "))
            }
            Expr::Exists(exists) => {
                // Whatever the columns of a row, it is there.
                let (_, text) = self.subquery_node(&exists.subquery, scope, &Wanted::new());
                format!("exists {} {{{text}}}", exists.negated)
            }
            Expr::InSubquery(within) => {
                let (value, subquery) =
                    (self.expression(&within.expr, scope), self.subquery(&within.subquery, scope));
                format!("in {} {value} {subquery}", within.negated)
            }
            Expr::SetComparison(comparison) => {
                let (value, subquery) =
                    (self.expression(&comparison.expr, scope), self.subquery(&comparison.subquery, scope));
                format!("{} {} {value} {subquery}", comparison.op, comparison.quantifier)
            }
            Expr::ScalarSubquery(subquery) => self.subquery(subquery, scope),
            other => self.node_and_parts(other, scope),
        }
    }

    /// What DataFusion shows of an expression without its parts, and these.
    fn node_and_parts(&mut self, expr: &Expr, scope: &Scope) -> String {
        let mut parts = Vec::new();
        let walked = expr.apply_children(|part| {
            parts.push(self.expression(part, scope));
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(walked.is_ok());
        let hole = || Expr::Column(Column::new_unqualified("_"));
        let shape = expr.clone().map_children(|_| Ok(Transformed::yes(hole())));
        let shape = shape.map_or_else(|_| expr.to_string(), |shape| shape.data.to_string());
        format!("<{shape}>({})", parts.join(", "))
    }

    fn column(&self, column: &Column, scope: &Scope) -> String {
        scope.origin(column).map_or_else(|| unknown(column), |origin| origin.text.clone())
    }

    fn subquery(&mut self, subquery: &Subquery, scope: &Scope) -> String {
        let plan = subquery.subquery.as_ref();
        let (inside, text) = self.subquery_node(subquery, scope, &all(plan));
        let columns = plan.schema().fields().iter().enumerate();
        let columns = columns.map(|(index, field)| inside.typed(index, field.data_type()));
        format!("{{({}) of {text}}}", columns.collect::<Vec<_>>().join(", "))
    }

    fn subquery_node(&mut self, subquery: &Subquery, scope: &Scope, wanted: &Wanted) -> (Scope, String) {
        self.outer.push(scope.clone());
        let node = self.node(&subquery.subquery, wanted);
        self.outer.pop();
        (Scope::of(&node, subquery.subquery.schema()), node.text)
    }

    /// A column that was read, or a field or element in it, with its type. The types of what it is in do not count: they have
    /// other fields.
    fn path(&mut self, expr: &Expr, scope: &Scope) -> Option<(String, DataType)> {
        match expr {
            Expr::Alias(alias) => self.path(&alias.expr, scope),
            Expr::Column(column) => {
                let origin = scope.origin(column).filter(|origin| origin.is_read)?;
                Some((origin.text.clone(), scope.data_type(column)?))
            }
            Expr::ScalarFunction(call) => {
                let (base, rest) = call.args.split_first()?;
                let (text, data_type) = self.path(base, scope)?;
                let data_type = match (call.name(), &data_type) {
                    (FIELD, _) => fields_of(&data_type, rest)?,
                    (name, DataType::List(element)) if is_element(name) => element.data_type().clone(),
                    _ => return None,
                };
                let rest = match call.name() {
                    FIELD => rest.iter().map(field_name).collect::<Option<Vec<_>>>()?.join(", "),
                    _ => self.expressions(rest, scope),
                };
                Some((format!("{text}.{}({rest})", call.name()), data_type))
            }
            _ => None,
        }
    }
}

fn is_element(name: &str) -> bool {
    matches!(name, "array_element" | "element_at")
}

/// The type of a field in fields.
fn fields_of(data_type: &DataType, names: &[Expr]) -> Option<DataType> {
    names.iter().try_fold(data_type.clone(), |data_type, name| {
        let (DataType::Struct(fields), Expr::Literal(name, _)) = (&data_type, name) else { return None };
        let name = name.try_as_str()??;
        Some(fields.iter().find(|field| field.name() == name)?.data_type().clone())
    })
}

/// The name of a field, whose case depends on what else the statement reads.
fn field_name(name: &Expr) -> Option<String> {
    let Expr::Literal(name, _) = name else { return None };
    Some(format!("{:?}", name.try_as_str()??.to_lowercase()))
}

fn literal(value: &ScalarValue) -> String {
    let of = type_text(&value.data_type());
    if value.is_null() { format!("{of} null") } else { format!("{of} {:?}", value.to_string()) }
}

fn unknown(column: &Column) -> String {
    format!("?{:?}", column.name.to_lowercase())
}
