//! Trino's types and functions over Arrow arrays.
