//! A data file that takes rows: a task that encodes on the blocking threads and hands the bytes to the store, with a
//! short queue in front, so that who brings rows waits when they come too fast.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hosu_host::{Host, Location, PART_BYTES};
use iceberg::spec::{DataContentType, DataFile, DataFileBuilder, DataFileFormat, Struct};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::budget::{Budget, Reservation};
use crate::encode::{Encoded, Encoder};
use crate::error::{self, DataFileError};
use crate::layout::Layout;
use crate::selection::Selection;
use crate::sink::Sink;

/// The parts that one upload holds at most: three under way and one being filled.
const UPLOAD_BYTES_MAX: usize = 4 * PART_BYTES;

/// How many jobs may wait for a file's encoder.
const QUEUE: usize = 2;

/// What all files of a writer share.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) host: Host,
    pub(crate) table: Location,
    pub(crate) layout: Arc<Layout>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) spec_id: i32,
    /// The order that rows come in, if they come sorted.
    pub(crate) sort_order_id: Option<i32>,
    /// As many encoders run at a time.
    pub(crate) cores: Arc<Semaphore>,
    /// Bytes that uploads of whole files may hold.
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) upload_bytes: usize,
    /// Files that take rows now.
    pub(crate) open: AtomicUsize,
    pub(crate) open_peak: AtomicUsize,
    /// Set when nothing will come of the files any more.
    pub(crate) given_up: AtomicBool,
}

/// The end of an open file where rows go in. When it is dropped the file is completed.
#[derive(Debug)]
pub(crate) struct OpenFile {
    jobs: mpsc::Sender<Job>,
    /// The sizes after the jobs that are not known to be done, in their order.
    outstanding: VecDeque<oneshot::Receiver<Size>>,
    /// The size after the last job that is known to be done.
    known: Size,
    rows_sent: u64,
    /// What the encoder holds now.
    memory_bytes: Arc<AtomicUsize>,
}

/// How large a file is so far.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    rows: u64,
    bytes: u64,
}

#[derive(Debug)]
enum Job {
    Write(Vec<Selection>, Reservation, oneshot::Sender<Size>),
    Flush(oneshot::Sender<Size>),
}

/// The task of a file: to be spawned, it ends when the file is durable.
pub(crate) struct FileTask {
    workshop: Arc<Workshop>,
    location: Location,
    partition: Struct,
    spooled: bool,
    jobs: mpsc::Receiver<Job>,
    memory_bytes: Arc<AtomicUsize>,
    size_bytes: u64,
}

impl OpenFile {
    /// A new file at `location`; nothing happens before its task runs.
    pub(crate) fn new(
        workshop: &Arc<Workshop>,
        location: Location,
        partition: Struct,
        spooled: bool,
    ) -> (Self, FileTask) {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let memory_bytes = Arc::<AtomicUsize>::default();
        let open = workshop.open.fetch_add(1, Ordering::AcqRel) + 1;
        workshop.open_peak.fetch_max(open, Ordering::AcqRel);
        let task = FileTask {
            workshop: workshop.clone(),
            location,
            partition,
            spooled,
            jobs,
            memory_bytes: memory_bytes.clone(),
            size_bytes: 0,
        };
        let (outstanding, known) = (VecDeque::new(), Size::default());
        (Self { jobs: sender, outstanding, known, rows_sent: 0, memory_bytes }, task)
    }

    /// Queues rows; waits while too many jobs are. False if the task has ended, with an error that it returns.
    pub(crate) async fn write(&mut self, batches: Vec<Selection>, held: Reservation) -> bool {
        // The first rows tell how large a row is.
        while self.outstanding.len() >= QUEUE || (self.known.rows == 0 && !self.outstanding.is_empty()) {
            if !self.learn().await {
                return false;
            }
        }
        let rows: usize = batches.iter().map(Selection::num_rows).sum();
        self.rows_sent += rows as u64;
        let (done, when_done) = oneshot::channel();
        self.outstanding.push_back(when_done);
        self.jobs.send(Job::Write(batches, held, done)).await.is_ok()
    }

