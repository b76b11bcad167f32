//! Iceberg schemas as Arrow schemas and back: with field ids for the Parquet writer, without them for planning.
