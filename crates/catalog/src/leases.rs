//! Leases and the rows of jobs, as those who run jobs ask for them and change them.

use std::time::Duration;

use uuid::Uuid;

use crate::catalog::Catalog;
use crate::commit::Commit;
use crate::error::CatalogError;
use crate::jobs::{JobChange, JobRun, JobRuns, JobSlot, JobState, Lease};

impl Catalog {
    /// Takes the right to `name` for some time. Who has it already keeps it, with its fence.
    ///
    /// # Errors
    /// [`CatalogError::LeaseHeld`], and as [`Catalog::commit`].
    pub async fn take_lease(
        &self,
        name: &str,
        holder: Uuid,
        duration: Duration,
    ) -> Result<Lease, CatalogError> {
        let now_ms = self.host().clock.now_ms();
        let until_ms = now_ms.saturating_add(millis(duration));
        let take = JobChange::TakeLease { name: name.to_owned(), holder, now_ms, until_ms };
        let doubt = match self.record(vec![take]).await {
            Ok(()) => None,
            Err(error) if error.is_definite() => return Err(error),
            Err(error) => Some(error),
        };
        match self.lease(name).await {
            Ok(Some(lease)) if lease.holder == holder && lease.until_ms >= until_ms => Ok(lease),
            Ok(other) => Err(doubt.unwrap_or_else(|| match other {
                Some(lease) => CatalogError::LeaseHeld {
                    name: lease.name,
                    holder: lease.holder,
                    until_ms: lease.until_ms,
                },
                None => CatalogError::LeaseLost { name: name.to_owned() },
            })),
            Err(error) => Err(doubt.unwrap_or(error)),
        }
    }

    /// Makes a lease last for some time from now on. It may have run out, as long as nobody else has taken it.
    ///
    /// # Errors
    /// [`CatalogError::LeaseLost`], and as [`Catalog::commit`].
    pub async fn renew_lease(&self, lease: &Lease, duration: Duration) -> Result<Lease, CatalogError> {
        let until_ms = self.host().clock.now_ms().saturating_add(millis(duration)).max(lease.until_ms);
        let lease = Lease { until_ms, ..lease.clone() };
        self.record(vec![JobChange::RenewLease { lease: lease.clone() }]).await?;
        Ok(lease)
    }

    /// Gives a lease back, so that others need not wait until it runs out. One that was lost is no error.
    ///
    /// # Errors
    /// As [`Catalog::commit`].
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), CatalogError> {
        self.record(vec![JobChange::ReleaseLease(lease.clone())]).await
    }

    /// Makes changes of these rows alone, all or none.
    ///
    /// # Errors
    /// [`CatalogError::LeaseHeld`], [`CatalogError::LeaseLost`], and as [`Catalog::commit`].
    pub async fn record(&self, jobs: Vec<JobChange>) -> Result<(), CatalogError> {
        self.commit(Commit { jobs, ..Commit::default() }).await.map(drop)
    }

    /// The lease of this name, whoever has or had it; none when nobody ever took it.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, CatalogError> {
        Ok(self.database.lease(name).await?)
    }

    /// What a job has put into the table with this identity.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn job_state(&self, target_uuid: Uuid) -> Result<Option<JobState>, CatalogError> {
        Ok(self.database.job_state(target_uuid).await?)
    }

    /// What jobs have put into their targets.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn job_states(&self) -> Result<Vec<JobState>, CatalogError> {
        Ok(self.database.job_states().await?)
    }

    /// Runs of jobs, the newest first.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn job_runs(&self, runs: JobRuns) -> Result<Vec<JobRun>, CatalogError> {
        Ok(self.database.job_runs(runs).await?)
    }

    /// What the scheduler remembers of each job.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn job_slots(&self) -> Result<Vec<JobSlot>, CatalogError> {
        Ok(self.database.job_slots().await?)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
