//! Taking a source's bytes apart into records: what the source is, is decided once, by its content.
//!
//! The first bytes tell how it is compressed, and what comes out of that whether it is text and how its records stand in it:
//! [`Lines`], or [`values`], or [`csv`]. A format that was given is believed instead. Each of these gives chunks of whole records,
//! good or bad, with their places: whether a record is one is the decoder's to say.

mod binary;
mod chunk;
mod csv;
mod ending;
mod format;
mod lines;
mod members;
mod shape;
mod values;
mod window;

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use iceberg::spec::SchemaRef;

use crate::parquet::{self, Broken};
pub(crate) use chunk::too_long;
pub use chunk::{Buffers, Chunk, HEAD_BYTES_MAX, Line, Records, Span};
pub use csv::{Csv, HeaderError};
use ending::Counted;
pub use ending::{Bounds, Ending, TextTooLong};
pub use format::{Compression, Content, Format, FormatError};
pub use lines::Lines;
use members::{Ahead, Members};
use shape::Shape;
use values::Values;
pub use window::WindowTooLarge;

/// How much of a source is looked at to say what it is.
pub const HEAD_BYTES: usize = 4096;

/// What is read at a time of a source that is read to its end.
pub const BUFFER_BYTES: usize = 256 << 10;

/// How a text is cut into chunks.
#[derive(Clone, Debug)]
pub struct Cutting {
    /// About how long a chunk is; more only for a record that is longer.
    pub chunk_bytes: usize,
    /// The longest record.
    pub line_bytes_max: usize,
    /// Where the bytes of chunks come from.
    pub buffers: Buffers,
    /// How the text ended.
    pub ending: Ending,
}

/// A text that is taken apart.
pub trait Chunks: Send {
    /// The next records; none at the end of the text.
    ///
    /// # Errors
    /// What the text's reader says.
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>>;

    /// Fields that stood beside the records, in envelopes around them, and how often.
    fn left_out(&self) -> Vec<(String, u64)> {
        Vec::new()
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
    /// Its header names no columns.
    #[error(transparent)]
    Header(HeaderError),
    /// It is no Parquet file that can be read.
    #[error(transparent)]
    Parquet(Broken),
    /// It wants more memory to be decompressed than there is for it.
    #[error(transparent)]
    Window(WindowTooLarge),
    /// It becomes more text than it may.
    #[error(transparent)]
    TooLong(TextTooLong),
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
    /// What it is.
    pub content: Content,
    /// Names from an envelope to the array of its records; none without envelopes.
    pub records_path: Vec<String>,
    /// How the text ended, once it did.
    pub ending: Ending,
    /// Its first byte that is no blank, when nobody has said what the content is.
    guessed_by: Option<u8>,
}

/// What is said of sources instead of being found out.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What they are.
    pub format: Option<Format>,
    /// Where in each JSON value the array of its records is.
    pub records_path: Vec<String>,
}

impl Given {
    fn content_of(&self, head: &[u8]) -> (Content, Vec<String>) {
        if self.format.is_none() && head.starts_with(parquet::MAGIC) {
            return (Content::Parquet, Vec::new());
        }
        if !self.records_path.is_empty() {
            return (Content::Json, self.records_path.clone());
        }
        match (self.format, shape::shape_of(head)) {
            (Some(format), shape) if format.content != Content::Json || shape == Shape::Lines => {
                (format.content, Vec::new())
            }
            (None, Shape::Lines) => (Content::Ndjson, Vec::new()),
            (_, Shape::Envelope(name)) => (Content::Json, vec![name.to_owned()]),
            _ => (Content::Json, Vec::new()),
        }
    }
}

impl Framed {
    /// The same for a source of this name. The name counts only where the content does not look like JSON.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if self.guessed_by.is_some_and(|byte| !b"{[".contains(&byte))
            && let Some(content) = Content::of_name(name)
        {
            self.content = content;
        }
        self
    }

    /// Its records, for a table of these columns; none when the columns are to be found. Of Parquet there are none: that is no
    /// text.
    pub fn chunks(
        self,
        chunk_bytes: usize,
        line_bytes_max: usize,
        buffers: Buffers,
        columns: Option<SchemaRef>,
    ) -> Box<dyn Chunks> {
        let cutting = Cutting { chunk_bytes, line_bytes_max, buffers, ending: self.ending };
        match self.content {
            Content::Json => Box::new(Values::new(self.text, self.skipped_bytes, self.records_path, cutting)),
            Content::Ndjson => {
                Box::new(Lines::new(self.text, self.skipped_bytes, cutting).from_line(self.line_number))
            }
            Content::Csv => Box::new(Csv::new(self.text, b',', self.skipped_bytes, cutting, columns)),
            Content::Tsv => Box::new(Csv::new(self.text, b'\t', self.skipped_bytes, cutting, columns)),
            Content::Parquet => Box::new(Lines::new(io::empty(), 0, cutting)),
        }
    }
}

