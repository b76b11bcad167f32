//! The host's stores under the addresses by which DataFusion asks for them.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use hosu_host::{Location, Store};
use object_store::ObjectStore;
use url::Url;

/// Finds the store of an address; every byte that is read through it is counted.
#[derive(Debug)]
pub(crate) struct HostStores {
    store: Store,
}

impl HostStores {
    /// Over the stores of a host, metered as the statement wants it.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl ObjectStoreRegistry for HostStores {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let store_error = |error: String| DataFusionError::Execution(format!("{url}: {error}"));
        let location = Location::parse(url.as_str()).map_err(|error| store_error(error.to_string()))?;
        self.store.object_store(&location).map_err(|error| store_error(error.to_string()))
    }
}

/// The address of the store that holds a location.
pub(crate) fn url(location: &Location) -> Result<ObjectStoreUrl> {
    // `memory://` alone is no URL: it needs its path.
    let root = location.root();
    ObjectStoreUrl::parse(if root.ends_with("//") { format!("{root}/") } else { root.to_owned() })
}
