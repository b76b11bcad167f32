//! The bytes of a Parquet file as its reader asks for them: in any order, and never more than there are.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Crc;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::{self, Refused};

/// How much is read to look at the header of a page; its statistics may need more.
const HEADER_BYTES: usize = 1 << 10;

/// A page's header is no longer than this.
const HEADER_BYTES_MAX: usize = 16 << 20;

/// A file that pages are read from.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub file: Arc<File>,
    pub size_bytes: u64,
    /// The largest page that is read, decompressed.
    pub page_bytes_max: u64,
    /// The checksums of pages whose headers were read, by where the pages begin.
    checksums: Arc<Mutex<HashMap<u64, u32>>>,
}

impl Stored {
    pub(super) fn new(file: Arc<File>, size_bytes: u64, page_bytes_max: u64) -> Self {
        Self { file, size_bytes, page_bytes_max, checksums: Arc::default() }
    }

    /// What stands at a place.
    pub(super) fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.size_bytes);
        if end.is_none() {
            let text = format!("{length} bytes at {at} are beyond the end of the file");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// Looks at the header of the page that begins here before it is believed.
    fn check_page(&self, at: u64) -> Result<(), ParquetError> {
        let left = usize::try_from(self.size_bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut length = HEADER_BYTES.min(left);
        let claims = loop {
            match thrift::page(&self.read(at, length)?) {
                Ok(claims) => break claims,
                Err(Refused::Short) if length < left.min(HEADER_BYTES_MAX) => {
                    length = length.saturating_mul(8).min(left);
                }
                Err(_) => return Err(general(format!("there is no page at byte {at}"))),
            }
        };
        let bytes_max = i64::try_from(self.page_bytes_max).unwrap_or(i64::MAX);
        if claims.uncompressed_bytes > bytes_max {
            let bytes = claims.uncompressed_bytes;
            return Err(general(format!(
                "a page has {bytes} bytes, and {bytes_max} are allowed (ingest.memory)"
            )));
        }
        // A value takes one or more bytes of levels once they are decoded, however well they were compressed.
        if claims.values > bytes_max {
            return Err(general(format!(
                "a page has {} values, and {bytes_max} are allowed (ingest.memory)",
                claims.values
            )));
        }
        if let Some(checksum) = claims.checksum {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "Thrift has no unsigned numbers"
            )]
            let checksum = checksum as u32;
            let begin = at.saturating_add(claims.header_bytes as u64);
            self.checksums.lock().unwrap_or_else(PoisonError::into_inner).insert(begin, checksum);
        }
        Ok(())
    }
}

fn general(text: String) -> ParquetError {
    ParquetError::General(text)
}

impl Length for Stored {
    fn len(&self) -> u64 {
        self.size_bytes
    }
}

impl ChunkReader for Stored {
    type T = FromPlace;

    /// Parquet's reader asks for this only to read the header of a page.
    fn get_read(&self, start: u64) -> Result<FromPlace, ParquetError> {
        self.check_page(start)?;
        let stored = self.clone();
        Ok(FromPlace { stored, at: start, piece: Vec::new(), taken: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.read(start, length)?;
        let checksum = self.checksums.lock().unwrap_or_else(PoisonError::into_inner).remove(&start);
        if let Some(checksum) = checksum {
            let mut crc = Crc::new();
            crc.update(&bytes);
            if crc.sum() != checksum {
                return Err(general(format!("the checksum of the page at byte {start} is wrong")));
            }
        }
        Ok(bytes.into())
    }
}

/// Reads a file from a place on.
#[derive(Debug)]
pub(super) struct FromPlace {
    stored: Stored,
    at: u64,
    piece: Vec<u8>,
    taken: usize,
}

impl Read for FromPlace {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() {
            let left = usize::try_from(self.stored.size_bytes.saturating_sub(self.at)).unwrap_or(usize::MAX);
            self.piece = self.stored.read(self.at, left.min(HEADER_BYTES))?;
            self.at += self.piece.len() as u64;
            self.taken = 0;
        }
        let rest = self.piece.get(self.taken..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer.get_mut(..length).unwrap_or_default().copy_from_slice(rest.get(..length).unwrap_or_default());
        self.taken += length;
        Ok(length)
    }
}
