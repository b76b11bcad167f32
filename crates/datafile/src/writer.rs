//! Rows come in, durable data files come out; or nothing is left.
//!
//! Rows of a table without a sort order go straight into the open file of their partition. When as many files are
//! open as may be, the rows of all further partitions are sorted first and written at the end, one partition after
//! the other; so are all rows of a table with a sort order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use hosu_host::{Host, Location};
use hosu_table::paths::{DATA_FOLDER, ObjectName, partition_folders};
use iceberg::spec::{DataFile, Transform};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::budget::Budget;
use crate::check::check;
use crate::columns::batch_bytes;
use crate::discard::delete_all;
use crate::encode;
use crate::error::{self, DataFileError};
use crate::external_sort::{Sorted, Sorter};
use crate::filling::Filling;
use crate::layout::Layout;
use crate::open_file::{OpenFile, Workshop};
use crate::route::{PartitionId, Router, group};
use crate::selection::Selection;
use crate::target::{WriteTarget, WriterSettings, Written};

/// Rows wait until so many are there, or a share of the memory, or as much as a file: encoding a few at a time is slow, and makes small pages.
const PENDING_ROWS: usize = 16 * 1024;
const PENDING_SHARE: usize = 32;

/// A partition that gets fewer rows of a batch is idle. Its rows are encoded when there are some.
const IDLE_ROWS: usize = 64;
const IDLE_PENDING_ROWS: usize = 4096;

/// A partition has passed, as a day has, when it got no row while others got so many, and four times as many as it was
/// ever without before. A row of more than 512 bytes counts as several. A file that is not small is completed then,
/// and a small one when no more may be open; once for each partition, so that rows that come late make one file more and not
/// many.
const PASSED_ROWS: u64 = 64 * 1024;
const PASSED_RESTS: u64 = 4;
const PASSED_ROW_BYTES: usize = 512;
const PASSED_BYTES_MIN: u64 = 1 << 20;

/// How many files may be on their way to being durable.
const CLOSING_MAX: usize = 8;

/// An upload holds up to 32 MiB; with less memory than this, files are complete before they are sent.
const DIRECT_MEMORY_MIN: usize = 128 << 20;

/// Writes the rows of one operation into data files of one table.
///
/// Dropped without [`DataFileWriter::finish`] it deletes in the background what it wrote, as well as it can;
/// [`DataFileWriter::abort`] does it before it returns.
#[derive(Debug)]
pub struct DataFileWriter {
    workshop: Arc<Workshop>,
    target: WriteTarget,
    operation: Uuid,
    /// Where data files go.
    folder: Location,
    /// None while a thread has it, and after that thread failed.
    router: Option<Router>,
    sorter: Option<Sorter>,
    is_sorted: bool,
    is_unpartitioned: bool,
    spooled: bool,
    open_partitions_max: usize,
    closing_max: usize,
    open: BTreeMap<PartitionId, Filling>,
    /// Partitions of which a file was completed because they had passed.
    passed: BTreeSet<PartitionId>,
    /// One for each file that is not durable yet, open ones included.
    tasks: JoinSet<Result<DataFile, DataFileError>>,
    /// Every file that may exist because of this writer.
    started: Vec<Location>,
    files: Vec<DataFile>,
}

/// A batch taken apart.
struct Routed {
    router: Router,
    direct: Vec<(PartitionId, Selection)>,
    rest: Option<(RecordBatch, Vec<PartitionId>)>,
}

impl DataFileWriter {
    /// A writer of the operation with this id, which is part of every file's name. Nothing happens at the store
    /// before the first rows.
    ///
    /// # Errors
    /// [`DataFileError::Table`] if the table cannot be written as it asks to be.
    pub fn new(
        host: &Host,
        target: WriteTarget,
        settings: WriterSettings,
        operation: Uuid,
    ) -> Result<Self, DataFileError> {
        let layout = Arc::new(Layout::new(&target, &settings)?);
        let files_max = (settings.memory_bytes / 4 / encode::file_memory_bytes(&layout).max(1)).max(1);
        let router = Router::new(&target)?;
        let is_sorted = target.sort_order.fields.iter().any(|field| field.transform != Transform::Void);
        let budget = Budget::new(settings.memory_bytes);
        let sorter = Sorter::new(&target, host.scratch.clone(), &budget, is_sorted)?;
        let is_unpartitioned = router.is_unpartitioned();
        let upload_bytes = (settings.memory_bytes / 4).clamp(1, u32::MAX as usize >> 3);
        let cores_count = std::thread::available_parallelism().map_or(1, usize::from);
        let workshop = Workshop {
            host: host.clone(),
            table: target.location.clone(),
            layout,
            budget,
            spec_id: target.spec.spec_id(),
            sort_order_id: is_sorted.then(|| i32::try_from(target.sort_order.order_id).ok()).flatten(),
            cores: Arc::new(Semaphore::new(cores_count)),
            uploads: Arc::new(Semaphore::new(upload_bytes)),
            upload_bytes,
            open: AtomicUsize::new(0),
            open_peak: AtomicUsize::new(0),
            given_up: AtomicBool::new(false),
        };
        Ok(Self {
            workshop: Arc::new(workshop),
            folder: data_folder(&target)?,
            router: Some(router),
            sorter: Some(sorter),
            is_sorted,
            is_unpartitioned,
            spooled: !(is_unpartitioned || is_sorted) || settings.memory_bytes < DIRECT_MEMORY_MIN,
            open_partitions_max: settings.open_partitions_max.clamp(1, files_max),
            closing_max: CLOSING_MAX.min(files_max),
            open: BTreeMap::new(),
            passed: BTreeSet::new(),
            tasks: JoinSet::new(),
            started: Vec::new(),
            files: Vec::new(),
            target,
            operation,
        })
    }

