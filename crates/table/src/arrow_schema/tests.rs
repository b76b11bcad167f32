//! Schemas to Arrow and back.
