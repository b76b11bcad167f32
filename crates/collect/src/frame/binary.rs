//! Is it text at all? A picture or an archive taken for lines would fill the rejects table with rubbish.
//!
//! Only two things are sure signs: a magic number that is known, and NUL where no JSON object is. Anything else is
//! lines, good or bad.

use serde::de::IgnoredAny;

use super::{Compression, FrameError};
use crate::parquet;

/// What a file begins with: at which byte, with what, and what it is then.
type Magic = (usize, &'static [u8], &'static str);

/// Magic numbers that no text begins with, or no text that could be meant.
#[rustfmt::skip]
const MAGIC: &[Magic] = &[
    (0, b"PAR1", "a Parquet file inside compressed data"),
    (0, b"PARE", "an encrypted Parquet file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"ARROW1\0\0", "an Arrow file"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"PK\x07\x08", "a zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\xfd7zXZ\0", "xz data"),
    (0, b"\x04\x22\x4d\x18", "LZ4 data"),
    (0, b"\xff\x06\0\0sNaPpY", "Snappy data"),
    (0, b"\x1f\x9d", "compress data (.Z)"),
    (0, b"\x1f\xa0", "compress data (.Z)"),
    (0, b"LZIP\x01", "lzip data"),
    (257, b"ustar", "a tar archive"),
    (0, b"!<arch>\n", "an ar archive"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF87a", "a GIF picture"),
    (0, b"GIF89a", "a GIF picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"), // preceded by RIFF; see `matches`
    (8, b"WAVE", "a WAVE recording"),
    (8, b"AVI ", "an AVI film"),
    (4, b"ftyp", "an MP4 film"),
    (0, b"OggS", "an Ogg recording"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska film"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"\xfe\xed\xfa\xce", "a Mach-O program"),
    (0, b"\xfe\xed\xfa\xcf", "a Mach-O program"),
    (0, b"\xce\xfa\xed\xfe", "a Mach-O program"),
    (0, b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (0, b"\xca\xfe\xba\xbe", "a Java class or Mach-O program"),
    (0, b"\0asm", "a WebAssembly module"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
];

/// Refuses what is no text in UTF-8, by its first bytes.
///
/// # Errors
/// [`FrameError::Binary`] or [`FrameError::Encoding`].
pub(super) fn check(head: &[u8], compression: Compression) -> Result<(), FrameError> {
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(FrameError::Encoding { encoding: "UTF-32" });
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(FrameError::Encoding { encoding: "UTF-16" }),
        _ => {}
    }
    if compression == Compression::None && head.starts_with(parquet::MAGIC) {
        return Ok(());
    }
    let twice = compression != Compression::None;
    match super::compression_of(head) {
        Compression::Gzip if twice => {
            return Err(FrameError::Binary { kind: "compressed twice, gzip inside" });
        }
        Compression::Zstd if twice => {
            return Err(FrameError::Binary { kind: "compressed twice, zstd inside" });
        }
        Compression::Bzip2 if twice => {
            return Err(FrameError::Binary { kind: "compressed twice, bzip2 inside" });
        }
        _ => {}
    }
    if let Some(kind) = known(head) {
        return Err(FrameError::Binary { kind });
    }
    if head.contains(&0) && !has_object(head) {
        return Err(FrameError::Binary { kind: "a binary file" });
    }
    Ok(())
}

fn known(head: &[u8]) -> Option<&'static str> {
    // Magic numbers that a text may well begin with are believed only where the rest is none.
    let is_text = std::str::from_utf8(head).or_else(|error| match error.error_len() {
        None => std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()),
        Some(_) => Err(error),
    });
    if head.starts_with(b"ORC") && (is_text.is_err() || head.contains(&0)) {
        return Some("an ORC file");
    }
    MAGIC.iter().find(|magic| matches(head, magic)).map(|(_, _, kind)| *kind)
}

fn matches(head: &[u8], (at, magic, _): &Magic) -> bool {
    let found = head.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    match (*at, *magic) {
        (4, b"ftyp") => found && head.starts_with(b"\0"),
        (8, _) => found && head.starts_with(b"RIFF"),
        _ => found,
    }
}

/// Whether a line is a JSON object, or, where the head ends, the beginning of one.
fn has_object(head: &[u8]) -> bool {
    let whole = head.len() < super::HEAD_BYTES;
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    lines.iter().enumerate().any(|(at, line)| {
        let cut = at + 1 == lines.len() && !whole;
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        line.starts_with(b"{")
            && match serde_json::from_slice::<IgnoredAny>(line) {
                Ok(_) => true,
                // A lone brace is not much of an object.
                Err(error) => cut && error.is_eof() && line.len() > 1,
            }
    })
}