    /// Takes rows, in the columns of [`hosu_table::arrow_schema::to_arrow`]. Waits while too much is in memory. After
    /// an error nothing can come of this writer any more: abort it.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<(), DataFileError> {
        let batch = check(&batch, &self.workshop.layout.rows, &self.target.location)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = Selection::from(batch);
        self.make_room(batch.bytes()).await?;
        if self.is_unpartitioned && !self.is_sorted {
            return self.fill(0, batch).await;
        }
        let weight = batch.num_rows().max(batch.bytes() / PASSED_ROW_BYTES) as u64;
        let routed = self.route(batch).await?;
        self.router = Some(routed.router);
        for (id, rows) in routed.direct {
            self.fill(id, rows).await?;
        }
        self.send_idle(weight).await?;
        match routed.rest {
            Some((rows, ids)) => self.with_sorter(move |sorter| sorter.add(rows, &ids)).await,
            None => Ok(()),
        }
    }

    /// Rows of partitions that hardly get more need not wait for the end, and neither need files of those that have
    /// passed. `weight` is as how many rows those of the last batch count.
    async fn send_idle(&mut self, weight: u64) -> Result<(), DataFileError> {
        let mut is_well = true;
        let mut passed = Vec::new();
        let bytes_min = if self.open.len() < self.open_partitions_max { PASSED_BYTES_MIN } else { 0 };
        for (id, filling) in &mut self.open {
            let fresh_rows = filling.rest(weight);
            if fresh_rows < IDLE_ROWS && filling.pending_rows >= IDLE_PENDING_ROWS {
                is_well &= filling.send().await;
            }
            let has_passed = filling.rests_for(PASSED_ROWS, PASSED_RESTS);
            if has_passed && filling.file.file_bytes() >= bytes_min && !self.passed.contains(id) {
                passed.push(*id);
            }
        }
        self.look_after(is_well).await?;
        for id in passed {
            self.passed.insert(id);
            self.close(id).await?;
            self.wait_for_tasks(self.closing_max).await?;
        }
        Ok(())
    }

    /// Completes all files. On an error what was written is deleted.
    pub async fn finish(mut self) -> Result<Written, DataFileError> {
        match self.complete().await {
            Ok(()) => {
                let mut files = std::mem::take(&mut self.files);
                files.sort_by(|a, b| a.file_path().cmp(b.file_path()));
                self.started.clear();
                let rows = files.iter().map(DataFile::record_count).sum();
                let bytes = files.iter().map(DataFile::file_size_in_bytes).sum();
                Ok(Written { files, rows, bytes })
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    /// Gives the operation up and deletes what it wrote, as well as it can.
    pub async fn abort(mut self) {
        if let Some(cleaning) = self.clean_up() {
            cleaning.await;
        }
    }

    async fn complete(&mut self) -> Result<(), DataFileError> {
        self.close_all().await?;
        let Some(sorter) = self.sorter.take().filter(|sorter| !sorter.is_empty()) else {
            return self.wait_for_tasks(0).await;
        };
        // What is left of open files is memory that the merge can use.
        self.wait_for_tasks(0).await?;
        let (sender, mut receiver) = mpsc::channel::<Sorted>(1);
        let merging =
            tokio::task::spawn_blocking(move || sorter.drain(|sorted| sender.blocking_send(sorted).is_ok()));
        while let Some(sorted) = receiver.recv().await {
            self.write_sorted(sorted).await?;
        }
        merging.await.map_err(error::given_up(&self.target.location))??;
        self.close_all().await?;
        self.wait_for_tasks(0).await
    }

    /// Writes rows in the order of their partitions: one file is open at a time.
    async fn write_sorted(&mut self, sorted: Sorted) -> Result<(), DataFileError> {
        self.make_room(batch_bytes(&sorted.batch)).await?;
        let mut start = 0;
        for (id, rows) in sorted.partitions {
            if !self.open.contains_key(&id) {
                self.close_all().await?;
                self.wait_for_tasks(self.closing_max).await?;
            }
            self.fill(id, sorted.batch.slice(start, rows).into()).await?;
            start += rows;
        }
        Ok(())
    }

    /// Splits a batch: into rows for open files, as far as files may be open, and the rest.
    async fn route(&mut self, batch: Selection) -> Result<Routed, DataFileError> {
        let table = self.target.location.clone();
        let Some(mut router) = self.router.take() else {
            let reason = "an earlier write failed or was cut off".to_owned();
            return Err(DataFileError::GivenUp { table, reason });
        };
        let open: Vec<PartitionId> = self.open.keys().copied().collect();
        let mut free = if self.is_sorted { 0 } else { self.open_partitions_max.saturating_sub(open.len()) };
        let split = move || {
            let ids = router.route(batch.batch())?;
            let (mut direct, mut rest) = (Vec::new(), Vec::new());
            for (id, rows) in group(&ids) {
                if open.binary_search(&id).is_ok() {
                    direct.push((id, rows));
                } else if free > 0 {
                    free -= 1;
                    direct.push((id, rows));
                } else {
                    rest.extend(rows);
                }
            }
            rest.sort_unstable();
            let rest_ids = rest.iter().filter_map(|row| ids.get(*row as usize).copied()).collect();
            let select = |rows| batch.rows(rows).map_err(error::rows(&router.table));
            let direct = direct.into_iter().map(|(id, rows)| select(rows).map(|rows| (id, rows)));
            let direct = direct.collect::<Result<_, _>>()?;
            let rest = match rest.is_empty() {
                true => None,
                false => Some((select(rest)?.to_batch().map_err(error::rows(&router.table))?, rest_ids)),
            };
            Ok(Routed { router, direct, rest })
        };
        tokio::task::spawn_blocking(split).await.map_err(error::given_up(&table))?
    }

    /// Adds rows to the open file of their partition, which is opened if need be and closed when it is large enough.
    async fn fill(&mut self, id: PartitionId, rows: Selection) -> Result<(), DataFileError> {
        if !self.open.contains_key(&id) {
            self.open_file(id)?;
        }
        let Some(filling) = self.open.get_mut(&id) else { return Ok(()) };
        filling.add(rows).map_err(error::rows(&self.target.location))?;
        let file_bytes = usize::try_from(self.workshop.layout.file_bytes).unwrap_or(usize::MAX);
        let bytes_max = file_bytes.min(self.workshop.budget.limit() / PENDING_SHARE);
        if filling.pending_rows >= PENDING_ROWS || filling.held.bytes() >= bytes_max {
            let sent = filling.send().await;
            self.look_after(sent).await?;
        }
        let is_large = |filling: &Filling| filling.file.file_bytes() >= self.workshop.layout.file_bytes;
        if self.open.get(&id).is_some_and(is_large) {
            self.close(id).await?;
            self.wait_for_tasks(self.closing_max).await?;
        }
        Ok(())
    }

    fn open_file(&mut self, id: PartitionId) -> Result<(), DataFileError> {
        let partition = self
            .router
            .as_ref()
            .map(|router| router.partition(id))
            .unwrap_or_else(iceberg::spec::Struct::empty);
        let number = u32::try_from(self.started.len()).map_err(|_| DataFileError::Table {
            table: self.target.location.clone(),
            reason: "one operation would make too many files".to_owned(),
        })?;
        let folders = if self.target.spec.fields().is_empty() {
            Vec::new()
        } else {
            partition_folders(&self.target.spec, &self.target.schema, &partition)
        };
        let name = ObjectName::Data { partition: folders, uuid: self.operation, number }.to_relative();
        let location = self.folder.join(name.strip_prefix(DATA_FOLDER).unwrap_or(&name));
        let (file, task) = OpenFile::new(&self.workshop, location.clone(), partition, self.spooled);
        self.started.push(location);
        self.tasks.spawn(task.run());
        let held = self.workshop.budget.hold(0);
        self.open.insert(id, Filling::new(file, held));
        Ok(())
    }

    async fn close(&mut self, id: PartitionId) -> Result<(), DataFileError> {
        let Some(mut filling) = self.open.remove(&id) else { return Ok(()) };
        let sent = filling.send().await;
        drop(filling);
        self.look_after(sent).await
    }

    async fn close_all(&mut self) -> Result<(), DataFileError> {
        while let Some(id) = self.open.keys().next().copied() {
            self.close(id).await?;
        }
        Ok(())
    }

    /// Makes room for so many more bytes, as far as there is anything to write out.
    async fn make_room(&mut self, more: usize) -> Result<(), DataFileError> {
        let more = more.min(self.workshop.budget.limit() / 4);
        loop {
            self.collect()?;
            if !self.workshop.budget.would_exceed(more) {
                return Ok(());
            }
            let largest = self.open.iter().map(|(id, filling)| (filling.bytes(), *id)).max();
            let sorting = self.sorter.as_ref().map_or(0, Sorter::buffered_bytes);
            let closing = self.tasks.len().saturating_sub(self.open.len());
            match largest.filter(|(bytes, _)| *bytes > 0) {
                Some((bytes, id)) if bytes >= sorting => {
                    let Some(filling) = self.open.get_mut(&id) else { continue };
                    let is_mostly_rows = filling.held.bytes() >= filling.file.memory_bytes();
                    let is_well = filling.send().await
                        && match is_mostly_rows {
                            true => filling.file.settle().await,
                            false => filling.file.flush().await,
                        };
                    self.look_after(is_well).await?;
                }
                _ if sorting > 0 => self.with_sorter(Sorter::spill).await?,
                _ => match self.open.values_mut().find(|filling| filling.file.is_behind()) {
                    Some(filling) => {
                        let is_well = filling.file.settle().await;
                        self.look_after(is_well).await?;
                    }
                    None if closing > 0 => self.wait_for_tasks(closing - 1).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn with_sorter(
        &mut self,
        work: impl FnOnce(&mut Sorter) -> Result<(), DataFileError> + Send + 'static,
    ) -> Result<(), DataFileError> {
        let table = self.target.location.clone();
        let Some(mut sorter) = self.sorter.take() else {
            let reason = "an earlier write failed or was cut off".to_owned();
            return Err(DataFileError::GivenUp { table, reason });
        };
        let done = tokio::task::spawn_blocking(move || work(&mut sorter).map(|()| sorter)).await;
        self.sorter = Some(done.map_err(error::given_up(&table))??);
        Ok(())
    }

    /// Takes what has become of files meanwhile.
    fn collect(&mut self) -> Result<(), DataFileError> {
        while let Some(ended) = self.tasks.try_join_next() {
            self.files.push(ended.map_err(error::given_up(&self.target.location))??);
        }
        Ok(())
    }

    /// Waits until at most so many files are being completed.
    async fn wait_for_tasks(&mut self, closing_max: usize) -> Result<(), DataFileError> {
        self.collect()?;
        while self.tasks.len() > self.open.len() + closing_max {
            match self.tasks.join_next().await {
                Some(ended) => self.files.push(ended.map_err(error::given_up(&self.target.location))??),
                None => break,
            }
        }
        Ok(())
    }

    /// When a file no longer takes rows, its task has ended with an error: that is the one to report.
    async fn look_after(&mut self, is_well: bool) -> Result<(), DataFileError> {
        if is_well {
            return Ok(());
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.files.push(ended.map_err(error::given_up(&self.target.location))??);
        }
        let reason = "a file was closed too early".to_owned();
        Err(DataFileError::GivenUp { table: self.target.location.clone(), reason })
    }

    /// What deletes all that was started; none if there is nothing.
    fn clean_up(&mut self) -> Option<impl Future<Output = ()> + Send + use<>> {
        self.workshop.given_up.store(true, Ordering::Release);
        self.open.clear();
        let started = std::mem::take(&mut self.started);
        let mut tasks = std::mem::take(&mut self.tasks);
        let host = self.workshop.host.clone();
        (!started.is_empty()).then_some(async move {
            // A task that was cut off could still make its object exist after the delete: each ends by itself.
            while tasks.join_next().await.is_some() {}
            delete_all(&host, started).await;
        })
    }
}

impl Drop for DataFileWriter {
    fn drop(&mut self) {
        if let Some(cleaning) = self.clean_up()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(cleaning);
        }
    }
}

fn data_folder(target: &WriteTarget) -> Result<Location, DataFileError> {
    match &target.properties.data_path {
        None => Ok(target.location.join(DATA_FOLDER)),
        Some(path) => Location::parse(path).map_err(|error| DataFileError::Table {
            table: target.location.clone(),
            reason: format!("its `write.data.path` cannot be used: {error}"),
        }),
    }
}

#[cfg(test)]
impl DataFileWriter {
    pub(crate) fn workshop(&self) -> Arc<Workshop> {
        self.workshop.clone()
    }

    /// How many sorted runs lie in temporary files.
    pub(crate) fn runs(&self) -> usize {
        self.sorter.as_ref().map_or(0, Sorter::runs)
    }

    /// How many partitions have a file that takes rows.
    pub(crate) fn open_partitions(&self) -> usize {
        self.open.len()
    }

    /// How many files were begun.
    pub(crate) fn made(&self) -> usize {
        self.started.len()
    }
}
