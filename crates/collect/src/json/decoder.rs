//! Takes lines one by one and hands out the batch that they make.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef as ArrowSchemaRef;
use arrow::error::ArrowError;
use hosu_table::arrow_schema;
use hosu_table::json::{Inference, JsonKind, Landed, Landing, LandingError, Limits, UnknownFields, parse};
use hosu_table::rejects::raw_column;
use iceberg::spec::Schema;

use super::arrays::Column;
use super::direct::Direct;
use super::summary::{Notes, Rescues, Unknown};
use crate::contract::Checker;

/// The longest line that can be a record.
pub const LINE_BYTES_MAX: usize = 128 << 20;

/// What one text column of a batch can hold: Arrow counts with 32 bits. What is rescued of a line is, escapes and
/// paths included, a few times the line.
const BATCH_BYTES_MAX: usize = i32::MAX as usize;
const BYTES_PER_LINE_BYTE: usize = 4;

/// What a reject takes beside its texts, in the list and in the allocator.
const REJECT_BYTES: usize = 2 * size_of::<Reject>();

/// Where a record starts in its (decompressed) source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// In bytes from 0.
    pub byte_offset: u64,
    /// Its line, from 1.
    pub line_number: u64,
}

/// A line that is no row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line as it was read.
    pub record: Vec<u8>,
    /// Why it is no row.
    pub reason: String,
    /// In bytes from 0.
    pub byte_offset: u64,
    /// The line, from 1.
    pub line_number: u64,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// A row of the batch.
    Row,
    /// A reject.
    Rejected,
    /// Nothing: the line is blank.
    Blank,
}

/// The batch has no room for the line: finish it and push the line again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch is full")]
pub struct Full;

/// A table that lines cannot be decoded for.
#[derive(Debug, thiserror::Error)]
pub enum DecoderError {
    /// It has no place for what fits nowhere else.
    #[error(transparent)]
    Landing(#[from] LandingError),
    /// It has a column of a type that Arrow lacks.
    #[error("a column cannot be written: {0}")]
    Column(#[source] ArrowError),
    /// The columns do not make a batch.
    #[error("the rows cannot be put together: {0}")]
    Batch(#[source] ArrowError),
}

/// What a chunk of lines became.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The rows, with `hosu_table::arrow_schema::to_arrow` of the table's schema.
    pub batch: RecordBatch,
    /// The lines that are no rows.
    pub rejects: Vec<Reject>,
    /// What no column could hold, per column. It stands in the batch's `_rescued_data`.
    pub rescued: Rescues,
    /// What else is to be told.
    pub notes: Notes,
    /// What the table lacks. When [`Unknown::additions`] names anything, the batch is not to be kept: the
    /// schema is to grow, and the lines are to be decoded again.
    pub unknown: Unknown,
}

/// What is told of lines beside the rows that they became.
#[derive(Clone, Debug)]
pub struct Told {
    /// How many lines became rows.
    pub rows: usize,
    /// The lines that are no rows.
    pub rejects: Vec<Reject>,
    /// As [`Decoded::rescued`].
    pub rescued: Rescues,
    /// What else is to be told.
    pub notes: Notes,
    /// As [`Decoded::unknown`].
    pub unknown: Unknown,
}

/// What is done with what a table lacks.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecoderRules {
    /// How many columns the table may get.
    pub limits: Limits,
    /// What becomes of fields without a column.
    pub unknown_fields: UnknownFields,
}

/// Turns lines into batches of a table's schema.
#[derive(Debug)]
pub struct Decoder {
    schema: ArrowSchemaRef,
    rules: DecoderRules,
    landing: Landing,
    /// The way that is tried first, if it is.
    direct: Option<Direct>,
    columns: Vec<Column>,
    /// The column that keeps lines as they are.
    raw: Option<usize>,
    /// The table's contract.
    checker: Option<Arc<Checker>>,
    /// Whether what goes the short way keeps the contract.
    direct_is_held: bool,
    /// About what a row of nulls takes.
    row_bytes: usize,
    rows: usize,
    rows_told: usize,
    bytes: usize,
    rejects: Vec<Reject>,
    rescued: Rescues,
    notes: Notes,
    unknown: Unknown,
}

impl Decoder {
    /// A decoder for the rows of a schema.
    ///
    /// # Errors
    /// [`DecoderError`] when the table has a column that cannot be written here.
    pub fn new(schema: &Schema) -> Result<Self, DecoderError> {
        Self::with_rules(schema, DecoderRules::default())
    }

