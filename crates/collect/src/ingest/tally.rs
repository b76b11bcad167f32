//! What a pass counts for the report beside rows: rejects by reason, what was rescued and left out, and of which times the
//! events are.

use arrow::array::RecordBatch;

use super::rejects::Reasons;
use super::times::Times;
use crate::json::{Notes, Rescues, Told};

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub rescued: Rescues,
    pub notes: Notes,
    pub reasons: Reasons,
    /// How many fields got no column because the table may not have more.
    pub beyond_limit: usize,
    /// Only of a new table that is not partitioned.
    pub times: Option<Times>,
}

impl Tally {
    /// Counts what came of a part of a source, but for its rows and rejects themselves.
    pub(super) fn take(&mut self, source: &str, told: &mut Told) {
        told.rescued.name_source(source);
        told.notes.ignored.name_source(source);
        self.rescued.merge(std::mem::take(&mut told.rescued));
        self.notes.merge(std::mem::take(&mut told.notes));
        self.reasons.add(source, &told.rejects);
    }

    /// Looks at the times of rows, where that is of use.
    pub(super) fn see(&mut self, batch: &RecordBatch) {
        if let Some(times) = &mut self.times {
            times.observe(batch);
        }
    }
}
