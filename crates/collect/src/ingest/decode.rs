//! A chunk of lines to rows, on one of the cores.
//!
//! Rows may take far more memory than their text: `{}` is a row of a thousand columns. So a chunk is decoded
//! only until its rows take what they may, and the rest of it later.

use std::sync::{Arc, Mutex, PoisonError};

use iceberg::spec::SchemaRef;

use crate::contract::{Checker, Contract};
use crate::frame::{self, Buffers, Chunk, HEAD_BYTES_MAX, Records};
use crate::json::{Decoded, Decoder, DecoderError, DecoderRules, Place, Reject};
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

/// The rows of a chunk, or of its beginning.
pub(super) struct Piece {
    pub decoded: Decoded,
    /// What is still to be decoded.
    pub rest: Option<Chunk>,
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

    /// The rows of a chunk, and what did not become one. Works for long; not for a thread of the runtime.
    ///
    /// # Errors
    /// When no row could be in this table.
    pub(super) fn decode(&self, chunk: Chunk) -> Result<Piece, DecoderError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut decoder = match idle {
            Some(decoder) => decoder,
            None => Decoder::with_rules(&self.schema, self.rules)?.checked_by(self.checker.clone()),
        };
        let mut too_long = Vec::new();
        let rest = match &chunk.records {
            Records::Rows(rows) => self.push_rows(&mut decoder, &chunk, rows, &mut too_long),
            _ => self.push_lines(&mut decoder, &chunk),
        };
        let mut decoded = decoder.finish()?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
        if matches!(chunk.records, Records::Rows(_)) {
            // Which columns they need their file says.
            decoded.unknown.forget_fields();
        }
        decoded.rejects.extend(too_long);
        decoded.rejects.extend(chunk.rejects);
        self.buffers.give_back(chunk.bytes);
        Ok(Piece { decoded, rest })
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