impl fmt::Debug for Framed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framed").field("compression", &self.compression).finish_non_exhaustive()
    }
}

/// Decides what a source is, and gives its text. `buffer_bytes` are read at a time: [`BUFFER_BYTES`] of what is read to
/// its end, [`HEAD_BYTES`] of what is only looked at.
///
/// # Errors
/// When it is no text, or cannot be read. An error of `raw` itself comes as [`FrameError::Io`]; later ones are told
/// apart by [`Framed::compression`], see [`read_error`].
pub fn open(
    raw: impl Read + Send + 'static,
    given: &Given,
    buffer_bytes: usize,
    bounds: Bounds,
) -> Result<Framed, FrameError> {
    let format = given.format;
    let (raw, stored_bytes) = Counted::new(raw);
    let (stored_head, raw) = peek(BufReader::with_capacity(buffer_bytes, raw)).map_err(FrameError::Io)?;
    let compression = format.map_or_else(|| compression_of(&stored_head), |format| format.compression);
    let decompressor: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(raw),
        _ if stored_head.is_empty() => Box::new(raw),
        Compression::Gzip => Box::new(Members::new(compression, GzDecoder::new(Ahead::new(raw)))),
        Compression::Zstd => {
            let first = window::Frame::new(Ahead::new(raw), &stored_head, bounds.window_bytes_max);
            Box::new(Members::new(compression, first.map_err(FrameError::Io)?))
        }
        Compression::Bzip2 => Box::new(Members::new(compression, BzDecoder::new(Ahead::new(raw)))),
    };
    // What does not even begin as what it is said to be is not cut off.
    let may_be_cut = compression != Compression::None && compression_of(&stored_head) == compression;
    let (text, ending): (Box<dyn Read + Send>, _) = if may_be_cut {
        let (text, ending) = ending::Text::new(decompressor, compression, bounds, stored_bytes);
        (Box::new(text), ending)
    } else {
        (decompressor, Ending::default())
    };
    let text = BufReader::with_capacity(buffer_bytes, text);
    let (head, mut text) = peek(text).map_err(|error| read_error(compression, error))?;
    if format.is_none() {
        binary::check(&head, compression)?;
    }
    let first = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start().first();
    let guessed_by =
        (format.is_none() && given.records_path.is_empty()).then(|| first.copied().unwrap_or(b' '));
    let guessed_by = guessed_by.filter(|_| !head.starts_with(parquet::MAGIC));
    let skipped_bytes = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let (content, records_path) = given.content_of(head.get(skipped_bytes..).unwrap_or_default());
    text.consume(skipped_bytes);
    let skipped_bytes = skipped_bytes as u64;
    Ok(Framed {
        compression,
        text: Box::new(text),
        skipped_bytes,
        line_number: 1,
        content,
        records_path,
        ending,
        guessed_by,
    })
}

/// Goes on with plain lines behind `skipped_bytes`, where the line of this number begins.
pub fn resume(
    raw: impl Read + Send + 'static,
    buffer_bytes: usize,
    skipped_bytes: u64,
    line_number: u64,
) -> Framed {
    let text = Box::new(BufReader::with_capacity(buffer_bytes, raw));
    let (compression, content, ending) = (Compression::None, Content::Ndjson, Ending::default());
    Framed {
        compression,
        text,
        skipped_bytes,
        line_number,
        content,
        records_path: Vec::new(),
        ending,
        guessed_by: None,
    }
}

/// Tells a damaged source from one that cannot be read.
pub fn read_error(compression: Compression, error: io::Error) -> FrameError {
    let error = match error.downcast::<HeaderError>() {
        Ok(header) => return FrameError::Header(header),
        Err(error) => error,
    };
    let error = match error.downcast::<Broken>() {
        Ok(broken) => return FrameError::Parquet(broken),
        Err(error) => error,
    };
    // What the decompressors say themselves has these kinds, or none (zstd); what the system says has others.
    if let Some(too_large) = error.get_ref().and_then(|inner| inner.downcast_ref::<WindowTooLarge>()) {
        return FrameError::Window(*too_large);
    }
    if let Some(too_long) = error.get_ref().and_then(|inner| inner.downcast_ref::<TextTooLong>()) {
        return FrameError::TooLong(*too_long);
    }
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    let from_store = error.get_ref().is_some_and(|inner| inner.is::<hosu_host::StoreError>());
    let damaged = matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof | Other)
        && error.raw_os_error().is_none()
        && !from_store;
    match compression {
        Compression::Gzip | Compression::Zstd | Compression::Bzip2 if damaged => {
            FrameError::Damaged { compression, source: error }
        }
        _ => FrameError::Io(error),
    }
}

fn compression_of(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        // A block, or the end of a stream without one.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Compression::Bzip2,
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
