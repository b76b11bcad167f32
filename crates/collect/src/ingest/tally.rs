//! What a pass counts for the report beside rows: rejects by reason, what was rescued and left out, and of which times the
//! events are.

use super::rejects::Reasons;
use super::times::Times;
use crate::json::{Decoded, Notes, Rescues};

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
    pub(super) fn take(&mut self, source: &str, decoded: &mut Decoded) {
        decoded.rescued.name_source(source);
        decoded.notes.ignored.name_source(source);
        self.rescued.merge(std::mem::take(&mut decoded.rescued));
        self.notes.merge(std::mem::take(&mut decoded.notes));
        self.reasons.add(source, &decoded.rejects);
        if let Some(times) = &mut self.times {
            times.observe(&decoded.batch);
        }
    }
}
