//! Windows over groups: takes all rows in, sorts the places of each group, and gives the rows back with what was computed.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, RecordOutput,
};
use datafusion::physical_plan::spill::get_record_batch_memory_size;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};

use super::function::Function;
use super::groups::Groups;
use super::order::{Place, Ties, first_numbers, order_columns};
use super::original;
use super::shape::Window;

/// Rows that are sorted before others get a turn.
const ROWS_AT_ONCE: usize = 1 << 18;

/// More rows or batches than this have no [`Place`].
const ROWS_MAX: usize = u32::MAX as usize;

/// Bytes of a row's answers and of its entry while it is sorted, beside what is held of it before.
const ENTRY_BYTES: usize = size_of::<Entry>();

/// A row: its number in the order, and where it is.
type Entry = (u64, Place);

/// Starts the window of one partition.
pub(super) fn start(
    operator: Arc<dyn ExecutionPlan>,
    window: Arc<Window>,
    input: SendableRecordBatchStream,
    context: Arc<TaskContext>,
    metrics: &ExecutionPlanMetricsSet,
    partition: usize,
) -> Result<SendableRecordBatchStream> {
    let schema = operator.schema();
    let consumer = MemoryConsumer::new(format!("GroupWindowExec[{partition}]")).with_can_spill(true);
    let run = Run {
        held: Held::try_new(&window, &input.schema())?,
        memory: consumer.register(context.memory_pool()),
        spilled: MetricBuilder::new(metrics).counter("partitions_sorted_by_datafusion", partition),
        metrics: BaselineMetrics::new(metrics, partition),
        operator,
        window,
        context,
    };
    let rows = stream::once(run.rows(input)).try_flatten();
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}

struct Run {
    operator: Arc<dyn ExecutionPlan>,
    window: Arc<Window>,
    held: Held,
    memory: MemoryReservation,
    metrics: BaselineMetrics,
    spilled: Count,
    context: Arc<TaskContext>,
}

impl Run {
    async fn rows(mut self, mut input: SendableRecordBatchStream) -> Result<SendableRecordBatchStream> {
        let compute = self.metrics.elapsed_compute().clone();
        while let Some(batch) = input.next().await {
            let timer = compute.timer();
            let fits = self.held.add(&self.window, batch?)?;
            drop(timer);
            if !fits || self.memory.try_resize(self.held.bytes()).is_err() {
                return self.original(input);
            }
        }
        let more = self.held.rows * (ENTRY_BYTES + self.window.functions.len() * size_of::<u64>());
        if self.memory.try_grow(more).is_err() {
            return self.original(input);
        }
        let timer = compute.timer();
        let (mut entries, starts) = self.held.entries();
        drop(timer);
        let mut answers = Answers::new(&self.window, self.held.rows);
        let mut done = 0;
        for group in starts.windows(2) {
            let timer = compute.timer();
            let group = &mut entries[group[0]..group[1]];
            self.held.sort(group);
            answers.add(&self.window, &self.held, group);
            drop(timer);
            done += group.len();
            if done >= ROWS_AT_ONCE {
                done = 0;
                tokio::task::yield_now().await;
            }
        }
        drop((entries, starts));
        self.answer(answers.of)
    }

    /// The rows as they came, with a column for each function.
    fn answer(self, answers: Vec<Vec<u64>>) -> Result<SendableRecordBatchStream> {
        let Self { window, held, memory, metrics, operator, .. } = self;
        let schema = operator.schema();
        let columns = window.functions.iter().zip(answers).enumerate();
        let columns =
            columns.map(|(at, (function, answers))| Computed::new(function, answers, &held.arguments[at]));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let firsts = held.firsts;
        let rows = stream::iter(held.batches.into_iter().zip(firsts)).map(move |(batch, first)| {
            // Held as long as there are rows to give.
            let _ = &memory;
            let timer = metrics.elapsed_compute().timer();
            let mut all = batch.columns().to_vec();
            for column in &columns {
                all.push(column.slice(first, batch.num_rows())?);
            }
            drop(timer);
            Ok(RecordBatch::try_new(schema.clone(), all)?.record_output(&metrics))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(operator.schema(), rows)))
    }

