//! A chunk of lines to rows, on one of the cores.
//!
//! Rows may take far more memory than their text: `{}` is a row of a thousand columns. So a chunk is decoded
//! only until its rows take what they may, and the rest of it later.

use std::sync::{Arc, Mutex, PoisonError};

use iceberg::spec::SchemaRef;

use crate::contract::{Checker, Contract};
use crate::frame::{Buffers, Chunk};
use crate::json::{Decoded, Decoder, DecoderError, DecoderRules, Place};

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
        let mut rest = None;
        for line in chunk.lines() {
            let place = Place { byte_offset: line.byte_offset, line_number: line.line_number };
            let full = decoder.bytes_estimated() >= self.rows_bytes_max;
            if full || decoder.push(line.bytes, place).is_err() {
                rest = Some(chunk.rest_from(&line));
                break;
            }
        }
        let mut decoded = decoder.finish()?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
        decoded.rejects.extend(chunk.rejects);
        self.buffers.give_back(chunk.bytes);
        Ok(Piece { decoded, rest })
    }
}
