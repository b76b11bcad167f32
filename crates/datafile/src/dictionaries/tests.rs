//! Which columns get a dictionary, for values of which the truth is known.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Fields;
use iceberg::spec::{NestedField, PrimitiveType, StructType, Type};
use parquet::schema::types::ColumnPath;
use proptest::prelude::*;

use super::*;
use crate::tests::{Bench, optional, schema};

fn layout(dictionary_bytes: &str) -> Layout {
    let inner = StructType::new(vec![optional(4, "z", PrimitiveType::Long)]);
    let outer = Arc::new(NestedField::optional(3, "s", Type::Struct(inner)));
    let schema =
        schema([optional(1, "id", PrimitiveType::String), optional(2, "n", PrimitiveType::Long), outer]);
    let bench = Bench::new(schema).properties(&[("write.parquet.dict-size-bytes", dictionary_bytes)]);
    Layout::new(&bench.target, &bench.settings).unwrap()
}

/// Rows whose text, number and nested number are those of `n`.
fn rows(layout: &Layout, numbers: &[Option<i64>]) -> RecordBatch {
    let text = |n: &Option<i64>| n.map(|n| format!("a text of some length, {n:08}"));
    let texts: StringArray = numbers.iter().map(text).collect();
    let numbers = Int64Array::from(numbers.to_vec());
    let fields: Fields = match layout.rows.field(2).data_type() {
        DataType::Struct(fields) => fields.clone(),
        other => panic!("{other}"),
    };
    let nulls = numbers.nulls().cloned().unwrap_or_else(|| NullBuffer::new_valid(numbers.len()));
    let numbers: ArrayRef = Arc::new(numbers);
    let nested = StructArray::new(fields, vec![numbers.clone()], Some(nulls));
    RecordBatch::try_new(layout.rows.clone(), vec![Arc::new(texts), numbers, Arc::new(nested)]).unwrap()
}

/// Which of `id`, `n` and `s.z` have a dictionary.
fn dictionaries(layout: &Layout, batches: &[RecordBatch]) -> [bool; 3] {
    let rows: Vec<Selection> = batches.iter().cloned().map(Selection::from).collect();
    let properties = properties_for(layout, &rows);
    [vec!["id"], vec!["n"], vec!["s", "z"]].map(|path| {
        let path = path.into_iter().map(str::to_owned).collect();
        properties.dictionary_enabled(&ColumnPath::new(path))
    })
}

fn spread(n: i64) -> Option<i64> {
    Some(n.wrapping_mul(0x9e37_79b9).rem_euclid(100_000_000))
}

#[test]
fn values_that_never_repeat_have_none() {
    let layout = layout("2097152");
    let unique: Vec<_> = (0..5000).map(spread).collect();
    assert_eq!(dictionaries(&layout, &[rows(&layout, &unique)]), [false; 3]);
    let parts: Vec<_> = unique.chunks(700).map(|part| rows(&layout, part)).collect();
    assert_eq!(dictionaries(&layout, &parts), [false; 3]);
}

#[test]
fn values_that_repeat_have_one() {
    let layout = layout("2097152");
    let few: Vec<_> = (0..5000).map(|n| spread(n % 100)).collect();
    assert_eq!(dictionaries(&layout, &[rows(&layout, &few)]), [true; 3]);
    // 20,000 different values, of which nine in ten of the first are new, fit into 2 MiB.
    let many: Vec<_> = (0..5000_i64).map(|n| spread((hash(&n.to_le_bytes()) % 20_000) as i64)).collect();
    assert_eq!(dictionaries(&layout, &[rows(&layout, &many)]), [true; 3]);
    // The texts do not fit into 256 KiB, the numbers do.
    let small = self::layout("262144");
    assert_eq!(dictionaries(&small, &[rows(&small, &many)]), [false, true, true]);
}

#[test]
fn of_few_values_nothing_is_known() {
    let layout = layout("2097152");
    let few: Vec<_> = (0..500).map(spread).collect();
    assert_eq!(dictionaries(&layout, &[rows(&layout, &few)]), [true; 3]);
    let nulls: Vec<_> = (0..9000).map(|n| spread(n).filter(|_| n % 20 == 0)).collect();
    assert_eq!(dictionaries(&layout, &[rows(&layout, &nulls)]), [true; 3]);
    assert_eq!(dictionaries(&layout, &[]), [true; 3]);
    // Of a few more something is.
    let more: Vec<_> = (0..9000).map(|n| spread(n).filter(|_| n % 10 == 0)).collect();
    assert_eq!(dictionaries(&layout, &[rows(&layout, &more)]), [false; 3]);
}

#[test]
fn a_slice_is_looked_at_alone() {
    let layout = layout("2097152");
    let half: Vec<_> = (0..2000).map(|n| spread(n.min(1000))).collect();
    let rows = rows(&layout, &half);
    assert_eq!(dictionaries(&layout, &[rows.slice(0, 1000)]), [false; 3]);
    assert_eq!(dictionaries(&layout, &[rows.slice(1000, 1000)]), [true; 3]);
}

proptest! {
    #[test]
    fn repeated_values_are_counted(values in proptest::collection::vec(proptest::collection::vec(0_u8..3, 0..12), 0..300)) {
        let mut seen = Seen::new(usize::MAX >> 32);
        let mut known = HashSet::new();
        for value in &values {
            prop_assert_eq!(seen.put(hash(value)), known.insert(value.clone()));
        }
    }
}
