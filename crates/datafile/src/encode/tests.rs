//! Columns that are encoded here beside the same ones by Parquet's own writer: the same rows, and the same told of them.

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int32Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, TimeUnit};
use iceberg::spec::{ListType, MapType, NestedField, PrimitiveType, StructType};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use proptest::prelude::*;
use std::sync::Arc;

use super::*;
use crate::tests::{Bench, optional, schema};

fn layout(properties: &[(&str, &str)]) -> Arc<Layout> {
    let field = |id, name: &str, field_type| Arc::new(NestedField::optional(id, name, field_type));
    let list = |id, element| Type::List(ListType::new(field(id, "element", element)));
    let primitives = [
        PrimitiveType::String,
        PrimitiveType::Binary,
        PrimitiveType::Boolean,
        PrimitiveType::Int,
        PrimitiveType::Long,
        PrimitiveType::Float,
        PrimitiveType::Double,
        PrimitiveType::Date,
        PrimitiveType::Time,
        PrimitiveType::Timestamp,
        PrimitiveType::Timestamptz,
    ];
    let mut fields: Vec<_> =
        (1..).zip(primitives).map(|(id, p)| optional(id, &format!("c{id}"), p)).collect();
    fields.push(Arc::new(NestedField::required(20, "required", Type::Primitive(PrimitiveType::Long))));
    fields.push(field(21, "tags", list(22, Type::Primitive(PrimitiveType::String))));
    let doubles = field(34, "doubles", list(35, Type::Primitive(PrimitiveType::Double)));
    let item = StructType::new(vec![optional(33, "n", PrimitiveType::Long), doubles]);
    fields.push(field(31, "items", list(32, Type::Struct(item))));
    let inner = StructType::new(vec![
        optional(43, "text", PrimitiveType::String),
        optional(44, "b", PrimitiveType::Boolean),
    ]);
    fields.push(field(
        41,
        "outer",
        Type::Struct(StructType::new(vec![field(42, "inner", Type::Struct(inner))])),
    ));
    let key = Arc::new(NestedField::required(52, "key", Type::Primitive(PrimitiveType::String)));
    fields.push(field(51, "map", Type::Map(MapType::new(key, optional(53, "value", PrimitiveType::Long)))));
    let bench = Bench::new(schema(fields)).properties(properties);
    Arc::new(Layout::new(&bench.target, &bench.settings).unwrap())
}

