//! `hosu ingest --follow`: what is added becomes commits until somebody wants the end; each commit is told.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hosu_collect::{FollowEvent, FollowRequest, FollowWatch, Followed};
use hosu_host::Clock;
use serde_json::{Map, Value, json};

use super::{Context, doctor, request};
use crate::args::{FollowArguments, IngestArguments, LogFormat, Output};
use crate::config::{Size, SizeText, time};
use crate::failure::Failure;
use crate::jobs::utc;
use crate::print::{human, one_line};

/// How much longer than others the command may go on after the first signal: for a commit that is under way, and a last one.
pub const LAST_COMMIT: Duration = Duration::from_secs(60);

/// How long it is waited before a table's storage is asked again when it could not be reached.
const RETRY: &str = "it is tried again";

/// Runs the command.
pub async fn run(arguments: IngestArguments, context: &Context) -> Result<u8, Failure> {
    if arguments.sources.iter().any(|source| source == "-") {
        return Err(Failure::usage("standard input cannot be followed")
            .remedy("leave --follow out: standard input is read to its end, and is one commit"));
    }
    let FollowArguments { until_idle, commit_bytes, commit_age, look_every, log } = &arguments.following;
    let (until_idle, log) = (*until_idle, *log);
    let (bytes, age) = (size_of("--commit-bytes", commit_bytes)?, time_of("--commit-age", commit_age)?);
    let every = time_of("--look-every", look_every)?;
    let follow = FollowRequest {
        commit_bytes: bytes,
        commit_age: age,
        look_every: every,
        until_idle,
        stop: context.stop.clone(),
        ..FollowRequest::new(request(arguments, context)?)
    };
    doctor::check_new_store(context).await?;
    let teller = Teller::new(log, context);
    let followed = hosu_collect::follow(&context.catalog, follow, &teller).await?;
    end(&followed, &teller, context, until_idle)
}

fn end(followed: &Followed, teller: &Teller, context: &Context, until_idle: bool) -> Result<u8, Failure> {
    let Followed { commits, rows, rejected, bytes_read, failing } = *followed;
    let counts = json!({
        "commits": commits, "rows": rows, "rejected": rejected, "bytes_read": bytes_read, "failing": failing,
    });
    let text = format!(
        "ended: {} in {}, {}",
        human::counted(rows, "row"),
        human::counted(commits, "commit"),
        human::counted(rejected, "reject")
    );
    teller.tell("info", "ended", text, counts.clone());
    if context.output == Output::Json {
        writeln!(io::stdout().lock(), "{counts}")?;
    }
    Ok(u8::from(until_idle && failing > 0))
}

fn size_of(option: &str, text: &str) -> Result<u64, Failure> {
    match SizeText::Text(text.to_owned()).parse() {
        Ok(Size::Bytes(bytes)) if bytes > 0 => Ok(bytes),
        _ => Err(Failure::usage(format!("{option}: `{text}` is no size")).remedy("write it like `128MiB`")),
    }
}

fn time_of(option: &str, text: &str) -> Result<Duration, Failure> {
    time(text).ok_or_else(|| {
        Failure::usage(format!("{option}: `{text}` is no time")).remedy("write it like `60s`, `500ms`, `5m`")
    })
}

/// Tells what happens, one line an event.
struct Teller {
    format: LogFormat,
    clock: Arc<dyn Clock>,
    /// Lines are never mixed.
    writing: Mutex<()>,
}

impl Teller {
    fn new(format: LogFormat, context: &Context) -> Self {
        Self { format, clock: context.catalog.host().clock.clone(), writing: Mutex::new(()) }
    }

    fn tell(&self, level: &str, event: &str, text: String, fields: Value) {
        let now = utc(self.clock.now_ms());
        let line = match self.format {
            LogFormat::Text => {
                let level = if level == "info" { String::new() } else { format!("{level}: ") };
                one_line(format!("{}Z {level}{text}", now.get(..19).unwrap_or(&now)))
            }
            LogFormat::Json => {
                let Value::Object(mut object) = fields else { return };
                object.extend(Map::from_iter([
                    ("ts".to_owned(), json!(now)),
                    ("level".to_owned(), json!(level)),
                    ("event".to_owned(), json!(event)),
                ]));
                Value::Object(object).to_string()
            }
        };
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Who does not read what is told has no less done.
        let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
    }
}

impl FollowWatch for Teller {
    fn event(&self, event: &FollowEvent<'_>) {
        match event {
            FollowEvent::Watching { sources, is_notified } => {
                let text = format!("following {}", human::counted(*sources as u64, "source"));
                self.tell("info", "following", text, json!({"sources": sources, "notified": is_notified}));
            }
            FollowEvent::Committed { report } => {
                let text = format!(
                    "{}: {} and {} from {} in {}",
                    report.table,
                    human::counted(report.rows, "row"),
                    human::counted(report.rejected, "reject"),
                    human::counted(report.sources, "source"),
                    human::elapsed(report.elapsed_ms)
                );
                let fields = json!({
                    "table": report.table, "rows": report.rows, "rejected": report.rejected, "rescued": report.rescued,
                    "sources": report.sources, "bytes_read": report.bytes_read, "bytes_written": report.bytes_written,
                    "data_files": report.data_files, "columns_added": report.columns_added,
                    "snapshot_id": report.snapshot_id, "elapsed_ms": report.elapsed_ms,
                });
                self.tell("info", "committed", text, fields);
            }
            FollowEvent::Anew { name, byte } => {
                let text = format!("{name} was truncated or written anew: it is read from its start");
                self.tell("warning", "source_anew", text, json!({"source": name, "byte": byte}));
            }
            FollowEvent::Gone { name } => {
                let text = format!("{name} is gone, and ended within a line, which is taken as it is");
                self.tell("warning", "source_gone", text, json!({"source": name}));
            }
            FollowEvent::Trouble { error, wait } => {
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                let message = crate::failure::with_causes(error);
                let text = format!("{message}; {RETRY}");
                let fields = json!({"source": error.source_name(), "message": message, "wait_ms": wait_ms});
                self.tell("warning", "trouble", text, fields);
            }
            FollowEvent::Overtaken => {
                let text = "somebody else ingests the same sources; the ledger is asked again".to_owned();
                self.tell("info", "overtaken", text, json!({}));
            }
            FollowEvent::Stopping => {
                let text = "the end was asked for; what is complete is committed".to_owned();
                self.tell("info", "stopping", text, json!({}));
            }
        }
    }
}
