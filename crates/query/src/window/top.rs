//! Keeps the first rows of each group while rows go by.
//!
//! A table has the places of each group's first rows; the batches that they are in are held until most of their rows are
//! of no use, and then what is left of them moves together. When memory ends, or where nearly every row is the first of its
//! group, rows go on as they are.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, DynComparator, make_comparator};
use datafusion::arrow::compute::interleave_record_batch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, RecordOutput};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream::Fuse;
use futures::{StreamExt, stream};

use super::groups::Groups;
use super::keys::is_whole;
use super::order::{Place, first_numbers, order_columns};
use super::shape::Window;

/// Bytes that are held before rows of no use are looked for.
const LOOSE_BYTES_MIN: usize = 16 << 20;

/// Rows after which it shows whether this is worth anything.
const ROWS_TRIED: usize = 1 << 17;

/// Starts dropping rows of one partition.
pub(super) fn start(
    window: &Arc<Window>,
    rows: usize,
    input: SendableRecordBatchStream,
    context: &TaskContext,
    metrics: &ExecutionPlanMetricsSet,
    partition: usize,
) -> Result<SendableRecordBatchStream> {
    let schema = input.schema();
    let consumer = MemoryConsumer::new(format!("TopRowsExec[{partition}]")).with_can_spill(true);
    let run = Run {
        top: Top::try_new(window, rows, &schema, context.session_config().batch_size())?,
        ready: VecDeque::new(),
        input: input.fuse(),
        passing: false,
        memory: consumer.register(context.memory_pool()),
        metrics: BaselineMetrics::new(metrics, partition),
    };
    let rows = stream::try_unfold(run, |mut run| async move {
        let next = run.next().await?;
        Ok(next.map(|batch| (batch.record_output(&run.metrics), run)))
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}

struct Run {
    top: Top,
    ready: VecDeque<RecordBatch>,
    input: Fuse<SendableRecordBatchStream>,
    /// Whether rows go by without being looked at.
    passing: bool,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
}

impl Run {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            match self.input.next().await.transpose()? {
                Some(batch) if self.passing => return Ok(Some(batch)),
                Some(batch) => self.add(batch)?,
                None if self.top.is_empty() => return Ok(None),
                None => self.give()?,
            }
        }
    }

    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let compute = self.metrics.elapsed_compute().clone();
        let _timer = compute.timer();
        self.top.add(batch)?;
        if self.top.seen >= ROWS_TRIED && self.top.kept > self.top.seen / 2 {
            self.passing = true;
            return self.give();
        }
        if self.memory.try_resize(self.top.bytes()).is_err() {
            return self.give();
        }
        Ok(())
    }

    /// Gives away what is held, and begins anew.
    fn give(&mut self) -> Result<()> {
        self.ready.extend(self.top.take()?);
        self.memory.free();
        Ok(())
    }
}

/// The first rows of each group.
struct Top {
    window: Arc<Window>,
    schema: SchemaRef,
    rows: usize,
    batch_rows: usize,
    groups: Groups,
    /// Of each group `rows` of them, the first first, those that are free at the end.
    slots: Vec<Slot>,
    store: Vec<Stored>,
    store_bytes: usize,
    store_rows: usize,
    /// How many bytes were left when rows of no use were last dropped.
    packed_bytes: usize,
    numbers: Vec<u64>,
    ties: Ties,
    /// The rows in slots.
    kept: usize,
    /// The rows that went by since the last beginning.
    seen: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    number: u64,
    place: Place,
}

const FREE: Slot = Slot { number: u64::MAX, place: Place::NONE };

struct Stored {
    batch: RecordBatch,
    order: Vec<ArrayRef>,
}

impl Top {
    fn try_new(window: &Arc<Window>, rows: usize, schema: &SchemaRef, batch_rows: usize) -> Result<Self> {
        let whole = match window.order.as_slice() {
            [] => true,
            [by] => is_whole(&by.expr.data_type(schema)?),
            _ => false,
        };
        Ok(Self {
            window: window.clone(),
            schema: schema.clone(),
            rows,
            batch_rows: batch_rows.max(1),
            groups: Groups::try_new(window.keys.clone(), schema)?,
            slots: Vec::new(),
            store: Vec::new(),
            store_bytes: 0,
            store_rows: 0,
            packed_bytes: 0,
            numbers: Vec::new(),
            ties: Ties { order: window.order.clone(), never: whole, comparators: HashMap::new() },
            kept: 0,
            seen: 0,
        })
    }

    fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    fn bytes(&self) -> usize {
        self.store_bytes + self.groups.bytes() + self.slots.capacity() * size_of::<Slot>()
    }

    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let (rows, at) = (batch.num_rows(), self.store.len());
        if rows == 0 {
            return Ok(());
        }
        let order = order_columns(&self.window.order, &batch)?;
        self.numbers.clear();
        first_numbers(&order, &self.window.order, rows, &mut self.numbers);
        self.ties.never &= order.iter().all(|column| column.null_count() == 0);
        self.store_bytes += get_record_batch_memory_size(&batch);
        self.store_rows += rows;
        self.seen += rows;
        self.store.push(Stored { batch, order });
        // No group is beyond those that are known after this.
        let groups = self.groups.of(&self.store[at].batch)?;
        let last = groups.iter().max().map_or(0, |last| last + 1);
        self.slots.resize(self.slots.len().max(last * self.rows), FREE);
        for (row, (group, number)) in groups.iter().zip(&self.numbers).enumerate() {
            let slots = &mut self.slots[group * self.rows..(group + 1) * self.rows];
            let new = Slot { number: *number, place: Place::new(at, row) };
            self.kept += offer(slots, new, |a, b| self.ties.is_before(&self.store, a, b))?;
        }
        self.ties.comparators.clear();
        // Batches may share buffers, so that bytes alone may say too much.
        if self.store_bytes > 2 * self.packed_bytes + LOOSE_BYTES_MIN && self.store_rows > 2 * self.kept {
            self.pack()?;
        }
        Ok(())
    }

    /// Moves the rows in slots together.
    fn pack(&mut self) -> Result<()> {
        let mut places: Vec<(Place, usize)> = Vec::with_capacity(self.kept);
        let filled = self.slots.iter().enumerate().filter(|(_, slot)| slot.place != Place::NONE);
        places.extend(filled.map(|(at, slot)| (slot.place, at)));
        // As they came, so that neighbours stay neighbours.
        places.sort_unstable();
        let batches: Vec<&RecordBatch> = self.store.iter().map(|stored| &stored.batch).collect();
        let mut packed = Vec::new();
        for (at, chunk) in places.chunks(self.batch_rows).enumerate() {
            let rows: Vec<(usize, usize)> =
                chunk.iter().map(|(place, _)| (place.batch(), place.row())).collect();
            let batch = compact(&interleave_record_batch(&batches, &rows)?)?;
            chunk
                .iter()
                .enumerate()
                .for_each(|(row, (_, slot))| self.slots[*slot].place = Place::new(at, row));
            packed.push(batch);
        }
        self.store_bytes = packed.iter().map(get_record_batch_memory_size).sum();
        self.packed_bytes = self.store_bytes;
        self.store_rows = places.len();
        let stored = packed
            .into_iter()
            .map(|batch| Ok(Stored { order: order_columns(&self.window.order, &batch)?, batch }));
        self.store = stored.collect::<Result<_>>()?;
        Ok(())
    }

    /// Everything that is kept, and nothing is held after.
    fn take(&mut self) -> Result<Vec<RecordBatch>> {
        self.pack()?;
        let fresh = Self::try_new(&self.window, self.rows, &self.schema, self.batch_rows)?;
        let held = std::mem::replace(self, fresh);
        Ok(held.store.into_iter().map(|stored| stored.batch).collect())
    }
}

/// The same rows, without the texts of other rows that views keep alive.
fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()) as ArrayRef,
        _ => column.clone(),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns.collect(), &options)?)
}

/// Puts a row among the first of its group if it is one of them; how many more there are then. Of equal ones the first stays.
fn offer(
    slots: &mut [Slot],
    new: Slot,
    mut is_before: impl FnMut(Slot, Slot) -> Result<bool>,
) -> Result<usize> {
    let Some(last) = slots.last() else { return Ok(0) };
    let more = usize::from(last.place == Place::NONE);
    if more == 0 && (new.number > last.number || !is_before(new, *last)?) {
        return Ok(0);
    }
    let mut at = slots.len() - 1;
    while at > 0 && (slots[at - 1].place == Place::NONE || is_before(new, slots[at - 1])?) {
        slots[at] = slots[at - 1];
        at -= 1;
    }
    slots[at] = new;
    Ok(more)
}

/// What decides between rows with equal numbers.
struct Ties {
    order: Vec<PhysicalSortExpr>,
    /// Whether equal numbers always mean equal values.
    never: bool,
    /// Of the batch that is looked at with another.
    comparators: HashMap<(usize, usize), Vec<DynComparator>>,
}

impl Ties {
    fn is_before(&mut self, store: &[Stored], a: Slot, b: Slot) -> Result<bool> {
        if a.number != b.number || self.never {
            return Ok(a.number < b.number);
        }
        let batches = (a.place.batch(), b.place.batch());
        if !self.comparators.contains_key(&batches) {
            let (left, right) = (&store[batches.0].order, &store[batches.1].order);
            let columns = self.order.iter().zip(left.iter().zip(right));
            let made = columns.map(|(by, (left, right))| Ok(make_comparator(left, right, by.options)?));
            self.comparators.insert(batches, made.collect::<Result<_>>()?);
        }
        let comparators = self.comparators.get(&batches).into_iter().flatten();
        let mut orders = comparators.map(|compare| compare(a.place.row(), b.place.row()));
        Ok(orders.find(|order| order.is_ne()) == Some(Ordering::Less))
    }
}
