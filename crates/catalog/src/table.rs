//! A table as it was when the catalog was asked.

use hosu_host::Location;
use hosu_table::name::TableName;
use hosu_table::properties::TableProperties;
use iceberg::spec::{SchemaRef, SnapshotRef, TableMetadata, TableMetadataRef};
use uuid::Uuid;

/// One state of a table. It never changes: whoever holds it sees one snapshot, whatever others commit.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name when the catalog was asked.
    pub name: TableName,
    /// All that is known of it.
    pub metadata: TableMetadataRef,
    /// The file that says so, as the catalog spells it.
    pub metadata_location: String,
    /// The folder of its files.
    pub location: Location,
}

impl Table {
    /// Its identity for as long as it exists, whatever its name is.
    pub fn uuid(&self) -> Uuid {
        self.metadata.uuid()
    }

    /// Its columns now.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.current_schema()
    }

    /// Its current snapshot; none before the first row.
    pub fn snapshot(&self) -> Option<&SnapshotRef> {
        self.metadata.current_snapshot()
    }

    /// Its properties, typed; the default stands for one that cannot be used.
    pub fn properties(&self) -> TableProperties {
        TableProperties::from(self.metadata.properties())
    }

    /// The folder of its metadata files.
    pub(crate) fn metadata_folder(metadata: &TableMetadata) -> String {
        let properties = TableProperties::from(metadata.properties());
        let folder = || hosu_table::paths::under(metadata.location(), hosu_table::paths::METADATA_FOLDER);
        properties.metadata_path.unwrap_or_else(folder)
    }
}
