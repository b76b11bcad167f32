//! What is told while jobs run, without knowing who prints it.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use hosu_catalog::JobRun;
use hosu_query::Live;

use crate::error::RunError;
use crate::job::JobError;

/// Told what happens. Called from the tasks that run jobs: an implementation only notes it down.
pub trait Watch: Debug + Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyWatches;

impl Watch for NobodyWatches {
    fn event(&self, _: &Event<'_>) {}
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run waits for another of the same target.
    Waiting {
        /// The job.
        job: &'a str,
        /// How long the other's lease is good, if it is not renewed.
        wait: Duration,
    },
    /// A run began.
    Started {
        /// The run, as it is written down.
        run: &'a JobRun,
        /// What it reads, while it reads.
        live: &'a Live,
    },
    /// Something that is no error, and that somebody may want to know.
    Noted {
        /// The job.
        job: &'a str,
        /// What.
        note: &'a str,
    },
    /// A run failed and will be tried again.
    Retrying {
        /// The run that failed.
        run: &'a JobRun,
        /// When, from now.
        wait: Duration,
    },
    /// A run ended, well or not, and is not tried again.
    Ended {
        /// The run, as it is written down.
        run: &'a JobRun,
        /// Why it failed.
        error: Option<&'a RunError>,
    },
    /// A job is not run because one that fills its input failed.
    Skipped {
        /// The job.
        job: &'a str,
        /// The one that failed.
        upstream: &'a str,
    },
    /// The folder was read, the first time or because it changed.
    Loaded {
        /// The folder.
        folder: &'a Path,
        /// How many jobs can run.
        jobs: usize,
        /// What is wrong with others.
        faults: &'a [JobError],
    },
    /// Another scheduler does the work; this one waits.
    StandingBy,
    /// This scheduler does the work from now on.
    Leading,
    /// Another scheduler took over, because this one was silent for too long.
    Overtaken,
    /// The catalog could not be asked; it is asked again.
    Trouble {
        /// Why.
        error: &'a RunError,
    },
    /// The end was asked for; runs that have begun are waited for.
    Stopping {
        /// How many.
        running: usize,
    },
}
