//! Rows of a Parquet file on their way to a core that decodes them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use hosu_table::rejects::is_reserved;
use iceberg::spec::Schema;

use super::cast::cast;
use super::columns::Column;
use super::render::{self, When};

/// What a text takes beside its bytes.
const VIEW_BYTES: usize = size_of::<u128>();

/// Some rows, as they are stored.
#[derive(Clone)]
pub struct Rows {
    batch: RecordBatch,
    columns: Arc<[Column]>,
    /// The longest record, as JSON.
    record_bytes_max: usize,
}

impl Rows {
    /// Rows of these columns; none when they are not of their kinds.
    pub(super) fn new(batch: RecordBatch, columns: Arc<[Column]>, record_bytes_max: usize) -> Option<Self> {
        render::Rows::new(&columns, batch.columns())?;
        Some(Self { batch, columns, record_bytes_max })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The longest record that a row may be, as JSON.
    pub fn record_bytes_max(&self) -> usize {
        self.record_bytes_max
    }

    /// Each row as the JSON object that it is, until `take` says no: then the number of rows that were taken.
    pub fn each(&self, mut take: impl FnMut(usize, &[u8]) -> bool) -> usize {
        // That they are of their kinds was looked at when they were read.
        let Some(rows) = render::Rows::new(&self.columns, self.batch.columns()) else { return self.len() };
        let mut record = Vec::new();
        for row in 0..self.len() {
            record.clear();
            rows.write(row, &mut record);
            if !take(row, &record) {
                return row;
            }
        }
        self.len()
    }

    /// The rows as columns of a table, as far as they are such.
    pub fn landed(&self, schema: &Schema) -> Landed {
        let fields = schema.as_struct().fields();
        let mut landed =
            Landed { columns: vec![None; fields.len()], rest: vec![When::Always; self.columns.len()] };
        let targets: HashMap<&str, usize> = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| !is_reserved(&field.name))
            .map(|(at, field)| (field.name.as_str(), at))
            .collect();
        let mut spellings: HashMap<String, usize> = HashMap::new();
        for column in self.columns.iter() {
            *spellings.entry(column.name.to_lowercase()).or_default() += 1;
        }
        for ((at, column), when) in self.columns.iter().enumerate().zip(&mut landed.rest) {
            // Where it is not clear which column a name means, JSON's rules say it.
            let is_alone = spellings.get(&column.name.to_lowercase()) == Some(&1);
            let target = targets.get(column.name.as_str()).copied().filter(|_| is_alone);
            let Some((target, array)) = target.zip(self.batch.columns().get(at)) else { continue };
            let field = fields.get(target);
            let Some(cast) = field.and_then(|field| cast(&column.kind, &field.field_type, array)) else {
                continue;
            };
            if let Some(slot) = landed.columns.get_mut(target) {
                *slot = Some((cast.array, cast.failed.clone()));
            }
            *when = cast.failed.map_or(When::Never, When::In);
        }
        landed
    }

    /// Each row as the JSON object of what has not landed, until `take` says no: then the number of rows that were taken.
    /// `take` gets the whole row, too, when it asks for it.
    pub fn each_rest(
        &self,
        landed: &Landed,
        mut take: impl FnMut(usize, &[u8], &dyn Fn() -> Vec<u8>) -> bool,
    ) -> usize {
        let Some(rows) = render::Rows::new(&self.columns, self.batch.columns()) else { return self.len() };
        let mut record = Vec::new();
        for row in 0..self.len() {
            record.clear();
            rows.write_some(&landed.rest, row, &mut record);
            let whole = || {
                let mut record = Vec::new();
                rows.write(row, &mut record);
                record
            };
            if !take(row, &record, &whole) {
                return row;
            }
        }
        self.len()
    }

    /// How many of the rows take about so many bytes, one at least.
    pub fn fitting(&self, bytes_max: usize) -> usize {
        let Some(rows) = render::Rows::new(&self.columns, self.batch.columns()) else { return self.len() };
        let mut bytes = 0;
        let has_room = |row: &usize| {
            let had_room = bytes < bytes_max;
            bytes += rows.bytes(*row);
            had_room
        };
        (0..self.len()).take_while(has_room).count()
    }

    /// The first of the rows.
    #[must_use]
    pub fn first(&self, rows: usize) -> Self {
        Self { batch: self.batch.slice(0, rows.min(self.len())), ..self.clone() }
    }

    /// The rows from one of them on.
    #[must_use]
    pub fn rest_from(&self, row: usize) -> Self {
        let row = row.min(self.len());
        Self { batch: self.batch.slice(row, self.len() - row), ..self.clone() }
    }

    /// About how much memory they take. Texts and bytes are in pages that many rows share.
    pub fn memory_bytes(&self) -> usize {
        self.batch.columns().iter().map(memory_of).sum()
    }
}

fn memory_of(array: &ArrayRef) -> usize {
    let whole = array.get_array_memory_size();
    let values = match array.data_type() {
        DataType::BinaryView => {
            array.as_binary_view().lengths().map(|length| length as usize + VIEW_BYTES).sum()
        }
        DataType::Struct(_) => array.as_struct().columns().iter().map(memory_of).sum(),
        DataType::List(_) => memory_of(array.as_list::<i32>().values()),
        DataType::Map(..) => array.as_map().entries().columns().iter().map(memory_of).sum(),
        _ => whole,
    };
    values.min(whole)
}

/// What of some rows is in columns of a table.
#[derive(Clone, Debug)]
pub struct Landed {
    /// For each column of the table its values, and the rows where it has others that it cannot hold.
    pub columns: Vec<Option<(ArrayRef, Option<BooleanBuffer>)>>,
    /// In which rows the file's columns have not landed.
    rest: Vec<When>,
}

impl Landed {
    /// Whether nothing is left.
    pub fn is_all(&self) -> bool {
        self.rest.iter().all(|when| matches!(when, When::Never))
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.batch == other.batch && self.columns == other.columns
    }
}

impl Eq for Rows {}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("rows", &self.len()).finish_non_exhaustive()
    }
}
