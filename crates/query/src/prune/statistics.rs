//! Containers as DataFusion's pruning asks for them: one array for each question, one value for each container.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};

use super::container::{Container, Known};
use super::predicate::{Leaf, Leaves, Wanted};

/// What is known of many containers.
pub(super) struct ContainerStatistics<'a, C> {
    leaves: &'a Leaves,
    containers: &'a [C],
    /// DataFusion asks for the least, the greatest and the NULLs of a column apart.
    known: RefCell<HashMap<i32, Rc<Vec<Known>>>>,
}

impl<'a, C: Container> ContainerStatistics<'a, C> {
    /// Of these containers, for questions about these columns.
    pub fn new(leaves: &'a Leaves, containers: &'a [C]) -> Self {
        Self { leaves, containers, known: RefCell::default() }
    }

    fn known(&self, leaf: &Leaf) -> Rc<Vec<Known>> {
        let mut cache = self.known.borrow_mut();
        let known = cache.entry(leaf.id).or_insert_with(|| {
            Rc::new(self.containers.iter().map(|container| container.known(leaf)).collect())
        });
        known.clone()
    }

    fn values(&self, column: &Column, value: impl Fn(&Known) -> Option<&ScalarValue>) -> Option<ArrayRef> {
        let leaf = self.leaves.get(&column.name)?;
        let null = ScalarValue::try_new_null(&leaf.arrow).ok()?;
        let known = self.known(leaf);
        let values = known.iter().map(|known| match value(known) {
            Some(value) if value.data_type() == leaf.arrow => value.clone(),
            _ => null.clone(),
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl<C: Container> PruningStatistics for ContainerStatistics<'_, C> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |known| known.min.as_ref())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |known| known.max.as_ref())
    }

    fn num_containers(&self) -> usize {
        self.containers.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let leaf = self.leaves.get(&column.name)?;
        let counts: UInt64Array = self.known(leaf).iter().map(|known| known.nulls).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.containers.iter().map(Container::rows).collect();
        Some(Arc::new(counts))
    }

    #[allow(clippy::mutable_key_type, reason = "the trait has it so; scalars are not changed here")]
    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let leaf = self.leaves.get(&column.name)?;
        let wanted = Wanted::new(leaf, values);
        let lacks = self.containers.iter().map(|container| container.lacks(leaf, &wanted));
        Some(lacks.map(|lacks| lacks.then_some(false)).collect())
    }
}
