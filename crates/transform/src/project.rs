//! The jobs of a folder, checked together.
//!
//! Each file is read, its SELECT bound to the tables that are there or will be, and all of them are put into an order. What is
//! wrong with one job is told of that job; the others are as good as alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use hosu_catalog::{Catalog, CatalogError, Table};
use hosu_dialect::At;
use hosu_query::{Engine, deep_stack, find_table};
use hosu_table::name::{TableName, nearest};

use crate::bind::{self, BoundJob};
use crate::graph::{Graph, GraphFault, Reads};
use crate::job::{Job, JobError, JobFault};

/// How many jobs are bound at a time.
const BOUND_AT_ONCE: usize = 4;

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What is in it, or why it cannot be read.
    pub bytes: Result<Vec<u8>, String>,
}

/// The jobs of a folder.
#[derive(Debug, Default)]
pub struct Project {
    /// Those that can run, each after those that fill what it reads.
    pub jobs: Vec<Arc<ProjectJob>>,
    /// What is wrong with the others, and with files that are no jobs.
    pub faults: Vec<JobError>,
    /// The names of jobs that have a fault, as far as they have a name.
    pub faulty: BTreeSet<String>,
}

/// A job and its place among the others.
#[derive(Debug)]
pub struct ProjectJob {
    /// The job.
    pub job: Job,
    /// Its SELECT.
    pub select: At<String>,
    /// The tables that it reads.
    pub inputs: Vec<TableName>,
    /// The jobs that fill them.
    pub upstream: Vec<String>,
    /// What the SELECT means.
    pub identity: String,
    /// Why it does not fit its target; when all is made anew it need not.
    pub target_fault: Option<JobError>,
}

/// Which jobs go with those that are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Those that fill what they read, and so on.
    pub upstream: bool,
    /// Those that read what they fill, and so on.
    pub downstream: bool,
}

/// A name that no job has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no job `{name}`{}", nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
pub struct NoSuchJob {
    /// The name.
    pub name: String,
    /// The most similar one.
    pub nearest: Option<String>,
}

impl Project {
    /// Reads and checks the jobs of these files.
    ///
    /// # Errors
    /// When the catalog cannot be asked. What is wrong with a job is in [`Project::faults`].
    pub async fn load(catalog: &Catalog, engine: &Engine, files: &[JobFile]) -> Result<Self, CatalogError> {
        let mut loading = Loading {
            catalog,
            engine,
            project: Self::default(),
            selects: BTreeMap::new(),
            lines: BTreeMap::new(),
        };
        let reads = deep_stack(|| loading.read(files));
        let tables = tables(catalog).await?;
        let graph = Graph::new(reads, &tables);
        for (name, (job, fault)) in graph.faults {
            let line = match &fault {
                GraphFault::MissingInput { table, .. } => loading.lines.get(&(name.clone(), table.clone())),
                _ => None,
            };
            let line = line.copied().unwrap_or_else(|| job.body_line());
            loading.fault(&name, job.wrong(line, JobFault::Graph(fault)));
        }
        loading.bind(graph.order, &tables).await?;
        Ok(loading.project)
    }

    /// A job by its name.
    pub fn job(&self, name: &str) -> Option<&Arc<ProjectJob>> {
        self.jobs.iter().find(|job| job.job.name == name)
    }

    /// The jobs of these names and those around them, in the order in which they run.
    ///
    /// # Errors
    /// [`NoSuchJob`] for a name that none has.
    pub fn chosen(&self, names: &[String], around: Around) -> Result<Vec<Arc<ProjectJob>>, NoSuchJob> {
        let mut chosen: BTreeSet<&str> = BTreeSet::new();
        for name in names {
            let job = self.job(name).ok_or_else(|| self.no_such_job(name))?;
            chosen.insert(&job.job.name);
        }
        let named = chosen.clone();
        if around.upstream {
            for job in self.jobs.iter().rev() {
                if chosen.contains(job.job.name.as_str()) {
                    chosen.extend(job.upstream.iter().map(String::as_str));
                }
            }
        }
        if around.downstream {
            let mut below = named;
            for job in &self.jobs {
                if job.upstream.iter().any(|name| below.contains(name.as_str())) {
                    below.insert(&job.job.name);
                }
            }
            chosen.extend(below);
        }
        Ok(self.jobs.iter().filter(|job| chosen.contains(job.job.name.as_str())).cloned().collect())
    }

