//! Which functions a query may call, for those who list and complete them.

use datafusion::logical_expr::Documentation;

use crate::engine::Engine;

/// What a function is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FunctionKind {
    /// Values of one row.
    Scalar,
    /// Values of a group.
    Aggregate,
    /// A window of rows.
    Window,
    /// Nothing: it stands where a table may.
    Table,
}

/// A function by one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// What it is called on.
    pub kind: FunctionKind,
    /// How it is called, like `abs(numeric_expression)`; empty if nobody wrote it down.
    pub syntax: String,
    /// What it does, in one sentence; empty if nobody wrote it down.
    pub description: String,
}

impl Engine {
    /// All functions in order of their names, those with several names under each.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        let state = self.state();
        let scalar = state.scalar_functions().iter();
        let scalar = scalar.map(|(name, udf)| info(name, FunctionKind::Scalar, udf.documentation()));
        let aggregate = state.aggregate_functions().iter();
        let aggregate = aggregate.map(|(name, udf)| info(name, FunctionKind::Aggregate, udf.documentation()));
        let window = state.window_functions().iter();
        let window = window.map(|(name, udf)| info(name, FunctionKind::Window, udf.documentation()));
        let table = state.table_functions().keys().map(|name| info(name, FunctionKind::Table, None));
        let mut all: Vec<FunctionInfo> = scalar.chain(aggregate).chain(window).chain(table).collect();
        all.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        all
    }
}

fn info(name: &str, kind: FunctionKind, documentation: Option<&Documentation>) -> FunctionInfo {
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let syntax = documentation.map(|written| line(&written.syntax_example)).unwrap_or_default();
    let description = documentation.map(|written| sentence(&line(&written.description))).unwrap_or_default();
    FunctionInfo { name: name.to_owned(), kind, syntax, description }
}

/// The first sentence, without the marks of Markdown.
fn sentence(text: &str) -> String {
    let end = text.find(". ").unwrap_or(text.len());
    let mut plain = text[..end].trim_end_matches('.').replace('`', "");
    // `[words](address)` are words.
    while let Some(middle) = plain.find("](")
        && let (Some(start), Some(length)) = (plain[..middle].rfind('['), plain[middle..].find(')'))
    {
        plain.replace_range(middle..=middle + length, "");
        plain.remove(start);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EngineSettings;

    #[test]
    fn functions_are_listed_with_what_they_take() {
        let functions = Engine::new(EngineSettings::default()).unwrap().functions();
        assert!(functions.is_sorted_by(|a, b| (&a.name, a.kind) < (&b.name, b.kind)));
        let of = |name: &str| functions.iter().filter(|function| function.name == name).collect::<Vec<_>>();
        assert_eq!(of("abs")[0].kind, FunctionKind::Scalar);
        assert!(of("abs")[0].syntax.starts_with("abs(") && !of("abs")[0].description.is_empty());
        assert!(of("regexp_like")[0].description.contains("a regular expression has"));
        assert_eq!(of("count")[0].kind, FunctionKind::Aggregate);
        assert_eq!(of("row_number")[0].kind, FunctionKind::Window);
    }
}
