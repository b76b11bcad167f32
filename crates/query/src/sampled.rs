//! A filter that is asked of rows while they are decoded only as long as that pays.
//!
//! Such a filter is a help and no condition: whoever made it looks at each row again, as a join or a TopK does with
//! what it has learned, and a filter above the scan. It always prunes files, row groups and pages. As a row filter it
//! pays when it drops most rows, because what is left of them need not be decoded; where many rows pass, deciding
//! costs more than it saves. A sample of rows tells. In files that are opened after that it is no row filter any more:
//! even one that lets everything pass has its columns decoded first, and all others by what it has selected.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_common::physical_expr::snapshot_generation;

/// Rows that are looked at before a filter is judged.
const SAMPLE_ROWS: u64 = 32 * 1024;

/// A filter that lets more than one row of so many pass is not worth asking: a join asks a hash table of each row, and
/// what is decoded for that is not free either (measured with four columns: of no use at one of 100, twice the
/// time of the whole query at one of 20).
const KEPT_ONE_OF: u64 = 32;

/// A filter that somebody else asks as well.
#[derive(Debug, Eq)]
pub(crate) struct SampledFilter {
    filter: Arc<dyn PhysicalExpr>,
    /// Of all files of a scan together.
    sample: Arc<Sample>,
}

/// What a filter did so far, in its current state: it may learn more while it is used.
#[derive(Debug, Default)]
struct Sample {
    generation: AtomicU64,
    rows: AtomicU64,
    kept: AtomicU64,
}

impl Sample {
    // Threads that meet here may count a batch wrongly; that makes an answer slower or faster, never another.
    fn pays(&self, generation: u64) -> bool {
        if self.generation.swap(generation, Ordering::Relaxed) != generation {
            self.rows.store(0, Ordering::Relaxed);
            self.kept.store(0, Ordering::Relaxed);
        }
        let (rows, kept) = (self.rows.load(Ordering::Relaxed), self.kept.load(Ordering::Relaxed));
        rows < SAMPLE_ROWS || kept.saturating_mul(KEPT_ONE_OF) <= rows
    }

    fn add(&self, answers: &BooleanArray) {
        self.rows.fetch_add(answers.len() as u64, Ordering::Relaxed);
        self.kept.fetch_add(answers.true_count() as u64, Ordering::Relaxed);
    }
}

impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Sample {}

impl SampledFilter {
    /// For a filter that is asked above the scan too.
    pub fn of(filter: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
        Arc::new(Self { filter, sample: Arc::default() })
    }

    /// What is sampled, where it is known by now that asking rows does not pay.
    pub fn not_worth_asking(&self) -> Option<&Arc<dyn PhysicalExpr>> {
        (!self.sample.pays(snapshot_generation(&self.filter))).then_some(&self.filter)
    }
}

// Derived, these would ask `Arc<dyn PhysicalExpr>` for what it has not (rust-lang/rust#78808).
impl PartialEq for SampledFilter {
    fn eq(&self, other: &Self) -> bool {
        self.filter.eq(&other.filter) && self.sample == other.sample
    }
}

impl Hash for SampledFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.filter.hash(state);
    }
}

impl fmt::Display for SampledFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.filter, f)
    }
}

impl PhysicalExpr for SampledFilter {
    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.filter.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        if !self.sample.pays(snapshot_generation(&self.filter)) {
            return Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(vec![true; rows]))));
        }
        let answers = self.filter.evaluate(batch)?.into_array(rows)?;
        self.sample.add(as_boolean_array(&answers)?);
        Ok(ColumnarValue::Array(answers))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.filter]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match children.into_iter().next() {
            Some(filter) => Ok(Arc::new(Self { filter, sample: self.sample.clone() })),
            None => exec_err!("a sampled filter needs what is sampled"),
        }
    }

    /// What prunes files, row groups and pages is the filter.
    fn snapshot(&self) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        Ok(Some(self.filter.clone()))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt_sql(f)
    }
}

/// Whether a filter may change while a query runs. Generations count from 1, and what does not change has none.
pub(crate) fn is_learned(filter: &Arc<dyn PhysicalExpr>) -> bool {
    snapshot_generation(filter) != 0
}

/// A filter that prunes, and that no row of a file is asked about.
///
/// DataFusion makes a row filter of each condition whose columns the file has. So this one has a further column, which
/// no file can have; what prunes is the filter alone.
#[derive(Debug, Eq)]
pub(crate) struct PruningOnly {
    filter: Arc<dyn PhysicalExpr>,
    missing: Arc<dyn PhysicalExpr>,
}

impl PruningOnly {
    /// For a filter over the columns of a file.
    pub fn of(filter: Arc<dyn PhysicalExpr>, file: &Schema) -> Arc<dyn PhysicalExpr> {
        let longest = file.fields().iter().map(|field| field.name().len()).max().unwrap_or_default();
        // Its place is one that there is: who asks for its type looks there.
        let missing = Column::new(&"-".repeat(longest + 1), 0);
        Arc::new(Self { filter, missing: Arc::new(missing) })
    }
}

impl PartialEq for PruningOnly {
    fn eq(&self, other: &Self) -> bool {
        self.filter.eq(&other.filter) && self.missing.eq(&other.missing)
    }
}

impl Hash for PruningOnly {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.filter.hash(state);
        self.missing.hash(state);
    }
}

impl fmt::Display for PruningOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.filter, f)
    }
}

impl PhysicalExpr for PruningOnly {
    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.filter.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.filter.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.filter, &self.missing]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match <[_; 2]>::try_from(children) {
            Ok([filter, missing]) => Ok(Arc::new(Self { filter, missing })),
            Err(_) => exec_err!("a pruning filter needs what prunes"),
        }
    }

    fn snapshot(&self) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        Ok(Some(self.filter.clone()))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt_sql(f)
    }
}

#[cfg(test)]
mod tests;
