//! Where the text of compressed data ends. Of data that is cut off, what came before is kept, and where it was cut is said.
//!
//! An upload that broke, a disk that was full, a shipper that was killed: what can be decompressed of such a file is
//! as good as ever, and only its last record is not whole. So the text ends there, and who takes it apart asks here
//! whether that was its end. Data that is damaged otherwise (a checksum that fails, another file behind the end) is
//! an error: what was read before it may be wrong, too. And so is data that becomes more text than it may: nobody has lost
//! anything of it, and the rest can be had.

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

/// How much may be asked for to decompress a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The largest window of Zstandard data.
    pub window_bytes_max: u64,
    /// The longest text; none for what [`Bounds::text_bytes_max`] says.
    pub text_bytes_max: Option<u64>,
}

/// Without a limit that was set, a text may have so many bytes, or so many times those that are stored. Logs become a twentieth
/// or a hundredth, and more only what says the same again and again.
const TEXT_BYTES_MAX: u64 = 10 << 30;
const TEXT_PER_STORED_MAX: u64 = 200;

impl Bounds {
    /// How long the text of so many stored bytes may be.
    pub fn text_bytes_max(&self, stored_bytes: u64) -> u64 {
        let usual = || stored_bytes.saturating_mul(TEXT_PER_STORED_MAX).max(TEXT_BYTES_MAX);
        self.text_bytes_max.unwrap_or_else(usual)
    }
}

/// Compressed data that becomes more text than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{stored_bytes} bytes become more than {text_bytes_max} bytes of text")]
pub struct TextTooLong {
    /// How much was read of the source, as it is stored.
    pub stored_bytes: u64,
    /// What may become of it.
    pub text_bytes_max: u64,
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
    bounds: Bounds,
    stored_bytes: Arc<AtomicU64>,
    text_bytes: u64,
    ending: Ending,
}

impl<R> Text<R> {
    pub(super) fn new(
        decompressor: R,
        compression: Compression,
        bounds: Bounds,
        stored_bytes: Arc<AtomicU64>,
    ) -> (Self, Ending) {
        let ending = Ending::default();
        let text =
            Self { decompressor, compression, bounds, stored_bytes, text_bytes: 0, ending: ending.clone() };
        (text, ending)
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ending.cut.get().is_some() {
            return Ok(0);
        }
        let read = self.decompressor.read(buffer);
        let stored_bytes = self.stored_bytes.load(Ordering::Relaxed);
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let _ = self.ending.cut.set(Cut { compression: self.compression, stored_bytes });
                Ok(0)
            }
            Ok(read) => {
                self.text_bytes += read as u64;
                let text_bytes_max = self.bounds.text_bytes_max(stored_bytes);
                match self.text_bytes > text_bytes_max {
                    true => Err(io::Error::other(TextTooLong { stored_bytes, text_bytes_max })),
                    false => Ok(read),
                }
            }
            Err(error) => Err(error),
        }
    }
}
