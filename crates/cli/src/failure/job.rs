//! What is wrong with jobs: their folder, their files, their runs.

use std::io;
use std::path::Path;

use hosu_change::ChangeError;
use hosu_query::QueryError;
use hosu_sql::code;
use hosu_transform::{JobError, JobFault, NoSuchJob, Refusal, RunError};

use super::{Failure, with_causes};
use crate::commands::Context;

impl Failure {
    /// The folder of jobs that the configuration names cannot be read.
    pub fn of_jobs_folder(context: &Context, error: &io::Error) -> Self {
        of_folder(&context.config.jobs.folder, error)
    }

    /// Why a run failed, with the job's name in front.
    pub fn of_run(job: &str, error: &RunError) -> Self {
        let failure = match error {
            RunError::NoSuchJob(error) => return error.into(),
            // It names the file.
            RunError::Job(error) => return error.into(),
            RunError::Folder { path, error } => return of_folder(path, error),
            RunError::Refused { refusal, .. } => Self::new(of_refusal(refusal), refusal.to_string())
                .remedy(format!("`hosu job run {job} --full` makes all its rows anew")),
            RunError::InputMissing { filled_by: Some(_), .. } => {
                Self::new("INPUT_NOT_FOUND", error.to_string())
                    .remedy(format!("`hosu job run {job} --upstream`"))
            }
            RunError::InputMissing { filled_by: None, .. } => Self::new("INPUT_NOT_FOUND", error.to_string())
                .remedy("`hosu sql -c \"show tables\"` lists the tables"),
            RunError::Test(_) => Self::new("TEST_FAILED", error.to_string())
                .remedy("the target is as it was: change the input or the job, and run it again"),
            RunError::Timeout { .. } => Self::new("TIMEOUT", error.to_string())
                .remedy("the target is as it was: give the job a longer `timeout`, or more `retries`"),
            RunError::Stopped => Self::interrupted(),
            RunError::Busy { .. } => Self::new("JOB_BUSY", error.to_string())
                .remedy("wait for that run, or until its lease has run out; `hosu job history` tells of it"),
            RunError::LeaseLost => Self::new("LEASE_LOST", error.to_string()).remedy(
                "the target has nothing of this run; `jobs.lease` in hosu.toml says how long silence may be",
            ),
            RunError::Query(error) => Self::of_query(error),
            RunError::Change(ChangeError::Query(error)) => Self::of_query(error),
            RunError::Change(ChangeError::DataFile(error)) => error.into(),
            RunError::Change(ChangeError::Catalog(error)) | RunError::Catalog(error) => error.into(),
            RunError::Change(error) => Self::new("INVALID_ROWS", with_causes(error))
                .remedy("the target is as it was: change the SELECT, or the target's columns"),
        };
        let message = format!("{job}: {}", failure.message);
        failure.message(message)
    }

    /// Why the rows of a SELECT could not be computed.
    pub fn of_query(error: &QueryError) -> Self {
        let code = match error {
            QueryError::Catalog(error) => return error.into(),
            QueryError::Memory { .. } => code::EXCEEDED_LOCAL_MEMORY_LIMIT,
            QueryError::ScanTooLarge { .. } => code::EXCEEDED_SCAN_LIMIT,
            QueryError::ValueTooLarge { .. } => code::INVALID_FUNCTION_ARGUMENT,
            QueryError::Store { .. } => code::ICEBERG_FILESYSTEM_ERROR,
            QueryError::Syntax { .. } => code::SYNTAX_ERROR,
            QueryError::Unsupported { .. } | QueryError::TableUnreadable { .. } => code::NOT_SUPPORTED,
            _ => code::GENERIC_USER_ERROR,
        };
        let remedy = super::sql::remedy(code).unwrap_or("change the SELECT, or the rows that it reads");
        Self::new(code, with_causes(error)).remedy(remedy)
    }

    /// Names were to be given and are not.
    pub fn no_job_named(names: &[String]) -> Self {
        let remedy = match names {
            [] => "there are no jobs yet; docs/jobs.md says what one looks like".to_owned(),
            names => format!("there are: {}; --all runs them all", names.join(", ")),
        };
        Self::usage("which job is to run?").remedy(remedy)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match &error {
            RunError::Catalog(error) => error.into(),
            RunError::Query(error) => Self::of_query(error),
            error => Self::of_run("scheduler", error),
        }
    }
}

impl From<NoSuchJob> for Failure {
    fn from(error: NoSuchJob) -> Self {
        Self::from(&error)
    }
}

impl From<&NoSuchJob> for Failure {
    fn from(error: &NoSuchJob) -> Self {
        Self::new("JOB_NOT_FOUND", format!("there is no job `{}`", error.name))
            .remedy("`hosu job list` lists the jobs")
            .nearest(error.nearest.clone())
    }
}

impl From<&JobError> for Failure {
    fn from(error: &JobError) -> Self {
        let remedy = match &error.fault {
            JobFault::Sql { .. } | JobFault::Test { .. } => {
                "docs/sql.md has the language, docs/jobs.md what a job may be"
            }
            JobFault::TargetColumns { .. } => {
                "`hosu job run NAME --full` gives the target the columns of the SELECT"
            }
            JobFault::NotRowWise(_) => "take `mode = \"full\"`, or leave out what needs more than one row",
            _ => "docs/jobs.md says what a job's file has",
        };
        Self::new("JOB_INVALID", error.to_string()).remedy(remedy)
    }
}

fn of_folder(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    if error.kind() == io::ErrorKind::NotFound && !path.exists() {
        return Failure::new("JOBS_FOLDER_NOT_FOUND", format!("there is no folder of jobs at {shown}"))
            .remedy("make it, name another one with --jobs DIR, or set `folder` under [jobs] in hosu.toml");
    }
    Failure::new("JOBS_FOLDER_UNREADABLE", format!("cannot read the jobs in {shown}: {error}"))
        .remedy("check what is there and its permissions, or name another folder with --jobs DIR")
}

fn of_refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotOurs { .. } | Refusal::OtherJob { .. } => "TARGET_NOT_OURS",
        Refusal::SelectChanged { .. } => "SELECT_CHANGED",
        Refusal::Foreign { .. } => "TARGET_CHANGED",
        Refusal::InputRecreated { .. } | Refusal::PositionMissing { .. } | Refusal::Input { .. } => {
            "INPUT_CHANGED"
        }
    }
}