    /// Writes out what is encoded, and returns when it no longer takes memory.
    pub(crate) async fn flush(&mut self) -> bool {
        let (done, when_done) = oneshot::channel();
        self.outstanding.push_back(when_done);
        if self.jobs.send(Job::Flush(done)).await.is_err() {
            return false;
        }
        self.settle().await
    }

    /// Waits until all rows are encoded.
    pub(crate) async fn settle(&mut self) -> bool {
        while !self.outstanding.is_empty() {
            if !self.learn().await {
                return false;
            }
        }
        true
    }

    /// Whether rows were sent that are not known to be encoded.
    pub(crate) fn is_behind(&self) -> bool {
        !self.outstanding.is_empty()
    }

    /// Waits for the job that was queued first.
    async fn learn(&mut self) -> bool {
        let Some(oldest) = self.outstanding.pop_front() else { return true };
        match oldest.await {
            Ok(size) => self.known = size,
            Err(_) => return false,
        }
        true
    }

    /// What the encoder holds.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes.load(Ordering::Acquire)
    }

    /// How large the file is about: what is known to be encoded, and the rest if it is as large by row. It follows
    /// from the jobs alone, not from how fast they are done, so that the same rows make the same files.
    pub(crate) fn file_bytes(&self) -> u64 {
        match self.known.rows {
            0 => 0,
            rows => (self.known.bytes as f64 * (self.rows_sent as f64 / rows as f64)) as u64,
        }
    }
}

impl FileTask {
    /// Runs until the file is complete and durable.
    pub(crate) async fn run(mut self) -> Result<DataFile, DataFileError> {
        let mut sink = self.sink();
        let encoded = self.encode(&mut sink).await;
        self.workshop.open.fetch_sub(1, Ordering::AcqRel);
        let (mut encoder, mut held) = match encoded {
            Ok(encoded) if !self.workshop.given_up.load(Ordering::Acquire) => encoded,
            Ok(_) => {
                sink.abort().await;
                let reason = "the operation was given up".to_owned();
                return Err(DataFileError::GivenUp { table: self.workshop.table.clone(), reason });
            }
            Err(error) => {
                sink.abort().await;
                return Err(error);
            }
        };
        let fail = error::parquet(&self.location);
        let finish = move |_lanes: usize| {
            let encoded = encoder.finish()?;
            Ok((encoded, encoder.take_bytes()?))
        };
        let (encoded, last) = match self.blocking(finish).await?.map_err(fail) {
            Ok(finished) => finished,
            Err(error) => {
                sink.abort().await;
                return Err(error);
            }
        };
        held.resize(last.len());
        let size_bytes = {
            let _upload = self.upload_permit().await;
            sink.finish(last).await?
        };
        drop(held);
        self.describe(encoded, size_bytes)
    }

    fn sink(&self) -> Sink {
        let host = &self.workshop.host;
        if !self.spooled {
            return Sink::Direct(host.store.upload(&self.location));
        }
        Sink::Spooled {
            store: host.store.clone(),
            location: self.location.clone(),
            scratch: host.scratch.clone(),
            table: self.workshop.table.clone(),
            file: None,
        }
    }

