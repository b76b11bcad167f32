//! Why a run failed, and whether trying again may help.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use hosu_catalog::CatalogError;
use hosu_change::ChangeError;
use hosu_query::QueryError;
use hosu_table::name::TableName;

use crate::decide::Refusal;
use crate::job::JobError;
use crate::project::NoSuchJob;

/// Why a job did not do what it was asked for. Its target is as it was, unless [`RunError::is_definite`] says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No job has this name.
    #[error(transparent)]
    NoSuchJob(#[from] NoSuchJob),
    /// The folder of the jobs cannot be read.
    #[error("cannot read the jobs in {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The job's file is wrong, or does not fit the tables.
    #[error(transparent)]
    Job(#[from] JobError),
    /// Going on would make the target wrong.
    #[error("{refusal}; `hosu job run {job} --full` makes it anew")]
    Refused {
        /// The job.
        job: String,
        /// Why.
        refusal: Refusal,
    },
    /// An input is not there.
    #[error("{input} does not exist yet{}", filled_by.as_ref().map(|job| format!(": the job `{job}` makes it")).unwrap_or_default())]
    InputMissing {
        /// The input.
        input: TableName,
        /// The job whose target it is.
        filled_by: Option<String>,
    },
    /// A test does not hold for the new rows.
    #[error("{0}")]
    Test(TestFailure),
    /// It took longer than the job allows.
    #[error("it took longer than its timeout of {} s", timeout.as_secs_f64())]
    Timeout {
        /// What is allowed.
        timeout: Duration,
    },
    /// Somebody wanted the end.
    #[error("it was stopped")]
    Stopped,
    /// A run of the same target goes on elsewhere.
    #[error("another run of this job goes on, or was broken off and counts as running for {} s more", wait_ms / 1_000 + 1)]
    Busy {
        /// How long the other's lease is good.
        wait_ms: i64,
    },
    /// Another run took over: this one was silent for too long.
    #[error("another run took over, because this one was silent for too long")]
    LeaseLost,
    /// The rows could not be computed.
    #[error(transparent)]
    Query(QueryError),
    /// The rows could not be written or committed.
    #[error(transparent)]
    Change(ChangeError),
    /// The catalog could not be asked.
    #[error(transparent)]
    Catalog(CatalogError),
}

/// A test that new rows did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFailure {
    /// The test.
    pub test: String,
    /// How many rows the run would have written, of a test of `row_count`.
    pub row_count: Option<u64>,
    /// The first rows that broke it, each with names and values.
    pub rows: Vec<String>,
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the test `{}` does not hold", self.test)?;
        if let Some(row_count) = self.row_count {
            write!(f, ": row_count is {row_count}")?;
        }
        for (place, row) in self.rows.iter().enumerate() {
            write!(f, "{}{row}", if place == 0 { ", for example of " } else { "; " })?;
        }
        Ok(())
    }
}

impl RunError {
    /// Whether the same run may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::LeaseLost => true,
            Self::Query(error) => is_transient_query(error),
            Self::Change(ChangeError::Query(error)) => is_transient_query(error),
            Self::Change(ChangeError::DataFile(_)) => true,
            Self::Change(ChangeError::Catalog(error)) | Self::Catalog(error) => is_transient_catalog(error),
            _ => false,
        }
    }

    /// Whether it is certain that nothing was changed.
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Change(error) => error.is_definite(),
            Self::Catalog(error) => error.is_definite(),
            _ => true,
        }
    }

    /// The message with all that is behind it.
    pub fn told(&self) -> String {
        let mut told = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            let more = error.to_string();
            if !told.contains(&more) {
                told = format!("{told}: {more}");
            }
            source = error.source();
        }
        told
    }
}

fn is_transient_query(error: &QueryError) -> bool {
    match error {
        QueryError::Store { .. } | QueryError::Memory { .. } => true,
        QueryError::Catalog(error) => is_transient_catalog(error),
        _ => false,
    }
}

fn is_transient_catalog(error: &CatalogError) -> bool {
    matches!(
        error,
        CatalogError::Contended { .. }
            | CatalogError::Conflict { .. }
            | CatalogError::Unknown { .. }
            | CatalogError::Database(_)
            | CatalogError::Store(_)
            | CatalogError::TableExists { .. }
    )
}

impl From<CatalogError> for RunError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::LeaseLost { .. } => Self::LeaseLost,
            error => Self::Catalog(error),
        }
    }
}

impl From<ChangeError> for RunError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Catalog(error @ CatalogError::LeaseLost { .. }) => error.into(),
            error => Self::Change(error),
        }
    }
}

impl From<QueryError> for RunError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}
