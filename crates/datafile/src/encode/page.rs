//! Pages: their headers, and the buffers and the compressor that all pages of a thread are made with.

use std::sync::{Mutex, PoisonError};

use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};
use zstd::bulk::Compressor;

use super::bounds::Bounds;
use super::hybrid::{self, put_varint};

/// Larger buffers are not kept.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Scratch memory of those that make pages. A compressor takes some hundred KiB, so there is one for each thread at work, not
/// one for each column of each file.
#[derive(Debug, Default)]
pub(crate) struct Presses(Mutex<Vec<Press>>);

impl Presses {
    /// Works with one that is at rest, or a new one.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Press) -> T) -> T {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut press = idle.unwrap_or_default();
        let result = work(&mut press);
        press.shrink();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(press);
        result
    }
}

/// What a page is made with.
#[derive(Default)]
pub(super) struct Press {
    zstd: Option<(i32, Compressor<'static>)>,
    /// A page's bytes before they are compressed,
    pub(super) plain: Vec<u8>,
    /// and after.
    compressed: Vec<u8>,
    /// The buffers of a page that no column has begun.
    pub(super) idle: Filling,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press").finish_non_exhaustive()
    }
}

/// A page's slots and values so far.
#[derive(Debug, Default)]
pub(super) struct Filling {
    pub(super) definition: Vec<u8>,
    pub(super) repetition: Vec<u8>,
    /// Values as they stand in the file, or of booleans a byte for each,
    pub(super) plain: Vec<u8>,
    /// or their numbers in the dictionary.
    pub(super) numbers: Vec<u32>,
    pub(super) slots: usize,
    pub(super) rows: usize,
    pub(super) values: usize,
    /// What texts have without their lengths.
    pub(super) text_bytes: usize,
    pub(super) bounds: Option<Bounds>,
}

impl Filling {
    /// Empty again, with room for the next one.
    pub(super) fn clear(&mut self) {
        self.definition.clear();
        self.repetition.clear();
        self.plain.clear();
        self.numbers.clear();
        (self.slots, self.rows, self.values, self.text_bytes) = (0, 0, 0, 0);
        self.bounds = None;
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.definition.capacity()
            + self.repetition.capacity()
            + self.plain.capacity()
            + self.numbers.capacity() * size_of::<u32>()
            + self.bounds.as_ref().map_or(0, Bounds::memory_bytes)
    }
}

/// What a header says of a page.
pub(super) enum Kind {
    Data { values: usize, encoding: Encoding },
    Dictionary { values: usize },
}

/// How large a page is, with its header.
pub(super) struct Size {
    pub(super) plain: usize,
    pub(super) stored: usize,
}

/// Whether pages are compressed so here.
pub(super) fn is_known(compression: Compression) -> bool {
    matches!(compression, Compression::UNCOMPRESSED | Compression::ZSTD(_))
}

impl Press {
    /// Puts levels of up to `max` behind what is in `plain`, with their length.
    pub(super) fn put_levels(&mut self, levels: &[u8], max: u8) {
        let start = self.plain.len();
        self.plain.extend_from_slice(&[0; size_of::<u32>()]);
        hybrid::pack(levels, hybrid::bits_of(max.into()), &mut self.plain);
        let length = (self.plain.len() - start - size_of::<u32>()) as u32;
        if let Some(place) = self.plain.get_mut(start..start + size_of::<u32>()) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }

    /// Makes a page of what is in `plain` and puts it behind `out`.
    pub(super) fn finish(
        &mut self,
        kind: &Kind,
        compression: Compression,
        out: &mut Vec<u8>,
    ) -> Result<Size> {
        let plain_bytes = self.plain.len();
        self.stored_bytes(compression)?;
        let stored: &[u8] = match compression {
            Compression::ZSTD(_) => &self.compressed,
            _ => &self.plain,
        };
        let start = out.len();
        put_header(kind, plain_bytes, stored.len(), out)?;
        let header_bytes = out.len() - start;
        out.extend_from_slice(stored);
        Ok(Size { plain: header_bytes + plain_bytes, stored: header_bytes + stored.len() })
    }

    /// How many bytes what is in `plain` takes when it is compressed.
    pub(super) fn stored_bytes(&mut self, compression: Compression) -> Result<usize> {
        match compression {
            Compression::ZSTD(level) => {
                self.compress(level.compression_level()).map(|()| self.compressed.len())
            }
            _ => Ok(self.plain.len()),
        }
    }

    fn compress(&mut self, level: i32) -> Result<()> {
        if self.zstd.as_ref().is_none_or(|(known, _)| *known != level) {
            self.zstd = Some((level, Compressor::new(level)?));
        }
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        if let Some((_, compressor)) = &mut self.zstd {
            compressor.compress_to_buffer(&self.plain, &mut self.compressed)?;
        }
        Ok(())
    }

    fn shrink(&mut self) {
        for buffer in [&mut self.plain, &mut self.compressed, &mut self.idle.plain] {
            if buffer.capacity() > KEPT_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
    }
}

// Thrift's compact protocol: a byte of type and distance to the field before, then the number; 0 ends a struct.
const I32: u8 = 5;
const STRUCT: u8 = 12;
const STOP: u8 = 0;

/// A page's header, as parquet.thrift has it.
fn put_header(kind: &Kind, plain_bytes: usize, stored_bytes: usize, out: &mut Vec<u8>) -> Result<()> {
    let (page_type, distance) = match kind {
        Kind::Data { .. } => (0, 2),
        Kind::Dictionary { .. } => (2, 4),
    };
    put_i32(page_type, out);
    put_i32(count(plain_bytes)?, out);
    put_i32(count(stored_bytes)?, out);
    out.push(distance << 4 | STRUCT);
    match kind {
        Kind::Data { values, encoding } => {
            put_i32(count(*values)?, out);
            put_i32(*encoding as i32, out);
            // The levels of definition and of repetition.
            put_i32(Encoding::RLE as i32, out);
            put_i32(Encoding::RLE as i32, out);
        }
        Kind::Dictionary { values } => {
            put_i32(count(*values)?, out);
            put_i32(Encoding::PLAIN as i32, out);
        }
    }
    out.extend_from_slice(&[STOP, STOP]);
    Ok(())
}

/// The next field.
fn put_i32(number: i32, out: &mut Vec<u8>) {
    out.push(1 << 4 | I32);
    put_varint(u64::from((number << 1 ^ number >> 31) as u32), out);
}

fn count(number: usize) -> Result<i32> {
    i32::try_from(number).map_err(|_| ParquetError::General("a page is larger than 2 GiB".to_owned()))
}
