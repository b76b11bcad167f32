//! Statements that make, change and drop databases and tables.

use super::{Parsed, Parser};
use crate::{
    At, ColumnDefinition, CreateDatabase, CreateTable, ParseError, PartitionField, Property, Statement,
    TableRef,
};

impl Parser<'_> {
    /// Behind `CREATE`.
    pub(super) fn create(&mut self) -> Parsed<Statement> {
        if self.cursor.keyword("DATABASE") || self.cursor.keyword("SCHEMA") {
            return self.create_database();
        }
        if self.cursor.keyword("TABLE") {
            return self.create_table();
        }
        self.cursor.note("'VIEW'");
        self.cursor.note("'EXTERNAL'");
        Err(self.cursor.unexpected())
    }

    fn create_database(&mut self) -> Parsed<Statement> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.cursor.identifier()?;
        let comment = if self.cursor.keyword("COMMENT") { Some(self.cursor.text()?) } else { None };
        let location = if self.cursor.keyword("LOCATION") { Some(self.cursor.text()?) } else { None };
        let mut properties = Vec::new();
        if self.cursor.keyword("WITH") {
            self.cursor.expect_keyword("DBPROPERTIES")?;
            properties = self.properties()?;
        }
        Ok(Statement::CreateDatabase(CreateDatabase { name, if_not_exists, comment, location, properties }))
    }

    fn create_table(&mut self) -> Parsed<Statement> {
        let if_not_exists = self.if_not_exists()?;
        let table = self.table()?;
        if self.cursor.at_keyword(0, &["AS", "WITH"]) {
            return Ok(self.recognised("CREATE TABLE ... AS"));
        }
        let columns = self.parenthesised(Self::column)?;
        let mut create = CreateTable {
            table,
            if_not_exists,
            columns,
            comment: None,
            partitioned_by: Vec::new(),
            location: None,
            properties: Vec::new(),
        };
        while !self.cursor.at_end() {
            if let Some(what) = self.hive_clause() {
                return Ok(self.recognised(what));
            }
            self.table_clause(&mut create)?;
        }
        Ok(Statement::CreateTable(create))
    }

    /// Clauses of Hive's own tables, which are not Iceberg's.
    fn hive_clause(&self) -> Option<&'static str> {
        const CLAUSES: [(&[&str], &str); 5] = [
            (&["CLUSTERED", "BY"], "CREATE TABLE ... CLUSTERED BY"),
            (&["ROW", "FORMAT"], "CREATE TABLE ... ROW FORMAT"),
            (&["STORED"], "CREATE TABLE ... STORED AS"),
            (&["WITH"], "CREATE TABLE ... WITH"),
            (&["AS"], "CREATE TABLE ... AS"),
        ];
        CLAUSES.into_iter().find(|(words, _)| self.cursor.at_keywords(words)).map(|(_, what)| what)
    }

    /// One clause behind the columns. Their order is free here, unlike in Athena; each may stand once.
    fn table_clause(&mut self, create: &mut CreateTable) -> Parsed<()> {
        if create.comment.is_none() && self.cursor.keyword("COMMENT") {
            create.comment = Some(self.cursor.text()?);
        } else if create.partitioned_by.is_empty() && self.cursor.keyword("PARTITIONED") {
            self.cursor.expect_keyword("BY")?;
            create.partitioned_by = self.parenthesised(Self::partition_field)?;
        } else if create.location.is_none() && self.cursor.keyword("LOCATION") {
            create.location = Some(self.cursor.text()?);
        } else if create.properties.is_empty() && self.cursor.keyword("TBLPROPERTIES") {
            create.properties = self.properties()?;
        } else {
            self.cursor.note("<EOF>");
            return Err(self.cursor.unexpected());
        }
        Ok(())
    }

    /// `name type [NOT NULL] [COMMENT 'text']`
    fn column(&mut self) -> Parsed<ColumnDefinition> {
        let name = self.cursor.identifier()?;
        let position = self.cursor.position();
        let data_type = At::new(self.data_type()?, position);
        let not_null = self.cursor.keyword("NOT");
        if not_null {
            self.cursor.expect_keyword("NULL")?;
        }
        let comment = if self.cursor.keyword("COMMENT") { Some(self.cursor.text()?) } else { None };
        Ok(ColumnDefinition { name, data_type, not_null, comment })
    }

    /// `column`, `day(column)`, `bucket(16, column)`
    fn partition_field(&mut self) -> Parsed<At<PartitionField>> {
        let position = self.cursor.position();
        let first = self.cursor.identifier()?;
        let field = if self.cursor.symbol('(') {
            let parameter = if self.cursor.at_number() { Some(self.cursor.integer()?) } else { None };
            if parameter.is_some() {
                self.cursor.expect_symbol(',')?;
            }
            let leaf = self.cursor.identifier()?;
            let column = self.column_path(leaf)?;
            self.cursor.expect_symbol(')')?;
            PartitionField { transform: Some(first), parameter, column }
        } else {
            PartitionField { transform: None, parameter: None, column: self.column_path(first)? }
        };
        if self.cursor.at_name() {
            let message = "an Iceberg table is partitioned by its columns: name them without a type";
            return Err(ParseError::new(message, self.cursor.position()));
        }
        Ok(At::new(field, position))
    }

    fn column_path(&mut self, first: crate::Ident) -> Parsed<Vec<crate::Ident>> {
        let mut path = vec![first];
        while self.cursor.symbol('.') {
            path.push(self.cursor.identifier()?);
        }
        Ok(path)
    }

    /// Behind `DROP`.
    pub(super) fn drop(&mut self) -> Parsed<Statement> {
        if self.cursor.keyword("DATABASE") || self.cursor.keyword("SCHEMA") {
            let if_exists = self.if_exists()?;
            let name = self.cursor.identifier()?;
            let cascade = self.cursor.keyword("CASCADE");
            if !cascade {
                self.cursor.keyword("RESTRICT");
            }
            return Ok(Statement::DropDatabase { name, if_exists, cascade });
        }
        if self.cursor.keyword("TABLE") {
            let if_exists = self.if_exists()?;
            return Ok(Statement::DropTable { table: self.table()?, if_exists });
        }
        self.cursor.note("'VIEW'");
        Err(self.cursor.unexpected())
    }

    /// Behind `ALTER`.
    pub(super) fn alter(&mut self) -> Parsed<Statement> {
        self.cursor.expect_keyword("TABLE")?;
        let table = self.table()?;
        if let Some(what) = self.alter_not_yet() {
            return Ok(self.recognised(what));
        }
        if self.cursor.keyword("SET") {
            self.cursor.expect_keyword("TBLPROPERTIES")?;
            return Ok(Statement::SetTableProperties { table, properties: self.properties()? });
        }
        if self.cursor.keyword("UNSET") {
            return self.unset_properties(table);
        }
        for other in ["'ADD'", "'DROP'", "'CHANGE'", "'REPLACE'", "'RENAME'"] {
            self.cursor.note(other);
        }
        Err(self.cursor.unexpected())
    }

    fn unset_properties(&mut self, table: TableRef) -> Parsed<Statement> {
        self.cursor.expect_keyword("TBLPROPERTIES")?;
        let if_exists = self.if_exists()?;
        let keys = self.parenthesised(|parser| parser.cursor.text())?;
        Ok(Statement::UnsetTableProperties { table, keys, if_exists })
    }

    fn alter_not_yet(&self) -> Option<&'static str> {
        const FORMS: [(&[&str], &str); 12] = [
            (&["ADD", "COLUMNS"], "ALTER TABLE ... ADD COLUMNS"),
            (&["ADD", "COLUMN"], "ALTER TABLE ... ADD COLUMN"),
            (&["ADD", "PARTITION"], "ALTER TABLE ... ADD PARTITION"),
            (&["ADD", "IF"], "ALTER TABLE ... ADD PARTITION"),
            (&["REPLACE", "COLUMNS"], "ALTER TABLE ... REPLACE COLUMNS"),
            (&["CHANGE"], "ALTER TABLE ... CHANGE COLUMN"),
            (&["DROP", "COLUMN"], "ALTER TABLE ... DROP COLUMN"),
            (&["DROP", "PARTITION"], "ALTER TABLE ... DROP PARTITION"),
            (&["DROP", "IF"], "ALTER TABLE ... DROP PARTITION"),
            (&["RENAME"], "ALTER TABLE ... RENAME"),
            (&["PARTITION"], "ALTER TABLE ... PARTITION"),
            (&["SET", "LOCATION"], "ALTER TABLE ... SET LOCATION"),
        ];
        FORMS.into_iter().find(|(words, _)| self.cursor.at_keywords(words)).map(|(_, what)| what)
    }
}

impl From<(&str, &str)> for Property {
    fn from((key, value): (&str, &str)) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}
