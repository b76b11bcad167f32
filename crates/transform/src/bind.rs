//! A job's SELECT against tables: does it make sense, what does it give, and does that fit the target?
//!
//! Nothing is read here but metadata. What is wrong is told as a [`JobError`], with the line of the job's file.

use std::sync::Arc;

use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use hosu_catalog::{Catalog, NewTable, Table};
use hosu_change::fits;
use hosu_dialect::{At, Statement};
use hosu_host::Location;
use hosu_query::{Bound, Engine, Input, InputRows, QueryError, RowTest, TableRead};
use hosu_sql::{SqlError, encode};
use hosu_table::arrow_schema;
use hosu_table::commit::first_metadata;
use hosu_table::name::{DEFAULT_DATABASE, TableName};
use hosu_table::{partition, paths};
use iceberg::spec::{Schema, SortOrder};
use uuid::Uuid;

use crate::job::{Job, JobError, JobFault, Mode};

/// A job whose SELECT is planned over its inputs.
#[derive(Debug)]
pub struct BoundJob {
    /// What the SELECT means.
    pub bound: Bound,
    /// The columns of its rows.
    pub schema: SchemaRef,
    /// The same as columns of a table that does not exist yet.
    pub columns: Schema,
    /// What must hold for the new rows, with the text that says so.
    pub tests: Vec<(String, Arc<RowTest>)>,
}

/// The SELECT of a job's file, with its place.
///
/// # Errors
/// [`JobError`] when the file has anything but one SELECT.
pub fn select_of(job: &Job) -> Result<At<String>, JobError> {
    let mut statements =
        hosu_dialect::parse(&job.text).map_err(|error| job.sql_error(error.into()))?.into_iter();
    match (statements.next().map(|statement| statement.value), statements.next()) {
        (Some(Statement::Query(query)), None) => Ok(query),
        (Some(Statement::Query(_)), Some(second)) => {
            Err(job.wrong(second.position.line, JobFault::NotOneSelect))
        }
        _ => Err(job.wrong(job.body_line(), JobFault::NotOneSelect)),
    }
}

/// The tables that a job's SELECT reads, each with its line.
///
/// # Errors
/// [`JobError`] when the SELECT does not parse.
pub fn inputs_of(
    catalog: &Catalog,
    engine: &Engine,
    job: &Job,
    select: &At<String>,
) -> Result<Vec<(TableName, usize)>, JobError> {
    let tables = engine.tables_of(catalog, DEFAULT_DATABASE, &select.value);
    let tables = tables.map_err(|error| job.query_error(error, select))?;
    let line = |table: &TableRead| {
        let place = table.position?;
        let (line, column) = (usize::try_from(place.line).ok()?, usize::try_from(place.column).ok()?);
        Some(select.position.within(line, column).0)
    };
    let with_line = |table: TableRead| {
        let line = line(&table).unwrap_or(select.position.line);
        (table.name, line)
    };
    Ok(tables.into_iter().map(with_line).collect())
}

/// Binds a job to its inputs as they are, or as they will be.
///
/// # Errors
/// [`JobError`] with the first thing that does not fit.
pub async fn bind(
    catalog: &Catalog,
    engine: &Engine,
    job: &Job,
    select: &At<String>,
    inputs: &[(TableName, Arc<Table>)],
) -> Result<BoundJob, JobError> {
    let inputs: Vec<Input> = inputs
        .iter()
        .map(|(name, table)| Input { name: name.clone(), table: table.clone(), rows: InputRows::All })
        .collect();
    let bound = engine
        .bind_on(catalog, DEFAULT_DATABASE, &select.value, &inputs)
        .await
        .map_err(|error| job.query_error(error, select))?;
    if job.mode == Mode::Append {
        bound
            .check_row_wise(&[])
            .map_err(|error| job.wrong(select.position.line, JobFault::NotRowWise(error)))?;
    }
    let schema = bound.schema();
    let columns = columns(job, &schema, select)?;
    let tests = job.tests.iter().map(|(line, text)| {
        let test = engine.row_test_at(&schema, text, catalog.host().clock.now_ms());
        let wrong = |error: QueryError| JobFault::Test { text: text.clone(), message: error.to_string() };
        Ok((text.clone(), Arc::new(test.map_err(|error| job.wrong(*line, wrong(error)))?)))
    });
    let tests = tests.collect::<Result<_, JobError>>()?;
    Ok(BoundJob { bound, schema, columns, tests })
}

/// The columns of a table that has the rows of a SELECT.
fn columns(job: &Job, schema: &ArrowSchema, select: &At<String>) -> Result<Schema, JobError> {
    let wrong = |fault| job.wrong(select.position.line, fault);
    for (at, field) in schema.fields().iter().enumerate() {
        let name = field.name().to_lowercase();
        if name == format!("_col{at}") {
            return Err(wrong(JobFault::ColumnWithoutName { place: at + 1 }));
        }
        if schema.fields().iter().take(at).any(|other| other.name().to_lowercase() == name) {
            return Err(wrong(JobFault::ColumnTwice { name: field.name().clone() }));
        }
    }
    arrow_schema::from_arrow(schema).map_err(|error| wrong(JobFault::Columns(error)))
}

