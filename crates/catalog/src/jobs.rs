//! What the catalog keeps of jobs: who may run one, which runs there were, how far each input was taken.
//!
//! These rows change in the transaction of a commit, so that a target's new snapshot, the position up to which its inputs
//! are in it and the right to write it are true together or not at all. What a job means is not known here.

use std::fmt;
use std::str::FromStr;

use hosu_table::name::TableName;
use uuid::Uuid;

/// A right that one holder has at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is the right to.
    pub name: String,
    /// Who has it.
    pub holder: Uuid,
    /// Grows each time that the right is taken anew. A commit with [`JobChange::RequireLease`] is refused once it has.
    pub fence: i64,
    /// Until when nobody else may take it, in milliseconds since 1970; 0 once it was given back.
    pub until_ms: i64,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It has begun and not ended.
    Running,
    /// It has committed.
    Succeeded,
    /// It found that its inputs have nothing new, and committed nothing.
    NothingNew,
    /// It ended with an error.
    Failed,
    /// It never ended: somebody else took its lease.
    Interrupted,
}

impl RunState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Running, Self::Succeeded, Self::NothingNew, Self::Failed, Self::Interrupted];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::NothingNew => "nothing_new",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether the run did what it was to do.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::NothingNew)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no state of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of a run")]
pub struct UnknownRunState(pub String);

impl FromStr for RunState {
    type Err = UnknownRunState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownRunState(text.to_owned()))
    }
}

/// What a run took of an input: the snapshots after `from_snapshot_id` (none: all) up to `to_snapshot_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInput {
    /// The input's name at that time.
    pub table: TableName,
    /// Its identity.
    pub uuid: Uuid,
    /// The snapshot up to which it was taken before; none when nothing was.
    pub from_snapshot_id: Option<i64>,
    /// The snapshot up to which this run took it; none when it had none.
    pub to_snapshot_id: Option<i64>,
}

/// A run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// Its identity.
    pub run_id: Uuid,
    /// The job's name.
    pub job: String,
    /// The table that it writes.
    pub target: TableName,
    /// The identity of that table; none while it does not exist.
    pub target_uuid: Option<Uuid>,
    /// How it writes.
    pub mode: String,
    /// Why it ran.
    pub trigger: String,
    /// The time that it was due, in milliseconds since 1970; none when it was not of a schedule.
    pub slot_ms: Option<i64>,
    /// 1 for the first try.
    pub attempt: u32,
    /// How far it has come. A row that has ended never becomes [`RunState::Running`] again.
    pub state: RunState,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended_at_ms: Option<i64>,
    /// The snapshot that it made of its target.
    pub snapshot_id: Option<i64>,
    /// What it took.
    pub inputs: Vec<RunInput>,
    /// Rows that it read.
    pub rows_read: u64,
    /// Bytes that it read.
    pub bytes_read: u64,
    /// Data files that it wrote.
    pub files_written: u64,
    /// Rows that it wrote.
    pub rows_written: u64,
    /// Bytes that it wrote.
    pub bytes_written: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// How far an input was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The input's name at that time.
    pub table: TableName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its snapshot then; none when it had none.
    pub snapshot_id: Option<i64>,
}

/// What is in a target table; there is one of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// The target's identity.
    pub target_uuid: Uuid,
    /// The job that wrote it last.
    pub job: String,
    /// How it writes.
    pub mode: String,
    /// The identity of its SELECT.
    pub select: String,
    /// The run that wrote it last.
    pub run_id: Uuid,
    /// The target's snapshot after that run.
    pub snapshot_id: Option<i64>,
    /// How far each input is in it.
    pub positions: Vec<Position>,
    /// When that was committed, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

impl JobState {
    /// How far an input is in the target.
    pub fn position(&self, input: &TableName) -> Option<&Position> {
        self.positions.iter().find(|position| position.table == *input)
    }
}

/// The scheduler's memory; there is one of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSlot {
    /// The job's name.
    pub job: String,
    /// The schedule that it had.
    pub schedule: String,
    /// The times up to this one are dealt with, in milliseconds since 1970.
    pub handled_until_ms: i64,
}

/// A change of these rows. Each can be made again after its outcome got lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// Takes a lease that is free, has run out, or is held by this holder (then its fence stays); refused otherwise.
    TakeLease {
        /// What it is the right to.
        name: String,
        /// Who wants it.
        holder: Uuid,
        /// The time by which others' leases have run out or not.
        now_ms: i64,
        /// Until when it is wanted.
        until_ms: i64,
    },
    /// Makes a lease last until its `until_ms`. Refused when it is not its holder's under its fence.
    RenewLease {
        /// The lease as it is to be.
        lease: Lease,
    },
    /// Gives a lease back; one that was lost stays lost.
    ReleaseLease(Lease),
    /// Refuses the whole transaction unless the lease has this fence.
    RequireLease {
        /// What it is the right to.
        name: String,
        /// The fence with which it was taken.
        fence: i64,
    },
    /// Makes the running runs of a target interrupted ones: whoever has the lease says so.
    InterruptRuns {
        /// The table that they write.
        target: TableName,
        /// When they ended.
        ended_at_ms: i64,
    },
    /// Adds a run or replaces its row.
    PutRun(JobRun),
    /// Adds or replaces what is in a target.
    PutState(JobState),
    /// Adds or replaces a job's slot.
    PutSlot(JobSlot),
}

impl JobChange {
    /// The change with the snapshot that a commit made of the table with the identity `table`.
    pub(crate) fn fill_snapshot(&mut self, table: Uuid, snapshot_id: i64) {
        match self {
            Self::PutRun(run) if run.target_uuid == Some(table) => run.snapshot_id = Some(snapshot_id),
            Self::PutState(state) if state.target_uuid == table => state.snapshot_id = Some(snapshot_id),
            _ => {}
        }
    }
}

/// Which runs are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobRuns {
    /// Those of this job.
    pub job: Option<String>,
    /// This one.
    pub run_id: Option<Uuid>,
    /// The newest so many.
    pub limit: Option<u64>,
}
