//! Gzip as it is found: several members one after another, zeros behind the last one.
//!
//! Log shippers append members, tapes and block devices pad with zeros; both are fine. Anything else behind a member
//! is damage, and said: a reader that ignores it (as `gzip -d` does, with a warning) loses what was meant to be
//! there.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What each member begins with.
const MAGIC: u8 = 0x1f;

/// Reads the members of a gzip file as one text.
pub(super) struct Reader<R> {
    state: State<R>,
}

enum State<R> {
    Between { raw: R, members: u64 },
    Member { decoder: Box<GzDecoder<R>>, members: u64 },
    Done,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(raw: R) -> Self {
        Self { state: State::Between { raw, members: 0 } }
    }
}

impl<R: BufRead> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between { mut raw, members } => {
                    if raw.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    if members > 0 && is_padding(&mut raw)? {
                        return Ok(0);
                    }
                    // Told apart from a member that is cut off within its head.
                    if members > 0 && raw.fill_buf()?.first() != Some(&MAGIC) {
                        return Err(other_data());
                    }
                    self.state = State::Member { decoder: Box::new(GzDecoder::new(raw)), members };
                }
                State::Member { mut decoder, members } => match decoder.read(buffer) {
                    Ok(0) => {
                        self.state = State::Between { raw: decoder.into_inner(), members: members + 1 };
                    }
                    Ok(read) => {
                        self.state = State::Member { decoder, members };
                        return Ok(read);
                    }
                    Err(error) => return Err(told(error, members)),
                },
            }
        }
    }
}

/// Whether zeros follow, and then nothing. They are read.
fn is_padding(raw: &mut impl BufRead) -> io::Result<bool> {
    if raw.fill_buf()?.first() != Some(&0) {
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

fn other_data() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "other data follows behind its end")
}

fn told(error: io::Error, members: u64) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it is cut off"),
        io::ErrorKind::InvalidInput if members > 0 && error.to_string().contains("header") => other_data(),
        _ => error,
    }
}
