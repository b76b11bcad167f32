//! From the batches of an answer to text.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use futures::StreamExt;
use hosu_sql::{Answer, Stats, encode};
use serde_json::{Value, json};

use super::progress::ProgressLine;
use super::sink::{CHUNK_BYTES, Sink, Wanted};
use crate::args::RowFormat;
use crate::commands::Context;
use crate::failure::Failure;
use crate::print::{Answers, Cells, Column, Look, Spool, human, is_numeric, layout};

/// Prints the rows of an answer as they come.
///
/// # Errors
/// Those of the query and of the writer.
pub async fn print_rows(
    answer: &mut Answer,
    format: RowFormat,
    look: &Look,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut sink = Sink::Writer(out);
    let mut drawn = ProgressLine::none();
    pour(answer, format, look, &mut sink, &mut drawn).await?;
    Ok(sink.finish(&mut drawn).await?)
}

/// Lays rows out as they come, until there are no more or nobody wants more.
pub async fn pour(
    answer: &mut Answer,
    format: RowFormat,
    look: &Look,
    sink: &mut Sink<'_>,
    drawn: &mut ProgressLine,
) -> Result<Wanted, Failure> {
    if answer.columns().is_empty() {
        while let Some(batch) = answer.next().await {
            batch?;
        }
        return Ok(Wanted::More);
    }
    let column = |column: &hosu_sql::Column| Column {
        name: column.name.clone(),
        numeric: is_numeric(&column.trino_type),
    };
    let columns: Vec<Column> = answer.columns().iter().map(column).collect();
    let mut layout = layout(format, look);
    let mut text = Vec::new();
    // The header waits for the first rows: a statement that fails at once prints an error only.
    let mut next = answer.next().await.transpose()?;
    layout.begin(&columns, &mut text)?;
    while let Some(batch) = next {
        for row in 0..batch.num_rows() {
            layout.row(&Row { batch: &batch, row }, &mut text)?;
            if text.len() >= CHUNK_BYTES && sink.take(&mut text, drawn).await? == Wanted::Enough {
                return Ok(Wanted::Enough);
            }
        }
        drop(batch);
        // What there is of a slow query is to be seen at once.
        if !text.is_empty() && sink.take(&mut text, drawn).await? == Wanted::Enough {
            return Ok(Wanted::Enough);
        }
        next = tokio::select! {
            next = answer.next() => next.transpose()?,
            () = sink.quit() => return Ok(Wanted::Enough),
        };
    }
    layout.end(&mut text)?;
    Ok(sink.take(&mut text, drawn).await?)
}

/// Prints one object; nothing of it if the statement fails on its way.
pub async fn pour_json(
    answer: &mut Answer,
    sink: &mut Sink<'_>,
    drawn: &mut ProgressLine,
    context: &Context,
) -> Result<(), Failure> {
    let columns: Vec<(String, String)> =
        answer.columns().iter().map(|column| (column.name.clone(), column.trino_type.clone())).collect();
    let mut spool = Spool::new(context.catalog.host().scratch.clone());
    let mut object = Answers::default();
    object.begin(&columns, &mut spool)?;
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let values: Vec<encode::Json> =
                batch.columns().iter().map(|array| encode::trino_json(array.as_ref(), row)).collect();
            object.row(&values, &mut spool)?;
        }
    }
    object.end(&stats_json(&answer.stats(), context)?, &mut spool)?;
    let mut chunks = spool.release()?;
    while let Some(mut chunk) = chunks.next_chunk()? {
        sink.take(&mut chunk, drawn).await?;
    }
    Ok(())
}

/// The figures under their documented names.
fn stats_json(stats: &Stats, context: &Context) -> Result<Value, Failure> {
    let mut object = serde_json::to_value(stats).map_err(io::Error::from)?;
    let dollars = human::dollars(stats.bytes_scanned, context.config.query.price_per_tib);
    if let Some(object) = object.as_object_mut() {
        object.insert("price_usd".to_owned(), json!(dollars));
    }
    Ok(object)
}

struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Cells for Row<'_> {
    fn text(&self, column: usize) -> Option<String> {
        encode::text_cell(self.batch.column(column).as_ref(), self.row)
    }

    fn json(&self, column: usize) -> String {
        encode::natural_json(self.batch.column(column).as_ref(), self.row).to_string()
    }
}
