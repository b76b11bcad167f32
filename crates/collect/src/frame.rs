//! Taking a source's bytes apart into lines: what the source is, is decided once, by its content.
//!
//! The first bytes tell how it is compressed, and what comes out of that whether it is text. A format that was
//! given is believed instead. After that a line is a line, good or bad: whether it is a record is the decoder's to
//! say.

mod binary;
mod gzip;
mod lines;
mod window;

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::str::FromStr;

use serde::Serialize;

pub use lines::{Buffers, Chunk, HEAD_BYTES_MAX, Line, Lines, TooLong};
pub use window::WindowTooLarge;

/// How much of a source is looked at to say what it is.
pub const HEAD_BYTES: usize = 4096;

/// What is read at a time of a source that is read to its end.
pub const BUFFER_BYTES: usize = 256 << 10;

/// How a source is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, one member or several.
    Gzip,
    /// Zstandard, one frame or several.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// What a source is, as a person says it with `--format`: `ndjson`, `ndjson.gz` or `ndjson.zst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// How the lines are compressed.
    pub compression: Compression,
}

/// A format that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no format: `auto`, `ndjson`, `ndjson.gz` and `ndjson.zst` are")]
pub struct FormatError {
    /// The text as it was given.
    pub text: String,
}

impl Format {
    /// The name of what each source is today.
    pub const NDJSON: &str = "ndjson";

    /// Reads the text of `--format`; none for `auto`, which looks at the content.
    ///
    /// # Errors
    /// [`FormatError`] for a format that is not known.
    pub fn parse(text: &str) -> Result<Option<Self>, FormatError> {
        if text.eq_ignore_ascii_case("auto") { Ok(None) } else { text.parse().map(Some) }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let compression = match text.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Compression::None,
            "ndjson.gz" | "jsonl.gz" => Compression::Gzip,
            "ndjson.zst" | "jsonl.zst" => Compression::Zstd,
            _ => return Err(FormatError { text: text.to_owned() }),
        };
        Ok(Self { compression })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.compression {
            Compression::None => "ndjson",
            Compression::Gzip => "ndjson.gz",
            Compression::Zstd => "ndjson.zst",
        })
    }
}

/// Why a source cannot be taken apart.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Its bytes are no text.
    #[error("it is {kind}")]
    Binary {
        /// What it is, with an article.
        kind: &'static str,
    },
    /// Its bytes are text in another encoding.
    #[error("it is {encoding}")]
    Encoding {
        /// The encoding.
        encoding: &'static str,
    },
    /// Its compressed data is cut off or damaged.
    #[error("its {compression} data is damaged: {source}")]
    Damaged {
        /// How it is compressed.
        compression: Compression,
        /// What the decompressor said.
        source: io::Error,
    },
    /// It wants more memory to be decompressed than there is for it.
    #[error(transparent)]
    Window(WindowTooLarge),
    /// It cannot be read.
    #[error(transparent)]
    Io(io::Error),
}

/// A source that is known for what it is, at its first line.
pub struct Framed {
    /// How it is compressed.
    pub compression: Compression,
    /// Its text after decompression, the byte order mark left out.
    pub text: Box<dyn Read + Send>,
    /// Bytes that were left out before the text.
    pub skipped_bytes: u64,
    /// The number of the text's first line, from 1.
    pub line_number: u64,
}

impl fmt::Debug for Framed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framed").field("compression", &self.compression).finish_non_exhaustive()
    }
}

/// Decides what a source is, and gives its text. `buffer_bytes` are read at a time: [`BUFFER_BYTES`] of what is read to
/// its end, [`HEAD_BYTES`] of what is only looked at. Zstandard may take `window_bytes_max` for its window.
///
/// # Errors
/// When it is no text, or cannot be read. An error of `raw` itself comes as [`FrameError::Io`]; later ones are told
/// apart by [`Framed::compression`], see [`read_error`].
pub fn open(
    raw: impl Read + Send + 'static,
    format: Option<Format>,
    buffer_bytes: usize,
    window_bytes_max: u64,
) -> Result<Framed, FrameError> {
    let (head, raw) = peek(BufReader::with_capacity(buffer_bytes, raw)).map_err(FrameError::Io)?;
    let compression = format.map_or_else(|| compression_of(&head), |format| format.compression);
    let text: Box<dyn BufRead + Send> = match compression {
        Compression::None => Box::new(raw),
        Compression::Gzip => Box::new(BufReader::with_capacity(buffer_bytes, gzip::Reader::new(raw))),
        Compression::Zstd => {
            let decoder = window::Reader::new(raw, &head, window_bytes_max).map_err(FrameError::Io)?;
            Box::new(BufReader::with_capacity(buffer_bytes, decoder))
        }
    };
    let (head, mut text) = peek(text).map_err(|error| read_error(compression, error))?;
    if format.is_none() {
        binary::check(&head, compression)?;
    }
    let skipped_bytes = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    text.consume(skipped_bytes);
    Ok(Framed { compression, text: Box::new(text), skipped_bytes: skipped_bytes as u64, line_number: 1 })
}

/// Goes on with plain lines behind `skipped_bytes`, where the line of this number begins.
pub fn resume(
    raw: impl Read + Send + 'static,
    buffer_bytes: usize,
    skipped_bytes: u64,
    line_number: u64,
) -> Framed {
    let text = Box::new(BufReader::with_capacity(buffer_bytes, raw));
    Framed { compression: Compression::None, text, skipped_bytes, line_number }
}

/// Tells a damaged source from one that cannot be read.
pub fn read_error(compression: Compression, error: io::Error) -> FrameError {
    // What the decompressors say themselves has these kinds, or none (zstd); what the system says has others.
    if let Some(too_large) = error.get_ref().and_then(|inner| inner.downcast_ref::<WindowTooLarge>()) {
        return FrameError::Window(*too_large);
    }
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    let from_store = error.get_ref().is_some_and(|inner| inner.is::<hosu_host::StoreError>());
    let damaged = matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof | Other)
        && error.raw_os_error().is_none()
        && !from_store;
    match compression {
        Compression::Gzip | Compression::Zstd if damaged => {
            FrameError::Damaged { compression, source: error }
        }
        _ => FrameError::Io(error),
    }
}

fn compression_of(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// The first bytes, and a reader that still has them.
fn peek(mut reader: impl BufRead + Send) -> io::Result<(Vec<u8>, impl BufRead + Send)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

#[cfg(test)]
mod tests;
