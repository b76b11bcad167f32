//! Compressed data that is cut off: what came before is kept, and where it was cut is said.
//!
//! An upload that broke, a disk that was full, a shipper that was killed: what can be decompressed of such a file is
//! as good as ever, and only its last record is not whole. So the text ends there, and who takes it apart asks here
//! whether that was its end. Data that is damaged otherwise (a checksum that fails, another file behind the end) is
//! an error: what was read before it may be wrong, too.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::Compression;

/// How a text ended, for those who take it apart.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    cut: Arc<OnceLock<Cut>>,
}

/// Where compressed data was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    compression: Compression,
    stored_bytes: u64,
}

impl Ending {
    /// Why what came last of the text is no record, when the text was cut off.
    pub fn reason(&self) -> Option<String> {
        self.cut.get().map(|Cut { compression, stored_bytes }| {
            format!("the {compression} data ends early, at byte {stored_bytes} of the source: the rest of its text is missing")
        })
    }
}

/// Bytes on their way to a decompressor, counted.
pub(super) struct Counted<R> {
    raw: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(raw: R) -> (Self, Arc<AtomicU64>) {
        let bytes = Arc::<AtomicU64>::default();
        (Self { raw, bytes: bytes.clone() }, bytes)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A decompressed text that ends where its data is cut off.
pub(super) struct Text<R> {
    decompressor: R,
    compression: Compression,
    stored_bytes: Arc<AtomicU64>,
    ending: Ending,
}

impl<R> Text<R> {
    pub(super) fn new(
        decompressor: R,
        compression: Compression,
        stored_bytes: Arc<AtomicU64>,
    ) -> (Self, Ending) {
        let ending = Ending::default();
        (Self { decompressor, compression, stored_bytes, ending: ending.clone() }, ending)
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ending.cut.get().is_some() {
            return Ok(0);
        }
        match self.decompressor.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let stored_bytes = self.stored_bytes.load(Ordering::Relaxed);
                let _ = self.ending.cut.set(Cut { compression: self.compression, stored_bytes });
                Ok(0)
            }
            result => result,
        }
    }
}
