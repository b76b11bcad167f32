//! The names in a parsed statement, rewritten where they stand.
//!
//! Every name becomes a quoted one, which DataFusion takes as it is written. Names of functions stay plain: they
//! are found in lower case.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, ExceptSelectItem, ExcludeSelectItem, Expr, Ident, IdentWithAlias, JoinConstraint,
    JoinOperator, NamedWindowExpr, ObjectName, ObjectNamePart, Query, RenameSelectItem, Select, SelectItem,
    SelectItemQualifiedWildcardKind, TableAlias, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
    WildcardAdditionalOptions, WindowType,
};

use super::user_column;
use crate::error::Position;
use crate::names::Spelling;

/// Writes every name of a statement in one spelling.
pub(super) struct Namer<'a> {
    spelling: &'a Spelling,
    /// Where each table is mentioned first.
    pub places: HashMap<String, Position>,
    /// What is called like a table but with arguments.
    pub functions: HashSet<String>,
}

impl<'a> Namer<'a> {
    /// One that knows no place yet.
    pub fn new(spelling: &'a Spelling) -> Self {
        Self { spelling, places: HashMap::new(), functions: HashSet::new() }
    }

    /// Rewrites a statement.
    pub fn visit(&mut self, statement: &mut Statement) {
        match statement {
            Statement::Statement(statement) => {
                let _: ControlFlow<()> = VisitMut::visit(statement.as_mut(), self);
            }
            Statement::Explain(explain) => self.visit(&mut explain.statement),
            _ => {}
        }
    }

    fn ident(&self, ident: &mut Ident) {
        if !ident.value.starts_with('@') {
            ident.value = self.spelling.of(&ident.value);
            ident.quote_style = Some('"');
        }
    }

    /// A column and fields inside of it.
    fn path(&self, names: &mut [&mut Ident]) {
        let written: Vec<String> = names.iter().map(|name| name.value.clone()).collect();
        let written: Vec<&str> = written.iter().map(String::as_str).collect();
        for (name, spelled) in names.iter_mut().zip(self.spelling.of_path(&written)) {
            name.value = spelled;
            name.quote_style = Some('"');
        }
    }

    fn object(&self, name: &mut ObjectName) {
        for part in &mut name.0 {
            if let ObjectNamePart::Identifier(ident) = part {
                self.ident(ident);
            }
        }
    }

    /// The field in `items[1].name`, which DataFusion takes as a text only.
    fn field(&self, part: &mut AccessExpr) {
        if let AccessExpr::Dot(Expr::Identifier(name)) = part {
            let name = Value::SingleQuotedString(self.spelling.of(&name.value));
            *part = AccessExpr::Dot(Expr::Value(name.with_empty_span()));
        }
    }

    fn alias(&self, alias: &mut TableAlias) {
        self.ident(&mut alias.name);
        for column in &mut alias.columns {
            self.ident(&mut column.name);
        }
    }

    fn function(name: &mut ObjectName) {
        for part in &mut name.0 {
            if let ObjectNamePart::Identifier(ident) = part {
                ident.value = ident.value.to_lowercase();
            }
        }
    }

    fn item(&self, item: &mut SelectItem) {
        match item {
            SelectItem::ExprWithAlias { alias, .. } => self.ident(alias),
            SelectItem::ExprWithAliases { aliases, .. } => aliases.iter_mut().for_each(|a| self.ident(a)),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                self.object(name);
                self.wildcard(options);
            }
            SelectItem::QualifiedWildcard(_, options) | SelectItem::Wildcard(options) => {
                self.wildcard(options)
            }
            SelectItem::UnnamedExpr(_) => {}
        }
    }

    fn wildcard(&self, options: &mut WildcardAdditionalOptions) {
        if let Some(exclude) = &mut options.opt_exclude {
            match exclude {
                ExcludeSelectItem::Single(name) => self.object(name),
                ExcludeSelectItem::Multiple(names) => names.iter_mut().for_each(|name| self.object(name)),
            }
        }
        if let Some(ExceptSelectItem { first_element, additional_elements }) = &mut options.opt_except {
            self.ident(first_element);
            additional_elements.iter_mut().for_each(|name| self.ident(name));
        }
        if let Some(replace) = &mut options.opt_replace {
            replace.items.iter_mut().for_each(|item| self.ident(&mut item.column_name));
        }
        let both = |IdentWithAlias { ident, alias }: &mut IdentWithAlias| {
            self.ident(ident);
            self.ident(alias);
        };
        match &mut options.opt_rename {
            Some(RenameSelectItem::Single(name)) => both(name),
            Some(RenameSelectItem::Multiple(names)) => names.iter_mut().for_each(both),
            None => {}
        }
    }

    fn joins(&self, table: &mut TableWithJoins) {
        for join in &mut table.joins {
            if let Some(JoinConstraint::Using(names)) = constraint(&mut join.join_operator) {
                names.iter_mut().for_each(|name| self.object(name));
            }
        }
    }

    fn over(&self, over: &mut Option<WindowType>) {
        match over {
            Some(WindowType::NamedWindow(name)) => self.ident(name),
            Some(WindowType::WindowSpec(spec)) => {
                if let Some(name) = &mut spec.window_name {
                    self.ident(name);
                }
            }
            None => {}
        }
    }
}

