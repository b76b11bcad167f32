//! Runs of jobs as rows, and whatever makes columns of values.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, RecordBatchOptions, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef as ArrowSchemaRef};
use datafusion::common::Result;
use hosu_catalog::{JobRun, RunInput};

use super::SystemTable;

/// The rows of a table.
pub(super) fn of(table: SystemTable, runs: &[JobRun], schema: &ArrowSchemaRef) -> Result<RecordBatch> {
    let (columns, rows) = match table {
        SystemTable::JobRuns => (job_runs(runs, schema)?, runs.len()),
        SystemTable::Lineage => {
            let inputs = lineage(runs);
            (lineage_columns(&inputs), inputs.len())
        }
        SystemTable::Ingests => (Vec::new(), 0),
    };
    batch(columns, rows, schema)
}

/// Columns as rows.
pub(super) fn batch(columns: Vec<ArrayRef>, rows: usize, schema: &ArrowSchemaRef) -> Result<RecordBatch> {
    let columns = columns.into_iter().zip(schema.fields());
    // Times have the time zone that tables have.
    let columns = columns.map(|(column, field)| timestamp(column, field)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

fn timestamp(column: ArrayRef, field: &Field) -> ArrayRef {
    match (column.as_any().downcast_ref::<TimestampMicrosecondArray>(), field.data_type()) {
        (Some(times), DataType::Timestamp(_, zone)) => {
            Arc::new(times.clone().with_timezone_opt(zone.clone()))
        }
        _ => column,
    }
}

pub(super) fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn longs(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

pub(super) fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    longs(values.map(|value| i64::try_from(value).ok()))
}

pub(super) fn times(values_ms: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let micros = values_ms.map(|value| value.and_then(|value| value.checked_mul(1000)));
    Arc::new(micros.collect::<TimestampMicrosecondArray>())
}

fn job_runs(runs: &[JobRun], schema: &ArrowSchemaRef) -> Result<Vec<ArrayRef>> {
    let all = || runs.iter();
    let inputs = schema.fields().iter().find_map(|field| match field.data_type() {
        DataType::List(element) => Some(inputs(runs, element)),
        _ => None,
    });
    Ok(vec![
        texts(all().map(|run| Some(run.run_id.to_string()))),
        texts(all().map(|run| Some(run.job.clone()))),
        texts(all().map(|run| Some(run.target.to_string()))),
        texts(all().map(|run| Some(run.mode.clone()))),
        texts(all().map(|run| Some(run.trigger.clone()))),
        times(all().map(|run| run.slot_ms)),
        Arc::new(all().map(|run| i32::try_from(run.attempt).ok()).collect::<Int32Array>()),
        texts(all().map(|run| Some(run.state.as_str().to_owned()))),
        times(all().map(|run| Some(run.started_at_ms))),
        times(all().map(|run| run.ended_at_ms)),
        longs(all().map(|run| run.snapshot_id)),
        inputs.transpose()?.unwrap_or_else(|| longs(all().map(|_| None))),
        counts(all().map(|run| run.rows_read)),
        counts(all().map(|run| run.bytes_read)),
        counts(all().map(|run| run.files_written)),
        counts(all().map(|run| run.rows_written)),
        counts(all().map(|run| run.bytes_written)),
        texts(all().map(|run| run.error.clone())),
    ])
}

fn inputs(runs: &[JobRun], element: &Arc<Field>) -> Result<ArrayRef> {
    let all = || runs.iter().flat_map(|run| &run.inputs);
    let columns = vec![
        texts(all().map(|input| Some(input.table.to_string()))),
        longs(all().map(|input| input.from_snapshot_id)),
        longs(all().map(|input| input.to_snapshot_id)),
    ];
    let fields = match element.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => Vec::<Field>::new().into(),
    };
    let values = Arc::new(StructArray::try_new(fields, columns, None)?);
    let offsets = OffsetBuffer::from_lengths(runs.iter().map(|run| run.inputs.len()));
    Ok(Arc::new(ListArray::try_new(element.clone(), offsets, values, None)?))
}

/// Each run that made a snapshot, with each of its inputs; alone if it has none.
fn lineage(runs: &[JobRun]) -> Vec<(&JobRun, Option<&RunInput>)> {
    let made = runs.iter().filter(|run| run.snapshot_id.is_some());
    let with_inputs = made.flat_map(|run| {
        let alone = run.inputs.is_empty().then_some((run, None));
        run.inputs.iter().map(move |input| (run, Some(input))).chain(alone)
    });
    with_inputs.collect()
}

fn lineage_columns(rows: &[(&JobRun, Option<&RunInput>)]) -> Vec<ArrayRef> {
    let runs = || rows.iter().map(|(run, _)| run);
    let inputs = || rows.iter().map(|(_, input)| *input);
    vec![
        texts(runs().map(|run| Some(run.target.to_string()))),
        longs(runs().map(|run| run.snapshot_id)),
        texts(runs().map(|run| Some(run.job.clone()))),
        texts(runs().map(|run| Some(run.run_id.to_string()))),
        texts(inputs().map(|input| input.map(|input| input.table.to_string()))),
        longs(inputs().map(|input| input?.from_snapshot_id)),
        longs(inputs().map(|input| input?.to_snapshot_id)),
        times(runs().map(|run| run.ended_at_ms)),
    ]
}
