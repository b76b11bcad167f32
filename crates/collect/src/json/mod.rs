//! JSON text to Arrow rows.
