//! What a run reports about values that found no column, and what it asks the table to add.
//!
//! Both are bounded and can be merged, so that chunks may be decoded apart and summed up in their order.

use std::collections::HashMap;

use hosu_table::evolve::ParentPath;
use hosu_table::json::{Inference, Rescued};
use hosu_table::rejects::{is_rescued_data, rescued_data_field};
use iceberg::spec::{NestedFieldRef, Schema};

/// Of so many columns the rescued values are told one by one; records may invent any number of names.
const COLUMNS_MAX: usize = 1_000;

const EXAMPLE_CHARS_MAX: usize = 200;

/// The rescued values of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RescuedColumn {
    /// The column's full name (`geo.lat`, `items.element.price`), also of a field that has none.
    pub column: String,
    /// The column's type; none when there is no such column.
    pub column_type: Option<String>,
    /// How many values were rescued.
    pub values: u64,
    /// The start of the first of them, as it stood.
    pub example: String,
}

/// The rescued values of many rows, per column in the order of their appearance.
#[derive(Clone, Debug, Default)]
pub struct Rescues {
    columns: Vec<RescuedColumn>,
    by_name: HashMap<String, usize>,
    total: u64,
}

impl Rescues {
    /// How many values were rescued in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The columns that values were rescued of, the first thousand of them.
    pub fn columns(&self) -> &[RescuedColumn] {
        &self.columns
    }

    /// Adds what was rescued after this.
    pub fn merge(&mut self, other: Self) {
        self.total += other.total;
        for column in other.columns {
            self.add_column(column);
        }
    }

    pub(super) fn add(&mut self, rescued: &Rescued<'_>) {
        self.total += 1;
        if let Some(known) = self.by_name.get(&rescued.column).and_then(|at| self.columns.get_mut(*at)) {
            known.values += 1;
            return;
        }
        self.add_column(RescuedColumn {
            column: rescued.column.clone(),
            column_type: rescued.column_type.clone(),
            values: 1,
            example: rescued.source.chars().take(EXAMPLE_CHARS_MAX).collect(),
        });
    }

    fn add_column(&mut self, column: RescuedColumn) {
        match self.by_name.get(&column.column).and_then(|at| self.columns.get_mut(*at)) {
            Some(known) => known.values += column.values,
            None if self.by_name.len() < COLUMNS_MAX => {
                self.by_name.insert(column.column.clone(), self.columns.len());
                self.columns.push(column);
            }
            None => {}
        }
    }
}

/// What the rows had and the table lacks.
#[derive(Clone, Debug)]
pub struct Unknown {
    pub(super) fields: Inference,
    /// Whether anything was rescued that `_rescued_data` does not hold, because the table lacks it,
    homeless: bool,
    /// and whether some of that will need it whatever fields are added.
    homeless_whatever_is_added: bool,
}

impl Unknown {
    pub(super) fn new(fields: Inference) -> Self {
        Self { fields, homeless: false, homeless_whatever_is_added: false }
    }

    pub(super) fn note_rescued(&mut self, rescued: &Rescued<'_>, has_rescued_data: bool) {
        if !has_rescued_data {
            self.homeless = true;
            self.homeless_whatever_is_added |= rescued.column_type.is_some();
        }
    }

    /// The fields to add to the schema that the rows were decoded for, by `hosu_table::evolve::add_fields`: those
    /// that it lacks, and `_rescued_data` when a value needs it. Empty when each row landed as it should.
    ///
    /// Rows decoded for the grown schema can ask for more (`_rescued_data`, when a new field could not hold all
    /// of its values), but never without end: each round adds a field, and fields are limited.
    pub fn additions(&self, base: &Schema) -> Vec<(ParentPath, NestedFieldRef)> {
        let mut additions = self.fields.additions(base);
        let has_rescued_data = base.as_struct().fields().iter().any(|field| is_rescued_data(&field.name));
        let needed = self.homeless_whatever_is_added || (self.homeless && additions.is_empty());
        if needed && !has_rescued_data {
            additions.push((ParentPath::root(), rescued_data_field(0)));
        }
        additions
    }

    /// Adds what was seen after this.
    pub fn merge(&mut self, other: Self) {
        self.fields.merge(other.fields);
        self.homeless |= other.homeless;
        self.homeless_whatever_is_added |= other.homeless_whatever_is_added;
    }
}