/// Values by chance: few different ones or many, some runs, some nulls.
struct Chance {
    state: u64,
    different: u64,
    nulls: u64,
}

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % limit.max(1)
    }

    fn number(&mut self) -> i64 {
        let number = self.below(self.different);
        (number as i64 - (self.different / 2) as i64).wrapping_mul(0x1234_5678_9abc_def1 >> (number % 60))
    }

    fn text(&mut self) -> String {
        let number = self.below(self.different);
        match number % 6 {
            0 => String::new(),
            1 => format!("{number}"),
            2 => format!("호수-{number}"),
            3 => format!("{number:016}"),
            4 => format!(
                "https://example.com/a/rather/long/text/{number}/{}",
                "ü".repeat((number % 70) as usize)
            ),
            _ => format!("{number:08x}"),
        }
    }

    fn nulls(&mut self, field: &Field, rows: usize) -> Option<NullBuffer> {
        let valid: Vec<bool> = (0..rows).map(|_| self.below(100) >= self.nulls).collect();
        (field.is_nullable() && self.nulls > 0).then(|| valid.into())
    }

    fn ends(&mut self, rows: usize) -> OffsetBuffer<i32> {
        OffsetBuffer::from_lengths((0..rows).map(|_| self.below(5).saturating_sub(1) as usize))
    }

    fn array(&mut self, field: &Field, rows: usize) -> ArrayRef {
        let nulls = self.nulls(field, rows);
        let is_valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        macro_rules! numbers {
            ($array:ty, $make:expr) => {{
                let make: fn(&mut Self) -> _ = $make;
                Arc::new((0..rows).map(|row| is_valid(row).then(|| make(self))).collect::<$array>())
                    as ArrayRef
            }};
        }
        match field.data_type() {
            DataType::Utf8 => numbers!(StringArray, Self::text),
            DataType::Binary => numbers!(BinaryArray, |chance| chance.text().into_bytes()),
            DataType::Boolean => numbers!(BooleanArray, |chance| chance.number() % 3 == 0),
            DataType::Int32 => numbers!(Int32Array, |chance| chance.number() as i32),
            DataType::Int64 => numbers!(Int64Array, Self::number),
            DataType::Float32 => numbers!(Float32Array, |chance| match chance.number() {
                n if n % 11 == 0 => f32::NAN,
                n => n as f32,
            }),
            DataType::Float64 => numbers!(Float64Array, |chance| match chance.number() {
                n if n % 11 == 0 => f64::NAN,
                n if n % 11 == 1 => -0.0,
                n => n as f64,
            }),
            DataType::Date32 => numbers!(Date32Array, |chance| chance.number() as i32),
            DataType::Time64(_) => numbers!(Time64MicrosecondArray, |chance| chance.number()),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let numbers = (0..rows).map(|row| is_valid(row).then(|| self.number()));
                Arc::new(numbers.collect::<TimestampMicrosecondArray>().with_timezone_opt(zone.clone()))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().map(|field| self.array(field, rows)).collect();
                Arc::new(StructArray::new(fields.clone(), columns, nulls))
            }
            DataType::List(element) => {
                let ends = self.ends(rows);
                let values = self.array(element, *ends.last().unwrap() as usize);
                Arc::new(ListArray::new(element.clone(), ends, values, nulls))
            }
            DataType::Map(entry, _) => {
                let ends = self.ends(rows);
                let entries = self.array(entry, *ends.last().unwrap() as usize);
                Arc::new(MapArray::new(entry.clone(), ends, entries.as_struct().clone(), nulls, false))
            }
            other => panic!("{other}"),
        }
    }
}

fn encode(layout: &Arc<Layout>, parts: &[Vec<RecordBatch>], lanes: usize, is_known: bool) -> Bytes {
    let selections = |part: &Vec<RecordBatch>| part.iter().cloned().map(Selection::from).collect();
    encode_selected(layout, &parts.iter().map(selections).collect::<Vec<_>>(), lanes, is_known)
}

fn encode_selected(layout: &Arc<Layout>, parts: &[Vec<Selection>], lanes: usize, is_known: bool) -> Bytes {
    let mut encoder = Encoder::new(layout.clone(), parts.first().map_or(&[], Vec::as_slice)).unwrap();
    assert!(encoder.known.iter().all(|known| *known));
    encoder.known.fill(is_known);
    parts.iter().for_each(|part| encoder.write(part, lanes).unwrap());
    let rows: usize = parts.iter().flatten().map(Selection::num_rows).sum();
    assert_eq!(encoder.finish().unwrap().rows, rows as u64);
    encoder.take_bytes().unwrap()
}

fn read(bytes: &Bytes) -> (RecordBatch, Arc<ParquetMetaData>) {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let metadata = ArrowReaderMetadata::load(bytes, options).unwrap();
    let (schema, told) = (metadata.schema().clone(), metadata.metadata().clone());
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata).build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    (concat_batches(&schema, &batches).unwrap(), told)
}

