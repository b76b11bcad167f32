//! A database whose answers get lost, and others who are faster.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use hosu_host::ManualClock;

use super::*;
use crate::{
    Database, JobRun, JobRuns, JobSlot, JobState, Lease, Pointer, SqliteDatabase, Transaction,
    TransactionOutcome,
};

/// What becomes of a transaction; those for which nothing is said are carried out and answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// It is carried out, and the answer is lost.
    Sent,
    /// It is lost.
    Lost,
    /// No answer comes, and it is carried out before this many questions for a table from then on are answered.
    Late(u32),
    /// Somebody else appends 2 rows to the table first.
    Overtaken,
}

#[derive(Debug)]
pub(super) struct Faulty {
    inner: SqliteDatabase,
    answers: Mutex<VecDeque<Answer>>,
    late: Mutex<Option<(u32, Transaction)>>,
    rival: Catalog,
}

impl Faulty {
    /// The lake behind a database that answers like this. Its time is 1,000 ms.
    pub fn catalog(lake: &Lake, answers: &[Answer]) -> Catalog {
        let warehouse = lake.catalog.warehouse().clone();
        let settings = CatalogSettings::in_folder(lake.folder.path(), warehouse);
        let inner = SqliteDatabase::new(settings.database.clone(), settings.name.clone());
        let answers = Mutex::new(answers.iter().copied().collect());
        let database = Self { inner, answers, late: Mutex::new(None), rival: lake.again(77) };
        let mut host = Host::seeded(5);
        host.clock = Arc::new(ManualClock::at_ms(1_000));
        Catalog::with_database(host, settings, Arc::new(database))
    }

    async fn arrive(&self) -> Result<(), DatabaseError> {
        let arrived = {
            let mut late = self.late.lock().expect("what is late");
            if let Some((questions, _)) = late.as_mut() {
                *questions = questions.saturating_sub(1);
            }
            late.take_if(|(questions, _)| *questions == 0)
        };
        if let Some((_, transaction)) = arrived {
            let _ = self.inner.transact(transaction).await?;
        }
        Ok(())
    }

    async fn overtake(&self, transaction: &Transaction) {
        for change in &transaction.changes {
            if let crate::Change::SwapTable { name, .. } = change {
                let path = format!("file:///theirs-{}.parquet", self.rival.host().ids.uuid());
                add(&self.rival, name, &path, 2).await;
            }
        }
    }
}

#[async_trait]
impl Database for Faulty {
    async fn pointer(&self, name: &TableName) -> Result<Option<Pointer>, DatabaseError> {
        self.arrive().await?;
        self.inner.pointer(name).await
    }

    async fn databases(&self) -> Result<Vec<String>, DatabaseError> {
        self.inner.databases().await
    }

    async fn database_properties(
        &self,
        database: &str,
    ) -> Result<Option<HashMap<String, String>>, DatabaseError> {
        self.inner.database_properties(database).await
    }

    async fn tables(&self, database: &str) -> Result<Vec<TableName>, DatabaseError> {
        self.inner.tables(database).await
    }

    async fn ledger(&self, table: Uuid, sources: Option<&[String]>) -> Result<Vec<LedgerRow>, DatabaseError> {
        self.inner.ledger(table, sources).await
    }

    async fn lease(&self, name: &str) -> Result<Option<Lease>, DatabaseError> {
        self.inner.lease(name).await
    }

    async fn job_state(&self, target_uuid: Uuid) -> Result<Option<JobState>, DatabaseError> {
        self.inner.job_state(target_uuid).await
    }

    async fn job_states(&self) -> Result<Vec<JobState>, DatabaseError> {
        self.inner.job_states().await
    }

    async fn job_runs(&self, runs: JobRuns) -> Result<Vec<JobRun>, DatabaseError> {
        self.inner.job_runs(runs).await
    }

    async fn job_slots(&self) -> Result<Vec<JobSlot>, DatabaseError> {
        self.inner.job_slots().await
    }

    async fn create(&self) -> Result<(), DatabaseError> {
        self.inner.create().await
    }

    async fn transact(&self, transaction: Transaction) -> Result<TransactionOutcome, DatabaseError> {
        let answer = self.answers.lock().expect("the answers").pop_front();
        match answer {
            None => return self.inner.transact(transaction).await,
            Some(Answer::Overtaken) => {
                self.overtake(&transaction).await;
                return self.inner.transact(transaction).await;
            }
            Some(Answer::Sent) => {
                let _ = self.inner.transact(transaction).await?;
            }
            Some(Answer::Late(questions)) => {
                *self.late.lock().expect("what is late") = Some((questions, transaction));
            }
            Some(Answer::Lost) => {}
        }
        Err(DatabaseError::Unknown { path: "x".into(), reason: "no answer".to_owned() })
    }

    async fn problems(&self) -> Result<Vec<String>, DatabaseError> {
        self.inner.problems().await
    }
}