fn constraint(join: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match join {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(with) = &mut query.with {
            with.cte_tables.iter_mut().for_each(|cte| self.alias(&mut cte.alias));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        select.projection.iter_mut().for_each(|item| self.item(item));
        select.from.iter_mut().for_each(|table| self.joins(table));
        for window in &mut select.named_window {
            self.ident(&mut window.0);
            if let NamedWindowExpr::NamedWindow(name) = &mut window.1 {
                self.ident(name);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        let place = relation.0.iter().find_map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(ident.span.start),
            ObjectNamePart::Function(_) => None,
        });
        let mut folded = relation.clone();
        self.object(&mut folded);
        if self.functions.contains(&key(&folded)) {
            // Functions are found by plain names only.
            Self::function(relation);
            return ControlFlow::Continue(());
        }
        *relation = folded;
        if let Some(place) = place.filter(|place| place.line > 0) {
            let position = Position { line: place.line, column: place.column };
            self.places.entry(key(relation)).or_insert(position);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        match table {
            TableFactor::Table { name, alias, args, .. } => {
                if args.is_some() {
                    let mut folded = name.clone();
                    self.object(&mut folded);
                    self.functions.insert(key(&folded));
                }
                alias.iter_mut().for_each(|alias| self.alias(alias));
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.joins(table_with_joins);
                alias.iter_mut().for_each(|alias| self.alias(alias));
            }
            TableFactor::UNNEST { alias, with_offset_alias, .. } => {
                alias.iter_mut().for_each(|alias| self.alias(alias));
                with_offset_alias.iter_mut().for_each(|name| self.ident(name));
            }
            TableFactor::Derived { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::Pivot { alias, .. }
            | TableFactor::Unpivot { alias, .. } => alias.iter_mut().for_each(|alias| self.alias(alias)),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// After its parts, which were taken for names that stand alone.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::CompoundFieldAccess { .. })
            && let Some(mut names) = path_of(expr)
        {
            self.path(&mut names);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && let Some(name) = user_column(function)
        {
            *expr = Expr::Identifier(name.clone());
        }
        match expr {
            Expr::Identifier(name) => self.ident(name),
            Expr::CompoundIdentifier(names) => self.path(&mut names.iter_mut().collect::<Vec<_>>()),
            Expr::QualifiedWildcard(name, _) => self.object(name),
            Expr::CompoundFieldAccess { access_chain, .. } => {
                access_chain.iter_mut().for_each(|part| self.field(part))
            }
            Expr::Function(function) => {
                Self::function(&mut function.name);
                self.over(&mut function.over);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The names of a column and of fields inside of it, whatever subscripts stand between: `items[1].name`.
fn path_of(expr: &mut Expr) -> Option<Vec<&mut Ident>> {
    match expr {
        Expr::Identifier(name) => Some(vec![name]),
        Expr::CompoundIdentifier(names) => Some(names.iter_mut().collect()),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut names = path_of(root)?;
            for access in access_chain {
                match access {
                    AccessExpr::Dot(Expr::Identifier(name)) => names.push(name),
                    AccessExpr::Dot(_) => return None,
                    AccessExpr::Subscript(_) => {}
                }
            }
            Some(names)
        }
        _ => None,
    }
}

/// A table's name as `TableReference` prints it.
fn key(name: &ObjectName) -> String {
    let parts = name.0.iter().map(|part| match part {
        ObjectNamePart::Identifier(ident) => ident.value.clone(),
        ObjectNamePart::Function(function) => function.to_string(),
    });
    parts.collect::<Vec<_>>().join(".")
}
