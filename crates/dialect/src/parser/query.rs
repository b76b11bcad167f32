//! Statements around a query: INSERT and EXPLAIN. The query itself stays text.

use super::{Parsed, Parser};
use crate::{Explain, Ident, Insert, ParseError, Statement};

/// How a query begins, parenthesis aside.
const QUERY_STARTS: [&str; 4] = ["SELECT", "WITH", "VALUES", "TABLE"];

impl Parser<'_> {
    /// Whether a query begins here. Notes what it could begin with.
    pub(super) fn at_query(&mut self) -> bool {
        let ahead = (0..).find(|ahead| !self.cursor.at_symbol(*ahead, '(')).unwrap_or_default();
        let found = self.cursor.at_keyword(ahead, &QUERY_STARTS);
        if !found {
            self.cursor.note("<query>");
        }
        found
    }

    /// Behind `EXPLAIN`.
    pub(super) fn explain(&mut self) -> Parsed<Statement> {
        let analyze = self.cursor.keyword("ANALYZE");
        let verbose = self.cursor.keyword("VERBOSE");
        let options = if self.cursor.at_symbol(0, '(') && self.cursor.at_keyword(1, &["FORMAT", "TYPE"]) {
            self.parenthesised(|parser| Ok((parser.cursor.identifier()?, parser.cursor.identifier()?)))?
        } else {
            Vec::new()
        };
        if self.cursor.at_keyword(0, &["EXPLAIN"]) {
            return Err(ParseError::new("EXPLAIN of EXPLAIN is not supported", self.cursor.position()));
        }
        self.cursor.begin();
        let statement = Box::new(self.any_statement()?);
        Ok(Statement::Explain(Explain { analyze, verbose, options, statement }))
    }

    /// Behind `INSERT`.
    pub(super) fn insert(&mut self) -> Parsed<Statement> {
        if self.cursor.at_keyword(0, &["OVERWRITE"]) {
            let message = "Athena has no INSERT OVERWRITE: use INSERT INTO, or DELETE and INSERT INTO";
            return Err(ParseError::new(message, self.cursor.position()));
        }
        self.cursor.expect_keyword("INTO")?;
        let table = self.table()?;
        let columns = self.insert_columns()?;
        if !self.at_query() {
            return Err(self.cursor.unexpected());
        }
        Ok(Statement::Insert(Insert { table, columns, query: self.cursor.rest() }))
    }

    /// `(a, b)` before the query; a parenthesis that begins the query is left alone.
    fn insert_columns(&mut self) -> Parsed<Vec<Ident>> {
        let list = self.cursor.at_symbol(0, '(')
            && !self.cursor.at_symbol(1, '(')
            && (!self.cursor.at_keyword(1, &QUERY_STARTS)
                || self.cursor.at_symbol(2, ',')
                || self.cursor.at_symbol(2, ')'));
        if list { self.names() } else { Ok(Vec::new()) }
    }
}
