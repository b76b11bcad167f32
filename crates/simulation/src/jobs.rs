//! The jobs of a simulated lake, each told twice: as the SQL that runs, and as what its rows must be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hosu_catalog::{JobRun, RunState};
use hosu_table::name::TableName;
use hosu_transform::{Event, JobFile, Watch};
use uuid::Uuid;

use crate::relation::{Relation, Row};

/// A job. Its target is called as it is.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedJob {
    /// Its name.
    pub name: &'static str,
    /// Whether each run adds the rows of what is new, so that no row of the inputs is in it twice.
    pub appends: bool,
    /// When it is due.
    pub schedule: &'static str,
    /// What it reads, with the columns that count.
    pub inputs: &'static [(&'static str, &'static [&'static str])],
    /// The columns of the target.
    pub columns: &'static [&'static str],
    /// As SQL.
    pub select: &'static str,
    /// The same, over the rows of all inputs.
    pub rows: fn(&[Relation]) -> Relation,
}

const EVENTS: (&str, &[&str]) = ("events", &["batch", "place", "check"]);
const PICKED: (&str, &[&str]) = ("picked", &["batch", "place", "mark"]);

/// In the order of their graph: rows of what was ingested, rows of two inputs of which one is a target, and sums over a target.
pub const JOBS: [SimulatedJob; 3] = [
    SimulatedJob {
        name: "picked",
        appends: true,
        schedule: "after events",
        inputs: &[EVENTS],
        columns: PICKED.1,
        select: "select batch, place, \"check\" as mark from events where place % 3 <> 1",
        rows: |inputs| inputs.iter().flatten().filter(is_picked).map(counted).collect(),
    },
    SimulatedJob {
        name: "merged",
        appends: true,
        schedule: "every 10m",
        inputs: &[EVENTS, PICKED],
        columns: &["batch", "place", "origin"],
        select: "select batch, place, 'events' as origin from events \
                 union all select batch, place, 'picked' from picked where place > 0",
        rows: merged,
    },
    SimulatedJob {
        name: "sums",
        appends: false,
        schedule: "after picked",
        inputs: &[PICKED],
        columns: &["batch", "n", "total"],
        select: "select batch, count(*) as n, sum(place) as total from picked group by batch",
        rows: sums,
    },
];

fn counted((row, times): (&Row, &u64)) -> (Row, u64) {
    (row.clone(), *times)
}

fn number(row: &Row, column: usize) -> i64 {
    row.get(column).and_then(|value| value.as_ref()?.parse().ok()).unwrap_or_default()
}

fn is_picked((row, _): &(&Row, &u64)) -> bool {
    number(row, 1) % 3 != 1
}

fn merged(inputs: &[Relation]) -> Relation {
    let mut rows = Relation::new();
    for (origin, input) in ["events", "picked"].into_iter().zip(inputs) {
        for (row, times) in input.iter().filter(|(row, _)| origin == "events" || number(row, 1) > 0) {
            let row = row.iter().take(2).cloned().chain([Some(origin.to_owned())]);
            *rows.entry(row.collect()).or_default() += times;
        }
    }
    rows
}

fn sums(inputs: &[Relation]) -> Relation {
    let mut batches: BTreeMap<Option<String>, (u64, i64)> = BTreeMap::new();
    for (row, times) in inputs.iter().flatten() {
        let (n, total) = batches.entry(row.first().cloned().flatten()).or_default();
        *n += times;
        *total += number(row, 1) * i64::try_from(*times).unwrap_or(i64::MAX);
    }
    let row = |(batch, (n, total)): (Option<String>, (u64, i64))| {
        (vec![batch, Some(n.to_string()), Some(total.to_string())], 1)
    };
    batches.into_iter().map(row).collect()
}

impl SimulatedJob {
    /// The table that it fills.
    pub fn target(&self) -> TableName {
        TableName::stored("default", self.name)
    }

    /// Its file.
    pub fn file(&self) -> JobFile {
        let Self { name, schedule, select, .. } = self;
        let mode = if self.appends { "append" } else { "full" };
        let keys = format!("target = \"{name}\"\nmode = \"{mode}\"\nschedule = \"{schedule}\"\nretries = 1");
        let text = format!("/* hosu:job\n{keys}\n*/\n{select}\n");
        JobFile { path: PathBuf::from("jobs").join(format!("{name}.sql")), bytes: Ok(text.into_bytes()) }
    }
}

/// The files of all jobs.
pub fn files() -> Vec<JobFile> {
    JOBS.iter().map(SimulatedJob::file).collect()
}

/// What somebody was told of runs that ended. Clones are the same book.
#[derive(Clone, Debug, Default)]
pub struct JobBook {
    told: Arc<Mutex<BTreeMap<Uuid, Told>>>,
}

/// What was told of a run.
#[derive(Clone, Debug)]
pub struct Told {
    /// The run as it ended.
    pub run: JobRun,
    /// Whether it was told that nothing was changed, for certain.
    pub is_definite_failure: bool,
}

impl JobBook {
    /// Writes down what was told of a run.
    pub fn tell(&self, told: Told) {
        self.lock().insert(told.run.run_id, told);
    }

    /// All that was told.
    pub fn told(&self) -> Vec<Told> {
        self.lock().values().cloned().collect()
    }

    /// How many runs were told to have ended like this.
    pub fn count(&self, state: RunState) -> usize {
        self.lock().values().filter(|told| told.run.state == state).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for JobBook {
    fn event(&self, event: &Event<'_>) {
        if let Event::Ended { run, error } = event {
            let is_definite_failure = error.is_some_and(|error| error.is_definite());
            self.tell(Told { run: (*run).clone(), is_definite_failure });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[&str]) -> Row {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn rows_are_what_the_select_says() {
        let events: Relation = (0..5).map(|place| (row(&["7", &place.to_string(), "x"]), 1)).collect();
        let picked = (JOBS[0].rows)(std::slice::from_ref(&events));
        assert_eq!(picked.len(), 3, "places 0, 2 and 3");
        let merged = (JOBS[1].rows)(&[events, picked.clone()]);
        assert_eq!(merged.len(), 7);
        assert_eq!(merged[&row(&["7", "3", "picked"])], 1);
        assert_eq!((JOBS[2].rows)(&[picked]), Relation::from([(row(&["7", "3", "5"]), 1)]));
    }
}