    fn no_such_job(&self, name: &str) -> NoSuchJob {
        let names = self.jobs.iter().map(|job| job.job.name.as_str());
        NoSuchJob { name: name.to_owned(), nearest: nearest(name, names).map(str::to_owned) }
    }
}

/// A project on its way.
struct Loading<'a> {
    catalog: &'a Catalog,
    engine: &'a Engine,
    project: Project,
    selects: BTreeMap<String, At<String>>,
    /// Where each table that a job reads stands in its file.
    lines: BTreeMap<(String, TableName), usize>,
}

impl Loading<'_> {
    fn fault(&mut self, name: &str, fault: JobError) {
        self.project.faulty.insert(name.to_owned());
        self.project.faults.push(fault);
    }

    /// The jobs whose files can be read, with the tables that they read.
    fn read(&mut self, files: &[JobFile]) -> Vec<Reads> {
        let mut reads = Vec::new();
        for file in files {
            let name =
                file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            match self.read_one(file) {
                Ok((job, select, inputs)) => {
                    self.selects.insert(job.name.clone(), select);
                    let lines = inputs.iter().map(|(table, line)| ((job.name.clone(), table.clone()), *line));
                    self.lines.extend(lines);
                    reads.push(Reads { job, inputs: inputs.into_iter().map(|(table, _)| table).collect() });
                }
                Err(error) => self.fault(&name, error),
            }
        }
        reads
    }

    fn read_one(&self, file: &JobFile) -> Result<ReadJob, JobError> {
        let bytes = file.bytes.as_ref().map_err(|reason| JobError {
            path: file.path.clone(),
            line: 1,
            fault: JobFault::Unreadable { reason: reason.clone() },
        })?;
        let job = Job::parse(&file.path, bytes)?;
        let select = bind::select_of(&job)?;
        let inputs = bind::inputs_of(self.catalog, self.engine, &job, &select)?;
        Ok((job, select, inputs))
    }

    /// Binds the jobs, each after those that fill what it reads: what they will make stands in for what is not there.
    async fn bind(&mut self, order: Vec<Reads>, tables: &BTreeSet<TableName>) -> Result<(), CatalogError> {
        let places: BTreeMap<String, usize> =
            order.iter().enumerate().map(|(place, reads)| (reads.job.name.clone(), place)).collect();
        let mut pending: BTreeSet<TableName> = order.iter().map(|reads| reads.job.target.clone()).collect();
        let mut fills = BTreeMap::new();
        let mut rest = order;
        while !rest.is_empty() {
            let waits = |reads: &Reads| reads.inputs.iter().any(|input| pending.contains(input));
            let (later, ready): (Vec<_>, Vec<_>) = rest.into_iter().partition(waits);
            // Jobs that wait for each other are not in the order.
            if ready.is_empty() {
                break;
            }
            let ready: Vec<Bindable> = ready.into_iter().filter_map(|reads| self.bindable(reads)).collect();
            let checks: Vec<_> = ready.iter().map(|job| self.check(job, tables, &fills)).collect();
            let checked: Vec<_> = stream::iter(checks).buffered(BOUND_AT_ONCE).try_collect().await?;
            for (job, checked) in ready.into_iter().zip(checked) {
                pending.remove(&job.job.target);
                match checked {
                    Ok(checked) => self.take(job, checked, &mut fills),
                    Err(error) => self.fault(&job.job.name, error),
                }
            }
            rest = later;
        }
        self.project.jobs.sort_by_key(|job| places.get(&job.job.name).copied());
        Ok(())
    }

    fn bindable(&mut self, reads: Reads) -> Option<Bindable> {
        let select = self.selects.remove(&reads.job.name)?;
        Some(Bindable { job: reads.job, select, inputs: reads.inputs })
    }

    fn take(&mut self, job: Bindable, checked: Checked, fills: &mut Fills) {
        let Bindable { job, select, inputs } = job;
        let Checked { bound, target, target_fault } = checked;
        let upstream: BTreeSet<String> =
            inputs.iter().filter_map(|input| Some(fills.get(input)?.job.clone())).collect();
        fills.insert(job.target.clone(), Filled { job: job.name.clone(), table: target });
        if let Some(fault) = &target_fault {
            self.fault(&job.name, fault.clone());
        }
        let (identity, upstream) = (bound.bound.identity(), upstream.into_iter().collect());
        let job = ProjectJob { job, select, inputs, upstream, identity, target_fault };
        self.project.jobs.push(Arc::new(job));
    }

    /// Binds one job.
    async fn check(
        &self,
        bindable: &Bindable,
        tables: &BTreeSet<TableName>,
        fills: &Fills,
    ) -> Result<Result<Checked, JobError>, CatalogError> {
        let Bindable { job, select, inputs } = bindable;
        let mut read = Vec::new();
        for name in inputs {
            let there = if tables.contains(name) { find_table(self.catalog, name).await? } else { None };
            match there.or_else(|| fills.get(name)?.table.clone()) {
                Some(table) => read.push((name.clone(), table)),
                // The job that was to make it has a fault.
                None => {
                    let message = format!("{name} does not exist, and the job that fills it has a fault");
                    return Ok(Err(job.wrong(select.position.line, JobFault::Sql { message })));
                }
            }
        }
        let bound = match bind::bind(self.catalog, self.engine, job, select, &read).await {
            Ok(bound) => bound,
            Err(error) => return Ok(Err(error)),
        };
        let target = if tables.contains(&job.target) { self.catalog.load(&job.target).await? } else { None };
        Ok(match target {
            Some(target) => {
                let fits =
                    bind::filled_columns(job, &bound, &target.name, target.schema(), select.position.line)
                        .and_then(|_| bind::check_partitions(job, &target));
                Ok(Checked { bound, target: None, target_fault: fits.err() })
            }
            None => bind::thought_of(self.catalog, job, &bound.columns).map(|target| Checked {
                bound,
                target: Some(Arc::new(target)),
                target_fault: None,
            }),
        })
    }
}

