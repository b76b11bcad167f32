//! Zstandard frames that want more memory to be read than there is: told as that, and not as damage.

use std::io::{self, BufRead, Read};

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::members::{Ahead, Member};

/// The least that the decoder can be limited to.
const WINDOW_LOG_MIN: u32 = 10;

/// As much as the format has.
const WINDOW_LOG_MAX: u32 = 31;

/// What the decoder says, in words only.
const TOO_MUCH_MEMORY: &str = "too much memory";

/// A frame whose window is larger than is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its window is larger than {bytes_max} bytes")]
pub struct WindowTooLarge {
    /// The window, where it is known.
    pub window_bytes: Option<u64>,
    /// What it may have.
    pub bytes_max: u64,
}

/// Reads a frame with a window of up to a limit.
pub(super) struct Frame<R> {
    raw: Ahead<R>,
    decoder: Decoder<'static>,
    ended: bool,
    too_large: WindowTooLarge,
}

impl<R: BufRead> Frame<R> {
    /// Of data that begins with `head`.
    pub(super) fn new(raw: Ahead<R>, head: &[u8], bytes_max: u64) -> io::Result<Self> {
        let log = bytes_max.max(1).ilog2().clamp(WINDOW_LOG_MIN, WINDOW_LOG_MAX);
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(log))?;
        let bytes_max = 1 << log;
        let window_bytes = window_bytes(head).filter(|bytes| *bytes > bytes_max);
        Ok(Self { raw, decoder, ended: false, too_large: WindowTooLarge { window_bytes, bytes_max } })
    }
}

impl<R: BufRead> Member for Frame<R> {
    type Raw = R;

    fn raw(&mut self) -> &mut Ahead<R> {
        &mut self.raw
    }

    fn again(mut self) -> io::Result<Self> {
        self.decoder.reinit()?;
        // What is known is the window of the first frame.
        self.too_large.window_bytes = None;
        Ok(Self { ended: false, ..self })
    }
}

impl<R: BufRead> Read for Frame<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let stored = self.raw.fill_buf()?;
            let is_cut = stored.is_empty();
            let status = self.decoder.run_on_buffers(stored, buffer);
            let status = status.map_err(|error| match error.to_string().contains(TOO_MUCH_MEMORY) {
                true => io::Error::other(self.too_large),
                false => error,
            })?;
            self.raw.consume(status.bytes_read);
            self.ended = status.remaining == 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if is_cut && !self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// The window of the frame that begins here (RFC 8878, 3.1.1.1).
fn window_bytes(head: &[u8]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = head else { return None };
    let (single_segment, content_flag, dictionary_flag) =
        (descriptor & 0x20 != 0, descriptor >> 6, descriptor & 3);
    if !single_segment {
        let window = *rest.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // All of it in one: the window is the content.
    let dictionary_bytes = [0, 1, 2, 4][usize::from(dictionary_flag)];
    let content = rest.get(dictionary_bytes..)?;
    let field = |length: usize| {
        let bytes = content.get(..length)?.iter().rev();
        Some(bytes.fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    match content_flag {
        0 => field(1),
        1 => field(2).map(|bytes| bytes + 256),
        2 => field(4),
        _ => field(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stands_in_the_head_of_a_frame() {
        let frame = |descriptor: &[u8]| [b"\x28\xb5\x2f\xfd".as_slice(), descriptor].concat();
        assert_eq!(window_bytes(&frame(&[0, 21 << 3])), Some(1 << 31));
        assert_eq!(window_bytes(&frame(&[0, (17 << 3) | 1])), Some((1 << 27) + (1 << 24)));
        assert_eq!(window_bytes(&frame(&[0x20, 77])), Some(77));
        assert_eq!(window_bytes(&frame(&[0x60, 1, 1])), Some(257 + 256));
        assert_eq!(window_bytes(&frame(&[0xa0, 1, 0, 0, 1])), Some((1 << 24) + 1));
        assert_eq!(window_bytes(&frame(&[0xe1, 9, 0, 0, 0, 0, 1, 0, 0, 0])), Some(1 << 32));
        assert_eq!((window_bytes(&frame(&[0])), window_bytes(b"\x1f\x8b")), (None, None));
    }
}
