//! A writer over a memory store, and its files read back with parquet's own reader.

mod failures;
mod files;
mod measured;
mod memory;
mod partitions;
mod sorting;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use futures::TryStreamExt;
use hosu_host::{Host, Location};
use hosu_table::arrow_schema;
use hosu_table::properties::TableProperties;
use iceberg::spec::{
    NestedField, PartitionSpec, PrimitiveType, Schema, SchemaRef, SortOrder, Transform, Type,
};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::PageIndexPolicy;
use uuid::Uuid;

use crate::{DataFileWriter, WriteTarget, WriterSettings, Written};

pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) target: WriteTarget,
    pub(crate) settings: WriterSettings,
}

pub(crate) fn optional(id: i32, name: &str, primitive: PrimitiveType) -> Arc<NestedField> {
    Arc::new(NestedField::optional(id, name, Type::Primitive(primitive)))
}

pub(crate) fn schema(fields: impl IntoIterator<Item = Arc<NestedField>>) -> SchemaRef {
    Arc::new(Schema::builder().with_fields(fields).build().unwrap())
}

impl Bench {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let target = WriteTarget {
            schema,
            spec: Arc::new(PartitionSpec::unpartition_spec()),
            sort_order: Arc::new(SortOrder::unsorted_order()),
            location: Location::parse("memory:///lake/t").unwrap(),
            properties: TableProperties::default(),
        };
        Self { host: Host::seeded(1), target, settings: WriterSettings::default() }
    }

    pub(crate) fn properties(mut self, pairs: &[(&str, &str)]) -> Self {
        let pairs: HashMap<String, String> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.target.properties = TableProperties::parse(&pairs).unwrap();
        self
    }

    pub(crate) fn partitioned(mut self, fields: &[(&str, &str, Transform)]) -> Self {
        let mut builder = PartitionSpec::builder(self.target.schema.clone()).with_spec_id(3);
        for (column, name, transform) in fields {
            builder = builder.add_partition_field(*column, *name, *transform).unwrap();
        }
        self.target.spec = Arc::new(builder.build().unwrap());
        self
    }

    pub(crate) fn writer(&self) -> DataFileWriter {
        let operation = self.host.ids.uuid();
        DataFileWriter::new(&self.host, self.target.clone(), self.settings.clone(), operation).unwrap()
    }

    pub(crate) async fn write(&self, batches: impl IntoIterator<Item = RecordBatch>) -> Written {
        let mut writer = self.writer();
        for batch in batches {
            writer.write(batch).await.unwrap();
        }
        writer.finish().await.unwrap()
    }

    pub(crate) fn batch(&self, columns: Vec<ArrayRef>) -> RecordBatch {
        RecordBatch::try_new(Arc::new(arrow_schema::to_arrow(&self.target.schema)), columns).unwrap()
    }

    pub(crate) async fn objects(&self) -> Vec<Location> {
        let list = self.host.store.list(&Location::parse("memory:///").unwrap());
        let mut objects: Vec<Location> = list.map_ok(|(location, _)| location).try_collect().await.unwrap();
        objects.sort();
        objects
    }

    pub(crate) async fn metadata(&self, path: &str) -> (bytes::Bytes, ArrowReaderMetadata) {
        let bytes = self.host.store.get(&Location::parse(path).unwrap()).await.unwrap();
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata = ArrowReaderMetadata::load(&bytes, options).unwrap();
        (bytes, metadata)
    }

    pub(crate) async fn read(&self, path: &str) -> RecordBatch {
        let (bytes, metadata) = self.metadata(path).await;
        let schema = metadata.schema().clone();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata).build().unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        concat_batches(&schema, &batches).unwrap()
    }
}

pub(crate) fn some_uuid() -> Uuid {
    Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
}