    /// Encodes until no more rows come.
    async fn encode(&mut self, sink: &mut Sink) -> Result<(Encoder, Reservation), DataFileError> {
        let fail = error::parquet(&self.location);
        // The first rows tell how it is encoded.
        let mut encoder = None;
        let mut held = self.workshop.budget.hold(0);
        let mut sent = 0;
        while let Some(job) = self.jobs.recv().await {
            if self.workshop.given_up.load(Ordering::Acquire) {
                break;
            }
            let (batches, queued, done) = match job {
                Job::Write(batches, queued, done) => (batches, Some(queued), done),
                Job::Flush(done) => (Vec::new(), None, done),
            };
            let flush = queued.is_none();
            let layout = self.workshop.layout.clone();
            let work = move |lanes: usize| {
                let mut encoder = match encoder {
                    Some(encoder) => encoder,
                    None => Encoder::new(layout, &batches)?,
                };
                encoder.write(&batches, lanes)?;
                drop(batches);
                if flush {
                    encoder.flush()?;
                }
                let bytes = encoder.take_many_bytes()?;
                Ok((encoder, bytes))
            };
            let (again, bytes) = self.blocking(work).await?.map_err(&fail)?;
            drop(queued);
            let memory_bytes = again.memory_bytes();
            held.resize(memory_bytes + bytes.len() + sent);
            if !self.spooled {
                sent = UPLOAD_BYTES_MAX.min(sent + bytes.len());
            }
            sink.write(bytes).await?;
            held.resize(memory_bytes + sent);
            self.memory_bytes.store(memory_bytes, Ordering::Release);
            self.size_bytes = again.file_bytes();
            // Who asked may be gone.
            let _ = done.send(Size { rows: again.rows(), bytes: self.size_bytes });
            encoder = Some(again);
        }
        let encoder = match encoder {
            Some(encoder) => encoder,
            None => Encoder::new(self.workshop.layout.clone(), &[]).map_err(&fail)?,
        };
        Ok((encoder, held))
    }

    /// Works on one core, and tells the work how many threads it may use: those besides that no file waits for.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(usize) -> parquet::errors::Result<T> + Send + 'static,
    ) -> Result<parquet::errors::Result<T>, DataFileError> {
        // The semaphore is never closed; without a permit the work is done all the same.
        let cores = &self.workshop.cores;
        let _core = cores.acquire().await.ok();
        let spare = u32::try_from(cores.available_permits()).unwrap_or(0);
        let spare = cores.try_acquire_many(spare).ok();
        let lanes = 1 + spare.as_ref().map_or(0, |permits| permits.num_permits());
        let done = tokio::task::spawn_blocking(move || work(lanes)).await;
        done.map_err(error::given_up(&self.workshop.table))
    }

    /// Waits until the parts of a whole file may be held; a file that is sent as it comes holds them already.
    async fn upload_permit(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        if !self.spooled {
            return None;
        }
        let bytes = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
        let bytes = bytes.min(UPLOAD_BYTES_MAX).min(self.workshop.upload_bytes);
        self.workshop.uploads.acquire_many(u32::try_from(bytes).unwrap_or(u32::MAX)).await.ok()
    }

    fn describe(self, encoded: Encoded, size_bytes: u64) -> Result<DataFile, DataFileError> {
        let mut builder = DataFileBuilder::default();
        builder
            .content(DataContentType::Data)
            .file_path(self.location.as_str().to_owned())
            .file_format(DataFileFormat::Parquet)
            .partition(self.partition)
            .partition_spec_id(self.workshop.spec_id)
            .record_count(encoded.rows)
            .file_size_in_bytes(size_bytes)
            .column_sizes(encoded.metrics.column_sizes)
            .value_counts(encoded.metrics.value_counts)
            .null_value_counts(encoded.metrics.null_value_counts)
            .nan_value_counts(encoded.metrics.nan_value_counts)
            .lower_bounds(encoded.metrics.lower_bounds)
            .upper_bounds(encoded.metrics.upper_bounds)
            .split_offsets(Some(encoded.split_offsets));
        if let Some(sort_order_id) = self.workshop.sort_order_id {
            builder.sort_order_id(sort_order_id);
        }
        let table = &self.workshop.table;
        let fail = |error: iceberg::spec::DataFileBuilderError| error.to_string();
        builder.build().map_err(fail).map_err(|reason| DataFileError::Table { table: table.clone(), reason })
    }
}
