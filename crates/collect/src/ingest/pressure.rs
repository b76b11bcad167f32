//! The last guard of the limit. Shares of it are given to all who hold memory, but some of what is held nobody counts: what the
//! allocator keeps, buffers that a library takes for a moment. So the system's own count is looked at now and then, and
//! when it comes near the limit, memory is given back and one chunk at a time is worked on.

use hosu_host::resident_bytes;

/// Looked at after so many bytes of text: of many small sources not at each.
const LOOK_EVERY_BYTES: usize = 1 << 20;

/// How near the limit is too near, in sixteenths of it.
const HIGH_SIXTEENTHS: u64 = 12;

/// How to give memory back that is free, but kept for later.
pub type GiveBack = fn();

/// Looks at the system's count.
#[derive(Clone, Debug)]
pub(super) struct Pressure {
    bytes_max: u64,
    give_back: GiveBack,
    seen_bytes: usize,
}

impl Pressure {
    pub(super) fn new(memory_bytes: usize, give_back: GiveBack) -> Self {
        Self { bytes_max: memory_bytes as u64 / 16 * HIGH_SIXTEENTHS, give_back, seen_bytes: 0 }
    }

    /// Whether so much more text should wait until nothing else is worked on.
    pub(super) fn is_high(&mut self, more_bytes: usize) -> bool {
        self.seen_bytes += more_bytes;
        if self.seen_bytes < LOOK_EVERY_BYTES {
            return false;
        }
        self.seen_bytes = 0;
        let is_high = || resident_bytes().is_some_and(|bytes| bytes > self.bytes_max);
        is_high() && {
            (self.give_back)();
            is_high()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static GIVEN_BACK: AtomicUsize = AtomicUsize::new(0);

    fn give_back() {
        GIVEN_BACK.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn beyond_the_limit_memory_is_given_back_first() {
        let mut low = Pressure::new(1 << 60, give_back);
        assert!(!low.is_high(LOOK_EVERY_BYTES));
        assert_eq!(GIVEN_BACK.load(Ordering::Relaxed), 0);
        let mut high = Pressure::new(16, give_back);
        assert!(!high.is_high(LOOK_EVERY_BYTES - 1), "too early to look");
        assert!(high.is_high(1));
        assert_eq!(GIVEN_BACK.load(Ordering::Relaxed), 1);
    }
}
