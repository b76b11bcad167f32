//! SHOW and DESCRIBE, in the shapes that Athena answers them in.

use crate::error::from_query;
use crate::hive::hive_type;
use crate::like;
use crate::names::Names;
use crate::statements::properties;
use crate::{SqlError, code};
use hosu_catalog::Table;
use hosu_dialect::{
    At, ColumnDefinition, CreateTable, DescribeForm, Ident, PartitionField, Property, TableRef,
};
use hosu_query::system::{self, SystemTable};
use hosu_table::name::TableName;
use hosu_table::sort;
use iceberg::spec::{Schema, Transform};
use std::sync::Arc;

/// Rows of texts under their columns.
pub(crate) struct Texts {
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

impl Texts {
    fn of_one(column: &'static [&'static str; 1], values: impl IntoIterator<Item = String>) -> Self {
        Self { columns: column, rows: values.into_iter().map(|value| vec![Some(value)]).collect() }
    }
}

fn wanted(like: Option<&At<String>>, name: &str) -> bool {
    like.is_none_or(|pattern| like::matches(&pattern.value, name))
}

/// SHOW DATABASES
pub(crate) async fn databases(names: Names<'_>, like: Option<&At<String>>) -> Result<Texts, SqlError> {
    let databases = names.catalog.databases().await?;
    Ok(Texts::of_one(&["database_name"], databases.into_iter().filter(|name| wanted(like, name))))
}

/// SHOW TABLES
pub(crate) async fn tables(
    names: Names<'_>,
    database: Option<&Ident>,
    like: Option<&At<String>>,
) -> Result<Texts, SqlError> {
    let written = database.map_or(names.database, |database| &database.value);
    let is_system = written.eq_ignore_ascii_case(system::DATABASE);
    let own = match names.database(database).await {
        Ok(database) => names.catalog.tables(&database).await?,
        Err(_) if is_system => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut tables: Vec<String> = own.into_iter().map(|name: TableName| name.table).collect();
    if is_system {
        tables.extend(SystemTable::ALL.map(|table| table.name().to_owned()));
        tables.sort();
        tables.dedup();
    }
    Ok(Texts::of_one(&["tab_name"], tables.into_iter().filter(|name| wanted(like, name))))
}

/// SHOW COLUMNS
pub(crate) async fn columns(names: Names<'_>, table: &TableRef) -> Result<Texts, SqlError> {
    let schema = match names.system_table(table).await? {
        Some(table) => Arc::new(columns_of(table)?),
        None => names.table(table).await?.schema().clone(),
    };
    let columns = schema.as_struct().fields().iter().map(|field| field.name.clone());
    Ok(Texts::of_one(&["field"], columns))
}

/// SHOW CREATE TABLE: one row a line.
pub(crate) async fn create_table(names: Names<'_>, table: &TableRef) -> Result<Texts, SqlError> {
    let table = names.table(table).await?;
    let text = definition(&table).to_string();
    Ok(Texts::of_one(&["createtab_stmt"], text.lines().map(str::to_owned)))
}

/// SHOW TBLPROPERTIES, sorted.
pub(crate) async fn table_properties(
    names: Names<'_>,
    table: &TableRef,
    key: Option<&At<String>>,
) -> Result<Texts, SqlError> {
    let table = names.table(table).await?;
    let all = table.metadata.properties();
    let wanted = key.map(|key| properties::own_key(&key.value));
    let mut rows: Vec<(&String, &String)> =
        all.iter().filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| *key == wanted)).collect();
    rows.sort();
    if let (Some(key), true) = (key, rows.is_empty()) {
        let message = format!("Table '{}' has no property '{}'", table.name, key.value);
        return Err(SqlError::new(code::INVALID_TABLE_PROPERTY, message).at(key.position));
    }
    let rows = rows.into_iter().map(|(key, value)| vec![Some(key.clone()), Some(value.clone())]).collect();
    Ok(Texts { columns: &["prpt_name", "prpt_value"], rows })
}

/// DESCRIBE
pub(crate) async fn describe(
    names: Names<'_>,
    form: DescribeForm,
    table: &TableRef,
) -> Result<Texts, SqlError> {
    const COLUMNS: &[&str] = &["col_name", "data_type", "comment"];
    if let Some(table) = names.system_table(table).await? {
        return Ok(Texts { columns: COLUMNS, rows: described(&columns_of(table)?) });
    }
    let table = names.table(table).await?;
    let mut rows = described(table.schema());
    let fields = partition_fields(&table);
    if !fields.is_empty() {
        rows.push(row(["", "", ""]));
        rows.push(row(["# Partition spec:", "", ""]));
        rows.push(row(["# field_name", "field_transform", "column_name"]));
        rows.extend(
            fields.iter().map(|(name, transform, column)| row([name, &transform.to_string(), column])),
        );
    }
    if form != DescribeForm::Plain {
        rows.push(row(["", "", ""]));
        rows.push(row(["# Detailed Table Information", "", ""]));
        rows.extend(details(&table).iter().map(|(name, value)| row([name, value, ""])));
    }
    Ok(Texts { columns: COLUMNS, rows })
}

