//! Files as other programs write them, and files that are broken in every way.

use std::io::Write;

use ::bytes::Bytes;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type as ParquetInt32, Int96,
    Int96Type,
};
use parquet::file::metadata::ParquetMetaDataWriter;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { chunk_bytes: 64 << 10, record_bytes_max: 1 << 20, page_bytes_max: 1 << 20 };

fn opened(bytes: &[u8], limits: Limits) -> Result<Parquet, Broken> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let passing = Box::new(io::Cursor::new(bytes.to_vec()));
    Parquet::open(Arc::new(file), bytes.len() as u64, passing, limits)
}

/// Each record with the place of its row.
fn records(bytes: &[u8]) -> Result<Vec<(u64, u64, String)>, String> {
    let mut parquet = opened(bytes, LIMITS).map_err(|broken| broken.to_string())?;
    let mut records = Vec::new();
    while let Some(chunk) = parquet.next_chunk().map_err(|error| error.to_string())? {
        let Records::Rows(rows) = &chunk.records else { panic!("{chunk:?}") };
        rows.each(|row, record| {
            let text = String::from_utf8(record.to_vec()).unwrap();
            records.push((chunk.byte_offset, chunk.line_number + row as u64, text));
            true
        });
    }
    assert_eq!(parquet.passed_bytes, bytes.len() as u64, "all of it went by");
    Ok(records)
}

fn texts(bytes: &[u8]) -> Vec<String> {
    records(bytes).unwrap().into_iter().map(|(_, _, text)| text).collect()
}

