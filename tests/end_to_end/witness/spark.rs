//! Spark as a witness: it opens the same SQLite catalog, reads every table as we do, writes what we read, and reads what we
//! write into its tables. All in one session, because a session costs as much as the rest.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::lake::{self, facts};
use super::python;
use crate::end_to_end::{Place, say};

mod jobs;
mod writes;

/// A session of Spark that answers a line with a line.
struct Spark {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What Spark says of itself.
    log: tempfile::NamedTempFile,
}

/// Where `tests/python/spark-install` put Spark: `HOSU_TEST_SPARK`, else `spark` beside the other witnesses.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration but the environment")]
fn home() -> PathBuf {
    std::env::var_os("HOSU_TEST_SPARK").map_or_else(|| python::cache().join("spark"), PathBuf::from)
}

impl Spark {
    fn start(test: &str) -> Option<Self> {
        let home = home();
        if !home.join("ready").exists() {
            say(&format!(
                "skipped {test}: no Spark in {} (tests/python/spark-install puts it there)",
                home.display()
            ));
            return None;
        }
        let mut command = Command::new(python::python(test)?);
        command
            .args(["-W", "ignore"])
            .arg(python::script("spark.py"))
            .arg(home)
            .arg(env!("CARGO_BIN_EXE_hosu"));
        let log = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.reopen().unwrap());
        let mut process = command.spawn().unwrap();
        let (commands, answers) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        let mut spark = Self { process, commands, answers, log };
        assert_eq!(spark.answer(), json!({"version": "4.1.1"}));
        Some(spark)
    }

    /// Gives a command, without waiting for the answer.
    fn command(&mut self, place: &Place, command: &Value) {
        let mut command = command.clone();
        command["lake"] = json!(place.path("lake"));
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
    }

    #[track_caller]
    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
        let answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}\n{}", log()));
        assert_eq!(answer["error"], Value::Null, "{}", answer["error"].as_str().unwrap_or_default());
        answer
    }

    /// Runs statements and gives back the rows of the last one.
    #[track_caller]
    fn sql(&mut self, place: &Place, statements: &[&str]) -> Value {
        self.command(place, &json!({"sql": statements}));
        self.answer()["rows"].clone()
    }

    /// Asserts that tables (all where none is named) are the same for both, and gives back how much was compared.
    #[track_caller]
    fn compare(&mut self, place: &Place, tables: &[&str], past: &[Value]) -> Value {
        self.command(place, &json!({"compare": tables, "past": past}));
        let answer = self.answer();
        let differences = answer["differences"].as_array().unwrap();
        let shown: Vec<String> = differences.iter().take(20).map(Value::to_string).collect();
        assert!(
            differences.is_empty(),
            "{} differences, the first:\n{}",
            differences.len(),
            shown.join("\n")
        );
        answer["compared"].clone()
    }
}

impl Drop for Spark {
    fn drop(&mut self) {
        // It ends at the end of its commands.
        self.commands = None;
        let _ = self.process.wait();
    }
}

#[test]
fn spark_reads_and_writes_tables_as_we_do() {
    let Some(mut spark) = Spark::start("spark_reads_and_writes_tables_as_we_do") else { return };
    let lake = lake::shared();
    let compared = spark.compare(&lake.place, &[], &lake.past);
    let counted = |what: &str| compared[format!("Spark: {what}")].as_u64().unwrap_or(0);
    assert!(counted("rows") >= 60 && counted("count") >= 350 && counted("snapshot") >= 5, "{compared}");
    drop(lake);
    for scene in writes::SCENES.into_iter().chain([jobs::jobs as fn(&mut Spark, &Place)]) {
        let place = Place::new();
        scene(&mut spark, &place);
        place.check_sound();
    }
}