/// What is told of the chunks must be the same; with the same pages, what is told of pages too.
fn compare(ours: &ParquetMetaData, theirs: &ParquetMetaData, has_same_pages: bool) {
    assert_eq!(ours.num_row_groups(), theirs.num_row_groups());
    for (group, (a, b)) in ours.row_groups().iter().zip(theirs.row_groups()).enumerate() {
        assert_eq!(a.num_rows(), b.num_rows());
        for (column, (a, b)) in a.columns().iter().zip(b.columns()).enumerate() {
            let path = a.column_path();
            assert_eq!(format!("{:?}", a.statistics()), format!("{:?}", b.statistics()), "{path}");
            assert_eq!(a.num_values(), b.num_values(), "{path}");
            assert_eq!(a.unencoded_byte_array_data_bytes(), b.unencoded_byte_array_data_bytes(), "{path}");
            assert_eq!(a.definition_level_histogram(), b.definition_level_histogram(), "{path}");
            assert_eq!(a.repetition_level_histogram(), b.repetition_level_histogram(), "{path}");
            // Here a dictionary that does not pay is given up.
            let mut encodings: Vec<_> = b.encodings().collect();
            encodings.retain(|encoding| {
                a.dictionary_page_offset().is_some() || *encoding != Encoding::RLE_DICTIONARY
            });
            assert_eq!(a.encodings().collect::<Vec<_>>(), encodings, "{path}");
            let places = |told: &ParquetMetaData| told.offset_index().unwrap()[group][column].clone();
            let rows = |told: &ParquetMetaData| {
                places(told).page_locations.iter().map(|page| page.first_row_index).collect::<Vec<_>>()
            };
            if has_same_pages {
                assert_eq!(a.uncompressed_size() > 0, b.uncompressed_size() > 0);
                assert_eq!(rows(ours), rows(theirs), "{path}");
                compare_pages(ours, theirs, group, column);
                let texts = |told: &ParquetMetaData| places(told).unencoded_byte_array_data_bytes;
                assert_eq!(texts(ours), texts(theirs), "{path}");
            }
        }
    }
}

