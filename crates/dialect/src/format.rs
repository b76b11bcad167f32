//! Trees back to text: each prints as a statement that parses to an equal tree. SHOW CREATE TABLE rests on it.

use crate::{
    At, CreateDatabase, CreateTable, DescribeForm, Explain, Insert, PartitionField, Property, Statement,
    TableRef,
};
use std::fmt::{self, Display, Formatter};

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(text) | Self::NotYet { text, .. } => f.write_str(&text.value),
            Self::Explain(explain) => explain.fmt(f),
            Self::ShowDatabases { like } => {
                f.write_str("SHOW DATABASES")?;
                optional(f, " LIKE ", like.as_ref().map(text))
            }
            Self::ShowTables { database, like } => {
                f.write_str("SHOW TABLES")?;
                optional(f, " IN ", database.as_ref().map(name))?;
                optional(f, " ", like.as_ref().map(text))
            }
            Self::ShowColumns { table } => write!(f, "SHOW COLUMNS IN {table}"),
            Self::ShowCreateTable { table } => write!(f, "SHOW CREATE TABLE {table}"),
            Self::ShowTableProperties { table, key } => {
                write!(f, "SHOW TBLPROPERTIES {table}")?;
                key.as_ref().map_or(Ok(()), |key| write!(f, " ({})", text(key)))
            }
            Self::Describe { form, table } => write!(f, "DESCRIBE {form}{table}"),
            Self::CreateDatabase(create) => create.fmt(f),
            Self::DropDatabase { name: database, if_exists, cascade } => {
                let cascade = if *cascade { " CASCADE" } else { "" };
                write!(f, "DROP DATABASE {}{}{cascade}", exists(*if_exists), name(database))
            }
            Self::CreateTable(create) => create.fmt(f),
            Self::DropTable { table, if_exists } => write!(f, "DROP TABLE {}{table}", exists(*if_exists)),
            Self::SetTableProperties { table, properties } => {
                write!(f, "ALTER TABLE {table} SET TBLPROPERTIES (")?;
                separated(f, properties)?;
                f.write_str(")")
            }
            Self::UnsetTableProperties { table, keys, if_exists } => {
                write!(f, "ALTER TABLE {table} UNSET TBLPROPERTIES {}(", exists(*if_exists))?;
                separated(f, keys.iter().map(text))?;
                f.write_str(")")
            }
            Self::Insert(insert) => insert.fmt(f),
        }
    }
}

impl Display for TableRef {
    /// In Hive's quotes.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in self.catalog.iter().chain(&self.database) {
            write!(f, "{}.", name(part))?;
        }
        name(&self.table).fmt(f)
    }
}

impl Display for DescribeForm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "",
            Self::Extended => "EXTENDED ",
            Self::Formatted => "FORMATTED ",
        })
    }
}

impl Display for Explain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("EXPLAIN ")?;
        if self.analyze {
            f.write_str("ANALYZE ")?;
        }
        if self.verbose {
            f.write_str("VERBOSE ")?;
        }
        if !self.options.is_empty() {
            f.write_str("(")?;
            separated(
                f,
                self.options.iter().map(|(option, value)| format!("{} {}", option.value, value.value)),
            )?;
            f.write_str(") ")?;
        }
        self.statement.value.fmt(f)
    }
}

impl Display for CreateDatabase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE DATABASE {}{}", not_exists(self.if_not_exists), name(&self.name))?;
        optional(f, " COMMENT ", self.comment.as_ref().map(text))?;
        optional(f, " LOCATION ", self.location.as_ref().map(text))?;
        if !self.properties.is_empty() {
            f.write_str(" WITH DBPROPERTIES (")?;
            separated(f, &self.properties)?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl Display for CreateTable {
    /// Over several lines, as Athena's SHOW CREATE TABLE prints it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE TABLE {}{} (", not_exists(self.if_not_exists), self.table)?;
        for (index, column) in self.columns.iter().enumerate() {
            write!(f, "{}\n  {} {}", comma(index), name(&column.name), column.data_type.value)?;
            f.write_str(if column.not_null { " NOT NULL" } else { "" })?;
            optional(f, " COMMENT ", column.comment.as_ref().map(text))?;
        }
        f.write_str(")")?;
        optional(f, "\nCOMMENT ", self.comment.as_ref().map(text))?;
        if !self.partitioned_by.is_empty() {
            f.write_str("\nPARTITIONED BY (")?;
            separated(f, self.partitioned_by.iter().map(|field| &field.value))?;
            f.write_str(")")?;
        }
        optional(f, "\nLOCATION ", self.location.as_ref().map(text))?;
        if !self.properties.is_empty() {
            f.write_str("\nTBLPROPERTIES (")?;
            for (index, property) in self.properties.iter().enumerate() {
                write!(f, "{}\n  {property}", comma(index))?;
            }
            f.write_str("\n)")?;
        }
        Ok(())
    }
}

impl Display for PartitionField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(transform) = &self.transform {
            write!(f, "{}(", transform.value)?;
        }
        if let Some(parameter) = self.parameter {
            write!(f, "{parameter}, ")?;
        }
        for (index, part) in self.column.iter().enumerate() {
            write!(f, "{}{}", if index > 0 { "." } else { "" }, name(part))?;
        }
        f.write_str(if self.transform.is_some() { ")" } else { "" })
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", text(&self.key), text(&self.value))
    }
}

impl Display for Insert {
    /// In Trino's quotes.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("INSERT INTO ")?;
        for part in self.table.catalog.iter().chain(&self.table.database) {
            write!(f, "{}.", TrinoName(&part.value))?;
        }
        write!(f, "{} ", TrinoName(&self.table.table.value))?;
        if !self.columns.is_empty() {
            f.write_str("(")?;
            separated(f, self.columns.iter().map(|column| TrinoName(&column.value)))?;
            f.write_str(") ")?;
        }
        f.write_str(&self.query.value)
    }
}

/// A name in Hive's quotes.
struct HiveName<'a>(&'a str);

impl Display for HiveName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.replace('`', "``"))
    }
}

/// A name in Trino's quotes.
struct TrinoName<'a>(&'a str);

impl Display for TrinoName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A text in Hive's quotes, where a backslash escapes.
pub(crate) struct HiveText<'a>(pub(crate) &'a str);

impl Display for HiveText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        for c in self.0.chars() {
            match c {
                '\'' => f.write_str("\\'")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                other => write!(f, "{other}")?,
            }
        }
        f.write_str("'")
    }
}

/// Writes a name, quoted only where it has to be.
pub(crate) fn write_name(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { f.write_str(name) } else { HiveName(name).fmt(f) }
}

fn name(name: &At<String>) -> HiveName<'_> {
    HiveName(&name.value)
}

fn text(text: &At<String>) -> HiveText<'_> {
    HiveText(&text.value)
}

fn exists(given: bool) -> &'static str {
    if given { "IF EXISTS " } else { "" }
}

fn not_exists(given: bool) -> &'static str {
    if given { "IF NOT EXISTS " } else { "" }
}

fn comma(index: usize) -> &'static str {
    if index > 0 { "," } else { "" }
}

fn optional(f: &mut Formatter<'_>, before: &str, part: Option<impl Display>) -> fmt::Result {
    part.map_or(Ok(()), |part| write!(f, "{before}{part}"))
}

fn separated(f: &mut Formatter<'_>, items: impl IntoIterator<Item = impl Display>) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    Ok(())
}
