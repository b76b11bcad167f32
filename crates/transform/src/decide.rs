//! What a run has to do, from what the catalog says: facts in, decision out.
//!
//! A target that a job fills is described by a state that was committed with its rows: which SELECT made them, and how far
//! each input was taken. As long as everything is as the state says, a run can go on from there; what is not is told with what
//! would put it right.

use hosu_catalog::{JobState, Position, Table};
use hosu_table::commit::summary_count;
use hosu_table::increment::{Gap, new_snapshots};
use hosu_table::name::TableName;
use iceberg::spec::{Operation, SnapshotRef, TableMetadata};

use crate::job::Mode;

/// What is known before a run.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The job's name.
    pub job: &'a str,
    /// What the job does to its target.
    pub mode: Mode,
    /// The SELECT as [`hosu_query::Bound::identity`] tells it.
    pub select: &'a str,
    /// Whether all is to be made anew, whatever the state says.
    pub anew: bool,
    /// The target; none before the first run.
    pub target: Option<&'a Table>,
    /// What the last run left; none for a target that no job filled.
    pub state: Option<&'a JobState>,
    /// The inputs as they are now.
    pub inputs: Vec<InputFacts<'a>>,
}

/// An input before a run.
#[derive(Debug)]
pub struct InputFacts<'a> {
    /// Its name in the SELECT.
    pub name: &'a TableName,
    /// What it is now.
    pub table: &'a Table,
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the inputs are as they were. `moved` says whether they were rewritten without a change of rows.
    NothingNew {
        /// Whether the positions are to be written down anew.
        moved: bool,
    },
    /// The SELECT over all rows; they are the target's first.
    First,
    /// The SELECT over the new rows of these inputs.
    Append {
        /// The inputs with new rows.
        changed: Vec<TableName>,
    },
    /// The SELECT over all rows; they replace the target's.
    Replace {
        /// A change of the target by others that is replaced too.
        foreign: Option<ForeignWrite>,
    },
}

/// What became of a target without a run of its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignWrite {
    /// A snapshot changed its rows.
    Snapshot {
        /// The snapshot's id.
        id: i64,
        /// What it did, in Iceberg's word.
        operation: String,
    },
    /// It is as it was before the last run.
    RolledBack {
        /// Its snapshot; none when it went back to before its first row.
        to: Option<i64>,
    },
    /// What was done since the last run cannot be told: snapshots were expired.
    Expired,
}

impl std::fmt::Display for ForeignWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Snapshot { id, operation } => write!(f, "snapshot {id}, {operation}"),
            Self::RolledBack { to: Some(id) } => write!(f, "its snapshot is {id} again"),
            Self::RolledBack { to: None } => f.write_str("it has no snapshot any more"),
            Self::Expired => f.write_str("or only rewritten: its snapshots since then were expired"),
        }
    }
}

/// Why a run would make the target wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The target has rows, and no job's state.
    #[error("{target} has rows that no job wrote")]
    NotOurs {
        /// The target.
        target: TableName,
    },
    /// Another job filled it.
    #[error("{target} was filled by the job `{other}` so far")]
    OtherJob {
        /// The target.
        target: TableName,
        /// The job in the state.
        other: String,
    },
    /// The rows in the target are those of another SELECT.
    #[error("the SELECT is not the one that filled {target}")]
    SelectChanged {
        /// The target.
        target: TableName,
    },
    /// Somebody else wrote into the target.
    #[error("{target} was written by another program since the last run ({write})")]
    Foreign {
        /// The target.
        target: TableName,
        /// What was written.
        write: ForeignWrite,
    },
    /// The input is another table now.
    #[error("{input} was dropped and made again since the last run")]
    InputRecreated {
        /// The input.
        input: TableName,
    },
    /// The state does not know the input.
    #[error("how far {input} was taken is not known")]
    PositionMissing {
        /// The input.
        input: TableName,
    },
    /// The input's new rows cannot be told from its old ones.
    #[error("{input} {}", told(gap))]
    Input {
        /// The input.
        input: TableName,
        /// Why.
        gap: Gap,
    },
}

fn told(gap: &Gap) -> String {
    match gap {
        Gap::RolledBack => "was rolled back past what the last run took".to_owned(),
        Gap::Expired => "has lost the snapshots since the last run: they were expired".to_owned(),
        Gap::Overwritten { snapshot_id, operation } => {
            format!(
                "has rows that were changed or removed since the last run (snapshot {snapshot_id}, {operation})"
            )
        }
    }
}

