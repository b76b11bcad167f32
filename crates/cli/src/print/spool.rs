//! Output that is held back until it is known to be whole: a program must not read half an object and then an error.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use hosu_host::Scratch;

/// What is held in memory before a temporary file takes over.
const MEMORY_BYTES_MAX: usize = 4 << 20;

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

    /// Writes all that is held to `out`.
    pub fn release(mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.rewind()?;
            let mut chunk = vec![0; 64 << 10];
            loop {
                let read = file.read(&mut chunk)?;
                if read == 0 {
                    break;
                }
                out.write_all(chunk.get(..read).unwrap_or_default())?;
            }
        }
        out.write_all(&self.memory)
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
            let mut out = Vec::new();
            spool.release(&mut out).unwrap();
            assert!(out == data);
        }
    }
}