fn file_of(columns: &[(&str, ArrayRef)], properties: WriterProperties) -> Vec<u8> {
    let columns = columns.iter().map(|(name, array)| (*name, array.clone(), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn small_groups() -> WriterProperties {
    WriterProperties::builder()
        .set_max_row_group_row_count(Some(3))
        .set_compression(Compression::SNAPPY)
        .build()
}

fn two_columns(rows: i32) -> Vec<(&'static str, ArrayRef)> {
    let texts = (0..rows).map(|row| (row % 3 > 0).then(|| format!("text {}", row % 5)));
    vec![("n", Arc::new((0..rows).collect::<Int32Array>())), ("t", Arc::new(texts.collect::<StringArray>()))]
}

#[test]
fn each_record_has_the_place_of_its_row() {
    let found = records(&file_of(&two_columns(7), small_groups())).unwrap();
    let places: Vec<u64> = found.iter().map(|(_, row, _)| *row).collect();
    assert_eq!(places, [1, 2, 3, 4, 5, 6, 7]);
    let mut groups: Vec<u64> = found.iter().map(|(offset, _, _)| *offset).collect();
    groups.dedup();
    assert_eq!((groups.len(), groups[0]), (3, 4));
    assert_eq!(found[3].2, "{\"n\":3}");
    assert_eq!(found[4].2, "{\"n\":4,\"t\":\"text 4\"}");
}

#[test]
fn rows_are_cut_into_chunks_of_memory_and_may_be_taken_in_parts() {
    let long: ArrayRef =
        Arc::new((0..100).map(|row| Some(format!("{row}{}", "x".repeat(9_999)))).collect::<StringArray>());
    let bytes = file_of(&[("t", long)], WriterProperties::builder().set_dictionary_enabled(false).build());
    let mut parquet = opened(&bytes, LIMITS).unwrap();
    let mut chunks = 0;
    while let Some(chunk) = parquet.next_chunk().unwrap() {
        chunks += 1;
        let Records::Rows(rows) = &chunk.records else { panic!("{chunk:?}") };
        assert!(rows.len() < 10, "{}", rows.len());
        let mut seen = Vec::new();
        let taken = rows.each(|_, record| {
            seen.push(record.to_vec());
            seen.len() < 3
        });
        let Records::Rows(rest) = chunk.rest_from_row(taken).records else { panic!("no rows") };
        let mut first = Vec::new();
        rest.each(|_, record| {
            first = record.to_vec();
            false
        });
        assert_eq!(seen.get(taken), (!rest.is_empty()).then_some(&first));
    }
    assert!(chunks > 10, "{chunks}");
}

#[test]
fn a_value_that_is_there_once_is_not_kept_a_thousand_times() {
    let text = "x".repeat(500_000);
    let same: ArrayRef = Arc::new(std::iter::repeat_n(Some(text.as_str()), 2_000).collect::<StringArray>());
    let bytes =
        file_of(&[("t", same)], WriterProperties::builder().set_dictionary_page_size_limit(1 << 20).build());
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let mut parquet = opened(&bytes, LIMITS).unwrap();
    let mut rows_read = 0;
    while let Some(chunk) = parquet.next_chunk().unwrap() {
        let Records::Rows(rows) = &chunk.records else { panic!("{chunk:?}") };
        rows_read += rows.len();
        assert!(rows.memory_bytes() < 2 << 20, "{}", rows.memory_bytes());
    }
    assert_eq!(rows_read, 2_000);
}

/// A file of one column, written as it is stored.
fn stored<T: parquet::data_type::DataType>(message: &str, values: &[T::T]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {message} }}")).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn what_is_stored_counts_also_where_its_annotation_says_less() {
    let int96 = |nanos: u64, day: u32| {
        let mut value = Int96::new();
        value.set_data((nanos & 0xffff_ffff) as u32, (nanos >> 32) as u32, day);
        value
    };
    let times = [int96(0, 2_440_588), int96(1, 5_373_484), int96(999, 1_721_426)];
    assert_eq!(
        texts(&stored::<Int96Type>("required int96 t;", &times)),
        [
            "{\"t\":\"1970-01-01T00:00:00\"}",
            "{\"t\":\"9999-12-31T00:00:00.000000001\"}",
            "{\"t\":\"0001-01-01T00:00:00.000000999\"}"
        ],
    );
    let numbers = texts(&stored::<ParquetInt32>("required int32 n (INTEGER(8,true));", &[300, -1]));
    assert_eq!(numbers, ["{\"n\":300}", "{\"n\":-1}"]);
    let numbers = texts(&stored::<ParquetInt32>("required int32 n (INTEGER(32,false));", &[-1]));
    assert_eq!(numbers, ["{\"n\":4294967295}"]);
    let interval = FixedLenByteArray::from(vec![1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
    let message = "required fixed_len_byte_array(12) i (INTERVAL);";
    assert_eq!(
        texts(&stored::<FixedLenByteArrayType>(message, &[interval])),
        ["{\"i\":\"AQAAAAIAAAADAAAA\"}"]
    );
    let bytes = [ByteArray::from("é"), ByteArray::from(vec![0xff])];
    for annotation in ["UTF8", "JSON", "ENUM"] {
        assert_eq!(
            texts(&stored::<ByteArrayType>(&format!("required binary t ({annotation});"), &bytes)),
            ["{\"t\":\"é\"}", "{\"t\":{\"base64\":\"/w==\"}}"],
        );
    }
}

#[test]
fn fields_say_which_columns_mean_the_same() {
    let message = "
        optional int32 u8 (INTEGER(8,false)); optional int64 u64 (INTEGER(64,false));
        optional int32 d (DECIMAL(9,2)); optional binary wide (DECIMAL(40,2));
        optional int64 at (TIMESTAMP(NANOS,true)); optional int64 local (TIMESTAMP(MILLIS,false)); optional int96 old;
        optional fixed_len_byte_array(16) id (UUID); optional fixed_len_byte_array(16) md5;
        optional binary blob; optional binary text (UTF8); optional fixed_len_byte_array(2) half (FLOAT16);
        optional group items (LIST) { repeated group list { optional group element { optional int32 n (DATE); } } }
        optional group tags (MAP) { repeated group key_value { required binary key (UTF8); optional double value; } }
        optional group by_number (MAP) { repeated group key_value { required int32 key; optional double value; } }
        optional group old_list (LIST) { repeated int32 array; }
        repeated int64 many;";
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {message} }}")).unwrap());
    let mut bytes = Vec::new();
    SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap().close().unwrap();
    let fields = opened(&bytes, LIMITS).unwrap().fields();
    let text = |field: &NestedFieldRef| {
        format!("{} {}", field.name, hosu_table::evolve::type_text(&field.field_type))
    };
    let expected = [
        "u8 int",
        "u64 decimal(20, 0)",
        "d decimal(9, 2)",
        "wide string",
        "at timestamptz",
        "local timestamp",
        "old timestamp",
        "id uuid",
        "md5 fixed(16)",
        "blob binary",
        "text string",
        "half float",
        "items list<struct<n: date>>",
        "tags map<string, double>",
        "by_number map<int, double>",
        "old_list list<int>",
        "many list<long>",
    ];
    assert_eq!(fields.iter().map(text).collect::<Vec<_>>(), expected);
    assert_eq!(records(&bytes), Ok(Vec::new()), "no row");
}

#[test]
fn structs_and_lists_keep_their_nulls() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
        Some(vec![Some(2)]),
    ]);
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), None]));
    let blob: ArrayRef = Arc::new(BinaryArray::from_iter_values([b"a", b"b", b"c", b"d"]));
    let fields = [("n", DataType::Int64), ("b", DataType::Binary)];
    let fields: Vec<_> = fields.into_iter().map(|(name, of)| Field::new(name, of, true)).collect();
    let nulls = Some(vec![true, true, false, true].into());
    let group = StructArray::new(fields.into(), vec![inner, blob], nulls);
    let bytes = file_of(&[("l", Arc::new(list)), ("s", Arc::new(group))], small_groups());
    assert_eq!(
        texts(&bytes),
        [
            "{\"l\":[1,null],\"s\":{\"n\":1,\"b\":\"YQ==\"}}",
            "{\"s\":{\"b\":\"Yg==\"}}",
            "{\"l\":[]}",
            "{\"l\":[2],\"s\":{\"b\":\"ZA==\"}}"
        ],
    );
}