/// Decides.
///
/// # Errors
/// [`Refusal`] when going on would make the target another one than the SELECT over its inputs. Making all anew is never
/// refused.
pub fn decide(facts: &Facts<'_>) -> Result<Decision, Refusal> {
    let Some(target) = facts.target else { return Ok(Decision::First) };
    let foreign = facts.state.and_then(|state| foreign_write(&target.metadata, state.snapshot_id));
    if facts.anew {
        return Ok(Decision::Replace { foreign });
    }
    let Some(state) = facts.state else {
        return match has_rows(&target.metadata) {
            true => Err(Refusal::NotOurs { target: target.name.clone() }),
            false => Ok(Decision::First),
        };
    };
    if state.job != facts.job {
        return Err(Refusal::OtherJob { target: target.name.clone(), other: state.job.clone() });
    }
    match facts.mode {
        Mode::Append => append(facts, target, state, foreign),
        Mode::Full => Ok(full(facts, state, foreign)),
    }
}

fn append(
    facts: &Facts<'_>,
    target: &Table,
    state: &JobState,
    foreign: Option<ForeignWrite>,
) -> Result<Decision, Refusal> {
    if let Some(write) = foreign {
        return Err(Refusal::Foreign { target: target.name.clone(), write });
    }
    if state.select != facts.select {
        return Err(Refusal::SelectChanged { target: target.name.clone() });
    }
    let mut changed = Vec::new();
    let mut moved = false;
    for input in &facts.inputs {
        let position = state
            .position(input.name)
            .ok_or_else(|| Refusal::PositionMissing { input: input.name.clone() })?;
        match news(position, input.table) {
            News::None => {}
            News::Rewritten => moved = true,
            News::Rows => changed.push(input.name.clone()),
            News::Recreated => return Err(Refusal::InputRecreated { input: input.name.clone() }),
            News::Gap(gap) => return Err(Refusal::Input { input: input.name.clone(), gap }),
        }
    }
    Ok(if changed.is_empty() { Decision::NothingNew { moved } } else { Decision::Append { changed } })
}

fn full(facts: &Facts<'_>, state: &JobState, foreign: Option<ForeignWrite>) -> Decision {
    let mut moved = false;
    let mut same = state.select == facts.select && foreign.is_none();
    for input in &facts.inputs {
        match state.position(input.name).map(|position| news(position, input.table)) {
            Some(News::None) => {}
            Some(News::Rewritten) => moved = true,
            _ => same = false,
        }
    }
    if same { Decision::NothingNew { moved } } else { Decision::Replace { foreign } }
}

/// What became of an input since a position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is as it was.
    None,
    /// Its files were rewritten, its rows are the same.
    Rewritten,
    /// Rows were added.
    Rows,
    /// It is another table.
    Recreated,
    /// What is new cannot be told.
    Gap(Gap),
}

/// What became of `table` since `position`.
pub(crate) fn news(position: &Position, table: &Table) -> News {
    let current = table.metadata.current_snapshot_id();
    if position.uuid != table.uuid() {
        return News::Recreated;
    }
    if position.snapshot_id == current {
        return News::None;
    }
    match new_snapshots(&table.metadata, position.snapshot_id) {
        Err(gap) => News::Gap(gap),
        // What was rewritten since there was nothing came meanwhile, by a snapshot that may be gone.
        Ok(_) if position.snapshot_id.is_none() => News::Rows,
        Ok(new) if new.snapshots.iter().all(is_rewrite) => News::Rewritten,
        Ok(_) => News::Rows,
    }
}

fn is_rewrite(snapshot: &SnapshotRef) -> bool {
    snapshot.summary().operation == Operation::Replace
}

/// What others did to a target since `known` was its snapshot.
fn foreign_write(metadata: &TableMetadata, known: Option<i64>) -> Option<ForeignWrite> {
    match new_snapshots(metadata, known) {
        Ok(new) => {
            let changed = new.snapshots.iter().rev().find(|snapshot| !is_rewrite(snapshot))?;
            let operation = changed.summary().operation.as_str().to_owned();
            Some(ForeignWrite::Snapshot { id: changed.snapshot_id(), operation })
        }
        Err(Gap::Overwritten { snapshot_id: id, operation }) => {
            Some(ForeignWrite::Snapshot { id, operation })
        }
        Err(Gap::RolledBack) => Some(ForeignWrite::RolledBack { to: metadata.current_snapshot_id() }),
        Err(Gap::Expired) => Some(ForeignWrite::Expired),
    }
}

/// Whether others than the state's runs changed the rows of a table since `known` was its snapshot.
pub(crate) fn only_rewritten(metadata: &TableMetadata, known: Option<i64>) -> bool {
    foreign_write(metadata, known).is_none()
}

fn has_rows(metadata: &TableMetadata) -> bool {
    let is_filled = |snapshot: &SnapshotRef| summary_count(snapshot.summary(), "total-records") != Some(0);
    metadata.current_snapshot().is_some_and(is_filled)
}

#[cfg(test)]
mod tests;
