//! A text of what a statement means.
//!
//! It is written from the bound plan. A column is told by where it comes from: a column of a table by the scan and its field id, one that is
//! computed by the node that computes it. So names that the statement gives do not count, nor do nodes that only pass columns on; and
//! of each node only those columns are written that the result depends on, so that a table may get others.

mod expressions;
mod scope;

use std::collections::BTreeSet;
use std::fmt::Write;

use datafusion::common::{DFSchema, JoinType};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Join, LogicalPlan, Projection, RecursiveQuery, TableScan, Union, Unnest,
    Window,
};

use crate::provider::SnapshotProvider;
use scope::{Origin, Scope, columns_of};

/// Which columns of a node are wanted, by position.
type Wanted = BTreeSet<usize>;

/// The text of a plan whose result has these names.
pub(super) fn of(plan: &LogicalPlan, names: &[String]) -> String {
    let mut writer = Writer::default();
    let node = writer.node(plan, &all(plan));
    let scope = Scope::of(&node, plan.schema());
    let columns = names.iter().enumerate().map(|(index, name)| {
        let field = plan.schema().field(index);
        format!("{:?} = {}", name.to_lowercase(), scope.typed(index, field.data_type()))
    });
    format!("select {} from {}", columns.collect::<Vec<_>>().join(", "), node.text)
}

/// A node as it was written: its text and where each of its columns comes from, as far as it is wanted.
struct Node {
    text: String,
    origins: Vec<Option<Origin>>,
}

#[derive(Default)]
struct Writer {
    numbers: usize,
    /// What the queries around the present one can see, the nearest last.
    outer: Vec<Scope>,
}

fn all(plan: &LogicalPlan) -> Wanted {
    (0..plan.schema().fields().len()).collect()
}

impl Writer {
    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    fn node(&mut self, plan: &LogicalPlan, wanted: &Wanted) -> Node {
        match plan {
            LogicalPlan::Projection(node) => self.projection(node, wanted),
            LogicalPlan::SubqueryAlias(node) => self.node(&node.input, wanted),
            LogicalPlan::Subquery(node) => self.node(&node.subquery, wanted),
            LogicalPlan::Filter(node) => {
                let predicate = std::slice::from_ref(&node.predicate);
                self.passing("filter", predicate, &node.input, wanted)
            }
            LogicalPlan::Sort(node) => {
                let keys: Vec<Expr> = node.expr.iter().map(|key| key.expr.clone()).collect();
                let order = node.expr.iter().map(|key| format!("{} {}", key.asc, key.nulls_first));
                let order = order.collect::<Vec<_>>().join(" ");
                self.passing(&format!("sort {order} {:?}", node.fetch), &keys, &node.input, wanted)
            }
            LogicalPlan::Limit(node) => {
                let sides = [("skip", &node.skip), ("fetch", &node.fetch)];
                let given = sides.iter().filter_map(|(name, side)| Some((*name, side.as_ref()?)));
                let (names, counts): (Vec<&str>, Vec<Expr>) =
                    given.map(|(name, count)| (name, count.as_ref().clone())).unzip();
                self.passing(&names.join(" "), &counts, &node.input, wanted)
            }
            LogicalPlan::TableScan(scan) => self.scan(scan, wanted),
            LogicalPlan::Join(join) => self.join(join, wanted),
            LogicalPlan::Union(union) => self.union(union, wanted),
            LogicalPlan::Distinct(distinct) => self.distinct(distinct),
            LogicalPlan::Aggregate(node) => self.aggregate(node),
            LogicalPlan::Window(node) => self.window(node, wanted),
            LogicalPlan::Unnest(node) => self.unnest(node, wanted),
            LogicalPlan::RecursiveQuery(node) => self.recursive(node),
            LogicalPlan::Values(node) => {
                let scope = Scope::default();
                let rows = node.values.iter().map(|row| format!("({})", self.expressions(row, &scope)));
                let text = format!("values {}", rows.collect::<Vec<_>>().join(", "));
                self.made(text, plan)
            }
            LogicalPlan::EmptyRelation(node) => {
                self.made(format!("rows {}", u8::from(node.produce_one_row)), plan)
            }
            other => self.other(other),
        }
    }

