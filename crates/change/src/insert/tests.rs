use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema as ArrowSchema};
use datafusion::common::DataFusionError;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{TryStreamExt, stream};
use hosu_catalog::{CatalogError, CatalogSettings, NewTable};
use hosu_host::{Host, Location};
use hosu_query::{Engine, EngineSettings};
use hosu_table::name::TableName;
use hosu_table::{partition, paths};
use iceberg::spec::{NestedField, PrimitiveType, Schema, SortOrder, StructType, Type};

use super::*;

struct Lake {
    catalog: Catalog,
    _folder: tempfile::TempDir,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let warehouse = Location::parse("memory:///warehouse").unwrap();
        let settings = CatalogSettings::in_folder(folder.path(), warehouse);
        Self { catalog: Catalog::open(Host::seeded(3), settings), _folder: folder }
    }

    async fn create(&self, schema: Schema, partitions: &str) -> Arc<Table> {
        let name = TableName::parse("t").unwrap();
        let uuid = self.catalog.host().ids.uuid();
        let terms = if partitions.is_empty() { Vec::new() } else { partition::parse(partitions).unwrap() };
        let new = NewTable {
            uuid,
            location: paths::table_location(self.catalog.warehouse().as_str(), &name, uuid),
            spec: partition::bind(&terms, &schema).unwrap(),
            schema,
            sort_order: SortOrder::unsorted_order(),
            properties: HashMap::new(),
        };
        self.catalog.create_table(name, new, true).await.unwrap()
    }

    async fn rows(&self) -> usize {
        let engine = Engine::new(EngineSettings::default()).unwrap();
        let planned = engine.plan(&self.catalog, "default", "SELECT * FROM t").await.unwrap();
        let batches: Vec<RecordBatch> = planned.stream().unwrap().try_collect().await.unwrap();
        batches.iter().map(RecordBatch::num_rows).sum()
    }

    async fn files(&self, table: &Table) -> usize {
        let folder = table.location.join("data");
        self.catalog.host().store.list(&folder).try_collect::<Vec<_>>().await.unwrap().len()
    }
}

fn columns() -> Schema {
    let inside =
        StructType::new(vec![Arc::new(NestedField::required(4, "x", Type::Primitive(PrimitiveType::Long)))]);
    Schema::builder()
        .with_fields(vec![
            Arc::new(NestedField::required(1, "id", Type::Primitive(PrimitiveType::Long))),
            Arc::new(NestedField::optional(2, "name", Type::Primitive(PrimitiveType::String))),
            Arc::new(NestedField::optional(3, "s", Type::Struct(inside))),
        ])
        .build()
        .unwrap()
}

/// Rows under names of their own, everything nullable, as queries make them.
fn rows(ids: Vec<Option<i64>>, xs: Vec<Option<i64>>) -> RecordBatch {
    let count = ids.len();
    let x = Field::new("x", DataType::Int64, true);
    let xs: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(xs))];
    let s = StructArray::new(Fields::from(vec![x]), xs, None);
    let schema = ArrowSchema::new(vec![
        Field::new("_col0", DataType::Int64, true),
        Field::new("_col1", DataType::Utf8, true),
        Field::new("_col2", s.data_type().clone(), true),
    ]);
    let names: StringArray = (0..count).map(|n| Some(format!("name {n}"))).collect();
    RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(Int64Array::from(ids)), Arc::new(names), Arc::new(s)],
    )
    .unwrap()
}

fn streamed(batches: Vec<Result<RecordBatch, DataFusionError>>) -> SendableRecordBatchStream {
    let schema = match batches.iter().flatten().next() {
        Some(batch) => batch.schema(),
        None => Arc::new(ArrowSchema::empty()),
    };
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches)))
}

#[tokio::test]
async fn rows_are_added_in_one_commit() {
    let lake = Lake::new();
    let table = lake.create(columns(), "bucket(4, id)").await;
    let batches = vec![
        Ok(rows(vec![Some(1), Some(2)], vec![Some(1), Some(2)])),
        Ok(rows(vec![Some(3)], vec![Some(3)])),
    ];
    let inserted = insert(&lake.catalog, table, streamed(batches), WriterSettings::default()).await.unwrap();
    assert_eq!(inserted.rows, 3);
    let table = lake.catalog.require(&TableName::parse("t").unwrap()).await.unwrap();
    assert_eq!(table.metadata.snapshots().count(), 1);
    assert_eq!(table.snapshot().map(|snapshot| snapshot.snapshot_id()), inserted.snapshot_id);
    let summary = &table.snapshot().unwrap().summary().additional_properties;
    assert!(summary.contains_key(OPERATION_ID), "{summary:?}");
    assert_eq!(lake.rows().await, 3);
}

#[tokio::test]
async fn no_rows_are_no_commit() {
    let lake = Lake::new();
    let table = lake.create(columns(), "").await;
    let inserted =
        insert(&lake.catalog, table.clone(), streamed(Vec::new()), WriterSettings::default()).await.unwrap();
    assert_eq!(inserted, Inserted::default());
    let now = lake.catalog.require(&table.name).await.unwrap();
    assert_eq!(now.metadata_location, table.metadata_location);
}

