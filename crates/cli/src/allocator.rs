//! The allocator, and how much of what is freed it may keep.
//!
//! The system's allocator keeps what one thread freed from all others: an ingest of wide rows held twice its limit. mimalloc
//! does not, but it is made for speed: it keeps what is freed for a second, and, if it is not built without them, asks the
//! system for pages of 2 MiB, which are in memory as a whole when a byte of them is used. `benches/memory.py` measures it.

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3: so many milliseconds freed memory is kept.
const PURGE_DELAY: c_int = 15;

/// Long enough for what is freed and taken again at once.
const PURGE_DELAY_MS: c_long = 100;

// mimalloc is linked, and these two may be called at any time.
#[allow(unsafe_code, reason = "declared as they are in mimalloc.h")]
unsafe extern "C" {
    safe fn mi_option_set(option: c_int, value: c_long);
    safe fn mi_collect(force: bool);
}

/// From here on memory is worth more than speed: for work that has a limit far below what the machine has.
pub fn be_thrifty() {
    mi_option_set(PURGE_DELAY, PURGE_DELAY_MS);
}

/// Gives what is free back to the system.
pub fn give_back() {
    mi_collect(true);
}
