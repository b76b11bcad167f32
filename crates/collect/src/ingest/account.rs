//! What a report says about the table's columns: how they changed, what did not fit them, what was left out, what to
//! consider; with statements that show it.

use std::collections::BTreeMap;

use hosu_table::json::rescued_key;
use hosu_table::name::TableName;
use hosu_table::{evolve, paths, rejects};
use iceberg::spec::DataFile;

use super::pass::Harvest;
use super::shape::Shape;
use crate::json::{self, Rescues};
use crate::report::{PartitionReport, Report, RescuedColumn, SchemaChange};

/// So many partitions are told.
const PARTITIONS_MAX: usize = 1_000;

/// Adds it to a report.
pub(super) fn tell(shape: &Shape, harvest: &Harvest, report: &mut Report) {
    let tally = &harvest.tally;
    report.schema_evolution = shape.evolution.word();
    report.schema_changes = match &shape.existing {
        Some(_) => shape.changes.clone(),
        None if harvest.is_empty() => Vec::new(),
        None => columns_of(shape),
    };
    report.rejects_by_reason = tally.reasons.told();
    report.rescued_columns = columns(&tally.rescued, Some(&shape.name).filter(|_| !report.dry_run));
    report.ignored = tally.notes.ignored.total();
    report.ignored_columns = columns(&tally.notes.ignored, None);
    report.partitions = partitions(shape, &harvest.table.files);
    report.notes = notes(shape, harvest);
    let advice = tally.times.as_ref().and_then(|times| times.advice(harvest.table.bytes));
    report.advice = advice.into_iter().collect();
}

fn columns_of(shape: &Shape) -> Vec<SchemaChange> {
    let fields =
        shape.schema.as_struct().fields().iter().filter(|field| !rejects::is_rescued_data(&field.name));
    fields
        .map(|field| SchemaChange::added(field.name.clone(), evolve::type_text(&field.field_type)))
        .collect()
}

/// Most values first; those that are in the table with the statement that shows them.
fn columns(rescues: &Rescues, table: Option<&TableName>) -> Vec<RescuedColumn> {
    let columns = rescues.columns().iter().map(|column| RescuedColumn {
        column: column.column.clone(),
        column_type: column.column_type.clone(),
        values: column.values,
        example: column.example.clone(),
        source: column.source.as_deref().map(str::to_owned),
        line_number: column.place.line_number,
        query: table.map(|table| query(table, column)),
    });
    let mut columns: Vec<RescuedColumn> = columns.collect();
    columns.sort_by_key(|column| std::cmp::Reverse(column.values));
    columns
}

/// The statement that shows the rows of which values of a column were rescued.
fn query(table: &TableName, column: &json::RescuedColumn) -> String {
    let key = rescued_key(&column.path, column.is_one_path).replace('\'', "''");
    format!("select * from {} where strpos(_rescued_data, '{key}') > 0", table_in_sql(table))
}

fn table_in_sql(table: &TableName) -> String {
    let is_plain = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let quoted = |name: &String| if is_plain(name) { name.clone() } else { format!("\"{name}\"") };
    // `default` is a word of SQL.
    match table.database.as_str() {
        hosu_table::name::DEFAULT_DATABASE => quoted(&table.table),
        _ => format!("{}.{}", quoted(&table.database), quoted(&table.table)),
    }
}

fn partitions(shape: &Shape, files: &[DataFile]) -> Vec<PartitionReport> {
    if shape.spec.fields().is_empty() {
        return Vec::new();
    }
    let mut partitions: BTreeMap<String, PartitionReport> = BTreeMap::new();
    for file in files {
        let name = paths::partition_folders(&shape.spec, &shape.schema, file.partition()).join("/");
        let partition = partitions.entry(name).or_default();
        partition.files += 1;
        partition.rows += file.record_count();
        partition.bytes += file.file_size_in_bytes();
    }
    let named = partitions.into_iter().map(|(name, counts)| PartitionReport { partition: name, ..counts });
    named.take(PARTITIONS_MAX).collect()
}

fn notes(shape: &Shape, harvest: &Harvest) -> Vec<String> {
    let tally = &harvest.tally;
    let mut notes = Vec::new();
    for (column, spelled, landed, rescued) in tally.notes.spellings.iter() {
        let mut note = format!("`{column}` and `{spelled}` are one column, `{column}`");
        if landed > 0 {
            note.push_str(&format!("; {} of the other spelling landed in it", values(landed)));
        }
        if rescued > 0 {
            note.push_str(&format!("; {} of the other spelling {} rescued", values(rescued), were(rescued)));
        }
        notes.push(note);
    }
    if tally.beyond_limit > 0 {
        notes.push(format!(
            "the table has as many columns as it may, {} (--columns-max): {} rescued",
            shape.columns_max,
            match tally.beyond_limit {
                1 => "1 field more was".to_owned(),
                fields => format!("{fields} fields more were"),
            }
        ));
    }
    notes
}

fn values(count: u64) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

fn were(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}