/// What the column index tells of the same pages.
fn compare_pages(ours: &ParquetMetaData, theirs: &ParquetMetaData, group: usize, column: usize) {
    let index = |told: &ParquetMetaData| told.column_index().unwrap()[group][column].clone();
    let (index, their_index) = (index(ours), index(theirs));
    let row_group = ours.row_group(group);
    let descriptor = row_group.column(column).column_descr();
    let pages = &ours.offset_index().unwrap()[group][column].page_locations;
    let ends = pages.iter().skip(1).map(|page| page.first_row_index).chain([row_group.num_rows()]);
    let mut is_told_right = true;
    for (page, (place, end)) in pages.iter().zip(ends).enumerate() {
        let nulls = index.null_counts().map_or(i64::MAX, |nulls| nulls[page]);
        if !matches!(index, ColumnIndexMetaData::NONE)
            && let Some(levels) = index.definition_level_histogram(page)
        {
            assert_eq!(index.is_null_page(page), levels.last() == Some(&0), "{}", descriptor.path());
        }
        // Theirs counts rows for values: it calls a page null that has as many nulls as rows, and gives up at more.
        is_told_right &= descriptor.max_rep_level() == 0 || nulls < end - place.first_row_index;
    }
    if is_told_right {
        assert_eq!(format!("{index:?}"), format!("{their_index:?}"), "{}", descriptor.path());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn what_is_written_is_what_parquets_own_writer_writes(
        seed in any::<u64>(),
        different in prop_oneof![Just(1_u64), Just(2), Just(9), Just(300), Just(1 << 40)],
        nulls in prop_oneof![Just(0_u64), Just(20), Just(97), Just(100)],
        // So few rows that no page has enough to end with its part: Parquet's own writer does not do that.
        parts in prop::collection::vec(prop::collection::vec(1_usize..400, 1..4), 1..4),
        small_dictionary in any::<bool>(),
        lanes in 1_usize..3,
    ) {
        let dictionary = if small_dictionary { "700" } else { "2097152" };
        let layout = layout(&[("write.parquet.dict-size-bytes", dictionary)]);
        let mut chance = Chance { state: seed, different, nulls };
        let mut batch = |rows: usize| {
            let columns = layout.rows.fields().iter().map(|field| chance.array(field, rows + 3)).collect();
            // Not from the first row on.
            RecordBatch::try_new(layout.rows.clone(), columns).unwrap().slice(2, rows)
        };
        let parts: Vec<Vec<RecordBatch>> =
            parts.into_iter().map(|part| part.into_iter().map(&mut batch).collect()).collect();
        let (ours, theirs) =
            (read(&encode(&layout, &parts, lanes, true)), read(&encode(&layout, &parts, 1, false)));
        prop_assert_eq!(format!("{:?}", ours.0), format!("{:?}", theirs.0));
        compare(&ours.1, &theirs.1, !small_dictionary);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Rows that stay in their batch are written as if they had been taken out of it.
    #[test]
    fn selected_rows_are_written_as_if_they_were_copied(
        state: u64,
        different in prop_oneof![Just(3_u64), Just(200), Just(1 << 40)],
        nulls in 0..100_u64,
        kept in 50..100_u64,
        parts in prop::collection::vec(prop::collection::vec(1..1500_usize, 1..3), 1..3),
        is_known: bool,
    ) {
        let layout = layout(&[]);
        let mut chance = Chance { state, different, nulls };
        let mut selection = |rows: usize| {
            let columns = layout.rows.fields().iter().map(|field| chance.array(field, rows + 3)).collect();
            let batch = RecordBatch::try_new(layout.rows.clone(), columns).unwrap().slice(2, rows);
            let listed = (0..rows as u32).filter(|_| chance.below(100) < kept).collect();
            Selection::from(batch).rows(listed).unwrap()
        };
        let parts: Vec<Vec<Selection>> =
            parts.into_iter().map(|part| part.into_iter().map(&mut selection).collect()).collect();
        let copied = |part: &Vec<Selection>| part.iter().map(|rows| rows.to_batch().unwrap()).collect();
        let copied: Vec<Vec<RecordBatch>> = parts.iter().map(copied).collect();
        prop_assert!(encode_selected(&layout, &parts, 1, is_known) == encode(&layout, &copied, 1, is_known));
    }
}

#[test]
fn long_pages_are_split() {
    let layout =
        layout(&[("write.parquet.page-row-limit", "1000"), ("write.parquet.page-size-bytes", "20000")]);
    let mut chance = Chance { state: 7, different: 1 << 40, nulls: 10 };
    let columns = layout.rows.fields().iter().map(|field| chance.array(field, 9_000)).collect();
    let parts = [vec![RecordBatch::try_new(layout.rows.clone(), columns).unwrap()]];
    let (ours, theirs) = (read(&encode(&layout, &parts, 1, true)), read(&encode(&layout, &parts, 1, false)));
    assert_eq!(format!("{:?}", ours.0), format!("{:?}", theirs.0));
    compare(&ours.1, &theirs.1, false);
    for places in &ours.1.offset_index().unwrap()[0] {
        assert!(places.page_locations.len() >= 5);
    }
}

#[test]
fn a_page_of_enough_values_ends_with_what_is_written_together() {
    let layout = layout(&[]);
    let mut chance = Chance { state: 11, different: 1 << 40, nulls: 10 };
    let mut batch = |rows: usize| {
        let columns = layout.rows.fields().iter().map(|field| chance.array(field, rows)).collect();
        vec![RecordBatch::try_new(layout.rows.clone(), columns).unwrap()]
    };
    // More than 8,192 slots in the first two parts of a number, and from the first part on in lists of lists.
    let parts = [batch(5_000), batch(5_000), batch(100)];
    let (ours, theirs) = (read(&encode(&layout, &parts, 1, true)), read(&encode(&layout, &parts, 1, false)));
    assert_eq!(format!("{:?}", ours.0), format!("{:?}", theirs.0));
    compare(&ours.1, &theirs.1, false);
    let begins = |name: &str| {
        let column = ours.1.row_group(0).columns().iter().position(|c| c.column_path().string() == name);
        let places = ours.1.offset_index().unwrap()[0][column.unwrap()].page_locations.clone();
        places.iter().map(|page| page.first_row_index).collect::<Vec<_>>()
    };
    assert_eq!(begins("c5"), [0, 10_000]);
    assert_eq!(begins("items.list.element.doubles.list.element"), [0, 5_000, 10_000]);
}

/// Whether the columns `number` and `text` have a dictionary, and how many bytes the file has, when it holds the numbers in
/// parts of 16,384 rows.
fn dictionaries_of(numbers: &[i64]) -> ([bool; 2], usize) {
    let schema =
        schema([optional(1, "number", PrimitiveType::Long), optional(2, "text", PrimitiveType::String)]);
    let bench = Bench::new(schema);
    let layout = Arc::new(Layout::new(&bench.target, &bench.settings).unwrap());
    let batch = |numbers: &[i64]| {
        let texts: StringArray =
            numbers.iter().map(|n| Some(format!("user-{:x}", n.wrapping_mul(0x9e37_79b9)))).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(numbers.to_vec())), Arc::new(texts)];
        vec![RecordBatch::try_new(layout.rows.clone(), columns).unwrap()]
    };
    let parts: Vec<_> = numbers.chunks(ROWS_AT_A_TIME).map(batch).collect();
    let bytes = encode(&layout, &parts, 1, true);
    let (rows, told) = read(&bytes);
    let expected = concat_batches(&rows.schema(), parts.iter().flatten()).unwrap();
    assert_eq!(rows.columns(), expected.columns());
    let columns = told.row_group(0).columns();
    ([0, 1].map(|column| columns[column].dictionary_page_offset().is_some()), bytes.len())
}

