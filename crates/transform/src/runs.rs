//! Several jobs, each after those that fill what it reads, independent ones side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::project::{Project, ProjectJob};
use crate::run::{Ended, Order, Runner};
use crate::watch::Event;

/// What became of a job among several.
#[derive(Debug)]
pub enum Outcome {
    /// It ran.
    Ended(Box<Ended>),
    /// It did not run.
    Skipped {
        /// The job.
        job: String,
        /// The job before it that failed, or did not run either; none when the end was asked for.
        upstream: Option<String>,
    },
}

impl Outcome {
    /// Whether the job did what it was to do.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Ended(ended) if ended.error.is_none())
    }
}

/// Runs jobs in the order of the graph, at most `parallel` at a time. A job whose upstream failed is skipped.
pub async fn run_all(
    runner: &Runner,
    project: &Project,
    jobs: Vec<Arc<ProjectJob>>,
    order: &Order,
    parallel: usize,
) -> Vec<Outcome> {
    let names: BTreeSet<String> = jobs.iter().map(|job| job.job.name.clone()).collect();
    let mut waiting = jobs;
    let mut good: BTreeMap<String, bool> = BTreeMap::new();
    let mut running = FuturesUnordered::new();
    let mut outcomes = Vec::new();
    loop {
        let mut still = Vec::new();
        for job in std::mem::take(&mut waiting) {
            let before: Vec<&String> = job.upstream.iter().filter(|name| names.contains(*name)).collect();
            let failed = before.iter().find(|name| good.get(**name) == Some(&false));
            let is_ready = before.iter().all(|name| good.contains_key(*name));
            if runner.stop.is_asked() || failed.is_some() {
                let upstream = failed.map(|name| (*name).clone());
                if let Some(upstream) = &upstream {
                    runner.watch.event(&Event::Skipped { job: &job.job.name, upstream });
                }
                good.insert(job.job.name.clone(), false);
                outcomes.push(Outcome::Skipped { job: job.job.name.clone(), upstream });
            } else if is_ready && running.len() < parallel.max(1) {
                running.push(async move { runner.run(project, &job, order).await });
            } else {
                still.push(job);
            }
        }
        waiting = still;
        let Some(ended) = running.next().await else { return outcomes };
        good.insert(ended.run.job.clone(), ended.error.is_none());
        outcomes.push(Outcome::Ended(Box::new(ended)));
    }
}
