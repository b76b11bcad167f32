//! What statements mean, and which can be computed from new rows.

mod identity;
mod row_wise;

use serde_json::json;

use super::Bound;
use crate::tests::{Lake, column, record, schema};

/// Tables that are much alike, so that nothing is told apart by luck.
async fn lake() -> Lake {
    let lake = Lake::new();
    let device = || record(3, "Device", vec![column(4, "osName", "string"), column(5, "ver", "int")]);
    let element =
        iceberg::spec::Type::Struct(iceberg::spec::StructType::new(vec![column(8, "price", "long")]));
    let items = iceberg::spec::NestedField::list_element(7, element, false);
    let items = iceberg::spec::Type::List(iceberg::spec::ListType::new(items.into()));
    let items = || std::sync::Arc::new(iceberg::spec::NestedField::optional(6, "items", items.clone()));
    for name in ["raw.events", "raw.other", "default.events"] {
        let columns = vec![column(1, "userId", "long"), column(2, "type", "string"), device(), items()];
        lake.create(name, schema(columns), "").await;
    }
    lake.create("raw.users", schema(vec![column(1, "id", "long"), column(2, "country", "string")]), "").await;
    lake.append("raw.events", &[json!({"userId": 1, "type": "login"})]).await;
    lake
}

async fn bound(lake: &Lake, database: &str, sql: &str) -> Bound {
    let planned = lake.engine.plan(&lake.catalog, database, sql).await;
    planned.unwrap_or_else(|error| panic!("{sql}: {error:?}")).bound().clone()
}
