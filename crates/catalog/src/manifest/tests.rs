use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use iceberg::io::FileIO;
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, Literal, Manifest, ManifestWriter,
    ManifestWriterBuilder, NestedField, PartitionSpec, PrimitiveType, Schema, Struct, Transform, Type,
};

use super::parse_directly;
use crate::avro::{Container, Unfamiliar};

fn schema() -> Arc<Schema> {
    use PrimitiveType::{Boolean, Date, Double, Float, Int, Long, String, Timestamptz, Uuid};
    let types = [Int, Long, String, Boolean, Date, Timestamptz, Double, Float, Uuid, PrimitiveType::Binary];
    let fields = types.into_iter().zip(1..).map(|(primitive, id)| {
        Arc::new(NestedField::optional(id, format!("c{id}"), Type::Primitive(primitive)))
    });
    Arc::new(Schema::builder().with_fields(fields).build().expect("a schema"))
}

fn spec(schema: &Arc<Schema>, fields: &[(&str, Transform)]) -> PartitionSpec {
    let mut builder = PartitionSpec::builder(schema.clone()).with_spec_id(3);
    for (number, (source, transform)) in fields.iter().enumerate() {
        builder = builder
            .add_partition_field(*source, format!("part_{number}"), *transform)
            .expect("a partition field");
    }
    builder.build().expect("a spec")
}

fn counts(seed: u64) -> HashMap<i32, u64> {
    (1..=10_i32).map(|id| (id, seed * 1_000 + u64::from(id.unsigned_abs()))).collect()
}

fn bounds(seed: i64) -> HashMap<i32, Datum> {
    HashMap::from([
        (1, Datum::int(i32::try_from(seed).expect("small") - 70)),
        (2, Datum::long(seed << 40)),
        (3, Datum::string(format!("호수 {seed}"))),
        (4, Datum::bool(seed % 2 == 0)),
        (5, Datum::date(-3)),
        (6, Datum::timestamptz_micros(-seed)),
        (7, Datum::double(0.5 * seed as f64)),
        (8, Datum::float(f32::MIN)),
        (9, Datum::uuid(uuid::Uuid::from_u128(7))),
        (10, Datum::binary(vec![0, 255, 7])),
    ])
}

fn file(seed: i64, partition: Struct) -> DataFile {
    let count = seed.unsigned_abs();
    let mut file = DataFileBuilder::default();
    file.content(DataContentType::Data)
        .file_path(format!("s3://bucket/데이터/{seed}.parquet"))
        .file_format(DataFileFormat::Parquet)
        .partition(partition)
        .partition_spec_id(3)
        .record_count(count)
        .file_size_in_bytes(u64::MAX >> 1)
        .column_sizes(counts(count))
        .value_counts(counts(count + 1));
    if seed % 2 == 0 {
        file.null_value_counts(counts(0))
            .nan_value_counts(HashMap::from([(7, 3)]))
            .lower_bounds(bounds(seed))
            .upper_bounds(bounds(seed + 1))
            .key_metadata(Some(vec![1, 2]))
            .split_offsets(Some(vec![4, 1 << 33]))
            .sort_order_id(2);
    }
    file.build().expect("a data file")
}

/// The bytes of a manifest with added and with kept files.
fn written(spec: &PartitionSpec, files: &[DataFile]) -> Vec<u8> {
    let memory = FileIO::new_with_memory();
    let output = memory.new_output("memory:///manifest").expect("an output");
    let mut writer: ManifestWriter =
        ManifestWriterBuilder::new(output, Some(77), schema(), spec.clone()).build_v2_data();
    for (number, file) in files.iter().enumerate() {
        match number % 3 {
            0 => writer.add_file(file.clone(), -1),
            1 => writer.add_existing_file(file.clone(), 5, 6, Some(7)),
            _ => writer.add_delete_file(file.clone(), 8, Some(9)),
        }
        .expect("an entry");
    }
    futures::executor::block_on(async {
        writer.write_manifest_file().await.expect("a manifest");
        memory.new_input("memory:///manifest").expect("an input").read().await.expect("bytes").to_vec()
    })
}

