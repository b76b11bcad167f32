//! What a table is when rows are written to it: as it is, or as it will be made, and how it grows.

use std::collections::HashMap;
use std::sync::Arc;

use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_datafile::WriteTarget;
use hosu_host::Location;
use hosu_table::evolve::{self, ParentPath};
use hosu_table::name::TableName;
use hosu_table::partition::{self, PartitionTerm};
use hosu_table::properties::TableProperties;
use hosu_table::sort::{self, SortTerm};
use hosu_table::{json_schema, paths, rejects};
use iceberg::spec::{FormatVersion, NestedFieldRef, PartitionSpecRef, Schema, SchemaRef, SortOrderRef};
use uuid::Uuid;

use super::contract;
use crate::contract::{CONTRACT_PROPERTY, Contract};
use crate::error::CollectError;
use crate::request::IngestRequest;

/// A table as rows are written to it.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub name: TableName,
    /// The table as it is; none when it is to be made.
    pub existing: Option<Arc<Table>>,
    pub uuid: Uuid,
    pub location: Location,
    pub schema: SchemaRef,
    pub spec: PartitionSpecRef,
    pub sort_order: SortOrderRef,
    pub properties: TableProperties,
    /// What each record must satisfy.
    pub contract: Option<Contract>,
    /// Full names of the columns that the schema has grown by.
    pub columns_added: Vec<String>,
    last_column_id: i32,
    terms: Terms,
}

/// How a new table is partitioned and sorted.
#[derive(Clone, Debug, Default)]
struct Terms {
    partition: Vec<PartitionTerm>,
    sort: Vec<SortTerm>,
}

/// The columns that `--schema` asks for.
pub(super) fn given_schema(request: &IngestRequest) -> Result<Option<Schema>, CollectError> {
    let Some(text) = &request.schema else { return Ok(None) };
    let table = || request.table.clone();
    json_schema::parse(text)
        .map(Some)
        .map_err(|source| CollectError::Schema { table: table(), source: Box::new(source) })
}

impl Terms {
    fn given(request: &IngestRequest) -> Result<Self, CollectError> {
        let (table, by) = (&request.table, request.partition_by.as_deref());
        let partition = by.map(partition::parse).transpose();
        let partition = partition
            .map_err(|source| CollectError::Partition { table: table.clone(), source: Box::new(source) })?;
        let sort = request.sort_by.as_deref().map(sort::parse).transpose();
        let sort =
            sort.map_err(|source| CollectError::Sort { table: table.clone(), source: Box::new(source) })?;
        Ok(Self { partition: partition.unwrap_or_default(), sort: sort.unwrap_or_default() })
    }
}

impl Shape {
    /// A table that is there. What the request says about its shape must be what it has.
    ///
    /// # Errors
    /// [`CollectError::ShapeDiffers`], and what is wrong with a request.
    pub(super) fn of_existing(table: Arc<Table>, request: &IngestRequest) -> Result<Self, CollectError> {
        let shape = Self::of_table(table.clone())?;
        let terms = Terms::given(request)?;
        let differs = |what, given: &str, existing: String| {
            let (table, given) = (shape.name.clone(), given.to_owned());
            Err(CollectError::ShapeDiffers { table, what, given, existing })
        };
        if let Some(given) = &request.partition_by
            && !partition::same(&terms.partition, &shape.spec, &shape.schema)
        {
            return differs(
                "partitioning",
                given,
                none_if_empty(partition::to_text(&shape.spec, &shape.schema)),
            );
        }
        if let Some(given) = &request.sort_by
            && !sort::same(&terms.sort, &shape.sort_order, &shape.schema)
        {
            return differs(
                "sort order",
                given,
                none_if_empty(sort::to_text(&shape.sort_order, &shape.schema)),
            );
        }
        let shape = Self { contract: contract::of_table(&shape.name, &table)?, ..shape.clone() };
        if let Some(given) = &request.schema
            && let Some(difference) = contract::difference(given, &shape)?
        {
            return differs("schema", "the one given", difference);
        }
        if request.keep_raw { shape.with_raw() } else { Ok(shape) }
    }

    /// The table with a column for each record as it was read.
    ///
    /// # Errors
    /// [`CollectError::RawColumn`] when it has another column of that name.
    fn with_raw(mut self) -> Result<Self, CollectError> {
        if rejects::raw_column(&self.schema).is_some() {
            return Ok(self);
        }
        if let Some(field) =
            self.schema.as_struct().fields().iter().find(|field| rejects::is_raw(&field.name))
        {
            return Err(CollectError::RawColumn {
                table: self.name.clone(),
                column: field.name.clone(),
                column_type: format!(
                    "{}{}",
                    if field.required { "required " } else { "" },
                    evolve::type_text(&field.field_type)
                ),
            });
        }
        self.grow(&[(ParentPath::root(), rejects::raw_field(0))])?;
        Ok(self)
    }

    /// A table that is there, as it is.
    pub(super) fn of_table(table: Arc<Table>) -> Result<Self, CollectError> {
        let metadata = &table.metadata;
        if metadata.format_version() != FormatVersion::V2 {
            let version = metadata.format_version() as u8;
            let source = CatalogError::FormatVersion { table: table.name.clone(), version };
            return Err(CollectError::Catalog { table: table.name.clone(), source: Box::new(source) });
        }
        Ok(Self {
            name: table.name.clone(),
            uuid: table.uuid(),
            location: table.location.clone(),
            schema: table.schema().clone(),
            spec: metadata.default_partition_spec().clone(),
            sort_order: metadata.default_sort_order().clone(),
            properties: table.properties(),
            contract: None,
            columns_added: Vec::new(),
            last_column_id: metadata.last_column_id(),
            terms: Terms::default(),
            existing: Some(table),
        })
    }

