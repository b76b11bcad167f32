//! Files that no table will ever name are taken away.

use futures::StreamExt;
use hosu_host::{Host, Location};
use iceberg::spec::DataFile;

const DELETES_AT_A_TIME: usize = 16;

/// Deletes files whose commit has *definitely* failed. As well as it can: what stays is found by upkeep.
pub async fn discard(host: &Host, files: &[DataFile]) {
    let locations = files.iter().filter_map(|file| Location::parse(file.file_path()).ok());
    delete_all(host, locations.collect()).await;
}

/// Deletes files of this process, as well as it can.
pub(crate) async fn delete_all(host: &Host, locations: Vec<Location>) {
    let deletes = locations.into_iter().map(|location| {
        let store = host.store.clone();
        async move { store.delete(&location).await }
    });
    let results = futures::stream::iter(deletes).buffer_unordered(DELETES_AT_A_TIME);
    results.for_each(|_| std::future::ready(())).await;
}
