//! Words to trees. This file chooses the statement; its neighbours parse each kind.
//!
//! The parser looks one or two words ahead and never goes back. What it would have taken at a place is noted as it asks, so
//! that an error can say what was expected there, as Trino does.

mod create;
mod cursor;
mod query;
mod show;
mod types;

use crate::ast::TableRef;
use crate::lexer::Token;
use crate::{At, Ident, ParseError, Position, Property, Statement};
use cursor::Cursor;

/// Parses the words of one statement.
pub(crate) struct Parser<'a> {
    cursor: Cursor<'a>,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    /// `tokens` ends with the end of the statement and has at least one word before it.
    pub(crate) fn new(source: &'a str, tokens: Vec<Token>) -> Self {
        Self { cursor: Cursor::new(source, tokens) }
    }

    /// The whole statement; words behind it are an error.
    pub(crate) fn statement(mut self) -> Parsed<At<Statement>> {
        let statement = self.any_statement()?;
        self.cursor.expect_end()?;
        Ok(statement)
    }

    fn any_statement(&mut self) -> Parsed<At<Statement>> {
        let position = self.cursor.position();
        let value = match self.not_yet() {
            Some(recognised) => recognised,
            None => self.parsed_statement(position)?,
        };
        Ok(At::new(value, position))
    }

    fn parsed_statement(&mut self, position: Position) -> Parsed<Statement> {
        if self.at_query() {
            return Ok(Statement::Query(self.cursor.rest()));
        }
        if self.cursor.keyword("EXPLAIN") {
            return self.explain();
        }
        if self.cursor.keyword("INSERT") {
            return self.insert();
        }
        if self.cursor.keyword("SHOW") {
            return self.show();
        }
        if self.cursor.keyword("DESCRIBE") || self.cursor.keyword("DESC") {
            return self.describe();
        }
        if self.cursor.keyword("CREATE") {
            return self.create();
        }
        if self.cursor.keyword("DROP") {
            return self.drop();
        }
        if self.cursor.keyword("ALTER") {
            return self.alter();
        }
        if self.cursor.at_keyword(0, &["USE"]) {
            let message = "USE is not a statement of Athena: choose the database of the session, or write database.table";
            return Err(ParseError::new(message, position));
        }
        self.cursor.note("'MERGE'");
        self.cursor.note("'UPDATE'");
        self.cursor.note("'DELETE'");
        Err(self.cursor.unexpected())
    }

    /// Statements that Athena has and that are only recognised, by their first words.
    fn not_yet(&mut self) -> Option<Statement> {
        const KNOWN: [&[&str]; 29] = [
            &["MERGE", "INTO"],
            &["UPDATE"],
            &["DELETE", "FROM"],
            &["UNLOAD"],
            &["OPTIMIZE"],
            &["VACUUM"],
            &["MSCK", "REPAIR", "TABLE"],
            &["PREPARE"],
            &["EXECUTE"],
            &["DEALLOCATE"],
            &["USING", "EXTERNAL", "FUNCTION"],
            &["CREATE", "EXTERNAL", "TABLE"],
            &["CREATE", "VIEW"],
            &["CREATE", "OR", "REPLACE", "VIEW"],
            &["CREATE", "PROTECTED", "MULTI", "DIALECT", "VIEW"],
            &["CREATE", "OR", "REPLACE", "PROTECTED", "MULTI", "DIALECT", "VIEW"],
            &["DROP", "VIEW"],
            &["ALTER", "VIEW"],
            &["ALTER", "DATABASE"],
            &["ALTER", "SCHEMA"],
            &["SHOW", "VIEWS"],
            &["SHOW", "PARTITIONS"],
            &["SHOW", "CREATE", "VIEW"],
            &["SHOW", "FUNCTIONS"],
            &["SHOW", "CATALOGS"],
            &["SHOW", "SESSION"],
            &["DESCRIBE", "VIEW"],
            &["DESC", "VIEW"],
            &["TRUNCATE", "TABLE"],
        ];
        let words = KNOWN.into_iter().find(|words| self.cursor.at_keywords(words))?;
        Some(self.recognised(&words.join(" ")))
    }

    /// The whole statement as one that is known but not parsed.
    fn recognised(&mut self, what: &str) -> Statement {
        Statement::NotYet { what: what.to_owned(), text: self.cursor.whole() }
    }

    /// `[catalog.][database.]table`
    fn table(&mut self) -> Parsed<TableRef> {
        let mut parts = vec![self.cursor.identifier()?];
        while parts.len() < 3 && self.cursor.symbol('.') {
            parts.push(self.cursor.identifier()?);
        }
        let mut last_first = parts.into_iter().rev();
        let table = last_first.next().ok_or_else(|| self.cursor.unexpected())?;
        Ok(TableRef { table, database: last_first.next(), catalog: last_first.next() })
    }

    fn if_exists(&mut self) -> Parsed<bool> {
        if !self.cursor.keyword("IF") {
            return Ok(false);
        }
        self.cursor.expect_keyword("EXISTS")?;
        Ok(true)
    }

    fn if_not_exists(&mut self) -> Parsed<bool> {
        if !self.cursor.keyword("IF") {
            return Ok(false);
        }
        self.cursor.expect_keyword("NOT")?;
        self.cursor.expect_keyword("EXISTS")?;
        Ok(true)
    }

    /// `('key' = 'value', ..)`
    fn properties(&mut self) -> Parsed<Vec<Property>> {
        self.parenthesised(|parser| {
            let key = parser.cursor.text()?;
            parser.cursor.expect_symbol('=')?;
            Ok(Property { key, value: parser.cursor.text()? })
        })
    }

    /// `(a, b, ..)`
    fn names(&mut self) -> Parsed<Vec<Ident>> {
        self.parenthesised(|parser| parser.cursor.identifier())
    }

    /// `(item, item, ..)`, at least one.
    fn parenthesised<T>(&mut self, item: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.cursor.expect_symbol('(')?;
        let mut items = vec![item(self)?];
        while self.cursor.symbol(',') {
            items.push(item(self)?);
        }
        self.cursor.expect_symbol(')')?;
        Ok(items)
    }
}
