//! What the scans of a statement have read so far: which files were opened, and which of their row groups somebody asked for.
//! It is seen where DataFusion asks for bytes, so that whatever prunes (statistics, bloom filters, page indexes, a limit that
//! is reached, a filter that a join made) is counted alike.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::PartitionedFile;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use crate::stats::ScanCounter;
use crate::views::asking_for_views;

/// Makes readers that tell the statement's counter what they read. One for each scan: a table that stands twice in a
/// statement is read twice.
#[derive(Debug)]
pub(crate) struct CountedReaders<F> {
    readers: F,
    nested_views: bool,
    scan: Arc<ScanReading>,
}

impl<F> CountedReaders<F> {
    /// Around what really reads. With `nested_views`, texts in structs are read as views.
    pub fn new(readers: F, counter: Arc<ScanCounter>, nested_views: bool) -> Self {
        Self { readers, nested_views, scan: Arc::new(ScanReading { counter, files: Mutex::default() }) }
    }
}

impl<F: ParquetFileReaderFactory> ParquetFileReaderFactory for CountedReaders<F> {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let (path, bytes) = (file.object_meta.location.clone(), file.object_meta.size);
        let reader = self.readers.create_reader(partition, file, metadata_size_hint, metrics)?;
        Ok(Box::new(CountedReader {
            reader,
            scan: self.scan.clone(),
            path,
            bytes,
            is_open: false,
            nested_views: self.nested_views,
        }))
    }
}

/// The files of one scan that were opened.
#[derive(Debug)]
struct ScanReading {
    counter: Arc<ScanCounter>,
    files: Mutex<HashMap<Path, FileReading>>,
}

/// One file: it may have several readers, each of a part.
#[derive(Debug)]
struct FileReading {
    bytes: u64,
    /// What was told to the counter.
    bytes_done: u64,
    readers: usize,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    bytes: Range<u64>,
    rows: u64,
    is_read: bool,
}

impl ScanReading {
    fn opened(&self, path: &Path, bytes: u64, footer: &ParquetMetaData) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match files.entry(path.clone()) {
            Entry::Occupied(mut file) => {
                let file = file.get_mut();
                if file.readers == 0 {
                    self.counter.file_begun_again();
                }
                file.readers += 1;
            }
            Entry::Vacant(free) => {
                let groups: Vec<Group> = footer.row_groups().iter().map(Group::of).collect();
                self.counter.file_opened(groups.len() as u64);
                free.insert(FileReading { bytes, bytes_done: 0, readers: 1, groups });
            }
        }
    }

    fn wanted(&self, path: &Path, ranges: &[Range<u64>]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = files.get_mut(path) else { return };
        let share = file.bytes / (file.groups.len() as u64).max(1);
        for group in file.groups.iter_mut().filter(|group| !group.is_read) {
            let is_wanted =
                |range: &Range<u64>| range.start < group.bytes.end && group.bytes.start < range.end;
            if ranges.iter().any(is_wanted) {
                group.is_read = true;
                let bytes = share.min(file.bytes - file.bytes_done);
                file.bytes_done += bytes;
                self.counter.row_group_read(group.rows, bytes);
            }
        }
    }

    fn closed(&self, path: &Path) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = files.get_mut(path) else { return };
        file.readers = file.readers.saturating_sub(1);
        if file.readers == 0 {
            self.counter.file_done(file.bytes - file.bytes_done);
            file.bytes_done = file.bytes;
        }
    }
}

impl Group {
    fn of(group: &RowGroupMetaData) -> Self {
        let (mut start, mut end) = (u64::MAX, 0);
        for column in group.columns() {
            let (from, length) = column.byte_range();
            start = start.min(from);
            end = end.max(from.saturating_add(length));
        }
        Self { bytes: start..end, rows: u64::try_from(group.num_rows()).unwrap_or(0), is_read: false }
    }
}

struct CountedReader {
    reader: Box<dyn AsyncFileReader + Send>,
    scan: Arc<ScanReading>,
    path: Path,
    bytes: u64,
    is_open: bool,
    nested_views: bool,
}

impl fmt::Debug for CountedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CountedReader({})", self.path)
    }
}

impl AsyncFileReader for CountedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.scan.wanted(&self.path, std::slice::from_ref(&range));
        self.reader.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        self.scan.wanted(&self.path, &ranges);
        self.reader.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let footer = self.reader.get_metadata(options).await?;
            if !std::mem::replace(&mut self.is_open, true) {
                self.scan.opened(&self.path, self.bytes, &footer);
            }
            Ok(if self.nested_views { asking_for_views(footer) } else { footer })
        }
        .boxed()
    }
}

impl Drop for CountedReader {
    fn drop(&mut self) {
        if self.is_open {
            self.scan.closed(&self.path);
        }
    }
}
