//! JSON Schema documents as Iceberg schemas.
