//! One ingest and nothing else, to be measured and profiled: it builds in a minute, because no query engine is in it.
//!
//! ```text
//! cargo build --release -p hosu-collect --example ingest
//! MIMALLOC_PURGE_DELAY=10 target/release/examples/ingest FOLDER 'day(event_time)' SOURCE...
//! ```
//!
//! The lake is made in FOLDER, which should not be there yet; `-` for the partitioning is none. `hosu` has the same
//! allocator, told to give memory back by a call instead of a variable.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use hosu_catalog::{Catalog, CatalogSettings};
use hosu_collect::{IngestRequest, NoProgress, ingest};
use hosu_host::{Host, Location};
use hosu_table::name::TableName;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(partition_by)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: ingest FOLDER PARTITION_BY SOURCE...");
        return ExitCode::from(2);
    };
    match run(PathBuf::from(folder), partition_by, arguments.collect()).await {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(
    folder: PathBuf,
    partition_by: String,
    sources: Vec<String>,
) -> Result<String, Box<dyn std::error::Error>> {
    std::fs::create_dir(&folder)?;
    let folder = folder.canonicalize()?;
    let warehouse = Location::parse(&folder.join("warehouse").to_string_lossy())?;
    let catalog = Catalog::open(Host::system(None), CatalogSettings::in_folder(&folder, warehouse));
    let request = IngestRequest {
        partition_by: (partition_by != "-").then_some(partition_by),
        ..IngestRequest::new(TableName::parse("events")?, sources, std::env::current_dir()?)
    };
    let report = ingest(&catalog, request, Arc::new(NoProgress), None).await?;
    Ok(serde_json::to_string(&report)?)
}