    /// A node with columns of its own.
    fn made(&mut self, text: String, plan: &LogicalPlan) -> Node {
        let number = self.number();
        let origins = (0..plan.schema().fields().len()).map(|index| Some(Origin::made(number, index)));
        Node { text: format!("[{number} {text}]"), origins: origins.collect() }
    }

    /// A node that has the columns of its input.
    fn passing(&mut self, name: &str, exprs: &[Expr], input: &LogicalPlan, wanted: &Wanted) -> Node {
        let wanted = wanted.union(&columns_of(exprs, input.schema())).copied().collect();
        let node = self.node(input, &wanted);
        let exprs = self.expressions(exprs, &Scope::of(&node, input.schema()));
        Node { text: format!("{name} ({exprs}) of {}", node.text), origins: node.origins }
    }

    fn projection(&mut self, node: &Projection, wanted: &Wanted) -> Node {
        let exprs: Vec<&Expr> = wanted.iter().filter_map(|index| node.expr.get(*index)).collect();
        let input = self.node(&node.input, &columns_of(exprs, node.input.schema()));
        let scope = Scope::of(&input, node.input.schema());
        let mut origins = vec![None; node.expr.len()];
        let mut computed = Vec::new();
        let number = self.numbers + 1;
        for index in wanted {
            let (Some(expr), Some(origin)) = (node.expr.get(*index), origins.get_mut(*index)) else {
                continue;
            };
            *origin = scope.passed_on(expr).or_else(|| {
                computed.push(expr);
                Some(Origin::made(number, computed.len() - 1))
            });
        }
        if computed.is_empty() {
            return Node { text: input.text, origins };
        }
        self.numbers = number;
        let exprs = self.expressions(computed, &scope);
        Node { text: format!("[{number} compute ({exprs}) of {}]", input.text), origins }
    }

    fn scan(&mut self, scan: &TableScan, wanted: &Wanted) -> Node {
        let number = self.number();
        let provider = source_as_provider(&scan.source).ok();
        let table = provider.as_ref().and_then(|provider| provider.downcast_ref::<SnapshotProvider>());
        let total = scan.projected_schema.fields().len();
        let mut origins = vec![None; total];
        for index in wanted {
            let field = scan.projected_schema.fields().get(*index);
            let name = field.map_or_else(String::new, |field| field.name().to_lowercase());
            let column = field.and_then(|field| table?.columns().field_by_name(field.name()));
            if let Some(origin) = origins.get_mut(*index) {
                *origin = Some(match column {
                    Some(column) => Origin::read(format!("{number}#{}", column.id)),
                    None => Origin::read(format!("{number}.{name:?}")),
                });
            }
        }
        let name = match (table, &provider) {
            (Some(table), _) => format!("table {:?}", table.table().name.to_string().to_lowercase()),
            // A function that makes a table has its arguments in itself.
            (None, Some(provider)) => format!("{:?} {provider:?}", scan.table_name.table()),
            (None, None) => format!("{:?}", scan.table_name.table()),
        };
        Node { text: format!("[{number} {name}]"), origins }
    }

