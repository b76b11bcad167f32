//! How far a file was taken, and the rest of it as a source of its own.
//!
//! A file that grows is taken in parts. What was taken is known by its length and the hash of all bytes up to there, so
//! that a file of the same name with another beginning is never taken for the same. The hash goes on from part to part;
//! only who comes anew reads the beginning again. A part ends where a line ends, and so the next one begins with a line.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use crate::frame::{self, Bounds, Compression, Content, Given, HEAD_BYTES};

/// How much of the end of what was taken is kept, to see cheaply that it is still there.
const GUARD_BYTES: usize = 1024;

/// What is read at a time to look for a line end.
const BLOCK_BYTES: u64 = 64 << 10;

/// A place in a file, and the hash of everything before it.
#[derive(Clone, Debug)]
pub struct Position {
    byte: u64,
    line_number: u64,
    hasher: blake3::Hasher,
    guard: Vec<u8>,
}

impl Position {
    /// The start of a file.
    pub fn start() -> Self {
        Self { byte: 0, line_number: 1, hasher: blake3::Hasher::new(), guard: Vec::new() }
    }

    /// How many bytes are before it.
    pub fn byte(&self) -> u64 {
        self.byte
    }

    /// The number of the line that it stands in, from 1.
    pub fn line_number(&self) -> u64 {
        self.line_number
    }

    /// The hash of what is before it: `blake3:…`.
    pub fn content_hash(&self) -> String {
        format!("blake3:{}", self.hasher.finalize().to_hex())
    }

    /// Goes on behind these bytes.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        self.byte += bytes.len() as u64;
        self.line_number += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.hasher.update(bytes);
        let new = bytes.get(bytes.len().saturating_sub(GUARD_BYTES)..).unwrap_or_default();
        let kept = GUARD_BYTES.saturating_sub(new.len()).min(self.guard.len());
        self.guard.drain(..self.guard.len() - kept);
        self.guard.extend_from_slice(new);
    }

    /// Whether the last bytes before it are still in the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_in(&self, file: &File) -> io::Result<bool> {
        let mut now = vec![0; self.guard.len()];
        match file.read_exact_at(&mut now, self.byte - self.guard.len() as u64) {
            Ok(()) => Ok(now == self.guard),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether it stands behind a line end, or behind nothing but blanks since one.
    fn is_between_lines(&self) -> bool {
        let line = memchr::memrchr(b'\n', &self.guard).map_or(0, |end| end + 1);
        let begins_here = line > 0 || self.byte <= GUARD_BYTES as u64;
        begins_here && self.guard.get(line..).unwrap_or_default().trim_ascii().is_empty()
    }

    /// Whether it stands inside a line: some of that line is before it, and some behind. The line was taken for a record
    /// before it was complete, so what is behind is no record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_inside_line(&self, file: &File) -> io::Result<bool> {
        if self.is_between_lines() {
            return Ok(false);
        }
        let mut at = self.byte;
        loop {
            let block = block(file, at, at.saturating_add(BLOCK_BYTES))?;
            let end = memchr::memchr(b'\n', &block);
            if !block.get(..end.unwrap_or(block.len())).unwrap_or_default().trim_ascii().is_empty() {
                return Ok(true);
            }
            if end.is_some() || block.is_empty() {
                return Ok(false);
            }
            at += block.len() as u64;
        }
    }
}

/// Some bytes of a file that is still written to, or is not there as such any more.
#[derive(Clone, Debug)]
pub struct Part {
    /// The file, whatever its name has become.
    pub file: Arc<File>,
    /// Where it begins.
    pub from: Box<Position>,
    /// The byte behind its last.
    pub to_byte: u64,
    /// What tells the file from another one of its name.
    pub identity: Option<String>,
    /// Whether the file may get longer while it is read.
    pub may_grow: bool,
}

/// Whether a file of this name is lines of text without compression, as its beginning says.
///
/// # Errors
/// When the file cannot be read.
pub fn is_plain_lines(file: &File, name: &str, given: &Given) -> io::Result<bool> {
    let head = block(file, 0, HEAD_BYTES as u64)?;
    let bounds = Bounds { window_bytes_max: 1, text_bytes_max: None };
    let framed = frame::open(io::Cursor::new(head), given, HEAD_BYTES, bounds);
    Ok(framed.is_ok_and(|framed| {
        let framed = framed.named(name);
        framed.compression == Compression::None && framed.content == Content::Ndjson
    }))
}

/// What tells a file from another one of its name: `inode:<device>:<inode>`.
pub fn identity_of(metadata: &Metadata) -> String {
    format!("inode:{}:{}", metadata.dev(), metadata.ino())
}

/// A place that a file may have been taken to: its length then, and the hash of all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The length.
    pub size_bytes: u64,
    /// `blake3:…`
    pub content: String,
}

/// The furthest of these places that the file was really taken to. Reads its beginning.
///
/// # Errors
/// When the file cannot be read.
pub fn furthest(file: &File, size_bytes: u64, known: &[Known]) -> io::Result<Option<Position>> {
    let mut places: Vec<&Known> = known.iter().filter(|place| place.size_bytes <= size_bytes).collect();
    places.sort_by_key(|place| place.size_bytes);
    let (mut position, mut found) = (Position::start(), None);
    for place in places {
        if !pass_to(file, &mut position, place.size_bytes)? {
            break;
        }
        if position.content_hash() == place.content {
            found = Some(position.clone());
        }
    }
    Ok(found)
}

