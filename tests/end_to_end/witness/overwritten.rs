//! Overwrites a table through the catalog: its rows become those of another table with the same columns.

use std::collections::HashMap;

use hosu_catalog::{Catalog, CatalogSettings, Commit, Overwrite, Step, TableChange};
use hosu_host::{Host, Location};
use hosu_table::name::TableName;

use crate::end_to_end::Place;

/// Makes the files of `by` all that `table` has; none leaves it empty.
pub fn overwrite(place: &Place, table: &str, by: Option<&str>) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = place.path("lake");
        let warehouse = Location::parse(&place.text("lake/warehouse")).unwrap();
        let catalog = Catalog::open(Host::system(None), CatalogSettings::in_folder(&folder, warehouse));
        let base = catalog.require(&TableName::parse(table).unwrap()).await.unwrap();
        let mut files = Vec::new();
        if let Some(by) = by {
            let by = catalog.require(&TableName::parse(by).unwrap()).await.unwrap();
            assert_eq!(by.schema().as_struct(), base.schema().as_struct());
            for manifest in catalog.manifests(&by, by.snapshot().unwrap()).await.unwrap().iter() {
                let entries = &catalog.entries(manifest).await.unwrap().entries;
                files.extend(entries.iter().map(|entry| entry.data_file().clone()));
            }
        }
        let planned = base.metadata.current_snapshot_id();
        let spec_id = base.metadata.default_partition_spec_id();
        let steps = vec![
            Step::RequireSnapshot(planned),
            Step::Overwrite(Overwrite { spec_id, files, summary: HashMap::new() }),
        ];
        let tables = vec![TableChange::Change { base, steps }];
        catalog.commit(Commit { tables, ..Commit::default() }).await.unwrap();
    });
}
