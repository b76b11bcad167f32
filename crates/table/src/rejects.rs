//! The shape of rescued values and rejected records.