    /// DataFusion's operator over the rows that are held and those that are still to come.
    fn original(self, input: SendableRecordBatchStream) -> Result<SendableRecordBatchStream> {
        let Self { operator, window, held, memory, context, spilled, .. } = self;
        spilled.add(1);
        let schema: SchemaRef = input.schema();
        let sizes: usize = held.batches.iter().map(get_record_batch_memory_size).sum();
        memory.resize(sizes);
        let rows = stream::iter(held.batches).map(move |batch| {
            memory.shrink(get_record_batch_memory_size(&batch).min(memory.size()));
            Ok(batch)
        });
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows.chain(input)));
        original::run(&operator, &window.sort, rows, context)
    }
}

/// All rows so far.
struct Held {
    batches: Vec<RecordBatch>,
    batch_bytes: usize,
    /// The number of the first row of each batch.
    firsts: Vec<usize>,
    rows: usize,
    groups: Groups,
    group_of: Vec<u32>,
    numbers: Vec<u64>,
    ties: Ties,
    /// The values that are shifted, of each function in each batch.
    arguments: Vec<Vec<ArrayRef>>,
}

impl Held {
    fn try_new(window: &Window, schema: &SchemaRef) -> Result<Self> {
        Ok(Self {
            batches: Vec::new(),
            batch_bytes: 0,
            firsts: Vec::new(),
            rows: 0,
            groups: Groups::try_new(window.keys.clone(), schema)?,
            group_of: Vec::new(),
            numbers: Vec::new(),
            ties: Ties::try_new(&window.order, schema)?,
            arguments: vec![Vec::new(); window.functions.len()],
        })
    }

    /// Takes in a batch; false where there are too many rows to go on.
    fn add(&mut self, window: &Window, batch: RecordBatch) -> Result<bool> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(true);
        }
        if self.rows + rows > ROWS_MAX {
            self.batches.push(batch);
            return Ok(false);
        }
        let columns = order_columns(&window.order, &batch)?;
        first_numbers(&columns, &window.order, rows, &mut self.numbers);
        self.ties.add(&columns)?;
        // There are no more groups than rows.
        self.group_of.extend(self.groups.of(&batch)?.iter().map(|group| *group as u32));
        for (function, arguments) in window.functions.iter().zip(&mut self.arguments) {
            if let Function::Shift { value, .. } = function {
                let values = value.evaluate(&batch)?.into_array(rows)?;
                if !value.is::<Column>() {
                    self.batch_bytes += values.get_array_memory_size();
                }
                arguments.push(values);
            }
        }
        self.batch_bytes += get_record_batch_memory_size(&batch);
        self.firsts.push(self.rows);
        self.rows += rows;
        self.batches.push(batch);
        Ok(true)
    }

    fn bytes(&self) -> usize {
        self.batch_bytes
            + self.groups.bytes()
            + self.ties.bytes()
            + self.group_of.capacity() * size_of::<u32>()
            + self.numbers.capacity() * size_of::<u64>()
    }

    fn number_of(&self, place: Place) -> usize {
        self.firsts[place.batch()] + place.row()
    }

    /// All rows, group after group, and where each group starts; the last start is the end.
    fn entries(&mut self) -> (Vec<Entry>, Vec<usize>) {
        let (group_of, numbers) = (std::mem::take(&mut self.group_of), std::mem::take(&mut self.numbers));
        let mut starts = vec![0; self.groups.len() + 1];
        group_of.iter().for_each(|group| starts[*group as usize + 1] += 1);
        for group in 1..starts.len() {
            starts[group] += starts[group - 1];
        }
        let mut next = starts.clone();
        let mut entries = vec![(0, Place::NONE); self.rows];
        let mut number = 0;
        for (at, batch) in self.batches.iter().enumerate() {
            for row in 0..batch.num_rows() {
                let free = &mut next[group_of[number] as usize];
                entries[*free] = (numbers[number], Place::new(at, row));
                *free += 1;
                number += 1;
            }
        }
        (entries, starts)
    }

    /// Sorts the rows of a group; equal ones stay in the order in which they came.
    fn sort(&self, group: &mut [Entry]) {
        if self.ties.never() {
            group.sort_unstable();
        } else {
            group.sort_unstable_by(|a, b| {
                let ties = || self.ties.compare(a.1, b.1, |place| self.number_of(place));
                a.0.cmp(&b.0).then_with(ties).then_with(|| a.1.cmp(&b.1))
            });
        }
    }

    fn are_peers(&self, a: Entry, b: Entry) -> bool {
        a.0 == b.0 && self.ties.compare(a.1, b.1, |place| self.number_of(place)).is_eq()
    }
}

