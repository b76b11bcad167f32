//! Containers as DataFusion's pruning asks for them: one array for each question, one value for each container.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};

use super::container::{Container, Known};
use super::predicate::{Leaf, Leaves};

/// What is known of many containers.
pub(super) struct ContainerStatistics<'a, C> {
    /// The columns that may be asked for.
    pub leaves: &'a Leaves,
    /// The containers.
    pub containers: &'a [C],
}

impl<C: Container> ContainerStatistics<'_, C> {
    fn values(&self, column: &Column, value: impl Fn(Known) -> Option<ScalarValue>) -> Option<ArrayRef> {
        let leaf = self.leaves.get(&column.name)?;
        let null = ScalarValue::try_new_null(&leaf.arrow).ok()?;
        let values = self.containers.iter().map(|container| {
            let known = value(container.known(leaf));
            known.filter(|value| value.data_type() == leaf.arrow).unwrap_or_else(|| null.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }

    fn leaf(&self, column: &Column) -> Option<&Leaf> {
        self.leaves.get(&column.name)
    }
}

impl<C: Container> PruningStatistics for ContainerStatistics<'_, C> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |known| known.min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |known| known.max)
    }

    fn num_containers(&self) -> usize {
        self.containers.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let leaf = self.leaf(column)?;
        let counts: UInt64Array =
            self.containers.iter().map(|container| container.known(leaf).nulls).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.containers.iter().map(Container::rows).collect();
        Some(Arc::new(counts))
    }

    #[allow(clippy::mutable_key_type, reason = "the trait has it so; scalars are not changed here")]
    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let leaf = self.leaf(column)?;
        Some(self.containers.iter().map(|container| container.lacks(leaf, values).then_some(false)).collect())
    }
}
