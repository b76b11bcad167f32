//! Table properties under Iceberg's own names.