/// What was computed, by row: a number, or the place of another row.
struct Answers {
    of: Vec<Vec<u64>>,
}

impl Answers {
    fn new(window: &Window, rows: usize) -> Self {
        Self { of: window.functions.iter().map(|_| vec![0; rows]).collect() }
    }

    /// Takes in a group that is sorted.
    fn add(&mut self, window: &Window, held: &Held, group: &[Entry]) {
        for (function, answers) in window.functions.iter().zip(&mut self.of) {
            match function {
                Function::RowNumber => {
                    (1..).zip(group).for_each(|(number, row)| answers[held.number_of(row.1)] = number);
                }
                Function::Rank => ranks(held, group, answers, |_, place| place),
                Function::DenseRank => ranks(held, group, answers, |rank, _| rank + 1),
                Function::Shift { back, .. } => {
                    for (place, row) in (0_i64..).zip(group) {
                        let other = usize::try_from(place - back).ok().and_then(|place| group.get(place));
                        answers[held.number_of(row.1)] = other.map_or(Place::NONE, |row| row.1).bits();
                    }
                }
            }
        }
    }
}

/// Each row's rank: that of the row before if they are equal, else what `next` makes of that and of the row's place.
fn ranks(held: &Held, group: &[Entry], answers: &mut [u64], next: impl Fn(u64, u64) -> u64) {
    let (mut rank, mut before) = (0, None);
    for (place, row) in (1_u64..).zip(group) {
        if !before.is_some_and(|before| held.are_peers(before, *row)) {
            rank = next(rank, place);
        }
        answers[held.number_of(row.1)] = rank;
        before = Some(*row);
    }
}

/// A column that was computed.
enum Computed {
    Numbers(Vec<u64>),
    /// The places of values; the last of the columns holds what stands where no row is.
    Values {
        places: Vec<u64>,
        columns: Vec<ArrayRef>,
    },
}

impl Computed {
    fn new(function: &Function, answers: Vec<u64>, arguments: &[ArrayRef]) -> Result<Self> {
        let Function::Shift { default, .. } = function else { return Ok(Self::Numbers(answers)) };
        let columns = arguments.iter().cloned().chain([default.to_array()?]).collect();
        Ok(Self::Values { places: answers, columns })
    }

    fn slice(&self, first: usize, rows: usize) -> Result<ArrayRef> {
        match self {
            Self::Numbers(numbers) => {
                Ok(Arc::new(UInt64Array::from_iter_values(numbers[first..first + rows].iter().copied())))
            }
            Self::Values { places, columns } => {
                let none = (columns.len() - 1, 0);
                let places = places[first..first + rows].iter().map(|bits| match Place::from_bits(*bits) {
                    Place::NONE => none,
                    place => (place.batch(), place.row()),
                });
                let columns: Vec<&dyn Array> = columns.iter().map(|column| column.as_ref()).collect();
                Ok(interleave(&columns, &places.collect::<Vec<_>>())?)
            }
        }
    }
}