    /// The same by other rules.
    ///
    /// # Errors
    /// [`DecoderError`] when the table has a column that cannot be written here.
    pub fn with_rules(schema: &Schema, rules: DecoderRules) -> Result<Self, DecoderError> {
        let direct = Some(Direct::new(schema));
        Ok(Self { direct, ..Self::plain_with_rules(schema, rules)? })
    }

    /// One that takes each line the plain way, through a tree of values: what the other is tested against.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn plain(schema: &Schema) -> Result<Self, DecoderError> {
        Self::plain_with_rules(schema, DecoderRules::default())
    }

    fn plain_with_rules(schema: &Schema, rules: DecoderRules) -> Result<Self, DecoderError> {
        let landing = Landing::new(schema)?.with_unknown_fields(rules.unknown_fields);
        let raw = raw_column(schema);
        let schema = Arc::new(arrow_schema::to_arrow(schema));
        let columns = schema.fields().iter().map(|field| Column::new(field.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(DecoderError::Column)?;
        Ok(Self {
            schema,
            rules,
            landing,
            direct: None,
            row_bytes: columns.iter().map(Column::null_bytes).sum(),
            columns,
            raw,
            checker: None,
            direct_is_held: false,
            rows: 0,
            rows_told: 0,
            bytes: 0,
            rejects: Vec::new(),
            rescued: Rescues::default(),
            notes: Notes::default(),
            unknown: nothing_unknown(rules),
        })
    }

    /// The same, for a table with a contract: what violates it is a reject. `schema` is that of the rows.
    #[must_use]
    pub fn checked_by(self, checker: Arc<Checker>, schema: &Schema) -> Self {
        let held = self.direct.as_ref().and_then(|_| Direct::held_to(schema, checker.rules()?));
        let (direct_is_held, direct) = (held.is_some(), held.or(self.direct));
        Self { checker: Some(checker), direct, direct_is_held, ..self }
    }

    /// Decodes one line, without or with its line end.
    ///
    /// # Errors
    /// [`Full`] when the batch would become larger than arrays can be. Nothing of the line is taken then. Those who
    /// finish at [`Self::bytes_estimated`] of less than a gigabyte never see it.
    pub fn push(&mut self, line: &[u8], place: Place) -> Result<Pushed, Full> {
        let room = BATCH_BYTES_MAX.saturating_sub(self.bytes);
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            return Ok(Pushed::Blank);
        }
        if line.len() > LINE_BYTES_MAX {
            let reason =
                format!("the record is too long: {} bytes, and {LINE_BYTES_MAX} are read", line.len());
            return Ok(self.reject(line, reason, place));
        }
        if line.len().saturating_mul(BYTES_PER_LINE_BYTE) > room {
            return Err(Full);
        }
        let pushed = match self.checker.clone() {
            Some(_) if self.direct_is_held && self.put_direct(line) => Ok(()),
            Some(checker) => self.land_checked(line, place, &checker),
            None if self.put_direct(line) => Ok(()),
            None => self.land(line, place),
        };
        Ok(match pushed {
            Ok(()) => {
                self.keep_raw(line);
                Pushed::Row
            }
            Err(reason) => self.reject(line, reason, place),
        })
    }

    /// How many rows the batch has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// About how much memory the batch and the rejects take, in bytes.
    pub fn bytes_estimated(&self) -> usize {
        self.bytes
    }

    /// The batch of the lines so far, and what is to be told of them; the next line starts a new one.
    ///
    /// # Errors
    /// As [`Self::finish_batch`].
    pub fn finish(&mut self) -> Result<Decoded, DecoderError> {
        let Told { rejects, rescued, notes, unknown, .. } = self.tell();
        Ok(Decoded { batch: self.finish_batch()?, rejects, rescued, notes, unknown })
    }

    /// What is to be told of the lines since it was last asked: those of one source, where a batch has rows of several.
    pub fn tell(&mut self) -> Told {
        Told {
            rows: self.rows - std::mem::replace(&mut self.rows_told, self.rows),
            rejects: std::mem::take(&mut self.rejects),
            rescued: std::mem::take(&mut self.rescued),
            notes: std::mem::take(&mut self.notes),
            unknown: std::mem::replace(&mut self.unknown, nothing_unknown(self.rules)),
        }
    }

    /// The batch of the lines so far; the next line starts a new one.
    ///
    /// # Errors
    /// [`DecoderError::Batch`] when the columns do not fit together, which would be a mistake of this program.
    pub fn finish_batch(&mut self) -> Result<RecordBatch, DecoderError> {
        let rows = std::mem::take(&mut self.rows);
        (self.rows_told, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(|column| column.finish(rows)).collect::<Result<_, _>>();
        let columns = columns.map_err(DecoderError::Batch)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(DecoderError::Batch)
    }

    /// Whether the line became a row the short way.
    fn put_direct(&mut self, line: &[u8]) -> bool {
        let Some(direct) = &mut self.direct else { return false };
        match direct.put(line, self.rows, &mut self.columns) {
            Some(bytes) => {
                self.bytes = self.bytes.saturating_add(self.row_bytes + bytes);
                self.rows += 1;
                true
            }
            None => {
                self.columns.iter_mut().for_each(|column| column.truncate(self.rows));
                false
            }
        }
    }

    fn land(&mut self, line: &[u8], place: Place) -> Result<(), String> {
        let record = parse(line).map_err(|error| format!("not JSON: {error}"))?;
        let landed = self.landing.land(&record, &mut self.unknown.fields).map_err(|error| {
            self.notes.note_not_landed(&error, place);
            error.to_string()
        })?;
        self.put(&landed, place);
        Ok(())
    }

    /// Lands a line that keeps the contract.
    fn land_checked(&mut self, line: &[u8], place: Place, checker: &Checker) -> Result<(), String> {
        let record = parse(line).map_err(|error| format!("not JSON: {error}"))?;
        if matches!(record.kind, JsonKind::Object(_)) {
            checker.check(&record)?;
        }
        if !self.direct_is_held && self.put_direct(line) {
            return Ok(());
        }
        // What a reject has and the table lacks is not asked for.
        let mut fields = Inference::new(self.rules.limits);
        let landed = self.landing.land(&record, &mut fields).map_err(|error| error.to_string())?;
        if let Some(reason) = landed.rescued.iter().find_map(|rescued| checker.refuses(rescued)) {
            return Err(reason);
        }
        self.unknown.fields.merge(fields);
        self.put(&landed, place);
        Ok(())
    }

    fn put(&mut self, landed: &Landed<'_>, place: Place) {
        for rescued in &landed.rescued {
            self.unknown.note_rescued(rescued, self.landing.has_rescued_data());
            self.rescued.add(rescued, place);
        }
        self.notes.note_landed(landed, place);
        for (column, cell) in self.columns.iter_mut().zip(&landed.cells) {
            self.bytes = self.bytes.saturating_add(column.put(self.rows, cell));
        }
        self.rows += 1;
    }

    /// Keeps the bytes of the line that became the last row, in a table that has a column for them.
    fn keep_raw(&mut self, line: &[u8]) {
        let column = self.raw.and_then(|at| self.columns.get_mut(at));
        if let (Some(Column::Bytes(column)), Some(row)) = (column, self.rows.checked_sub(1)) {
            // A row that was landed the plain way has a null there.
            column.truncate(row);
            column.put(row, line);
            self.bytes = self.bytes.saturating_add(line.len());
        }
    }

    fn reject(&mut self, line: &[u8], reason: String, place: Place) -> Pushed {
        let Place { byte_offset, line_number } = place;
        let reject = Reject { record: line.to_vec(), reason, byte_offset, line_number };
        self.bytes = self.bytes.saturating_add(line.len() + reject.reason.len() + REJECT_BYTES);
        self.rejects.push(reject);
        Pushed::Rejected
    }
}

fn nothing_unknown(rules: DecoderRules) -> Unknown {
    Unknown::new(Inference::new(rules.limits))
}

#[cfg(test)]
mod tests;