fn row(cells: [&str; 3]) -> Vec<Option<String>> {
    cells.map(|cell| Some(cell.to_owned())).to_vec()
}

fn described(schema: &Schema) -> Vec<Vec<Option<String>>> {
    let fields = schema.as_struct().fields().iter();
    let rows = fields.map(|field| {
        let data_type = hive_type(&field.field_type).to_string();
        row([&field.name, &data_type, field.doc.as_deref().unwrap_or_default()])
    });
    rows.collect()
}

fn columns_of(table: SystemTable) -> Result<Schema, SqlError> {
    table.schema().map_err(|error| from_query(error, &At::from("")))
}

/// The live partition fields: name, transform, and column.
fn partition_fields(table: &Table) -> Vec<(String, Transform, String)> {
    let spec = table.metadata.default_partition_spec();
    let live = spec.fields().iter().filter(|field| field.transform != Transform::Void);
    live.map(|field| {
        let column = table.schema().name_by_field_id(field.source_id).unwrap_or("(dropped)");
        (field.name.clone(), field.transform, column.to_owned())
    })
    .collect()
}

fn details(table: &Table) -> Vec<(&'static str, String)> {
    let metadata = &table.metadata;
    let mut details = vec![
        ("Database:", table.name.database.clone()),
        ("Table:", table.name.table.clone()),
        ("Location:", table.location.to_string()),
        ("Metadata location:", table.metadata_location.clone()),
        ("Table UUID:", table.uuid().to_string()),
        ("Format version:", (metadata.format_version() as u8).to_string()),
    ];
    let sorted = sort::to_text(metadata.default_sort_order(), table.schema());
    if !sorted.is_empty() {
        details.push(("Sort order:", sorted));
    }
    if let Some(snapshot) = table.snapshot() {
        details.push(("Current snapshot:", snapshot.snapshot_id().to_string()));
        let summary = &snapshot.summary().additional_properties;
        for (name, key) in
            [("Rows:", "total-records"), ("Data files:", "total-data-files"), ("Bytes:", "total-files-size")]
        {
            if let Some(value) = summary.get(key) {
                details.push((name, value.clone()));
            }
        }
    }
    details
}

/// The statement that makes such a table.
fn definition(table: &Table) -> CreateTable {
    let columns = table.schema().as_struct().fields().iter().map(|field| ColumnDefinition {
        name: field.name.as_str().into(),
        data_type: hive_type(&field.field_type).into(),
        not_null: field.required,
        comment: field.doc.as_deref().map(At::from),
    });
    let all = table.metadata.properties();
    let mut properties: Vec<Property> = all
        .iter()
        .filter(|(key, _)| *key != properties::COMMENT)
        .map(|(key, value)| Property { key: key.as_str().into(), value: value.as_str().into() })
        .collect();
    properties.sort_by(|a, b| a.key.value.cmp(&b.key.value));
    let table_type = Property { key: properties::TABLE_TYPE.into(), value: "ICEBERG".into() };
    properties.insert(0, table_type);
    CreateTable {
        table: TableRef {
            catalog: None,
            database: Some(table.name.database.as_str().into()),
            table: table.name.table.as_str().into(),
        },
        if_not_exists: false,
        columns: columns.collect(),
        comment: all.get(properties::COMMENT).map(|comment| comment.as_str().into()),
        partitioned_by: partition_fields(table).into_iter().map(partition_field).collect(),
        location: Some(table.location.as_str().into()),
        properties,
    }
}

fn partition_field((_, transform, column): (String, Transform, String)) -> At<PartitionField> {
    let (name, parameter) = match transform {
        Transform::Identity => (None, None),
        Transform::Bucket(buckets) => (Some("bucket".to_owned()), Some(buckets)),
        Transform::Truncate(width) => (Some("truncate".to_owned()), Some(width)),
        other => (Some(other.to_string()), None),
    };
    let column = column.split('.').map(Ident::from).collect();
    PartitionField { transform: name.map(At::from), parameter, column }.into()
}