fn drawn(rows: usize, different: u64) -> Vec<i64> {
    let mut chance = Chance { state: 3, different, nulls: 0 };
    (0..rows).map(|_| chance.below(different) as i64).collect()
}

#[test]
fn a_dictionary_that_does_not_pay_is_given_up() {
    // A few hundred values in some thousand rows pay, whatever they are.
    assert_eq!(dictionaries_of(&drawn(5_000, 100)).0, [true, true]);
    // 1,400 rows with 900 different values do not: numbers of few bytes are small as they are.
    assert!(!dictionaries_of(&drawn(1_400, 900)).0[0]);
    assert!(!dictionaries_of(&drawn(30_000, 30_000)).0[0]);
    // Wide values of which each comes seldom at first, and often in a file that goes on.
    let wide: Vec<i64> =
        drawn(200_000, 30_000).iter().map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)).collect();
    assert_eq!(dictionaries_of(&wide).0, [true, true]);
    assert!(!dictionaries_of(wide.get(..8_000).unwrap()).0[0]);
}

#[test]
fn a_list_with_as_many_nulls_as_rows_is_not_told_to_be_null() {
    let decimal = Type::Primitive(PrimitiveType::Decimal { precision: 9, scale: 2 });
    let element = Arc::new(NestedField::optional(2, "element", decimal));
    let prices = NestedField::optional(1, "prices", Type::List(ListType::new(element)));
    let bench = Bench::new(schema(vec![Arc::new(prices)]));
    let layout = Arc::new(Layout::new(&bench.target, &bench.settings).unwrap());
    let DataType::List(element) = layout.rows.field(0).data_type().clone() else { panic!() };
    let prices = Decimal128Array::from(vec![Some(1), None, None]).with_precision_and_scale(9, 2).unwrap();
    let prices = ListArray::new(element, OffsetBuffer::from_lengths([2, 1]), Arc::new(prices), None);
    let batch = RecordBatch::try_new(layout.rows.clone(), vec![Arc::new(prices)]).unwrap();
    let mut encoder = Encoder::new(layout, &[]).unwrap();
    assert_eq!(encoder.known, [false]);
    encoder.write(&[batch.into()], 1).unwrap();
    encoder.finish().unwrap();
    let (_, told) = read(&encoder.take_bytes().unwrap());
    let index = &told.column_index().unwrap()[0][0];
    assert!(matches!(index, ColumnIndexMetaData::NONE), "{index:?}");
    assert_eq!(told.row_group(0).column(0).statistics().unwrap().null_count_opt(), Some(2));
}
