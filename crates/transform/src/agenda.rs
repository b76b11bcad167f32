//! Which slots of which jobs are due: what a scheduler remembers, and what it makes of time that went by.
//!
//! Pure: the time comes in, decisions go out. What must survive a restart is a [`JobSlot`] for each job, up to which moment its
//! slots are done with; it is written down with the run that a slot was for. So a slot whose run was broken off comes again,
//! and one whose run ended never does.

use std::collections::BTreeMap;

use hosu_catalog::JobSlot;

use crate::job::{CatchUp, Job};
use crate::schedule::Schedule;

/// The memory of a scheduler.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// Since when this scheduler looks.
    since_ms: i64,
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    slot: JobSlot,
    /// When the last run ended that this scheduler saw: slots before it passed while nobody could begin one.
    ended_ms: i64,
}

/// A slot that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSlot {
    /// When it was due.
    pub slot_ms: i64,
    /// What is to be remembered when its run has ended.
    pub handled: JobSlot,
}

impl Agenda {
    /// The memory of a scheduler that begins to look at `now_ms`, with what an earlier one remembered.
    pub fn new(remembered: Vec<JobSlot>, now_ms: i64) -> Self {
        let entry = |slot: JobSlot| (slot.job.clone(), Entry { slot, ended_ms: i64::MIN });
        Self { since_ms: now_ms, entries: remembered.into_iter().map(entry).collect() }
    }

    /// Takes up jobs as they are now. Returned is what is to be remembered at once: the slots of a job begin when it is first
    /// seen, or has another schedule than before.
    pub fn take_up<'a>(&mut self, jobs: impl IntoIterator<Item = &'a Job>, now_ms: i64) -> Vec<JobSlot> {
        let mut new = Vec::new();
        for job in jobs {
            let Some(schedule) = clock_text(job) else { continue };
            if self.entries.get(&job.name).is_some_and(|entry| entry.slot.schedule == schedule) {
                continue;
            }
            let slot = JobSlot { job: job.name.clone(), schedule, handled_until_ms: now_ms };
            new.push(slot.clone());
            self.entries.insert(job.name.clone(), Entry { slot, ended_ms: now_ms });
        }
        new
    }

    /// The slot of a job that is to be run now, by its rule for slots that passed. Those that are not run are done with.
    pub fn due(&mut self, job: &Job, now_ms: i64) -> Option<DueSlot> {
        let schedule = job.schedule.as_ref()?;
        let entry = self.entries.get_mut(&job.name)?;
        let after_ms = entry.slot.handled_until_ms;
        let slot_ms = match job.catch_up {
            CatchUp::All => schedule.next_after(after_ms, job.zone).filter(|slot_ms| *slot_ms <= now_ms)?,
            CatchUp::Last | CatchUp::None => schedule.last_until(now_ms, after_ms, job.zone)?,
        };
        let watched_since_ms = self.since_ms.max(entry.ended_ms);
        if job.catch_up == CatchUp::None && slot_ms < watched_since_ms {
            entry.slot.handled_until_ms = slot_ms;
            return None;
        }
        Some(DueSlot { slot_ms, handled: JobSlot { handled_until_ms: slot_ms, ..entry.slot.clone() } })
    }

    /// A slot's run has ended, well or not.
    pub fn ended(&mut self, handled: &JobSlot, now_ms: i64) {
        if let Some(entry) = self.entries.get_mut(&handled.job)
            && entry.slot.schedule == handled.schedule
        {
            entry.slot.handled_until_ms = entry.slot.handled_until_ms.max(handled.handled_until_ms);
            entry.ended_ms = now_ms;
        }
    }

    /// When the next slot of a job comes.
    pub fn next_ms(&self, job: &Job) -> Option<i64> {
        let entry = self.entries.get(&job.name)?;
        job.schedule.as_ref()?.next_after(entry.slot.handled_until_ms, job.zone)
    }
}

/// A schedule by the clock, as it is remembered; none for others.
pub(crate) fn clock_text(job: &Job) -> Option<String> {
    match job.schedule.as_ref()? {
        Schedule::After(_) => None,
        schedule => Some(format!("{schedule} {}", job.zone)),
    }
}

#[cfg(test)]
mod tests;