    fn join(&mut self, join: &Join, wanted: &Wanted) -> Node {
        let (left_all, right_all) = (join.left.schema().fields().len(), join.right.schema().fields().len());
        let (shows_left, shows_right) = shown(join.join_type);
        let offset = if shows_left { left_all } else { 0 };
        let mut left: Wanted =
            wanted.iter().copied().filter(|index| shows_left && *index < left_all).collect();
        let of_right = wanted.iter().filter_map(|index| index.checked_sub(offset));
        let mut right: Wanted = of_right.filter(|index| shows_right && *index < right_all).collect();
        let (on_left, on_right): (Vec<Expr>, Vec<Expr>) = join.on.iter().cloned().unzip();
        left.extend(columns_of(on_left.iter().chain(&join.filter), join.left.schema()));
        right.extend(columns_of(on_right.iter().chain(&join.filter), join.right.schema()));
        // What the right side takes of each row of the left one.
        left.extend(scope::outer_columns_of(&join.right, join.left.schema()));

        let left_node = self.node(&join.left, &left);
        let left_scope = Scope::of(&left_node, join.left.schema());
        self.outer.push(left_scope.clone());
        let right_node = self.node(&join.right, &right);
        self.outer.pop();
        let right_scope = Scope::of(&right_node, join.right.schema());
        let on =
            [self.expressions(&on_left, &left_scope), self.expressions(&on_right, &right_scope)].join(" = ");
        let both = left_scope.and(&right_scope);
        let filter = self.expressions(&join.filter, &both);
        let kind = format!("{} {:?} {}", join.join_type, join.null_equality, join.null_aware);
        let text = format!("({kind} on {on} where ({filter}) of {} and {})", left_node.text, right_node.text);
        let mut origins = if shows_left { left_node.origins } else { Vec::new() };
        if shows_right {
            origins.extend(right_node.origins);
        }
        let number = self.number();
        origins.extend(
            (origins.len()..join.schema.fields().len()).map(|index| Some(Origin::made(number, index))),
        );
        Node { text, origins }
    }

    fn union(&mut self, union: &Union, wanted: &Wanted) -> Node {
        let number = self.number();
        let branches = union.inputs.iter().map(|input| {
            let node = self.node(input, wanted);
            let scope = Scope::of(&node, input.schema());
            let columns = wanted.iter().map(|index| {
                let field = input.schema().fields().get(*index);
                field.map_or_else(String::new, |field| scope.typed(*index, field.data_type()))
            });
            format!("({}) of {}", columns.collect::<Vec<_>>().join(", "), node.text)
        });
        let text = branches.collect::<Vec<_>>().join(" and ");
        let mut origins = vec![None; union.schema.fields().len()];
        for (rank, index) in wanted.iter().enumerate() {
            if let Some(origin) = origins.get_mut(*index) {
                *origin = Some(Origin::made(number, rank));
            }
        }
        Node { text: format!("[{number} union {text}]"), origins }
    }

    fn distinct(&mut self, distinct: &Distinct) -> Node {
        match distinct {
            Distinct::All(input) => {
                let node = self.node(input, &all(input));
                let scope = Scope::of(&node, input.schema());
                let columns = input.schema().fields().iter().enumerate();
                let columns = columns.map(|(index, field)| scope.typed(index, field.data_type()));
                let columns = columns.collect::<Vec<_>>().join(", ");
                Node { text: format!("distinct ({columns}) of {}", node.text), origins: node.origins }
            }
            Distinct::On(node) => {
                let sort = node.sort_expr.iter().flatten();
                let keys: Vec<Expr> = sort.clone().map(|key| key.expr.clone()).collect();
                let order = sort.map(|key| format!("{} {}", key.asc, key.nulls_first)).collect::<Vec<_>>();
                let exprs = node.on_expr.iter().chain(&node.select_expr).chain(&keys);
                let input = self.node(&node.input, &columns_of(exprs, node.input.schema()));
                let scope = Scope::of(&input, node.input.schema());
                let (on, select) =
                    (self.expressions(&node.on_expr, &scope), self.expressions(&node.select_expr, &scope));
                let keys = self.expressions(&keys, &scope);
                let text = format!("distinct on ({on}) ({select}) by ({keys}) {order:?} of {}", input.text);
                self.made(text, &LogicalPlan::Distinct(distinct.clone()))
            }
        }
    }

    fn aggregate(&mut self, node: &Aggregate) -> Node {
        let exprs = node.group_expr.iter().chain(&node.aggr_expr);
        let input = self.node(&node.input, &columns_of(exprs, node.input.schema()));
        let scope = Scope::of(&input, node.input.schema());
        let groups = self.expressions(&node.group_expr, &scope);
        let calls = self.expressions(&node.aggr_expr, &scope);
        let text = format!("group ({groups}) ({calls}) of {}", input.text);
        self.made(text, &LogicalPlan::Aggregate(node.clone()))
    }