/// A job that is to be bound.
struct Bindable {
    job: Job,
    select: At<String>,
    inputs: Vec<TableName>,
}

/// Which job fills a table.
struct Filled {
    job: String,
    /// The table as it will be, if it is not there yet.
    table: Option<Arc<Table>>,
}

/// The tables that jobs fill.
type Fills = BTreeMap<TableName, Filled>;

/// A job, its SELECT, and the tables that it reads, each with its line.
type ReadJob = (Job, At<String>, Vec<(TableName, usize)>);

/// A job that makes sense.
struct Checked {
    bound: BoundJob,
    /// Its target as it is thought of, if it is not there.
    target: Option<Arc<Table>>,
    target_fault: Option<JobError>,
}

/// All tables that exist, in lower case as SELECTs name them.
async fn tables(catalog: &Catalog) -> Result<BTreeSet<TableName>, CatalogError> {
    let mut tables = BTreeSet::new();
    for database in catalog.databases().await? {
        let of_database = match catalog.tables(&database).await {
            // Dropped in between.
            Err(CatalogError::DatabaseNotFound { .. }) => continue,
            of_database => of_database?,
        };
        for name in of_database {
            tables.insert(TableName::stored(name.database.to_lowercase(), name.table.to_lowercase()));
        }
    }
    Ok(tables)
}
