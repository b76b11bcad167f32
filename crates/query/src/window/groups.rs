//! Which group a row is in, as a small number: the first row of a group gives it its number.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// The groups that were seen so far.
pub(super) struct Groups {
    keys: Vec<Arc<dyn PhysicalExpr>>,
    values: Box<dyn GroupValues>,
    numbers: Vec<usize>,
}

impl Groups {
    /// Groups of rows with the same values of `keys`; null is the same as null.
    pub fn try_new(keys: Vec<Arc<dyn PhysicalExpr>>, schema: &Schema) -> Result<Self> {
        let values = new_group_values(Arc::new(key_schema(&keys, schema)?), &GroupOrdering::None)?;
        Ok(Self { keys, values, numbers: Vec::new() })
    }

    /// The group of each row.
    pub fn of(&mut self, batch: &RecordBatch) -> Result<&[usize]> {
        let evaluated = self.keys.iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows()));
        let columns = evaluated.collect::<Result<Vec<_>>>()?;
        self.values.intern(&columns, &mut self.numbers)?;
        Ok(&self.numbers)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The bytes that they take.
    pub fn bytes(&self) -> usize {
        self.values.size() + self.numbers.capacity() * size_of::<usize>()
    }
}

fn key_schema(keys: &[Arc<dyn PhysicalExpr>], schema: &Schema) -> Result<Schema> {
    let fields = keys.iter().enumerate().map(|(at, key)| {
        let field = key.return_field(schema)?;
        Ok(Field::new(format!("key_{at}"), field.data_type().clone(), true))
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>>>()?))
}
