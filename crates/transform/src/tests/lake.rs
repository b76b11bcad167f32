//! A lake for one test: its files in memory, its database in a temporary folder, and jobs as texts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hosu_catalog::{Catalog, CatalogSettings, JobRun, JobRuns, RunState};
use hosu_dialect::statements;
use hosu_host::{Host, Location, Stop};
use hosu_query::{Engine, EngineSettings};
use hosu_sql::{Session, SqlSettings, encode};
use hosu_table::name::TableName;
use tempfile::TempDir;

use crate::{Ended, Event, JobFile, Order, Project, RunSettings, Runner, Watch};

pub(super) struct Lake {
    pub catalog: Catalog,
    pub runner: Runner,
    pub told: Arc<Told>,
    session: Session,
    files: Vec<JobFile>,
    folder: TempDir,
}

/// What was told, as text.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Vec<String>>);

impl Watch for Told {
    fn event(&self, event: &Event<'_>) {
        let text = match event {
            Event::Ended { run, .. } => format!("{} {}", run.job, run.state.as_str()),
            Event::Noted { job, note } => format!("{job}: {note}"),
            Event::Retrying { run, .. } => format!("{} again", run.job),
            Event::Skipped { job, upstream } => format!("{job} skipped: {upstream}"),
            Event::Loaded { jobs, faults, .. } => format!("{jobs} jobs, {} faults", faults.len()),
            Event::StandingBy => "standing by".to_owned(),
            Event::Leading => "leading".to_owned(),
            Event::Waiting { job, .. } => format!("{job} waits"),
            Event::Overtaken => "overtaken".to_owned(),
            Event::Started { .. } | Event::Trouble { .. } | Event::Stopping { .. } => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

impl Told {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A catalog of the same lake, as another process opens it.
pub(super) fn runner(catalog: &Catalog, watch: Arc<dyn Watch>) -> Runner {
    let engine =
        Engine::new(EngineSettings { cores: 2, memory_bytes: 64 << 20, ..EngineSettings::default() })
            .unwrap();
    let settings = RunSettings {
        // A sleep on the clock of these tests is over at once.
        renew: false,
        // And so is a lease for those who wait for it, unless it is a long one.
        lease: Duration::from_secs(30 * 24 * 3_600),
        ..RunSettings::default()
    };
    Runner { catalog: catalog.clone(), engine, settings, watch, stop: Stop::new() }
}

impl Lake {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let warehouse = Location::parse("memory:///warehouse").unwrap();
        let catalog = Catalog::open(Host::seeded(1), CatalogSettings::in_folder(folder.path(), warehouse));
        let settings = SqlSettings { cores: 2, memory_bytes: 64 << 20, ..SqlSettings::default() };
        let session = Session::new(catalog.clone(), settings).unwrap();
        let told = Arc::new(Told::default());
        let runner = runner(&catalog, told.clone());
        Self { catalog, runner, told, session, files: Vec::new(), folder }
    }

    /// With a table `raw.events` of three rows.
    pub async fn with_events() -> Self {
        let mut lake = Self::new();
        lake.sql("create database raw").await;
        lake.sql(
            "create table raw.events (id bigint, type string, country string, amount double) \
             tblproperties ('table_type'='ICEBERG')",
        )
        .await;
        lake.sql("insert into raw.events values (1, 'login', 'KR', null), (2, 'buy', 'KR', 1.5), (3, 'login', 'DE', null)")
            .await;
        lake
    }

    /// Runs statements; the rows of the last, as text.
    pub async fn sql(&mut self, text: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for statement in statements(text) {
            let mut answer = self.session.run(&statement.unwrap()).await.unwrap();
            rows.clear();
            for batch in answer.collect().await.unwrap() {
                for row in 0..batch.num_rows() {
                    let cells = batch.columns().iter().map(|column| encode::text_cell(column, row));
                    let cells: Vec<_> = cells.map(|cell| cell.unwrap_or_else(|| "NULL".to_owned())).collect();
                    rows.push(cells.join(" "));
                }
            }
        }
        rows
    }

    /// Writes a job's file.
    pub fn job(&mut self, name: &str, keys: &str, select: &str) {
        self.file(&format!("{name}.sql"), format!("/* hosu:job\n{keys}\n*/\n{select}\n").as_bytes());
    }

    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        let path = PathBuf::from("jobs").join(name);
        self.files.retain(|file| file.path != path);
        self.files.push(JobFile { path, bytes: Ok(bytes.to_vec()) });
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    pub fn remove(&mut self, name: &str) {
        self.files.retain(|file| file.path != PathBuf::from("jobs").join(name));
    }

    /// Where its database is.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn files(&self) -> Vec<JobFile> {
        self.files.clone()
    }

    pub async fn project(&self) -> Project {
        Project::load(&self.catalog, &self.runner.engine, &self.files).await.unwrap()
    }

    /// What is wrong with the jobs.
    pub async fn faults(&self) -> Vec<String> {
        self.project().await.faults.iter().map(ToString::to_string).collect()
    }

    pub async fn run(&self, name: &str) -> Ended {
        self.run_by(&self.runner, name, false).await
    }

    pub async fn run_anew(&self, name: &str) -> Ended {
        self.run_by(&self.runner, name, true).await
    }

    pub async fn run_by(&self, runner: &Runner, name: &str, anew: bool) -> Ended {
        let project = self.project().await;
        let job = project.job(name).unwrap_or_else(|| panic!("no job {name}: {:?}", project.faults));
        runner.run(&project, job, &Order { anew, waits: true, ..Order::default() }).await
    }

    /// Runs a job that must do something.
    pub async fn succeed(&self, name: &str) -> JobRun {
        let ended = self.run(name).await;
        assert!(ended.error.is_none(), "{name}: {:?}", ended.error);
        assert_eq!(ended.run.state, RunState::Succeeded, "{name}");
        ended.run
    }

    /// Runs a job that must fail; why.
    pub async fn fail(&self, name: &str) -> String {
        let ended = self.run(name).await;
        assert_eq!(ended.run.state, RunState::Failed, "{name}");
        ended.error.unwrap().told()
    }

    pub async fn nothing_new(&self, name: &str) {
        let ended = self.run(name).await;
        assert!(ended.error.is_none(), "{name}: {:?}", ended.error);
        assert_eq!(ended.run.state, RunState::NothingNew, "{name}");
    }

    /// The snapshots that a table ever had.
    pub async fn snapshots(&self, name: &str) -> usize {
        let table = self.catalog.load(&TableName::parse(name).unwrap()).await.unwrap();
        table.map_or(0, |table| table.metadata.snapshots().count())
    }

    /// The data files in a table's folder, whoever refers to them.
    pub async fn data_files(&self, name: &str) -> usize {
        use futures::TryStreamExt;
        let Some(table) = self.catalog.load(&TableName::parse(name).unwrap()).await.unwrap() else {
            return 0;
        };
        let folder = table.location.join("data");
        self.catalog.host().store.list(&folder).try_collect::<Vec<_>>().await.unwrap().len()
    }

    pub async fn history(&self) -> Vec<JobRun> {
        self.catalog.job_runs(JobRuns::default()).await.unwrap()
    }
}
