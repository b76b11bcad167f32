//! What a table is when rows are written to it: as it is, or as it will be made, and how it grows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_datafile::WriteTarget;
use hosu_host::Location;
use hosu_table::declared::{self, Missing};
use hosu_table::evolution::SchemaEvolution;
use hosu_table::evolve::{self, ParentPath};
use hosu_table::json::{Limits, UnknownFields};
use hosu_table::name::TableName;
use hosu_table::partition::{self, PartitionTerm};
use hosu_table::properties::TableProperties;
use hosu_table::sort::{self, SortTerm};
use hosu_table::{json_schema, paths, rejects};
use iceberg::spec::{
    FormatVersion, NestedFieldRef, PartitionSpecRef, PrimitiveType, Schema, SchemaRef, SortOrderRef,
    Transform,
};
use uuid::Uuid;

use super::contract;
use crate::contract::{CONTRACT_PROPERTY, Contract};
use crate::error::CollectError;
use crate::json::{DecoderRules, Unknown};
use crate::report::SchemaChange;
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
    /// How the schema has changed.
    pub changes: Vec<SchemaChange>,
    /// What may become of it.
    pub evolution: SchemaEvolution,
    /// Up to how many columns it may grow.
    pub columns_max: usize,
    last_column_id: i32,
    terms: Terms,
}

/// What a table's schema is to get.
#[derive(Debug, Default)]
pub(super) struct Growth {
    additions: Vec<(ParentPath, NestedFieldRef)>,
    /// Wider types by field id.
    widenings: BTreeMap<i32, PrimitiveType>,
}

impl Growth {
    /// One field more.
    pub(super) fn of_field(field: NestedFieldRef) -> Self {
        Self::of_fields(vec![(ParentPath::root(), field)])
    }

    /// Such fields.
    pub(super) fn of_fields(additions: Vec<(ParentPath, NestedFieldRef)>) -> Self {
        Self { additions, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.additions.is_empty() && self.widenings.is_empty()
    }
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
        let mut shape = Self::of_table(table.clone())?;
        shape.evolution = request.evolution.or(shape.properties.schema_evolution).unwrap_or_default();
        if let Some(columns_max) = request.columns_max.or(shape.properties.columns_max) {
            shape.columns_max = columns_max;
        }
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
        self.grow(&Growth::of_field(rejects::raw_field(0)))?;
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
            changes: Vec::new(),
            evolution: SchemaEvolution::default(),
            columns_max: Limits::default().leaf_columns_max,
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
        let mut shape = Self { contract, ..Self::new(name, schema, Terms::given(request)?, catalog)? };
        shape.evolution = request.evolution.unwrap_or_default();
        shape.columns_max = request.columns_max.unwrap_or(shape.columns_max);
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
            changes: Vec::new(),
            evolution: SchemaEvolution::default(),
            columns_max: Limits::default().leaf_columns_max,
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

    /// How records are put into its columns.
    pub(super) fn decoder_rules(&self) -> DecoderRules {
        DecoderRules {
            limits: Limits::of_columns(self.columns_max),
            unknown_fields: match self.evolution {
                SchemaEvolution::Ignore => UnknownFields::Ignored,
                _ => UnknownFields::Rescued,
            },
        }
    }

    /// What of that which records asked for the table may get. What `has_changed` since they were decoded may be enough for some.
    pub(super) fn growth(&self, unknown: &Unknown, has_changed: bool) -> Growth {
        let mut growth = Growth::default();
        if self.evolution == SchemaEvolution::AddColumns {
            let widenings = unknown.widenings().iter().filter(|(id, to)| self.may_widen(**id, to));
            growth.widenings = widenings.map(|(id, to)| (*id, to.clone())).collect();
            let additions = unknown.new_fields(&self.schema).into_iter();
            growth.additions = additions.filter(|addition| !self.is_partition_field(addition)).collect();
        }
        let changes = has_changed || !growth.is_empty();
        growth.additions.extend(unknown.rescued_data(&self.schema, changes));
        growth
    }

    /// What of the fields that a source declares the table lacks and may get.
    pub(super) fn missing(&self, declared: &[NestedFieldRef]) -> Missing {
        if self.evolution != SchemaEvolution::AddColumns {
            return Missing::default();
        }
        let mut missing = declared::missing(&self.schema, declared, Limits::of_columns(self.columns_max));
        missing.additions.retain(|addition| !self.is_partition_field(addition));
        missing
    }

    /// Gives the table what it lacks, and says whether it has got any. A field that it cannot take is passed over: its
    /// values are rescued.
    ///
    /// # Errors
    /// When a new table cannot be partitioned or sorted as asked any more.
    pub(super) fn grow(&mut self, growth: &Growth) -> Result<bool, CollectError> {
        let before = self.changes.len();
        self.widen(&growth.widenings);
        for addition in &growth.additions {
            let one = std::slice::from_ref(addition);
            let Ok(evolved) = evolve::add_fields(&self.schema, self.last_column_id, one) else { continue };
            if !evolved.changed {
                continue;
            }
            self.schema = Arc::new(evolved.schema);
            self.last_column_id = evolved.last_column_id;
            let (parent, field) = addition;
            let column = parent.child(field.name.clone()).to_string();
            self.changes.push(SchemaChange::added(column, evolve::type_text(&field.field_type)));
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
        Ok(self.changes.len() > before)
    }

    fn widen(&mut self, widenings: &BTreeMap<i32, PrimitiveType>) {
        let Ok((schema, widened)) = evolve::widen(&self.schema, widenings) else { return };
        self.schema = Arc::new(schema);
        let changes = widened
            .into_iter()
            .map(|widened| SchemaChange::widened(widened.column, &widened.from, widened.to.to_string()));
        self.changes.extend(changes);
    }

    /// Whether Iceberg lets a column become wider: one that partitions are made of only if their values stay what they
    /// are, in every spec that the table ever had.
    fn may_widen(&self, id: i32, to: &PrimitiveType) -> bool {
        let specs = self.existing.iter().flat_map(|table| table.metadata.partition_specs_iter());
        let mut transforms = specs
            .flat_map(|spec| spec.fields())
            .filter(|field| field.source_id == id)
            .map(|field| field.transform);
        let is_identifier = self.schema.identifier_field_ids().any(|identifier| identifier == id);
        let is_long = *to == PrimitiveType::Long;
        (is_long || !is_identifier)
            && transforms.all(|transform| match transform {
                Transform::Void => true,
                Transform::Bucket(_) => is_long,
                _ => false,
            })
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
