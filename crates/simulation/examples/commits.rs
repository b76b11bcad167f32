//! Times commits one after the other in a real folder, and what reading the table costs at their end:
//! `cargo run --release -p hosu-simulation --example commits -- FOLDER [COMMITS [FILES [COLUMNS]]]`.
//!
//! The data files are made up: only the catalog's own work is measured.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::{Append, Catalog, CatalogSettings, Commit, NewTable, Step, TableChange};
use hosu_host::{Host, Location};
use hosu_table::name::TableName;
use hosu_table::paths;
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, Literal, NestedField, PartitionSpec,
    PrimitiveType, Schema, SortOrder, Struct, Transform, Type,
};

const DAYS: u64 = 100;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: commits FOLDER [COMMITS [FILES [COLUMNS]]]")?);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (commits, files, columns) = (number(1000)?, number(10)?, number(20)?);
    std::fs::create_dir_all(&folder)?;
    let name = TableName::parse("many")?;
    let took = commit_all(&open(&folder)?, &name, commits, files, i32::try_from(columns)?).await?;
    let tail = 100.min(took.len() / 2).max(1);
    println!("{commits} commits of {files} files with metrics of {columns} columns");
    println!("  the first {tail}: median {}", median(&took[..tail]));
    println!("  the last {tail}:  median {}", median(&took[took.len() - tail..]));
    println!("  the longest: {}", milliseconds(took.iter().max().copied().unwrap_or_default()));
    read(&open(&folder)?, &name).await
}

fn open(folder: &std::path::Path) -> Result<Catalog, Box<dyn Error>> {
    let warehouse = Location::parse(&format!("{}/warehouse", std::path::absolute(folder)?.display()))?;
    Ok(Catalog::open(Host::system(None), CatalogSettings::in_folder(folder, warehouse)))
}

async fn commit_all(
    catalog: &Catalog,
    name: &TableName,
    commits: u64,
    files: u64,
    columns: i32,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut table = catalog.create_table(name.clone(), new_table(catalog, name, columns)?, false).await?;
    let mut took = Vec::new();
    for commit in 0..commits {
        let files = (0..files).map(|number| file(commit, number, columns)).collect::<Result<_, _>>()?;
        let append = Append { spec_id: 0, files, summary: HashMap::new() };
        let change = TableChange::Change { base: table.clone(), steps: vec![Step::Append(append)] };
        let begun = catalog.host().clock.elapsed();
        let committed = catalog.commit(Commit { tables: vec![change], ledger: Vec::new() }).await?;
        took.push(catalog.host().clock.elapsed() - begun);
        table = committed.tables.first().cloned().ok_or("no table was committed")?;
    }
    Ok(took)
}

/// What a process that knows nothing of the table has to read before it can plan.
async fn read(catalog: &Catalog, name: &TableName) -> Result<(), Box<dyn Error>> {
    let clock = &catalog.host().clock;
    let begun = clock.elapsed();
    let table = catalog.require(name).await?;
    let loaded = clock.elapsed();
    let snapshot = table.snapshot().ok_or("the table is empty")?;
    let manifests = catalog.manifests(&table, snapshot).await?;
    let listed = clock.elapsed();
    let decoded: Vec<_> = manifests.iter().map(|manifest| catalog.entries(manifest)).collect();
    let decoded = futures::future::try_join_all(decoded).await?;
    let read = clock.elapsed();
    let entries: usize = decoded.iter().map(|manifest| manifest.entries.len()).sum();
    let bytes: i64 = manifests.iter().map(|manifest| manifest.manifest_length).sum();
    println!("read in a catalog that knows nothing:");
    println!("  metadata: {}", milliseconds(loaded - begun));
    println!("  list of {} manifests: {}", manifests.len(), milliseconds(listed - loaded));
    println!("  manifests, {} KiB with {entries} entries: {}", bytes / 1024, milliseconds(read - listed));
    Ok(())
}

fn median(took: &[Duration]) -> String {
    let mut sorted = took.to_vec();
    sorted.sort();
    milliseconds(sorted.get(sorted.len() / 2).copied().unwrap_or_default())
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

fn new_table(catalog: &Catalog, name: &TableName, columns: i32) -> Result<NewTable, Box<dyn Error>> {
    let uuid = catalog.host().ids.uuid();
    let fields = (1..=columns).map(|id| {
        let primitive = if id == 1 { PrimitiveType::Date } else { PrimitiveType::String };
        Arc::new(NestedField::optional(id, format!("column_{id}"), Type::Primitive(primitive)))
    });
    let schema = Schema::builder().with_fields(fields).build()?;
    let spec = PartitionSpec::builder(schema.clone())
        .with_spec_id(0)
        .add_partition_field("column_1", "day", Transform::Identity)?
        .build()?;
    Ok(NewTable {
        uuid,
        location: paths::table_location(catalog.warehouse().as_str(), name, uuid),
        schema,
        spec,
        sort_order: SortOrder::unsorted_order(),
        properties: HashMap::new(),
    })
}

fn file(commit: u64, number: u64, columns: i32) -> Result<DataFile, Box<dyn Error>> {
    let day = i32::try_from((commit * 7 + number * 11) % DAYS)? + 20_000;
    let counts = |count: u64| (1..=columns).map(|id| (id, count)).collect::<HashMap<_, _>>();
    let bound = |text: &str| {
        let texts = (2..=columns).map(|id| (id, Datum::string(format!("{text} {id} {commit}"))));
        texts.chain([(1, Datum::date(day))]).collect::<HashMap<_, _>>()
    };
    Ok(DataFileBuilder::default()
        .content(DataContentType::Data)
        .file_path(format!("/nowhere/many/data/day={day}/{commit:08}-{number:08}-0123456789abcdef.parquet"))
        .file_format(DataFileFormat::Parquet)
        .partition(Struct::from_iter([Some(Literal::date(day))]))
        .partition_spec_id(0)
        .record_count(1000)
        .file_size_in_bytes(100_000)
        .column_sizes(counts(4_000))
        .value_counts(counts(1_000))
        .null_value_counts(counts(0))
        .lower_bounds(bound("lower"))
        .upper_bounds(bound("upper"))
        .split_offsets(Some(vec![4]))
        .build()?)
}
