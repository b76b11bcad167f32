//! What a run would do, told before it does it.

use hosu_catalog::Table;
use hosu_query::Live;
use hosu_table::commit::summary_count;
use hosu_table::name::{DEFAULT_DATABASE, TableName};

use super::Runner;
use super::situation::{Pinned, Situation};
use crate::decide::Decision;
use crate::error::RunError;
use crate::project::{Project, ProjectJob};

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPlan {
    /// What and why.
    pub decision: Decision,
    /// The table that would be written.
    pub target: TableName,
    /// Whether it would be made.
    pub makes_target: bool,
    /// What would be read of each input.
    pub inputs: Vec<InputPlan>,
    /// What is left of that after pruning, at most: whole files count.
    pub read: Size,
    /// What would be replaced in the target.
    pub replaced: Option<Size>,
}

/// What a run would read of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputPlan {
    /// The table.
    pub table: TableName,
    /// How many snapshots were not taken yet; none where all rows are read.
    pub new_snapshots: Option<usize>,
    /// The rows of them, or of the whole table.
    pub size: Size,
}

/// How much of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Data files.
    pub files: u64,
    /// Rows; none where it is not known.
    pub rows: Option<u64>,
    /// Bytes of the files.
    pub bytes: u64,
}

impl Runner {
    /// Says what a run of a job would do now. Nothing is changed.
    ///
    /// # Errors
    /// As of a run, where that would end before it reads rows.
    pub async fn plan(&self, project: &Project, job: &ProjectJob, anew: bool) -> Result<RunPlan, RunError> {
        let situation = Situation::look(self, project, job, anew).await?;
        let does_nothing = matches!(situation.decision, Decision::NothingNew { .. });
        let mut inputs = Vec::new();
        for input in &situation.inputs {
            let (new_snapshots, size) = match &input.added {
                Some(added) => {
                    let (files, rows) = (added.files() as u64, Some(added.rows()));
                    (Some(added.snapshots().len()), Size { files, rows, bytes: added.bytes() })
                }
                None if does_nothing => (Some(0), Size { rows: Some(0), ..Size::default() }),
                None => (None, whole(&input.table)),
            };
            inputs.push(InputPlan { table: input.name.clone(), new_snapshots, size });
        }
        let mut read = Size { rows: Some(0), ..Size::default() };
        if !does_nothing {
            let select = &job.select.value;
            let inputs: Vec<_> = situation.inputs.iter().map(Pinned::input).collect();
            let live = Live::default();
            let planned =
                self.engine.plan_on(&self.catalog, DEFAULT_DATABASE, select, &inputs, &live).await?;
            let stats = planned.stats();
            read = Size { files: stats.files_planned, rows: None, bytes: stats.bytes_planned };
        }
        let replaces = matches!(situation.decision, Decision::Replace { .. });
        Ok(RunPlan {
            decision: situation.decision,
            target: job.job.target.clone(),
            makes_target: situation.target.is_none(),
            inputs,
            read,
            replaced: situation.target.filter(|_| replaces).map(|target| whole(&target)),
        })
    }
}

/// All of a table, as its snapshot says.
fn whole(table: &Table) -> Size {
    let Some(snapshot) = table.snapshot() else { return Size { rows: Some(0), ..Size::default() } };
    let total = |key: &str| summary_count(snapshot.summary(), key);
    Size {
        files: total("total-data-files").unwrap_or(0),
        rows: total("total-records"),
        bytes: total("total-files-size").unwrap_or(0),
    }
}
