//! A table's properties as statements set them: Athena's names to Iceberg's, and what a person may not set.

use crate::names::Names;
use crate::{SqlError, code};
use hosu_catalog::{Commit, Table, TableChange};
use hosu_collect::contract::{CONTRACT_PROPERTY, Contract};
use hosu_dialect::{At, Property, TableRef};
use hosu_table::commit::Step;
use hosu_table::properties::{TableProperties, key};
use std::collections::HashMap;
use std::sync::Arc;

/// The property that says what a table is for.
pub(crate) const COMMENT: &str = "comment";
/// Athena's property that makes a table Iceberg's. It is not stored: there are no other tables.
pub(crate) const TABLE_TYPE: &str = "table_type";
const FORMAT_VERSION: &str = "format-version";
const VACUUM_AGE_SECONDS: &str = "vacuum_max_snapshot_age_seconds";

/// What Athena calls a property that Iceberg has.
const ATHENA: [(&str, &str); 7] = [
    ("format", key::FILE_FORMAT),
    ("write_compression", key::PARQUET_COMPRESSION_CODEC),
    ("compression_level", key::PARQUET_COMPRESSION_LEVEL),
    ("write_target_data_file_size_bytes", key::TARGET_FILE_SIZE_BYTES),
    ("vacuum_min_snapshots_to_keep", key::SNAPSHOTS_TO_KEEP_MIN),
    (VACUUM_AGE_SECONDS, key::SNAPSHOT_AGE_MS_MAX),
    ("vacuum_max_metadata_files_to_keep", key::METADATA_PREVIOUS_VERSIONS_MAX),
];

/// What is no property but a part of the metadata that engines show as one.
const RESERVED: [&str; 9] = [
    "uuid",
    "snapshot-count",
    "current-snapshot-id",
    "current-snapshot-summary",
    "current-snapshot-timestamp-ms",
    "current-schema",
    "default-partition-spec",
    "default-sort-order",
    "location",
];

/// Iceberg's name of a property, which may be given in Athena's.
pub(crate) fn own_key(written: &str) -> String {
    let known = ATHENA.iter().find(|(athena, _)| athena.eq_ignore_ascii_case(written));
    known.map_or_else(|| written.to_owned(), |(_, own)| (*own).to_owned())
}

/// The properties of a statement under Iceberg's names, added to those that the table has.
pub(crate) fn read(
    written: &[Property],
    present: &HashMap<String, String>,
) -> Result<HashMap<String, String>, SqlError> {
    let mut values = HashMap::new();
    for property in written {
        let Some((key, value)) = one(property)? else { continue };
        if values.insert(key, value).is_some() {
            let message = format!("property '{}' is given twice", property.key.value);
            return Err(SqlError::new(code::INVALID_TABLE_PROPERTY, message).at(property.key.position));
        }
    }
    let all: HashMap<String, String> =
        present.iter().chain(&values).map(|(key, value)| (key.clone(), value.clone())).collect();
    // A value that was bad before is not this statement's fault.
    if let Err(error) = TableProperties::parse(&all)
        && let Some(property) = written.iter().find(|property| own_key(&property.key.value) == error.key)
    {
        let error = SqlError::new(code::INVALID_TABLE_PROPERTY, error.to_string());
        return Err(error.at(property.value.position));
    }
    Ok(values)
}

/// One property; none for what is only checked.
fn one(property: &Property) -> Result<Option<(String, String)>, SqlError> {
    let (written, value) = (property.key.value.as_str(), property.value.value.as_str());
    let refused = |message: String| {
        Err(SqlError::new(code::INVALID_TABLE_PROPERTY, message).at(property.value.position))
    };
    if written.eq_ignore_ascii_case(TABLE_TYPE) {
        if value.eq_ignore_ascii_case("iceberg") {
            return Ok(None);
        }
        return Err(SqlError::not_supported(format!("tables of type '{value}': all tables are ICEBERG"))
            .at(property.value.position));
    }
    if written == FORMAT_VERSION {
        return if value == "2" { Ok(None) } else { refused(format!("format-version is 2, not '{value}'")) };
    }
    if RESERVED.contains(&written) {
        return refused(format!("'{written}' is a part of the table, not a property to set"));
    }
    let key = own_key(written);
    if key == CONTRACT_PROPERTY
        && let Err(error) = Contract::parse(value)
    {
        return refused(format!("'{CONTRACT_PROPERTY}' is a JSON Schema: {error}"));
    }
    if key == key::FILE_FORMAT && !value.eq_ignore_ascii_case("parquet") {
        let error = SqlError::not_supported(format!("files of format '{value}': only PARQUET is written"));
        return Err(error.at(property.value.position));
    }
    if written.eq_ignore_ascii_case(VACUUM_AGE_SECONDS) {
        return match value.trim().parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000)) {
            Some(ms) => Ok(Some((key, ms.to_string()))),
            None => refused(format!("'{written}' is a number of seconds, not '{value}'")),
        };
    }
    Ok(Some((key, value.to_owned())))
}

/// ALTER TABLE SET TBLPROPERTIES
pub(crate) async fn set(names: Names<'_>, table: &TableRef, written: &[Property]) -> Result<(), SqlError> {
    let table = names.table(table).await?;
    let values = read(written, table.metadata.properties())?;
    if values.is_empty() {
        return Ok(());
    }
    change(names, table, Step::SetProperties(values)).await
}

/// ALTER TABLE UNSET TBLPROPERTIES
pub(crate) async fn unset(
    names: Names<'_>,
    table: &TableRef,
    keys: &[At<String>],
    if_exists: bool,
) -> Result<(), SqlError> {
    let table = names.table(table).await?;
    let mut present = Vec::new();
    for key in keys {
        let own = own_key(&key.value);
        if table.metadata.properties().contains_key(&own) {
            present.push(own);
        } else if !if_exists {
            let message = format!("Table '{}' has no property '{}'", table.name, key.value);
            return Err(SqlError::new(code::INVALID_TABLE_PROPERTY, message).at(key.position));
        }
    }
    if present.is_empty() {
        return Ok(());
    }
    change(names, table, Step::RemoveProperties(present)).await
}

async fn change(names: Names<'_>, base: Arc<Table>, step: Step) -> Result<(), SqlError> {
    let change = TableChange::Change { base, steps: vec![step] };
    names.catalog.commit(Commit { tables: vec![change], ..Commit::default() }).await?;
    Ok(())
}
