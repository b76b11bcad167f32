//! Output that is held back until it is known to be whole: a program must not read half an object and then an error.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use hosu_host::Scratch;

/// What is held in memory before a temporary file takes over.
const MEMORY_BYTES_MAX: usize = 4 << 20;
/// What is given back at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Bytes in memory, and beyond some size in a temporary file.
#[derive(Debug)]
pub struct Spool {
    scratch: Scratch,
    memory: Vec<u8>,
    file: Option<File>,
}

impl Spool {
    /// An empty spool; its file would lie in `scratch`.
    pub fn new(scratch: Scratch) -> Self {
        Self { scratch, memory: Vec::new(), file: None }
    }

    /// Gives back what is held.
    pub fn release(mut self) -> io::Result<Chunks> {
        if let Some(file) = &mut self.file {
            file.rewind()?;
        }
        Ok(Chunks { file: self.file, memory: Some(self.memory) })
    }
}

/// What was held, in pieces.
pub struct Chunks {
    file: Option<File>,
    memory: Option<Vec<u8>>,
}

impl Chunks {
    /// The next piece; none after the last.
    pub fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(file) = &mut self.file {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = file.read(&mut chunk)?;
            if read > 0 {
                chunk.truncate(read);
                return Ok(Some(chunk));
            }
            self.file = None;
        }
        Ok(self.memory.take())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() >= MEMORY_BYTES_MAX {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.scratch.file()?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_comes_out_whole() {
        for bytes in [10, 3 * MEMORY_BYTES_MAX + 17] {
            let mut spool = Spool::new(Scratch::system());
            let data: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect();
            data.chunks(1_000_003).for_each(|chunk| spool.write_all(chunk).unwrap());
            assert_eq!(spool.file.is_some(), bytes > MEMORY_BYTES_MAX);
            let mut chunks = spool.release().unwrap();
            let mut out = Vec::new();
            while let Some(chunk) = chunks.next_chunk().unwrap() {
                out.extend(chunk);
            }
            assert!(out == data);
        }
    }
}
