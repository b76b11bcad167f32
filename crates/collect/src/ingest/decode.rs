//! Chunks of lines to rows, on one of the cores.
//!
//! Rows may take far more memory than their text: `{}` is a row of a thousand columns. So chunks are decoded
//! only until their rows take what they may, and the rest of them later.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use iceberg::spec::SchemaRef;

use super::rows;
use super::shape::Shape;
use crate::contract::Checker;
use crate::frame::{Buffers, Chunk};
use crate::json::{Decoder, DecoderError, DecoderRules, Place, Told};

/// Decodes chunks into rows of a table's columns.
#[derive(Clone)]
pub(super) struct Decoding {
    pub(super) schema: SchemaRef,
    checker: Option<Arc<Checker>>,
    rules: DecoderRules,
    pub(super) rows_bytes_max: usize,
    /// Whether a row is judged as a whole: no part of it can be taken as it is.
    pub(super) judges_whole: bool,
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
    pub(super) fn of(table: &Shape, rows_bytes_max: usize, buffers: Buffers) -> Self {
        let of_columns = Self::new((table.schema.clone(), table.decoder_rules()), rows_bytes_max, buffers);
        let checker = table.contract.as_ref().map(|contract| Arc::new(contract.for_columns(&table.schema)));
        Self { judges_whole: of_columns.judges_whole || checker.is_some(), checker, ..of_columns }
    }

    /// For columns without a contract.
    pub(super) fn new(
        (schema, rules): (SchemaRef, DecoderRules),
        rows_bytes_max: usize,
        buffers: Buffers,
    ) -> Self {
        let judges_whole = rows::has_required(&schema);
        Self { schema, rules, checker: None, rows_bytes_max, judges_whole, buffers, idle: Arc::default() }
    }

    /// The rows of chunks, and what did not become one. Works for long; not for a thread of the runtime.
    ///
    /// # Errors
    /// When no row could be in this table.
    pub(super) fn decode(&self, chunks: Vec<ChunkOf>) -> Result<Piece, DecoderError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut decoder = match idle {
            Some(decoder) => decoder,
            None => self.decoder()?,
        };
        let mut chunks = VecDeque::from(chunks);
        let first = chunks.pop_front();
        let rows = first.as_ref().and_then(|(source, chunk)| Some((*source, chunk, chunk.rows()?)));
        let piece = match rows {
            Some((source, chunk, rows)) => {
                // Such rows are a batch of their own.
                let (batch, told, rest) = self.decode_rows(&mut decoder, chunk, rows)?;
                let rest = rest.into_iter().map(|chunk| (source, chunk)).chain(chunks).collect();
                Piece { batch, told: vec![(source, told)], rest }
            }
            None => self.decode_lines(&mut decoder, first.into_iter().chain(chunks))?,
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(decoder);
        Ok(piece)
    }

    fn decoder(&self) -> Result<Decoder, DecoderError> {
        let decoder = Decoder::with_rules(&self.schema, self.rules)?;
        Ok(match &self.checker {
            Some(checker) => decoder.checked_by(checker.clone(), &self.schema),
            None => decoder,
        })
    }

    fn decode_lines(
        &self,
        decoder: &mut Decoder,
        chunks: impl Iterator<Item = ChunkOf>,
    ) -> Result<Piece, DecoderError> {
        let (mut told, mut rest) = (Vec::new(), Vec::new());
        for (source, chunk) in chunks {
            if !rest.is_empty() || chunk.rows().is_some() {
                rest.push((source, chunk));
                continue;
            }
            let rest_of_chunk = self.push_lines(decoder, &chunk);
            let mut of_chunk = decoder.tell();
            of_chunk.rejects.extend(chunk.rejects);
            self.buffers.give_back(chunk.bytes);
            told.push((source, of_chunk));
            rest.extend(rest_of_chunk.map(|chunk| (source, chunk)));
        }
        Ok(Piece { batch: decoder.finish_batch()?, told, rest })
    }

    pub(super) fn has_room(&self, decoder: &Decoder) -> bool {
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
}
