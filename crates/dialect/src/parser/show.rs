//! Statements that look at databases and tables: SHOW and DESCRIBE.

use super::{Parsed, Parser};
use crate::{DescribeForm, ParseError, Statement};

impl Parser<'_> {
    /// Behind `SHOW`.
    pub(super) fn show(&mut self) -> Parsed<Statement> {
        if self.cursor.keyword("DATABASES") || self.cursor.keyword("SCHEMAS") {
            if self.in_or_from() {
                self.cursor.identifier()?; // the catalog: there is one
            }
            let like = if self.cursor.keyword("LIKE") { Some(self.cursor.text()?) } else { None };
            return Ok(Statement::ShowDatabases { like });
        }
        if self.cursor.keyword("TABLES") {
            let database = if self.in_or_from() { Some(self.database()?) } else { None };
            let like = if self.cursor.keyword("LIKE") {
                Some(self.cursor.text()?)
            } else {
                self.cursor.optional_text()
            };
            return Ok(Statement::ShowTables { database, like });
        }
        if self.cursor.keyword("COLUMNS") {
            return self.show_columns();
        }
        if self.cursor.keyword("CREATE") {
            self.cursor.expect_keyword("TABLE")?;
            return Ok(Statement::ShowCreateTable { table: self.table()? });
        }
        if self.cursor.keyword("TBLPROPERTIES") {
            let table = self.table()?;
            let key = if self.cursor.symbol('(') { Some(self.cursor.text()?) } else { None };
            if key.is_some() {
                self.cursor.expect_symbol(')')?;
            }
            return Ok(Statement::ShowTableProperties { table, key });
        }
        self.cursor.note("'PARTITIONS'");
        self.cursor.note("'VIEWS'");
        Err(self.cursor.unexpected())
    }

    fn in_or_from(&mut self) -> bool {
        self.cursor.keyword("IN") || self.cursor.keyword("FROM")
    }

    /// `[catalog.]database`
    fn database(&mut self) -> Parsed<crate::Ident> {
        let first = self.cursor.identifier()?;
        if self.cursor.symbol('.') { self.cursor.identifier() } else { Ok(first) }
    }

    /// `{IN | FROM} table [{IN | FROM} database]`
    fn show_columns(&mut self) -> Parsed<Statement> {
        if !self.in_or_from() {
            return Err(self.cursor.unexpected());
        }
        let mut table = self.table()?;
        let position = self.cursor.position();
        if self.in_or_from() {
            if table.database.is_some() {
                return Err(ParseError::new("the database is named twice", position));
            }
            table.database = Some(self.database()?);
        }
        Ok(Statement::ShowColumns { table })
    }

    /// Behind `DESCRIBE`.
    pub(super) fn describe(&mut self) -> Parsed<Statement> {
        // A table may have the name of a form: then the statement ends, or the name goes on, behind it.
        let a_table = self.cursor.at_symbol(1, '.') || self.cursor.is_last();
        let form = if !a_table && self.cursor.keyword("EXTENDED") {
            DescribeForm::Extended
        } else if !a_table && self.cursor.keyword("FORMATTED") {
            DescribeForm::Formatted
        } else {
            DescribeForm::Plain
        };
        let table = self.table()?;
        if self.cursor.keyword("PARTITION") {
            return Ok(self.recognised("DESCRIBE ... PARTITION"));
        }
        if !self.cursor.at_end() && self.cursor.identifier().is_ok() {
            return Ok(self.recognised("DESCRIBE of a column"));
        }
        Ok(Statement::Describe { form, table })
    }
}