    fn window(&mut self, node: &Window, wanted: &Wanted) -> Node {
        let own = node.input.schema().fields().len();
        let passed: Wanted = wanted.iter().copied().filter(|index| *index < own).collect();
        let needed = passed.union(&columns_of(&node.window_expr, node.input.schema())).copied().collect();
        let input = self.node(&node.input, &needed);
        let calls = self.expressions(&node.window_expr, &Scope::of(&input, node.input.schema()));
        let number = self.number();
        let mut origins = input.origins;
        origins.extend((0..node.window_expr.len()).map(|index| Some(Origin::made(number, index))));
        Node { text: format!("[{number} window ({calls}) of {}]", input.text), origins }
    }

    fn unnest(&mut self, node: &Unnest, wanted: &Wanted) -> Node {
        let lists = node.list_type_columns.iter().map(|(index, _)| *index);
        let opened: Wanted = lists.chain(node.struct_type_columns.iter().copied()).collect();
        let passed = wanted.iter().filter_map(|index| node.dependency_indices.get(*index).copied());
        let needed: Wanted = opened.iter().copied().chain(passed).collect();
        let input = self.node(&node.input, &needed);
        let number = self.number();
        let mut text = String::new();
        for (index, list) in &node.list_type_columns {
            let origin = input.origins.get(*index).cloned().flatten();
            let _ = write!(text, "{} {} ", origin.map_or_else(String::new, |origin| origin.text), list.depth);
        }
        for index in &node.struct_type_columns {
            let origin = input.origins.get(*index).cloned().flatten();
            let _ = write!(text, "{} fields ", origin.map_or_else(String::new, |origin| origin.text));
        }
        let rank = |index: usize| opened.iter().position(|opened| *opened == index);
        let origins = node.dependency_indices.iter().zip(node.schema.fields()).map(|(from, field)| {
            let Some(rank) = rank(*from) else { return input.origins.get(*from).cloned().flatten() };
            // Of a struct there are several, each called after its field; of a list there may be several by depth.
            let last = field.name().rsplit(['.', '=']).next().unwrap_or_default().to_lowercase();
            let is_struct = node.struct_type_columns.contains(from);
            let which = if is_struct || field.name().contains("depth=") { last } else { String::new() };
            Some(Origin::read(format!("{number}.{rank}.{which:?}")))
        });
        let origins = origins.collect();
        let text = format!("[{number} unnest {} ({text}) of {}]", node.options.preserve_nulls, input.text);
        Node { text, origins }
    }

    fn recursive(&mut self, node: &RecursiveQuery) -> Node {
        let first = self.node(&node.static_term, &all(&node.static_term));
        let next = self.node(&node.recursive_term, &all(&node.recursive_term));
        let text = format!("recursive {} {} and {}", node.is_distinct, first.text, next.text);
        self.made(text, &LogicalPlan::RecursiveQuery(node.clone()))
    }

    fn other(&mut self, plan: &LogicalPlan) -> Node {
        let inputs = plan.inputs().into_iter().map(|input| self.node(input, &all(input)).text);
        let text = format!("{} of {}", plan.display(), inputs.collect::<Vec<_>>().join(" and "));
        self.made(text, plan)
    }
}

/// Which sides a join's result has columns of.
fn shown(join: JoinType) -> (bool, bool) {
    use JoinType::{LeftAnti, LeftMark, LeftSemi, RightAnti, RightMark, RightSemi};
    match join {
        LeftSemi | LeftAnti | LeftMark => (true, false),
        RightSemi | RightAnti | RightMark => (false, true),
        _ => (true, true),
    }
}

impl Scope {
    fn of(node: &Node, schema: &DFSchema) -> Self {
        Self::new(schema.clone(), node.origins.clone())
    }
}
