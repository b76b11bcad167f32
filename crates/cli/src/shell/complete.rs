//! What may follow the cursor: names where the statement wants names, keywords and functions elsewhere.
//!
//! Nothing here parses: a statement that is being typed is seldom one. Words around the cursor tell what is wanted, the words
//! behind FROM and JOIN tell which tables have a say.

mod command;
mod statement;

use std::collections::BTreeSet;

use super::keywords::{self, is_reserved};
use super::names::{Column, Names};
pub use command::{CommandCompletion, command};
use statement::{Statement, Wanted};

/// A longer text is not completed.
pub const BYTES_MAX: usize = 256 << 10;
/// More are no help.
const CANDIDATES_MAX: usize = 2_000;

/// A text and a cursor in it.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// All that is pending, and the line.
    pub text: &'a str,
    /// The cursor, in bytes.
    pub at: usize,
    /// Of tables that are named without one.
    pub database: &'a str,
}

/// What may stand from `start` to the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// In bytes.
    pub start: usize,
    /// Names first, each group in order.
    pub candidates: Vec<String>,
}

/// The tables whose columns would help, by database and table.
pub fn tables_in_scope(typed: Typed<'_>) -> Vec<(String, String)> {
    Statement::around(typed.text, typed.at)
        .map(|statement| statement.tables(typed.database))
        .unwrap_or_default()
}

/// What may stand at the cursor.
pub fn complete(typed: Typed<'_>, names: &Names) -> Completion {
    let Some(statement) = Statement::around(typed.text, typed.at) else { return Completion::default() };
    let Some(cursor) = statement.cursor(typed.at) else { return Completion::default() };
    let mut found = Candidates::new(&cursor, statement.hive());
    let scope = Scope { statement: &statement, names, database: typed.database };
    if cursor.path.is_empty() {
        scope.undotted(&cursor, &mut found);
    } else {
        scope.dotted(&cursor.path, &mut found);
    }
    Completion { start: cursor.start, candidates: found.list }
}

/// Candidates that begin as what is typed begins.
struct Candidates {
    prefix: String,
    /// The quote that was typed before the prefix.
    quote: Option<char>,
    hive: bool,
    upper: bool,
    seen: BTreeSet<String>,
    list: Vec<String>,
}

impl Candidates {
    fn new(cursor: &statement::Cursor, hive: bool) -> Self {
        let prefix = cursor.prefix.to_lowercase();
        let has_case = |text: &str| text.chars().any(char::is_alphabetic);
        let upper = if has_case(&cursor.prefix) {
            !cursor.prefix.chars().any(char::is_lowercase)
        } else {
            cursor.first_word.as_deref().is_some_and(|word| !word.chars().any(char::is_lowercase))
        };
        Self { prefix, quote: cursor.quote, hive, upper, seen: BTreeSet::new(), list: Vec::new() }
    }

    fn push(&mut self, plain: &str, shown: String) {
        let lower = plain.to_lowercase();
        let room = self.list.len() < CANDIDATES_MAX;
        if room && lower.starts_with(&self.prefix) && self.seen.insert(shown.to_lowercase()) {
            self.list.push(shown);
        }
    }

    fn name(&mut self, name: &str) {
        let plain = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !is_reserved(name);
        let quote = self.quote.or((!plain).then_some(if self.hive { '`' } else { '"' }));
        let shown = match quote {
            Some(quote) => format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}"))),
            None => name.to_owned(),
        };
        self.push(name, shown);
    }

    fn names<'a>(&mut self, names: impl IntoIterator<Item = &'a String>) {
        names.into_iter().for_each(|name| self.name(name));
    }

    fn columns(&mut self, columns: &[Column]) {
        columns.iter().for_each(|column| self.name(&column.name));
    }

    fn keyword(&mut self, keyword: &str) {
        if self.quote.is_none() {
            self.push(keyword, if self.upper { keyword.to_uppercase() } else { keyword.to_owned() });
        }
    }

    fn function(&mut self, name: &str) {
        // Operators among the functions have names that cannot be called.
        if self.quote.is_none() && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            self.push(name, format!("{name}("));
        }
    }
}

struct Scope<'a> {
    statement: &'a Statement<'a>,
    names: &'a Names,
    database: &'a str,
}

impl Scope<'_> {
    fn undotted(&self, cursor: &statement::Cursor, found: &mut Candidates) {
        match self.statement.wanted(cursor) {
            Wanted::Tables => {
                found.names(&self.statement.with_names());
                found.names(self.names.tables(self.database));
                found.names(self.names.databases.keys());
            }
            Wanted::Databases => found.names(self.names.databases.keys()),
            Wanted::Words(words) => words.iter().for_each(|word| found.keyword(word)),
            Wanted::Expression => self.expression(cursor, found),
        }
    }

    fn expression(&self, cursor: &statement::Cursor, found: &mut Candidates) {
        let references = self.statement.references();
        for (database, table) in self.statement.tables(self.database) {
            if let Some(columns) = self.names.columns(&database, &table) {
                found.columns(columns);
            }
        }
        for reference in references {
            found.name(reference.alias.as_ref().unwrap_or(&reference.table));
        }
        if cursor.prefix.is_empty() && !found.list.is_empty() {
            return;
        }
        if references.is_empty() && !cursor.prefix.is_empty() {
            // FROM is not there yet: any table of the database may be meant.
            let database = self.database.to_lowercase();
            let known = self.names.columns.iter().filter(|((of, _), _)| *of == database);
            known.for_each(|(_, columns)| found.columns(columns));
        }
        keywords::all().for_each(|word| found.keyword(word));
        if !cursor.prefix.is_empty() {
            self.names.functions.iter().for_each(|function| found.function(&function.name));
        }
    }

    /// Behind a dot: columns of a table or alias, tables of a database, fields of a column.
    fn dotted(&self, path: &[String], found: &mut Candidates) {
        let Some((first, rest)) = path.split_first() else { return };
        for reference in self.statement.references() {
            if reference.is_called(first) {
                let database = reference.database.as_deref().unwrap_or(self.database);
                if let Some(columns) = self.names.columns(database, &reference.table) {
                    found.columns(fields(columns, rest));
                }
            }
        }
        match rest {
            [] => found.names(self.names.tables(first)),
            [table, deeper @ ..] => {
                if let Some(columns) = self.names.columns(first, table) {
                    found.columns(fields(columns, deeper));
                }
            }
        }
        if !found.list.is_empty() {
            return;
        }
        let tables = self.statement.tables(self.database);
        let scope = tables.iter().filter_map(|(database, table)| self.names.columns(database, table));
        scope.for_each(|columns| found.columns(fields(columns, path)));
    }
}

fn fields<'a>(columns: &'a [Column], path: &[String]) -> &'a [Column] {
    let mut fields = columns;
    for part in path {
        let part = part.to_lowercase();
        match fields.iter().find(|field| field.name.to_lowercase() == part) {
            Some(field) => fields = &field.fields,
            None => return &[],
        }
    }
    fields
}

#[cfg(test)]
mod tests;