#[test]
fn what_is_no_whole_file_says_so() {
    let whole = file_of(&two_columns(50), small_groups());
    for length in 0..whole.len() {
        let error = records(&whole[..length]).expect_err("a file without its end");
        assert!(error.contains("cut off"), "{length}: {error}");
    }
    let mut encrypted = whole.clone();
    encrypted.splice(whole.len() - 4.., *b"PARE");
    assert_eq!(records(&encrypted), Err("its footer is encrypted".to_owned()));
    let mut long = whole.clone();
    long.splice(whole.len() - 8..whole.len() - 4, [0xff; 4]);
    assert_eq!(records(&long), Err("its footer would have 4294967295 bytes, more than the file".to_owned()));
}

#[test]
fn a_damaged_page_names_its_row_group() {
    let rows = two_columns(9);
    let mut bytes = file_of(&rows, small_groups());
    let offsets = records(&bytes).unwrap();
    // The header of the second row group's first page.
    let at = usize::try_from(offsets[3].0).unwrap();
    bytes[at..at + 8].fill(0xff);
    let error = records(&bytes).unwrap_err();
    assert_eq!(error, format!("row group 1: there is no page at byte {at}"));
    assert!(opened(&bytes, Limits { page_bytes_max: 16, ..LIMITS }).is_err(), "the footer is longer");
    let large = file_of(&rows, WriterProperties::builder().build());
    let mut parquet = opened(&large, LIMITS).unwrap();
    parquet.stored.page_bytes_max = 16;
    let error = parquet.next_chunk().unwrap_err().to_string();
    assert!(error.starts_with("row group 0: a page has "), "{error}");
}

#[test]
fn pages_with_a_checksum_are_what_they_were() {
    let page = |checksum: u32| {
        let (values, mut bytes) = (7_i32.to_le_bytes(), b"PAR1".to_vec());
        // Type 0, four bytes and four, the checksum, a plain data page of one value.
        bytes.extend([0x15, 0, 0x15, 8, 0x15, 8, 0x15]);
        let signed = i64::from(checksum.cast_signed());
        let mut zigzag = ((signed << 1) ^ (signed >> 63)).cast_unsigned();
        while zigzag >= 0x80 {
            bytes.push((zigzag & 0x7f) as u8 | 0x80);
            zigzag >>= 7;
        }
        bytes.extend([zigzag as u8, 0x1c, 0x15, 2, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0]);
        bytes.extend(values);
        bytes
    };
    let mut crc = flate2::Crc::new();
    crc.update(&7_i32.to_le_bytes());
    for (checksum, is_right) in [(crc.sum(), true), (crc.sum() ^ 1, false)] {
        let mut bytes = page(checksum);
        let whole = stored::<ParquetInt32>("required int32 n;", &[7]);
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(whole)).unwrap();
        let column = metadata.row_group(0).column(0).clone().into_builder();
        let size = bytes.len() as i64 - 4;
        let column = column
            .set_data_page_offset(4)
            .set_dictionary_page_offset(None)
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .build()
            .unwrap();
        let group =
            metadata.row_group(0).clone().into_builder().set_column_metadata(vec![column]).build().unwrap();
        let metadata = metadata.into_builder().set_row_groups(vec![group]).build();
        ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
        let found = records(&bytes).map(|records| records.len());
        match is_right {
            true => assert_eq!(found, Ok(1)),
            false => assert!(found.unwrap_err().contains("checksum"), "a wrong checksum"),
        }
    }
}

