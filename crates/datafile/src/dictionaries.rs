//! Which columns of a file get no dictionary: those whose values hardly repeat.
//!
//! To look for each of a million different ids in a dictionary is most of the work of writing them, and then the dictionary
//! becomes larger than it may be and the writer gives it up, or it holds the column once more beside the numbers that
//! refer to it. The first rows of a file tell which columns are such.
//!
//! Without a dictionary values are written plain and not as differences: many releases of Iceberg's vectorized reader for
//! Spark refuse every other encoding.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{ArrowNativeType, DataType};
use parquet::file::properties::WriterPropertiesPtr;

use crate::columns::column_at;
use crate::layout::Layout;
use crate::selection::Selection;

/// Values that are looked at; of fewer than [`VALUES_MIN`] nothing is known.
const VALUES_MAX: usize = 4096;
const VALUES_MIN: usize = 512;

/// A power of two, of which a half at most is taken.
const PLACES: usize = 2 * VALUES_MAX;

/// What the length of a text takes in a dictionary.
const LENGTH_BYTES: usize = size_of::<u32>();

/// How a file that begins with these rows is written. It follows from the rows alone.
pub(crate) fn properties_for(layout: &Layout, rows: &[Selection]) -> WriterPropertiesPtr {
    if rows.iter().map(Selection::num_rows).sum::<usize>() < VALUES_MIN {
        return layout.properties.clone();
    }
    let mut seen = Seen::new(layout.dictionary_bytes);
    let leaves = layout.leaves.iter().filter(|leaf| {
        let Some(path) = &leaf.path else { return false };
        seen.clear();
        for rows in rows {
            if !seen.is_decided()
                && let Ok(column) = column_at(rows.batch(), path)
            {
                seen.look_at(&column, rows.listed());
            }
        }
        seen.would_overflow()
    });
    let paths: Vec<_> = leaves.map(|leaf| leaf.parquet_path.clone()).collect();
    if paths.is_empty() {
        return layout.properties.clone();
    }
    let builder = layout.properties.as_ref().clone().into_builder();
    let builder =
        paths.into_iter().fold(builder, |builder, path| builder.set_column_dictionary_enabled(path, false));
    builder.build().into()
}

/// The values of a column so far.
struct Seen {
    /// Hashes of values, by their last bits or the next place that is free; 0 is a free place.
    places: Vec<u64>,
    dictionary_bytes: usize,
    values: usize,
    bytes: usize,
    repeated: usize,
    is_candidate: bool,
}

impl Seen {
    fn new(dictionary_bytes: usize) -> Self {
        let places = vec![0; PLACES];
        Self { places, dictionary_bytes, values: 0, bytes: 0, repeated: 0, is_candidate: true }
    }

    fn clear(&mut self) {
        self.places.fill(0);
        (self.values, self.bytes, self.repeated, self.is_candidate) = (0, 0, 0, true);
    }

    fn is_decided(&self) -> bool {
        !self.is_candidate || self.values == VALUES_MAX || self.repeats()
    }

    /// Whether so many values repeat already that a dictionary of all, if there were as many as these tell, would be small.
    fn repeats(&self) -> bool {
        self.repeated * 2 * self.dictionary_bytes > VALUES_MAX * VALUES_MAX / self.values.max(1) * self.bytes
    }

    /// Whether a dictionary of the whole column would be larger than it may be. Of `n` values out of `k` that are
    /// equally frequent about `n²/2k` repeat; where some are more frequent, more do.
    fn would_overflow(&self) -> bool {
        self.is_candidate
            && self.values >= VALUES_MIN
            && self.repeated * 2 * self.dictionary_bytes < self.values * self.bytes
    }

    /// Takes values of a column, of those rows that are listed.
    fn look_at(&mut self, column: &ArrayRef, listed: Option<&[u32]>) {
        let nulls = column.nulls();
        let rows = 0..listed.map_or(column.len(), <[u32]>::len);
        let rows = rows.map(|at| listed.and_then(|rows| rows.get(at)).map_or(at, |row| *row as usize));
        let rows = rows.filter(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row)));
        match column.data_type() {
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                self.add_all(rows, |row| texts.value(row).as_bytes(), LENGTH_BYTES);
            }
            DataType::Binary => {
                let values = column.as_binary::<i32>();
                self.add_all(rows, |row| values.value(row), LENGTH_BYTES);
            }
            DataType::FixedSizeBinary(_) => {
                let values = column.as_fixed_size_binary();
                self.add_all(rows, |row| values.value(row), 0);
            }
            other => match other.primitive_width().filter(|width| *width <= size_of::<u64>()) {
                Some(width) => self.add_numbers(rows, column, width),
                None => self.is_candidate = false,
            },
        }
    }

    fn add_numbers(&mut self, rows: impl Iterator<Item = usize>, column: &ArrayRef, width: usize) {
        let data = column.to_data();
        let Some(buffer) = data.buffers().first() else { return };
        let start = data.offset() * width;
        let bytes = buffer.as_slice().get(start..start + column.len() * width).unwrap_or_default();
        let value = |row: usize| bytes.get(row * width..(row + 1) * width).unwrap_or_default();
        self.add_all(rows, value, 0);
    }

    fn add_all<'a>(
        &mut self,
        rows: impl Iterator<Item = usize>,
        value: impl Fn(usize) -> &'a [u8],
        more_bytes: usize,
    ) {
        for row in rows {
            if self.is_decided() {
                return;
            }
            let value = value(row);
            self.values += 1;
            self.bytes += value.len() + more_bytes;
            self.repeated += usize::from(!self.put(hash(value)));
        }
    }

    /// Whether the value was not there before.
    fn put(&mut self, hash: u64) -> bool {
        let mut at = hash.as_usize() % PLACES;
        while let Some(place) = self.places.get_mut(at) {
            if *place == hash {
                return false;
            }
            if *place == 0 {
                *place = hash;
                return true;
            }
            at = (at + 1) % PLACES;
        }
        false
    }
}

/// Not 0. Values that someone has chosen to have the same hash are taken for one, and get a dictionary.
fn hash(value: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (eights, rest) = value.as_chunks::<8>();
    let mut last = [0; 8];
    rest.iter().zip(&mut last).for_each(|(from, to)| *to = *from);
    let words = eights.iter().chain(std::iter::once(&last)).map(|eight| u64::from_le_bytes(*eight));
    let mixed = words.fold((value.len() as u64 + 1).wrapping_mul(FACTOR), |hash, word| {
        let product = u128::from((hash ^ word).wrapping_mul(FACTOR)) * u128::from(FACTOR);
        (product as u64) ^ (product >> 64) as u64
    });
    mixed.max(1)
}

#[cfg(test)]
mod tests;