/// What a job's target will be when it is made.
///
/// # Errors
/// [`JobError`] when the partition terms do not fit the columns.
pub fn new_target(catalog: &Catalog, job: &Job, columns: &Schema, uuid: Uuid) -> Result<NewTable, JobError> {
    let mut terms = Vec::new();
    for (line, text) in &job.partition_by {
        let parsed = partition::parse(text).and_then(|more| {
            terms.extend(more);
            partition::bind(&terms, columns)
        });
        parsed.map_err(|error| job.wrong(*line, JobFault::Partition(error)))?;
    }
    let first_line = job.partition_by.first().map_or(1, |(line, _)| *line);
    let spec = partition::bind(&terms, columns)
        .map_err(|error| job.wrong(first_line, JobFault::Partition(error)))?;
    Ok(NewTable {
        uuid,
        location: paths::table_location(catalog.warehouse().as_str(), &job.target, uuid),
        schema: columns.clone(),
        spec,
        sort_order: SortOrder::unsorted_order(),
        properties: Default::default(),
    })
}

/// A table that is only thought of: the target of a job that has not run yet, for those that read it.
///
/// # Errors
/// [`JobError`] as of [`new_target`].
pub fn thought_of(catalog: &Catalog, job: &Job, columns: &Schema) -> Result<Table, JobError> {
    let new = new_target(catalog, job, columns, Uuid::nil())?;
    let not_valid = |message: String| job.wrong(1, JobFault::Sql { message });
    let metadata = first_metadata(&new, 0).map_err(|error| not_valid(error.to_string()))?;
    let location = Location::parse(&new.location).map_err(|error| not_valid(error.to_string()))?;
    let metadata = Arc::new(metadata);
    Ok(Table { name: job.target.clone(), metadata, metadata_location: String::new(), location })
}

/// For each column of the SELECT, which column of the target it fills.
///
/// # Errors
/// [`JobError`] when a column is missing on either side, or has a type that does not fit.
pub fn filled_columns(
    job: &Job,
    bound: &BoundJob,
    target: &TableName,
    wanted: &Schema,
    line: usize,
) -> Result<Vec<usize>, JobError> {
    let wrong = |detail: String| job.wrong(line, JobFault::TargetColumns { target: target.clone(), detail });
    let wanted = arrow_schema::to_arrow(wanted);
    let mut filled = Vec::new();
    for given in bound.schema.fields() {
        let name = given.name().to_lowercase();
        let at = wanted.fields().iter().position(|field| field.name().to_lowercase() == name);
        let Some((at, field)) = at.and_then(|at| Some((at, wanted.fields().get(at)?))) else {
            return Err(wrong(format!("the SELECT gives `{}`, which the table does not have", given.name())));
        };
        if !fits(given.data_type(), field.data_type(), false) {
            let (given_type, wanted_type) =
                (encode::type_name(given.data_type()), encode::type_name(field.data_type()));
            return Err(wrong(format!("`{name}` is {wanted_type} there, and the SELECT gives {given_type}")));
        }
        filled.push(at);
    }
    match wanted.fields().iter().enumerate().find(|(at, _)| !filled.contains(at)) {
        Some((_, field)) => {
            Err(wrong(format!("the table has `{}`, which the SELECT does not give", field.name())))
        }
        None => Ok(filled),
    }
}

/// Whether the target is parted as the job says.
///
/// # Errors
/// [`JobError`] when it is not.
pub fn check_partitions(job: &Job, target: &Table) -> Result<(), JobError> {
    let Some((line, _)) = job.partition_by.first() else { return Ok(()) };
    let mut terms = Vec::new();
    for (line, text) in &job.partition_by {
        terms.extend(partition::parse(text).map_err(|error| job.wrong(*line, JobFault::Partition(error)))?);
    }
    let (spec, schema) = (target.metadata.default_partition_spec(), target.schema());
    match partition::same(&terms, spec, schema) {
        true => Ok(()),
        false => {
            let is = partition::to_text(spec, schema);
            Err(job.wrong(*line, JobFault::TargetPartitions { target: target.name.clone(), is }))
        }
    }
}

impl Job {
    /// What is wrong with it.
    pub(crate) fn wrong(&self, line: usize, fault: JobFault) -> JobError {
        JobError { path: self.path.clone(), line, fault }
    }

    /// What is wrong with its SELECT, as the engine says.
    pub(crate) fn query_error(&self, error: QueryError, select: &At<String>) -> JobError {
        self.sql_error(hosu_sql::from_query(error, select))
    }

    fn sql_error(&self, error: SqlError) -> JobError {
        self.wrong(error.line.unwrap_or_else(|| self.body_line()), JobFault::Sql { message: error.message })
    }

    /// The line of the first word behind the comment.
    pub(crate) fn body_line(&self) -> usize {
        let body = self.text.split_once("*/").map_or("", |(_, body)| body).trim_start();
        let before = self.text.len() - body.len();
        1 + self.text.bytes().take(before).filter(|byte| *byte == b'\n').count()
    }
}