    /// A table that is to be made with these columns, and `_rescued_data`.
    ///
    /// # Errors
    /// What is wrong with the request's partitioning or sort order.
    pub(super) fn of_new(
        schema: Schema,
        catalog: &Catalog,
        request: &IngestRequest,
    ) -> Result<Self, CollectError> {
        let name = request.table.clone();
        let schema = rejects::with_rescued_data(&schema);
        let schema = schema
            .map_err(|source| CollectError::Evolve { table: name.clone(), source: Box::new(source) })?;
        let contract = request.schema.as_deref().map(|text| contract::given(&name, text)).transpose()?;
        let shape = Self { contract, ..Self::new(name, schema, Terms::given(request)?, catalog)? };
        if request.keep_raw { shape.with_raw() } else { Ok(shape) }
    }

    /// A table that is to be made with these columns, neither partitioned nor sorted.
    pub(super) fn of_new_plain(
        name: TableName,
        schema: Schema,
        catalog: &Catalog,
    ) -> Result<Self, CollectError> {
        Self::new(name, schema, Terms::default(), catalog)
    }

    fn new(name: TableName, schema: Schema, terms: Terms, catalog: &Catalog) -> Result<Self, CollectError> {
        let uuid = catalog.host().ids.uuid();
        let location = paths::table_location(catalog.warehouse().as_str(), &name, uuid);
        let location = Location::parse(&location).map_err(|source| {
            let source = CatalogError::Location { table: name.clone(), source };
            CollectError::Catalog { table: name.clone(), source: Box::new(source) }
        })?;
        let mut shape = Self {
            name,
            existing: None,
            uuid,
            location,
            last_column_id: schema.highest_field_id(),
            schema: Arc::new(schema),
            spec: Arc::new(iceberg::spec::PartitionSpec::unpartition_spec()),
            sort_order: Arc::new(iceberg::spec::SortOrder::unsorted_order()),
            properties: TableProperties::default(),
            contract: None,
            columns_added: Vec::new(),
            terms,
        };
        shape.bind()?;
        Ok(shape)
    }

    /// Partitioning and sort order of a new table refer to its columns by their ids.
    fn bind(&mut self) -> Result<(), CollectError> {
        if !self.terms.partition.is_empty() {
            let spec = partition::bind(&self.terms.partition, &self.schema);
            let table = || self.name.clone();
            self.spec =
                Arc::new(spec.map_err(|source| CollectError::Partition {
                    table: table(),
                    source: Box::new(source),
                })?);
        }
        if !self.terms.sort.is_empty() {
            let order = sort::bind(&self.terms.sort, &self.schema);
            let table = || self.name.clone();
            self.sort_order = Arc::new(
                order.map_err(|source| CollectError::Sort { table: table(), source: Box::new(source) })?,
            );
        }
        Ok(())
    }

    /// Gives the table fields that it lacks, and says whether it has got any. One that it cannot take is passed over: its
    /// values are rescued.
    ///
    /// # Errors
    /// When a new table cannot be partitioned or sorted as asked any more.
    pub(super) fn grow(&mut self, additions: &[(ParentPath, NestedFieldRef)]) -> Result<bool, CollectError> {
        let before = self.columns_added.len();
        for addition in additions {
            if self.is_partition_field(addition) {
                continue;
            }
            let one = std::slice::from_ref(addition);
            let Ok(evolved) = evolve::add_fields(&self.schema, self.last_column_id, one) else { continue };
            if !evolved.changed {
                continue;
            }
            self.schema = Arc::new(evolved.schema);
            self.last_column_id = evolved.last_column_id;
            let (parent, field) = addition;
            self.columns_added.push(parent.child(field.name.clone()).to_string());
        }
        if self.existing.is_none() {
            let fresh = evolve::fresh_ids(&self.schema);
            let fresh = fresh.map_err(|source| CollectError::Evolve {
                table: self.name.clone(),
                source: Box::new(source),
            })?;
            self.last_column_id = fresh.highest_field_id();
            self.schema = Arc::new(fresh);
            self.bind()?;
        }
        Ok(self.columns_added.len() > before)
    }

    /// Whether a column would have the name of a partition field of the table, of an old spec too: both are names in
    /// one namespace. (Those of a new table are named when its columns are known.)
    fn is_partition_field(&self, (parent, field): &(ParentPath, NestedFieldRef)) -> bool {
        let specs = self.existing.iter().flat_map(|table| table.metadata.partition_specs_iter());
        let mut names = specs.flat_map(|spec| spec.fields()).map(|partition| &partition.name);
        *parent == ParentPath::root() && names.any(|name| name.to_lowercase() == field.name.to_lowercase())
    }

    /// What is stored with a new table.
    pub(super) fn new_properties(&self) -> HashMap<String, String> {
        let contract = self.contract.as_ref();
        contract
            .map(|contract| (CONTRACT_PROPERTY.to_owned(), contract.text().to_owned()))
            .into_iter()
            .collect()
    }

    /// Where data files go.
    pub(super) fn target(&self) -> WriteTarget {
        WriteTarget {
            schema: self.schema.clone(),
            spec: self.spec.clone(),
            sort_order: self.sort_order.clone(),
            location: self.location.clone(),
            properties: self.properties.clone(),
        }
    }
}

fn none_if_empty(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}