fn partitioned(seed: i64) -> (PartitionSpec, Vec<DataFile>) {
    let spec = spec(
        &schema(),
        &[
            ("c6", Transform::Day),
            ("c3", Transform::Identity),
            ("c2", Transform::Bucket(16)),
            ("c4", Transform::Identity),
        ],
    );
    let values = |number: i64| {
        let text = (number % 4 != 0).then(|| Literal::string("서울"));
        let flag = (number % 5 != 0).then(|| Literal::bool(number % 2 == 0));
        Struct::from_iter([Some(Literal::date(19_000)), text, Some(Literal::int(-1)), flag])
    };
    (spec, (seed..seed + 40).map(|number| file(number, values(number))).collect())
}

/// The same file, its blocks deflated, as other engines write them.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let codec = b"\x14avro.codec\x08null";
    let at = bytes.windows(codec.len()).position(|window| window == codec).expect("a codec");
    let mut head = bytes[..at].to_vec();
    head.extend_from_slice(b"\x14avro.codec\x0edeflate");
    let mut container = Container::open(bytes).expect("a container");
    let block = container.next_block().expect("readable").expect("a block");
    let sync = &bytes[bytes.len() - 16..];
    // The rest of the head ends with the mark that ends the file as well.
    let after = &bytes[at + codec.len()..];
    let end = after.windows(16).position(|window| window == sync).expect("a mark") + 16;
    head.extend_from_slice(&after[..end]);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&block.bytes).expect("memory");
    let stored = encoder.finish().expect("memory");
    for number in [block.objects, stored.len() as u64] {
        let mut rest = number << 1;
        while rest >= 0x80 {
            head.push((rest as u8 & 0x7f) | 0x80);
            rest >>= 7;
        }
        head.push(rest as u8);
    }
    head.extend_from_slice(&stored);
    head.extend_from_slice(sync);
    head
}

#[test]
fn it_reads_what_the_spec_crate_reads() {
    let (spec_by_all, files) = partitioned(0);
    let plain = PartitionSpec::unpartition_spec();
    let unpartitioned: Vec<DataFile> = (0..5).map(|number| file(number, Struct::empty())).collect();
    for bytes in [
        written(&spec_by_all, &files),
        written(&spec_by_all, &files[..1]),
        written(&spec_by_all, &[]),
        written(&plain, &unpartitioned),
    ] {
        let reference = Manifest::parse_avro(&bytes).expect("the spec crate wrote it");
        assert_eq!(parse_directly(&bytes), Ok(reference));
    }
}

#[test]
fn it_reads_deflated_blocks() {
    let (spec, files) = partitioned(100);
    let bytes = written(&spec, &files);
    let reference = Manifest::parse_avro(&bytes).expect("the spec crate wrote it");
    assert_eq!(parse_directly(&deflated(&bytes)), Ok(reference));
}

#[test]
fn rare_partition_values_are_left_to_the_spec_crate() {
    let spec = spec(&schema(), &[("c7", Transform::Identity)]);
    let value = Literal::double(0.1);
    let bytes = written(&spec, &[file(1, Struct::from_iter([Some(value.clone())]))]);
    assert_eq!(parse_directly(&bytes), Err(Unfamiliar));
    let manifest = super::parse(&bytes).expect("readable");
    assert_eq!(manifest.entries()[0].data_file().partition().iter().next(), Some(Some(&value)));
}

#[test]
fn damage_is_never_taken_for_entries() {
    let (spec, files) = partitioned(3);
    let bytes = written(&spec, &files[..4]);
    let reference = Manifest::parse_avro(&bytes).expect("the spec crate wrote it");
    for length in 0..bytes.len() {
        if let Ok(manifest) = parse_directly(&bytes[..length]) {
            // A file may end after its head; then it has no entries.
            assert!(manifest.entries().is_empty(), "cut off at {length}");
        }
    }
    let mut container = Container::open(&bytes).expect("a container");
    let block = container.next_block().expect("readable").expect("a block").bytes.len();
    for at in bytes.len() - 16 - block..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x80;
        // A bit in a value gives another value; in a length, an error. It never panics, and never grows without end.
        if let Ok(manifest) = parse_directly(&damaged) {
            assert_eq!(manifest.entries().len(), reference.entries().len(), "bit at {at}");
        }
    }
}
