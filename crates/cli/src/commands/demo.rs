//! `hosu demo`: sample data into a throw-away lake, three questions, a job, and how to go on.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use hosu_collect::IngestRequest;
use hosu_host::Location;
use hosu_table::name::{DEFAULT_DATABASE, TableName};
use hosu_transform::{NobodyWatches, Order};

use super::{Context, ingest, sql};
use crate::args::{DemoArguments, Output, RowFormat};
use crate::config::{Config, JobsConfig, LakeConfig};
use crate::failure::Failure;
use crate::jobs;
use crate::print::{Look, human};
use crate::show;

const GAME_EVENTS: &[u8] = include_bytes!("../../../../sample-data/game-events.ndjson");
const CLOUDTRAIL: &[u8] = include_bytes!("../../../../sample-data/cloudtrail.ndjson");

const LOGINS: &str = include_str!("../../../../sample-data/jobs/logins.sql");

const QUESTIONS: [(&str, &str); 3] = [
    (
        "What happened in the game, and how many players took part?",
        "select type, count(*) as events, count(distinct user_id) as players\nfrom raw.events\ngroup by type order by events desc",
    ),
    (
        "Where do players spend most, by currency? (`geo` is a nested object of the events)",
        "select geo.country, currency, count(*) as purchases, round(sum(amount), 2) as amount\nfrom raw.events\n\
         where type = 'purchase' and event_time >= timestamp '2026-03-07 00:00:00'\n\
         group by geo.country, currency order by purchases desc limit 5",
    ),
    (
        "Who was refused what, in a day of AWS CloudTrail?",
        "select coalesce(useridentity.username, useridentity.sessioncontext.sessionissuer.username) as who,\n       eventname, errorcode, count(*) as times\nfrom cloudtrail\n\
         where errorcode is not null\ngroup by 1, 2, 3 order by times desc, 1, 2 limit 5",
    ),
];

/// Runs the command. The lake of `context` is not touched: the demo has its own.
pub async fn run(arguments: DemoArguments, context: Context) -> Result<u8, Failure> {
    let folder = tempfile::Builder::new().prefix("hosu-demo-").tempdir()?;
    let folder_path = folder.path().canonicalize()?;
    let context = in_folder(context, &folder_path)?;
    say("A throw-away lake, sample data in, three questions, a job.\n")?;
    for (table, file, bytes) in
        [("raw.events", "game-events.ndjson", GAME_EVENTS), ("cloudtrail", "cloudtrail.ndjson", CLOUDTRAIL)]
    {
        load(&context, &folder_path, table, file, bytes).await?;
    }
    let mut session = sql::session(&context, DEFAULT_DATABASE.to_owned())?;
    for (question, statement) in QUESTIONS {
        say(&format!("\n{question}\n\nhosu> {};\n", statement.replace('\n', "\n      ")))?;
        for statement in hosu_dialect::parse(statement).map_err(hosu_sql::SqlError::from)? {
            let mut answer = session.run(&statement).await?;
            let mut out = io::stdout().lock();
            show::print_rows(&mut answer, RowFormat::Table, &Look::default(), &mut out).await?;
            writeln!(
                out,
                "{}",
                show::figures(&answer.stats(), true, show::Wanted::More, context.config.query.price_per_tib)
            )?;
        }
    }
    job(&context, &folder_path).await?;
    end(arguments.keep, folder)
}

/// Runs a job twice: the second time nothing is new.
async fn job(context: &Context, folder: &Path) -> Result<(), Failure> {
    let jobs_folder = folder.join("jobs");
    fs::create_dir(&jobs_folder)?;
    fs::write(jobs_folder.join("logins.sql"), LOGINS)?;
    say(&format!("\nA job keeps a table up to date: one SELECT in a file, jobs/logins.sql.\n\n{LOGINS}\n"))?;
    let engine = jobs::engine(context)?;
    let project = jobs::load(context, &engine).await?;
    let runner = jobs::runner(context, engine, Arc::new(NobodyWatches), context.stop.clone());
    for job in project.jobs.iter().cycle().take(2 * project.jobs.len()) {
        let ended = runner.run(&project, job, &Order::default()).await;
        if let Some(error) = ended.error {
            return Err(Failure::of_run(&job.job.name, &error));
        }
        let name = &job.job.name;
        say(&format!("$ hosu job run {name}\n{name}: {}\n", jobs::run_line(&ended.run)))?;
    }
    Ok(())
}

/// The same context on another lake, with people as its readers.
fn in_folder(context: Context, folder: &Path) -> Result<Context, Failure> {
    let lake = folder.join("lake");
    let warehouse = lake.join("warehouse").display().to_string();
    let warehouse =
        Location::parse(&warehouse).map_err(|error| Failure::new("INVALID_LOCATION", error.to_string()))?;
    let lake = LakeConfig {
        name: "hosu".to_owned(),
        catalog: lake.join("catalog.db"),
        warehouse,
        folder: Some(lake.clone()),
    };
    let jobs = JobsConfig { folder: folder.join("jobs"), on_failure: None, ..context.config.jobs };
    let config = Config { lake, jobs, ..context.config };
    Ok(Context { catalog: super::catalog(&config), config, output: Output::Text, ..context })
}

async fn load(
    context: &Context,
    folder: &Path,
    table: &str,
    file: &str,
    bytes: &[u8],
) -> Result<(), Failure> {
    let path = folder.join(file);
    fs::write(&path, bytes)?;
    say(&format!("$ hosu ingest {table} sample-data/{file}\n"))?;
    let table: TableName = table.parse()?;
    let sources = vec![path.display().to_string()];
    let request =
        IngestRequest { stop: context.stop.clone(), ..IngestRequest::new(table, sources, folder.to_owned()) };
    let report = ingest::ingest(request, context).await?;
    let (rows, bytes) = (human::counted(report.rows, "event"), human::bytes(report.bytes_written));
    say(&format!("{}: {rows} in {}, {bytes} of Parquet\n", report.table, human::elapsed(report.elapsed_ms)))?;
    Ok(())
}

fn end(keep: bool, folder: tempfile::TempDir) -> Result<u8, Failure> {
    if keep {
        let lake = folder.keep().join("lake");
        say(&format!(
            "\nThe lake stays in {0}. Go on with:\n  hosu --lake {0} sql -c \"describe raw.events\"\n",
            lake.display()
        ))?;
    } else {
        folder.close()?;
        say("\nThe lake is gone again (`hosu demo --keep` keeps it). Make your own:\n")?;
    }
    say("  hosu ingest events FILE.ndjson\n  hosu sql -c \"select * from events limit 10\"\n")?;
    Ok(0)
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}
