//! What happens while jobs run, as records: one line for people, one JSON object for programs.

use hosu_catalog::{JobRun, RunState};
use hosu_transform::{Event, JobError, RunError, Served};
use serde_json::{Map, Value, json};

use super::moment::utc;
use super::told::{run_json, run_line};
use crate::failure::Failure;
use crate::print::one_line;

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is well.
    Info,
    /// Somebody may want to look.
    Warning,
    /// Something was not done.
    Error,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// How much it matters.
    pub level: Level,
    /// What kind of thing.
    pub event: &'static str,
    /// The job that it is about.
    pub job: Option<String>,
    /// The run that it is about.
    pub run_id: Option<String>,
    /// For people.
    pub text: String,
    /// What else is known, for programs.
    pub fields: Map<String, Value>,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Record {
    fn new(level: Level, event: &'static str, text: impl Into<String>) -> Self {
        Self { level, event, job: None, run_id: None, text: text.into(), fields: Map::new() }
    }

    fn of_job(mut self, job: &str) -> Self {
        self.job = Some(job.to_owned());
        self
    }

    fn of_run(mut self, run: &JobRun) -> Self {
        self.run_id = Some(run.run_id.to_string());
        self.of_job(&run.job)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The command that a failed run calls went wrong.
    pub fn of_hook(run: &JobRun, complaint: String) -> Self {
        let text = format!("{}: {complaint}", run.job);
        Self::new(Level::Warning, "on_failure_failed", text).of_run(run).with("message", complaint)
    }

    /// A scheduler has ended.
    pub fn of_end(served: &Served) -> Self {
        let Served { succeeded, nothing_new, failed, faulty } = *served;
        let text = format!(
            "ended: {succeeded} runs succeeded, {nothing_new} found nothing new, {failed} failed; {faulty} jobs have a fault"
        );
        Self::new(Level::Info, "scheduler_ended", text)
            .with("succeeded", succeeded)
            .with("nothing_new", nothing_new)
            .with("failed", failed)
            .with("faulty", faulty)
    }

    /// What keeps the whole command from going on.
    pub fn of_failure(failure: &Failure) -> Self {
        Self::new(Level::Error, "command_failed", &failure.message)
            .with("code", failure.code)
            .with("message", failure.message.clone())
            .with("remedy", failure.remedy.clone())
    }

    /// An event; the reading of a folder is one record for it and one for each fault.
    pub fn of(event: &Event<'_>) -> Vec<Self> {
        let record = match event {
            Event::Waiting { job, wait } => {
                let seconds = wait.as_secs_f64().ceil();
                let text = format!("{job}: waits for another run of its target, {seconds} s if that is gone");
                Self::new(Level::Info, "run_waiting", text).of_job(job).with("wait_ms", ms(*wait))
            }
            Event::Started { run, .. } => started(run),
            Event::Noted { job, note } => {
                let text = format!("{job}: {note}");
                Self::new(Level::Warning, "run_note", text).of_job(job).with("message", *note)
            }
            Event::Retrying { run, wait } => {
                let seconds = wait.as_secs_f64().ceil();
                let text = format!("{}: {}; it is tried again in {seconds} s", run.job, run_line(run));
                let record = Self::new(Level::Warning, "run_retrying", text).of_run(run);
                record
                    .with("wait_ms", ms(*wait))
                    .with("attempt", run.attempt)
                    .with("error", run.error.clone())
            }
            Event::Ended { run, error } => ended(run, *error),
            Event::Skipped { job, upstream } => {
                let text = format!("{job}: not run, because `{upstream}` did not succeed");
                Self::new(Level::Warning, "job_skipped", text).of_job(job).with("upstream", *upstream)
            }
            Event::Loaded { folder, jobs, faults } => {
                let counts = format!("{jobs} can run, {} have a fault", faults.len());
                let folder = folder.display().to_string();
                let loaded = Self::new(Level::Info, "jobs_loaded", format!("jobs of {folder}: {counts}"))
                    .with("folder", folder)
                    .with("jobs", *jobs)
                    .with("faults", faults.len());
                return [loaded].into_iter().chain(faults.iter().map(fault)).collect();
            }
            Event::StandingBy => {
                Self::new(Level::Info, "standing_by", "another scheduler does the work; this one stands by")
            }
            Event::Leading => Self::new(Level::Info, "leading", "this scheduler does the work"),
            Event::Overtaken => Self::new(
                Level::Warning,
                "overtaken",
                "another scheduler took over, because this one was silent for too long",
            ),
            Event::Trouble { error } => {
                Self::new(Level::Warning, "trouble", format!("{}; it is tried again", error.told()))
                    .with("error", error.told())
            }
            Event::Stopping { running } => {
                let text = format!("the end was asked for; {running} running jobs are waited for");
                Self::new(Level::Info, "stopping", text).with("running", *running)
            }
        };
        vec![record]
    }

    /// One line for people.
    pub fn line(&self, now_ms: i64) -> String {
        let time = utc(now_ms);
        let time = time.get(..19).map_or(time.clone(), |seconds| format!("{seconds}Z"));
        let level =
            if self.level == Level::Info { String::new() } else { format!("{}: ", self.level.as_str()) };
        one_line(format!("{time} {level}{}", self.text))
    }

    /// One JSON object.
    pub fn json(&self, now_ms: i64) -> String {
        let mut object = self.fields.clone();
        object.insert("ts".to_owned(), json!(utc(now_ms)));
        object.insert("level".to_owned(), json!(self.level.as_str()));
        object.insert("event".to_owned(), json!(self.event));
        object.insert("job".to_owned(), json!(self.job));
        object.insert("run_id".to_owned(), json!(self.run_id));
        Value::Object(object).to_string()
    }
}

fn ms(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn started(run: &JobRun) -> Record {
    let why = match (run.trigger.as_str(), run.slot_ms) {
        ("schedule", Some(slot_ms)) => format!("due {}", utc(slot_ms)),
        ("data", _) => "new data in an input".to_owned(),
        _ => "by hand".to_owned(),
    };
    let again = if run.attempt > 1 { format!(", attempt {}", run.attempt) } else { String::new() };
    let text = format!("{}: begins ({why}{again}, run {})", run.job, run.run_id);
    Record::new(Level::Info, "run_started", text)
        .of_run(run)
        .with("target", run.target.to_string())
        .with("trigger", run.trigger.clone())
        .with("slot", run.slot_ms.map(utc))
        .with("attempt", run.attempt)
}

fn ended(run: &JobRun, error: Option<&RunError>) -> Record {
    let (level, event, text) = match error {
        Some(RunError::Stopped) => {
            (Level::Warning, "run_ended", format!("{}: was stopped, and put away what it began", run.job))
        }
        Some(_) => (Level::Error, "run_ended", format!("{}: {}", run.job, run_line(run))),
        None if run.state == RunState::Failed => {
            (Level::Error, "run_ended", format!("{}: {}", run.job, run_line(run)))
        }
        None => (Level::Info, "run_ended", format!("{}: {}", run.job, run_line(run))),
    };
    let mut record = Record::new(level, event, text).of_run(run);
    if let Value::Object(fields) = run_json(run) {
        record.fields = fields;
    }
    record
}

fn fault(error: &JobError) -> Record {
    let job = error.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Record::new(Level::Error, "job_fault", error.to_string())
        .of_job(&job)
        .with("file", error.path.display().to_string())
        .with("line", error.line)
        .with("message", error.fault.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use hosu_transform::JobFault;

    use super::super::told::tests::run;
    use super::*;

    const NOW_MS: i64 = 1_772_842_502_500;

    #[test]
    fn a_run_that_ended_is_one_object_and_one_line() {
        let run = run();
        let record = Record::of(&Event::Ended { run: &run, error: None }).remove(0);
        let object: Value = serde_json::from_str(&record.json(NOW_MS)).unwrap();
        assert_eq!((&object["ts"], &object["level"]), (&json!("2026-03-07T00:15:02.500Z"), &json!("info")));
        assert_eq!((&object["event"], &object["job"]), (&json!("run_ended"), &json!("logins")));
        assert_eq!(
            (&object["rows_written"], &object["run_id"]),
            (&json!(12), &json!(run.run_id.to_string()))
        );
        let line = record.line(NOW_MS);
        assert!(line.starts_with("2026-03-07T00:15:02Z logins: 12 rows added to curated.logins"), "{line}");
    }

    #[test]
    fn a_failure_is_an_error_and_a_stop_is_none() {
        let failed = JobRun { state: RunState::Failed, error: Some("a\nb".to_owned()), ..run() };
        let told =
            |error: &RunError| Record::of(&Event::Ended { run: &failed, error: Some(error) }).remove(0);
        let lost = told(&RunError::LeaseLost);
        assert_eq!((lost.level, lost.event), (Level::Error, "run_ended"));
        assert_eq!(lost.line(NOW_MS).lines().count(), 1);
        assert_eq!(told(&RunError::Stopped).level, Level::Warning);
    }

    #[test]
    fn each_fault_of_a_folder_is_a_record() {
        let fault = JobError { path: PathBuf::from("jobs/a.sql"), line: 3, fault: JobFault::NotUtf8 };
        let event = Event::Loaded { folder: Path::new("jobs"), jobs: 2, faults: &[fault] };
        let records = Record::of(&event);
        assert_eq!(records.len(), 2);
        assert_eq!((records[1].event, records[1].job.as_deref()), ("job_fault", Some("a")));
        assert_eq!((&records[1].fields["line"], &records[0].fields["faults"]), (&json!(3), &json!(1)));
    }
}