#[tokio::test]
async fn a_null_in_a_required_column_changes_nothing() {
    let lake = Lake::new();
    let table = lake.create(columns(), "").await;
    for (batch, column) in [
        (rows(vec![Some(1), None], vec![Some(1), Some(1)]), "id"),
        (rows(vec![Some(1), Some(2)], vec![Some(1), None]), "s.x"),
    ] {
        let good = rows(vec![Some(9)], vec![Some(9)]);
        let stream = streamed(vec![Ok(good), Ok(batch)]);
        let error =
            insert(&lake.catalog, table.clone(), stream, WriterSettings::default()).await.unwrap_err();
        assert!(matches!(&error, ChangeError::Null { column: named, .. } if named == column), "{error:?}");
        assert!(error.is_definite());
    }
    assert_eq!((lake.rows().await, lake.files(&table).await), (0, 0));
}

#[tokio::test]
async fn a_query_that_fails_midway_leaves_nothing_behind() {
    let lake = Lake::new();
    let table = lake.create(columns(), "").await;
    let failure = DataFusionError::Execution("no more".to_owned());
    let stream = streamed(vec![Ok(rows(vec![Some(1)], vec![Some(1)])), Err(failure)]);
    let error = insert(&lake.catalog, table.clone(), stream, WriterSettings::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "no more");
    assert_eq!((lake.rows().await, lake.files(&table).await), (0, 0));
}

#[tokio::test]
async fn a_table_that_was_dropped_meanwhile_keeps_no_files_of_the_statement() {
    let lake = Lake::new();
    let table = lake.create(columns(), "").await;
    lake.catalog.drop_table(&table.name).await.unwrap();
    let stream = streamed(vec![Ok(rows(vec![Some(1)], vec![Some(1)]))]);
    let error = insert(&lake.catalog, table.clone(), stream, WriterSettings::default()).await.unwrap_err();
    assert!(matches!(error, ChangeError::Catalog(CatalogError::TableNotFound { .. })), "{error:?}");
    assert_eq!(lake.files(&table).await, 0);
}

#[tokio::test]
async fn rows_of_two_statements_at_once_are_all_there() {
    let lake = Lake::new();
    let table = lake.create(columns(), "").await;
    let one = |id| {
        let stream = streamed(vec![Ok(rows(vec![Some(id)], vec![Some(id)]))]);
        insert(&lake.catalog, table.clone(), stream, WriterSettings::default())
    };
    let (a, b) = futures::join!(one(1), one(2));
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    assert_eq!(lake.rows().await, 2);
}

#[tokio::test]
async fn other_columns_than_the_tables_are_refused() {
    let lake = Lake::new();
    let table = lake.create(columns(), "").await;
    let narrow = rows(vec![Some(1)], vec![Some(1)]).project(&[0]).unwrap();
    let error = insert(&lake.catalog, table, streamed(vec![Ok(narrow)]), WriterSettings::default()).await;
    assert!(error.unwrap_err().to_string().contains("1 columns, and the table has 3"));
}

async fn replace(lake: &Lake, table: &Arc<Table>, batches: Vec<RecordBatch>) -> Result<(), ChangeError> {
    let target = Target::Existing { table: table.clone(), schema: None };
    let stream = streamed(batches.into_iter().map(Ok).collect());
    let operation = lake.catalog.host().ids.uuid();
    let written = write(&lake.catalog, &target, stream, WriterSettings::default(), operation).await?;
    commit(&lake.catalog, target, &written, Effect::Replace, HashMap::new(), Vec::new()).await.map(drop)
}

#[tokio::test]
async fn all_rows_are_replaced_unless_somebody_changed_the_table_meanwhile() {
    let lake = Lake::new();
    let empty = lake.create(columns(), "bucket(4, id)").await;
    replace(&lake, &empty, vec![rows((1..=9).map(Some).collect(), vec![Some(1); 9])]).await.unwrap();
    assert_eq!(lake.rows().await, 9);
    let nine = lake.catalog.require(&empty.name).await.unwrap();
    replace(&lake, &nine, vec![rows(vec![Some(10)], vec![Some(1)])]).await.unwrap();
    assert_eq!(lake.rows().await, 1);
    let error = replace(&lake, &nine, vec![rows(vec![Some(11)], vec![None])]).await.unwrap_err();
    assert!(matches!(error, ChangeError::Null { .. }), "x is required: {error:?}");
    let error = replace(&lake, &nine, vec![rows(vec![Some(11)], vec![Some(1)])]).await.unwrap_err();
    assert!(matches!(error, ChangeError::Catalog(CatalogError::Conflict { .. })), "{error:?}");
    let one = lake.catalog.require(&empty.name).await.unwrap();
    replace(&lake, &one, Vec::new()).await.unwrap();
    assert_eq!(lake.rows().await, 0);
}
