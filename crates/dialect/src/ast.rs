//! The syntax tree: what each statement says, with the places of the words that can turn out wrong later.

use crate::{At, HiveType, Ident};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// SELECT, WITH, VALUES, TABLE or a parenthesis around one: text in Trino's grammar.
    Query(At<String>),
    /// `EXPLAIN [ANALYZE [VERBOSE]] [(FORMAT .., TYPE ..)] statement`.
    Explain(Explain),
    /// `SHOW DATABASES | SCHEMAS [LIKE 'pattern']`.
    ShowDatabases {
        /// Hive's pattern: `*` for any text, `|` for alternatives.
        like: Option<At<String>>,
    },
    /// `SHOW TABLES [IN database] ['pattern']`.
    ShowTables {
        /// The database; else the session's.
        database: Option<Ident>,
        /// Hive's pattern: `*` for any text, `|` for alternatives.
        like: Option<At<String>>,
    },
    /// `SHOW COLUMNS IN table [IN database]`.
    ShowColumns {
        /// The table.
        table: TableRef,
    },
    /// `SHOW CREATE TABLE table`.
    ShowCreateTable {
        /// The table.
        table: TableRef,
    },
    /// `SHOW TBLPROPERTIES table [('key')]`.
    ShowTableProperties {
        /// The table.
        table: TableRef,
        /// One property only.
        key: Option<At<String>>,
    },
    /// `DESCRIBE [EXTENDED | FORMATTED] table`.
    Describe {
        /// How much to tell.
        form: DescribeForm,
        /// The table.
        table: TableRef,
    },
    /// `CREATE DATABASE | SCHEMA`.
    CreateDatabase(CreateDatabase),
    /// `DROP DATABASE | SCHEMA [IF EXISTS] name [RESTRICT | CASCADE]`.
    DropDatabase {
        /// The database.
        name: Ident,
        /// Its absence is no error.
        if_exists: bool,
        /// Its tables go with it.
        cascade: bool,
    },
    /// `CREATE TABLE` in Athena's Iceberg form.
    CreateTable(CreateTable),
    /// `DROP TABLE [IF EXISTS] table`.
    DropTable {
        /// The table.
        table: TableRef,
        /// Its absence is no error.
        if_exists: bool,
    },
    /// `ALTER TABLE table SET TBLPROPERTIES ('key' = 'value', ..)`.
    SetTableProperties {
        /// The table.
        table: TableRef,
        /// What to set.
        properties: Vec<Property>,
    },
    /// `ALTER TABLE table UNSET TBLPROPERTIES [IF EXISTS] ('key', ..)`.
    UnsetTableProperties {
        /// The table.
        table: TableRef,
        /// What to remove.
        keys: Vec<At<String>>,
        /// The absence of a key is no error.
        if_exists: bool,
    },
    /// `INSERT INTO table [(columns)] query`.
    Insert(Insert),
    /// A statement that Athena has and this crate does not parse yet.
    NotYet {
        /// Its name, like `MERGE` or `CREATE VIEW`.
        what: String,
        /// Its text.
        text: At<String>,
    },
}

/// `[catalog.][database.]table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    /// The catalog; Athena's own is `AwsDataCatalog`.
    pub catalog: Option<Ident>,
    /// The database; else the session's.
    pub database: Option<Ident>,
    /// The table.
    pub table: Ident,
}

/// `EXPLAIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// The statement is run and measured.
    pub analyze: bool,
    /// With all that is known.
    pub verbose: bool,
    /// `(FORMAT TEXT, TYPE LOGICAL)`: option and value.
    pub options: Vec<(Ident, Ident)>,
    /// What is explained.
    pub statement: Box<At<Statement>>,
}

/// How much DESCRIBE tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescribeForm {
    /// Columns and partition fields.
    Plain,
    /// `EXTENDED`.
    Extended,
    /// `FORMATTED`.
    Formatted,
}

/// `CREATE DATABASE | SCHEMA [IF NOT EXISTS] name [COMMENT ..] [LOCATION ..] [WITH DBPROPERTIES (..)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateDatabase {
    /// The database.
    pub name: Ident,
    /// Its presence is no error.
    pub if_not_exists: bool,
    /// What it is for.
    pub comment: Option<At<String>>,
    /// Where its tables are put.
    pub location: Option<At<String>>,
    /// Its properties.
    pub properties: Vec<Property>,
}

/// `CREATE TABLE [IF NOT EXISTS] t (..) [COMMENT ..] [PARTITIONED BY (..)] [LOCATION ..] [TBLPROPERTIES (..)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTable {
    /// The table.
    pub table: TableRef,
    /// Its presence is no error.
    pub if_not_exists: bool,
    /// At least one.
    pub columns: Vec<ColumnDefinition>,
    /// What it is for.
    pub comment: Option<At<String>>,
    /// The partition fields, outermost first.
    pub partitioned_by: Vec<At<PartitionField>>,
    /// Where its files are put.
    pub location: Option<At<String>>,
    /// Its properties.
    pub properties: Vec<Property>,
}

/// `name type [NOT NULL] [COMMENT 'text']`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// The column.
    pub name: Ident,
    /// Its type.
    pub data_type: At<HiveType>,
    /// Every row has a value. Athena cannot say it; other engines' tables do.
    pub not_null: bool,
    /// What it is for.
    pub comment: Option<At<String>>,
}

/// `column`, `day(column)` or `bucket(16, column)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionField {
    /// The transform; `None` for the column's own value.
    pub transform: Option<Ident>,
    /// Buckets or width.
    pub parameter: Option<u32>,
    /// The path to the column: more than one name for a field of a struct.
    pub column: Vec<Ident>,
}

/// `'key' = 'value'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key.
    pub key: At<String>,
    /// The value.
    pub value: At<String>,
}

/// `INSERT INTO table [(columns)] query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// The table.
    pub table: TableRef,
    /// The columns that the query fills, in its order; empty for all.
    pub columns: Vec<Ident>,
    /// The rows: text in Trino's grammar.
    pub query: At<String>,
}
