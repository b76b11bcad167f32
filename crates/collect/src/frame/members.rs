//! Compressed data as it is found: several members (gzip), frames (zstd) or streams (bzip2) one after another, zeros behind the last.
//!
//! Log shippers append members, tapes and block devices pad with zeros; both are fine. Anything else behind a member
//! is damage, and said: a reader that ignores it (as `gzip -d` does, with a warning) loses what was meant to be
//! there.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;

use super::Compression;

/// As many bytes tell whether a member begins.
const MAGIC_BYTES: u64 = 4;

/// Decompresses a member to its end, and then the next one.
pub(super) trait Member: Read + Sized {
    /// What it reads.
    type Raw: BufRead;

    /// What is behind the member, once that has been read.
    fn raw(&mut self) -> &mut Ahead<Self::Raw>;

    /// Begins the next member.
    fn again(self) -> io::Result<Self>;
}

impl<R: BufRead> Member for GzDecoder<Ahead<R>> {
    type Raw = R;

    fn raw(&mut self) -> &mut Ahead<R> {
        self.get_mut()
    }

    fn again(self) -> io::Result<Self> {
        Ok(Self::new(self.into_inner()))
    }
}

impl<R: BufRead> Member for BzDecoder<Ahead<R>> {
    type Raw = R;

    fn raw(&mut self) -> &mut Ahead<R> {
        self.get_mut()
    }

    fn again(self) -> io::Result<Self> {
        Ok(Self::new(self.into_inner()))
    }
}

/// Reads the members of a source as one text.
pub(super) struct Members<M> {
    compression: Compression,
    /// None behind the last one.
    member: Option<M>,
    is_between: bool,
}

impl<M: Member> Members<M> {
    /// Those that begin with a first one.
    pub(super) fn new(compression: Compression, first: M) -> Self {
        Self { compression, member: Some(first), is_between: false }
    }

    /// Begins the next member, if there is one.
    fn go_on(&mut self) -> io::Result<()> {
        let Some(mut member) = self.member.take() else { return Ok(()) };
        let raw = member.raw();
        if is_at_end(raw)? {
            return Ok(());
        }
        if !may_begin(self.compression, raw.peek()?) {
            return Err(other_data());
        }
        self.member = Some(member.again()?);
        self.is_between = false;
        Ok(())
    }
}

impl<M: Member> Read for Members<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.is_between {
                self.go_on()?;
            }
            let Some(member) = &mut self.member else { return Ok(0) };
            match member.read(buffer) {
                Ok(0) => self.is_between = true,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(io::Error::new(error.kind(), "it is cut off"));
                }
                result => return result,
            }
        }
    }
}

/// Whether nothing follows, or zeros and then nothing. Those are read.
fn is_at_end(raw: &mut Ahead<impl BufRead>) -> io::Result<bool> {
    if raw.peek()?.first().is_some_and(|byte| *byte != 0) {
        return Ok(false);
    }
    loop {
        let bytes = raw.fill_buf()?;
        if bytes.is_empty() {
            return Ok(true);
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(other_data());
        }
        let length = bytes.len();
        raw.consume(length);
    }
}

/// Whether these are the first bytes of a member; of one that is cut off, they may be few.
fn may_begin(compression: Compression, head: &[u8]) -> bool {
    let begins = |head: &[u8], magic: &[u8]| magic.iter().zip(head).all(|(wanted, byte)| wanted == byte);
    match (compression, head) {
        (Compression::Gzip, _) => begins(head, b"\x1f\x8b"),
        (Compression::Zstd, [0x50..=0x5f, rest @ ..]) => begins(rest, b"\x2a\x4d\x18"),
        (Compression::Zstd, _) => begins(head, b"\x28\xb5\x2f\xfd"),
        (Compression::Bzip2, _) => {
            begins(head, b"BZh") && head.get(3).is_none_or(|level| (b'1'..=b'9').contains(level))
        }
        (Compression::None, _) => false,
    }
}

fn other_data() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "other data follows behind its end")
}

/// A reader whose next bytes can be looked at, however few of them it gives at a time.
pub(super) struct Ahead<R> {
    raw: R,
    /// Bytes that were looked at and not read.
    head: Vec<u8>,
}

impl<R: BufRead> Ahead<R> {
    pub(super) fn new(raw: R) -> Self {
        Self { raw, head: Vec::new() }
    }

    fn peek(&mut self) -> io::Result<&[u8]> {
        let missing = MAGIC_BYTES.saturating_sub(self.head.len() as u64);
        self.raw.by_ref().take(missing).read_to_end(&mut self.head)?;
        Ok(&self.head)
    }
}

impl<R: BufRead> Read for Ahead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Ahead<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.head.is_empty() { self.raw.fill_buf() } else { Ok(&self.head) }
    }

    fn consume(&mut self, length: usize) {
        if self.head.is_empty() {
            self.raw.consume(length);
        } else {
            self.head.drain(..length.min(self.head.len()));
        }
    }
}