/// Reads on to a place; whether the file is that long.
fn pass_to(file: &File, position: &mut Position, to_byte: u64) -> io::Result<bool> {
    while position.byte < to_byte {
        let block = block(file, position.byte, to_byte.min(position.byte + 4 * BLOCK_BYTES))?;
        if block.is_empty() {
            return Ok(false);
        }
        position.pass(&block);
    }
    Ok(true)
}

/// Where the last whole line before `to_byte` ends, if one ends behind `from_byte`.
///
/// # Errors
/// When the file cannot be read.
pub fn last_line_end(file: &File, from_byte: u64, to_byte: u64) -> io::Result<Option<u64>> {
    let mut end = to_byte;
    while end > from_byte {
        let start = end.saturating_sub(BLOCK_BYTES).max(from_byte);
        let block = block(file, start, end)?;
        if let Some(at) = memchr::memrchr(b'\n', &block) {
            return Ok(Some(start + at as u64 + 1));
        }
        end = start;
    }
    Ok(None)
}

/// Where the first line that begins at or behind `from_byte` ends, before `to_byte`.
///
/// # Errors
/// When the file cannot be read.
pub fn first_line_end(file: &File, from_byte: u64, to_byte: u64) -> io::Result<Option<u64>> {
    let mut start = from_byte;
    while start < to_byte {
        let block = block(file, start, to_byte.min(start + BLOCK_BYTES))?;
        if let Some(at) = memchr::memchr(b'\n', &block) {
            return Ok(Some(start + at as u64 + 1));
        }
        if block.is_empty() {
            break;
        }
        start += block.len() as u64;
    }
    Ok(None)
}

/// The bytes from one place to another, fewer where the file ends before.
fn block(file: &File, from_byte: u64, to_byte: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(to_byte.saturating_sub(from_byte)).unwrap_or(usize::MAX)];
    let mut read = 0;
    while let Some(room) = bytes.get_mut(read..).filter(|room| !room.is_empty()) {
        match file.read_at(room, from_byte + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn position(text: &str) -> Position {
        let mut position = Position::start();
        text.as_bytes().chunks(3).for_each(|bytes| position.pass(bytes));
        position
    }

    fn known(text: &str) -> Known {
        Known { size_bytes: text.len() as u64, content: position(text).content_hash() }
    }

    #[test]
    fn the_furthest_known_beginning_counts() {
        let text = "one\ntwo\nthree\n";
        let furthest = |known: &[Known]| furthest(&file(text), text.len() as u64, known).unwrap();
        let found = furthest(&[known("one\ntwo\n"), known("one\n"), known("one\ntwo\nTHREE\n")]).unwrap();
        assert_eq!((found.byte(), found.line_number()), (8, 3));
        assert_eq!(found.content_hash(), known("one\ntwo\n").content);
        assert!(furthest(&[known("two\n")]).is_none());
        assert!(furthest(&[known("one\ntwo\nthree\nfour\n")]).is_none(), "it was longer once");
    }

    #[test]
    fn a_line_that_went_on_is_told_from_one_that_ended() {
        let taken = position("{\"a\":1}\n{\"b\":");
        for (rest, inside) in [("2}\n", true), ("\n{}\n", false), ("\r\n", false), (" ", false), ("", false)]
        {
            let file = file(&format!("{{\"a\":1}}\n{{\"b\":{rest}"));
            assert_eq!(taken.is_inside_line(&file).unwrap(), inside, "{rest:?}");
        }
        for between in ["", "  ", "{}\n", "{}\n \t"] {
            let file = file(&format!("{between}{{}}\n"));
            assert!(!position(between).is_inside_line(&file).unwrap(), "{between:?}");
        }
        let long = "x".repeat(5000);
        assert!(position(&long).is_inside_line(&file(&format!("{long}y"))).unwrap());
    }

    #[test]
    fn another_beginning_is_seen_by_its_end() {
        let text = "0123456789".repeat(500);
        let taken = position(&text);
        assert!(taken.is_in(&file(&format!("{text}more"))).unwrap());
        assert!(!taken.is_in(&file(&text[1..])).unwrap(), "truncated");
        assert!(!taken.is_in(&file(&format!("{}x{text}", &text[..4999]))).unwrap(), "written anew");
        assert!(Position::start().is_in(&file("")).unwrap());
    }

    #[test]
    fn line_ends_are_found_across_blocks() {
        let long = "x".repeat(BLOCK_BYTES as usize * 2);
        let text = format!("{long}\n{long}\n{long}");
        let (file, line, size) = (file(&text), long.len() as u64 + 1, text.len() as u64);
        assert_eq!(last_line_end(&file, 0, size).unwrap(), Some(2 * line));
        assert_eq!(last_line_end(&file, 0, 2 * line - 1).unwrap(), Some(line));
        assert_eq!(last_line_end(&file, 2 * line, size).unwrap(), None);
        assert_eq!(first_line_end(&file, 5, size).unwrap(), Some(line));
        assert_eq!(first_line_end(&file, line, size).unwrap(), Some(2 * line));
        assert_eq!(first_line_end(&file, 2 * line, size).unwrap(), None);
    }
}
