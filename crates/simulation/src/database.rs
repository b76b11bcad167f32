//! The catalog's database as an actor sees it: through its gate, with answers that get lost.
//!
//! Behind it is the real one, a SQLite file. SQLite's own durability is taken for granted here: what a transaction
//! reported survives every crash of this simulation.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hosu_catalog::{
    Database, DatabaseError, JobRun, JobRuns, JobSlot, JobState, Lease, LedgerRow, Pointer, Transaction,
    TransactionOutcome,
};
use hosu_table::name::TableName;
use uuid::Uuid;

use crate::faults::Fault;
use crate::gate::Gate;

/// Transactions on their way to the database although their sender gave them up. Shared by all actors.
#[derive(Clone, Debug, Default)]
pub struct LateTransactions {
    waiting: Arc<Mutex<Vec<Transaction>>>,
}

impl LateTransactions {
    /// The oldest one arrives. That it is refused then is nobody's business any more.
    pub async fn land_one(&self, database: &dyn Database) -> Result<(), DatabaseError> {
        let oldest = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.is_empty() { None } else { Some(waiting.remove(0)) }
        };
        if let Some(transaction) = oldest {
            let _ = database.transact(transaction).await?;
        }
        Ok(())
    }

    /// How many are on their way.
    pub fn count(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// A database through a gate.
#[derive(Debug)]
pub struct SimulatedDatabase {
    inner: Arc<dyn Database>,
    gate: Gate,
    /// None for a database that never does later what it did not do at once, as SQLite.
    late: Option<LateTransactions>,
}

impl SimulatedDatabase {
    /// `inner` as the actor behind `gate` sees it.
    pub fn new(inner: Arc<dyn Database>, gate: Gate, late: Option<LateTransactions>) -> Self {
        Self { inner, gate, late }
    }

    async fn read<T>(
        &self,
        name: &str,
        effect: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        self.gate.call(format!("database: {name}"), effect, read_failure).await
    }
}

fn path() -> PathBuf {
    PathBuf::from("simulated")
}

fn read_failure(fault: Fault) -> DatabaseError {
    match fault {
        Fault::Refused | Fault::Full => DatabaseError::Locked { path: path() },
        _ => DatabaseError::Unusable { path: path(), reason: format!("{fault:?}") },
    }
}

/// Only what is known to have had no effect may be told as such.
fn write_failure(fault: Fault) -> DatabaseError {
    match fault {
        Fault::Refused => DatabaseError::Locked { path: path() },
        Fault::Full => DatabaseError::Full { path: path() },
        _ => DatabaseError::Unknown { path: path(), reason: format!("{fault:?}") },
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Database for SimulatedDatabase {
    async fn pointer(&self, name: &TableName) -> Result<Option<Pointer>, DatabaseError> {
        self.read(&format!("pointer {name}"), self.inner.pointer(name)).await
    }

    async fn databases(&self) -> Result<Vec<String>, DatabaseError> {
        self.read("databases", self.inner.databases()).await
    }

    async fn database_properties(
        &self,
        database: &str,
    ) -> Result<Option<HashMap<String, String>>, DatabaseError> {
        self.read("properties", self.inner.database_properties(database)).await
    }

    async fn tables(&self, database: &str) -> Result<Vec<TableName>, DatabaseError> {
        self.read("tables", self.inner.tables(database)).await
    }

    async fn ledger(
        &self,
        table_uuid: Uuid,
        sources: Option<&[String]>,
    ) -> Result<Vec<LedgerRow>, DatabaseError> {
        self.read("ledger", self.inner.ledger(table_uuid, sources)).await
    }

    async fn lease(&self, name: &str) -> Result<Option<Lease>, DatabaseError> {
        self.read(&format!("lease {name}"), self.inner.lease(name)).await
    }

    async fn job_state(&self, target_uuid: Uuid) -> Result<Option<JobState>, DatabaseError> {
        self.read("job state", self.inner.job_state(target_uuid)).await
    }

    async fn job_states(&self) -> Result<Vec<JobState>, DatabaseError> {
        self.read("job states", self.inner.job_states()).await
    }

    async fn job_runs(&self, runs: JobRuns) -> Result<Vec<JobRun>, DatabaseError> {
        self.read("job runs", self.inner.job_runs(runs)).await
    }

    async fn job_slots(&self) -> Result<Vec<JobSlot>, DatabaseError> {
        self.read("job slots", self.inner.job_slots()).await
    }

    async fn create(&self) -> Result<(), DatabaseError> {
        self.read("create", self.inner.create()).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<TransactionOutcome, DatabaseError> {
        let effect = |fault: Option<Fault>| async move {
            match (fault, &self.late) {
                (Some(Fault::Late), Some(late)) => {
                    late.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(transaction);
                    Err(write_failure(Fault::Late))
                }
                (Some(Fault::Late), None) => Err(write_failure(Fault::Late)),
                (Some(fault), _) => {
                    let _ = self.inner.transact(transaction).await?;
                    Err(write_failure(fault))
                }
                (None, late) => {
                    if let Some(late) = late {
                        late.land_one(self.inner.as_ref()).await?;
                    }
                    self.inner.transact(transaction).await
                }
            }
        };
        self.gate.call_knowing("database: transact", effect, write_failure).await
    }

    async fn problems(&self) -> Result<Vec<String>, DatabaseError> {
        self.read("problems", self.inner.problems()).await
    }
}

#[cfg(test)]
mod tests;
