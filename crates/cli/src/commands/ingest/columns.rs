//! What the report tells people about a table's columns: how they changed, what did not fit, what was left out or rejected,
//! what to consider.

use std::fmt::Write as _;

use hosu_collect::{ChangeKind, RejectReason, Report, RescuedColumn, SchemaChange};

use super::{LINES_SHOWN, more, section};
use crate::print::{human, one_line};

/// So many characters are shown of why a record was rejected.
const WHY_CHARS_MAX: usize = 120;

/// Adds it to the report's text.
pub(super) fn tell(report: &Report, text: &mut String) {
    schema_changes(report, text);
    let (partitions, would) = (&report.partitions, if report.dry_run { "would be " } else { "" });
    if report.dry_run {
        let lines = partitions.iter().map(|one| {
            let (rows, files) = (human::counted(one.rows, "row"), human::counted(one.files, "file"));
            format!("{}: {rows}, {files}, {}", one.partition, human::bytes(one.bytes))
        });
        section(text, "partitions", lines.collect());
    }
    let values = human::counted(report.rescued, "value");
    if !report.rescued_columns.is_empty() {
        let _ = writeln!(text, "  {values} did not fit, {would}kept in `_rescued_data`:");
    }
    for column in report.rescued_columns.iter().take(LINES_SHOWN) {
        let _ = writeln!(text, "    {}", one_line(rescued(column)));
        if let Some(query) = &column.query {
            let _ = writeln!(text, "      {}", one_line(query.clone()));
        }
    }
    more(text, "    ", report.rescued_columns.len(), LINES_SHOWN);
    let values = human::counted(report.ignored, "value");
    let title = format!("{values} of fields without a column {would}left out (--schema-evolution ignore)");
    section(text, &title, report.ignored_columns.iter().map(ignored).collect());
    rejects(report, text);
    section(text, "notes", report.notes.clone());
    section(text, "advice", report.advice.iter().map(|advice| advice.text.clone()).collect());
}

fn schema_changes(report: &Report, text: &mut String) {
    let is_new = report.table_created;
    // The columns of a new table are told before it is made, when another shape can still be given to it.
    if is_new && !report.dry_run {
        return;
    }
    let title = if is_new { "columns" } else { "schema changes" };
    section(text, title, report.schema_changes.iter().map(|change| changed(change, is_new)).collect());
}

fn changed(change: &SchemaChange, is_table_new: bool) -> String {
    let SchemaChange { column, column_type, .. } = change;
    match (change.change, &change.from) {
        (ChangeKind::Widened, Some(from)) => format!("{column}: {from} becomes {column_type}"),
        _ if is_table_new => format!("{column}: {column_type}"),
        _ => format!("{column}: new, {column_type}"),
    }
}

fn rescued(column: &RescuedColumn) -> String {
    let values = human::counted(column.values, "value");
    let what = match &column.column_type {
        Some(column_type) => {
            format!("for example `{}` in a column of {column_type}", on_one_line(&column.example))
        }
        None => format!("for example `{}`; there is no such column", on_one_line(&column.example)),
    };
    format!("column {}: {values} rescued, {what}", named(&column.column))
}

fn ignored(column: &RescuedColumn) -> String {
    let values = human::counted(column.values, "value");
    format!("{}: {values}, for example `{}`", named(&column.column), on_one_line(&column.example))
}

fn rejects(report: &Report, text: &mut String) {
    let Some(table) = report.rejects_table.as_ref().filter(|_| report.rejected > 0) else { return };
    let records = human::counted(report.rejected, "record");
    let kept = if report.dry_run { "would be rejected into" } else { "rejected, kept in" };
    let reasons = report.rejects_by_reason.iter().map(|reason| {
        let count = human::count(reason.records);
        let (line_number, source) = (reason.line_number, &reason.source);
        format!("{}: {count}, first in line {line_number} of {source}{}", reason.reason, why(reason))
    });
    section(text, &format!("{records} {kept} {table}"), reasons.collect());
}

/// What the first reason of a group says beyond what all of them say.
fn why(reason: &RejectReason) -> String {
    let Some(rest) = reason.example.strip_prefix(&reason.reason).filter(|rest| !rest.is_empty()) else {
        return String::new();
    };
    match rest.char_indices().nth(WHY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &rest[..end]),
        None => rest.to_owned(),
    }
}

/// A name as a person can see it, also when it is empty.
fn named(name: &str) -> &str {
    if name.is_empty() { "``" } else { name }
}

/// A value that stood on several lines, as people see it.
fn on_one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use hosu_collect::Advice;

    use super::*;

    #[test]
    fn people_are_told_what_changed_and_what_did_not_fit_and_where_it_is() {
        let rescued = |column: &str, kind: Option<&str>, values| RescuedColumn {
            column: column.to_owned(),
            column_type: kind.map(str::to_owned),
            values,
            example: "9.99".to_owned(),
            query: Some(format!("select '{column}'")),
            ..RescuedColumn::default()
        };
        let reason = RejectReason {
            reason: "not JSON".to_owned(),
            records: 1_000,
            example: "not JSON: expected a value\u{1b}[2J".to_owned(),
            source: "/a.json".to_owned(),
            line_number: 7,
        };
        let report = Report {
            rescued: 15,
            rescued_columns: vec![rescued("price", Some("long"), 14), rescued("", None, 1)],
            ignored: 2,
            ignored_columns: vec![rescued("left", None, 2)],
            rejected: 1_000,
            rejects_table: Some("default.events_rejects".to_owned()),
            rejects_by_reason: vec![reason],
            notes: vec!["a note".to_owned()],
            advice: vec![Advice { text: "an advice".to_owned(), ..Advice::default() }],
            schema_changes: vec![SchemaChange {
                change: ChangeKind::Widened,
                column: "n".to_owned(),
                column_type: "long".to_owned(),
                from: Some("int".to_owned()),
            }],
            ..Report::default()
        };
        let mut text = String::new();
        tell(&report, &mut text);
        let expected = "  schema changes:
    n: int becomes long
  15 values did not fit, kept in `_rescued_data`:
    column price: 14 values rescued, for example `9.99` in a column of long
      select 'price'
    column ``: 1 value rescued, for example `9.99`; there is no such column
      select ''
  2 values of fields without a column left out (--schema-evolution ignore):
    left: 2 values, for example `9.99`
  1,000 records rejected, kept in default.events_rejects:
    not JSON: 1,000, first in line 7 of /a.json: expected a value\\u{1b}[2J
  notes:
    a note
  advice:
    an advice
";
        assert_eq!(text, expected);
    }
}
