//! The bytes of a column of a row group, as they stand in the file.

use bytes::Bytes;
use bytes::buf::{Buf, Reader};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// The pages of a column.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The page of the dictionary, if there is one.
    pub(super) dictionary: Vec<u8>,
    pub(super) pages: Vec<u8>,
    /// Where each of these pages begins, and how many bytes it has.
    pub(super) places: Vec<(usize, usize)>,
}

impl Chunk {
    pub(super) fn len(&self) -> usize {
        self.dictionary.len() + self.pages.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.dictionary.capacity() + self.pages.capacity()
    }

    /// To be read once, from the first byte to the last.
    pub(super) fn into_reader(self) -> ChunkBytes {
        ChunkBytes { dictionary: self.dictionary.into(), pages: self.pages.into() }
    }
}

/// A column that a file takes in.
pub(super) struct ChunkBytes {
    dictionary: Bytes,
    pages: Bytes,
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        (self.dictionary.len() + self.pages.len()) as u64
    }
}

impl ChunkReader for ChunkBytes {
    type T = std::io::Chain<Reader<Bytes>, Reader<Bytes>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        if start != 0 {
            return Err(ParquetError::NYI("a column is read from its first byte".into()));
        }
        Ok(std::io::Read::chain(self.dictionary.clone().reader(), self.pages.clone().reader()))
    }

    fn get_bytes(&self, _start: u64, _length: usize) -> Result<Bytes> {
        Err(ParquetError::NYI("a column is read as a stream".into()))
    }
}
