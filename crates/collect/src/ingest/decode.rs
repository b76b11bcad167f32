//! Chunks of lines to rows, on one of the cores.
//!
//! Rows may take far more memory than their text: `{}` is a row of a thousand columns. So chunks are decoded
//! only until their rows take what they may, and the rest of them later.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use iceberg::spec::SchemaRef;

use crate::contract::{Checker, Contract};
use crate::frame::{self, Buffers, Chunk, HEAD_BYTES_MAX, Records};
use crate::json::{Decoder, DecoderError, DecoderRules, Place, Reject, Told};
use crate::parquet::Rows;

/// Decodes chunks into rows of a table's columns.
#[derive(Clone)]
pub(super) struct Decoding {
    schema: SchemaRef,
    checker: Option<Arc<Checker>>,
    rules: DecoderRules,
    rows_bytes_max: usize,
    /// Where the bytes of decoded chunks go.
    pub(super) buffers: Buffers,
    /// Decoders at rest. They know already in which order names come.
    idle: Arc<Mutex<Vec<Decoder>>>,
}

/// A chunk, and the number of the source that it is of.
pub(super) type ChunkOf = (usize, Chunk);

/// The rows of some chunks, or of their beginning.
pub(super) struct Piece {
    pub batch: RecordBatch,
    /// What is told of each chunk, with the number of its source.
    pub told: Vec<(usize, Told)>,
    /// What is still to be decoded.
    pub rest: Vec<ChunkOf>,
}

impl Decoding {
    /// For a table; the rows of one piece take about so much memory.
    pub(super) fn new(
        (schema, rules): (SchemaRef, DecoderRules),
        rows_bytes_max: usize,
        buffers: Buffers,
    ) -> Self {
        Self { schema, rules, checker: None, rows_bytes_max, buffers, idle: Arc::default() }
    }

    /// The same, for a table with this contract.
    pub(super) fn under(self, contract: Option<&Contract>) -> Self {
        let checker = contract.map(|contract| Arc::new(contract.for_columns(&self.schema)));
        Self { checker, ..self }
    }

    /// The rows of chunks, and what did not become one. Works for long; not for a thread of the runtime.
    ///
    /// # Errors
    /// When no row could be in this table.
    pub(super) fn decode(&self, chunks: Vec<ChunkOf>) -> Result<Piece, DecoderError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut decoder = match idle {
            Some(decoder) => decoder,
            None => Decoder::with_rules(&self.schema, self.rules)?.checked_by(self.checker.clone()),
        };
        let mut told = Vec::with_capacity(chunks.len());
        let mut rest = Vec::new();
        let mut chunks = chunks.into_iter();
        while rest.is_empty()
            && let Some((source, chunk)) = chunks.next()
        {
            let (of_chunk, rest_of_chunk) = self.push(&mut decoder, chunk);
            told.push((source, of_chunk));
            rest.extend(rest_of_chunk.map(|chunk| (source, chunk)));
        }
        rest.extend(chunks);
        let batch = decoder.finish_batch()?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
        Ok(Piece { batch, told, rest })
    }

    /// Decodes a chunk as far as there is room: what is told of that, and the rest.
    fn push(&self, decoder: &mut Decoder, chunk: Chunk) -> (Told, Option<Chunk>) {
        let mut too_long = Vec::new();
        let rest = match &chunk.records {
            Records::Rows(rows) => self.push_rows(decoder, &chunk, rows, &mut too_long),
            _ => self.push_lines(decoder, &chunk),
        };
        let mut told = decoder.tell();
        if matches!(chunk.records, Records::Rows(_)) {
            // Which columns they need their file says.
            told.unknown.forget_fields();
        }
        told.rejects.extend(too_long);
        told.rejects.extend(chunk.rejects);
        self.buffers.give_back(chunk.bytes);
        (told, rest)
    }

    fn has_room(&self, decoder: &Decoder) -> bool {
        decoder.bytes_estimated() < self.rows_bytes_max
    }

    fn push_lines(&self, decoder: &mut Decoder, chunk: &Chunk) -> Option<Chunk> {
        for line in chunk.lines() {
            let place = Place { byte_offset: line.byte_offset, line_number: line.line_number };
            if !self.has_room(decoder) || decoder.push(line.bytes, place).is_err() {
                return Some(chunk.rest_from(&line));
            }
        }
        None
    }

    fn push_rows(
        &self,
        decoder: &mut Decoder,
        chunk: &Chunk,
        rows: &Rows,
        too_long: &mut Vec<Reject>,
    ) -> Option<Chunk> {
        let byte_offset = chunk.byte_offset;
        let taken = rows.each(|row, record| {
            let line_number = chunk.line_number + row as u64;
            if record.len() > rows.record_bytes_max() {
                let head = record.get(..HEAD_BYTES_MAX).unwrap_or(record).to_vec();
                let bytes = record.len() as u64;
                too_long.push(frame::too_long("record, as JSON,", bytes, head, byte_offset, line_number));
                return true;
            }
            self.has_room(decoder) && decoder.push(record, Place { byte_offset, line_number }).is_ok()
        });
        (taken < rows.len()).then(|| chunk.rest_from_row(taken))
    }
}