/// Files with lists, dictionaries, and each of the encodings that writers choose.
fn of_all_kinds(kind: usize) -> Vec<u8> {
    let mut columns = two_columns(20);
    let lists = (0..20).map(|row| (row % 4 > 0).then(|| vec![Some(row), None, Some(1 << row)]));
    columns.push(("l", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))));
    columns.push(("b", Arc::new((0..20).map(|row| Some(row % 3 == 0)).collect::<BooleanArray>())));
    columns.push(("f", Arc::new((0..20).map(|row| Some(f64::from(row) / 3.0)).collect::<Float64Array>())));
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, array)| array.clone()).collect();
    let group: ArrayRef = Arc::new(StructArray::new(fields.into(), arrays, None));
    columns.push(("s", group));
    let (compression, version, encoding) = match kind {
        0 => (Compression::SNAPPY, WriterVersion::PARQUET_1_0, None),
        1 => (Compression::UNCOMPRESSED, WriterVersion::PARQUET_2_0, Some(Encoding::DELTA_BINARY_PACKED)),
        2 => (Compression::LZ4_RAW, WriterVersion::PARQUET_2_0, Some(Encoding::DELTA_BYTE_ARRAY)),
        3 => (
            Compression::GZIP(Default::default()),
            WriterVersion::PARQUET_1_0,
            Some(Encoding::BYTE_STREAM_SPLIT),
        ),
        _ => (
            Compression::ZSTD(Default::default()),
            WriterVersion::PARQUET_2_0,
            Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        ),
    };
    let mut properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(7))
        .set_compression(compression)
        .set_writer_version(version)
        .set_dictionary_enabled(encoding.is_none());
    if let Some(encoding) = encoding {
        let fits = |name: &str| match encoding {
            Encoding::DELTA_BINARY_PACKED => {
                ["n", "l.list.element", "s.n", "s.l.list.element"].contains(&name)
            }
            Encoding::BYTE_STREAM_SPLIT => ["f", "s.f", "n"].contains(&name),
            _ => ["t", "s.t"].contains(&name),
        };
        for name in ["n", "t", "f", "l.list.element", "s.n", "s.t", "s.f", "s.l.list.element"] {
            if fits(name) {
                properties = properties.set_column_encoding(name.into(), encoding);
            }
        }
    }
    file_of(&columns, properties.build())
}

#[test]
fn all_kinds_of_files_have_the_same_rows() {
    let first = texts(&of_all_kinds(0));
    assert_eq!(first.len(), 20);
    for kind in 1..5 {
        assert_eq!(texts(&of_all_kinds(kind)), first, "{kind}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Whatever bytes are changed: rows or an error, and neither a panic nor memory for what is not there.
    #[test]
    fn changed_bytes_never_do_more_than_fail(
        kind in 0_usize..5,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        at_end in any::<bool>(),
    ) {
        let mut bytes = of_all_kinds(kind);
        let start = if at_end { bytes.len() * 2 / 3 } else { 0 };
        for (at, byte) in changes {
            let length = bytes.len() - start;
            bytes[start + at.index(length)] = byte;
        }
        let _ = opened(&bytes, LIMITS).map(|mut parquet| while let Ok(Some(chunk)) = parquet.next_chunk() {
            let Records::Rows(rows) = &chunk.records else { panic!("{chunk:?}") };
            rows.each(|_, record| record.len() < usize::MAX);
        });
    }
}
