//! Partition specs: text to spec and back.
