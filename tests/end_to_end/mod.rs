//! The binary as a person or a script uses it: each test has a folder of its own, and a lake in it.

mod audit;
mod bad_events;
mod bad_lakes;
mod bad_statements;
mod contract;
mod crash;
mod csv;
mod dice;
mod docker;
mod doctor;
mod evolution;
mod first_contact;
mod follow;
mod ingest;
mod jobs;
mod kills;
mod memory;
mod newer;
mod parquet;
mod round_trip;
mod s3;
mod screen;
mod serving;
mod shapes;
mod shell;
mod sql;
mod together;
mod usage;
mod wire;
mod witness;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder to run the binary in; `lake` in it is the lake.
pub struct Place {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Results.
    pub stdout: String,
    /// Messages.
    pub stderr: String,
}

impl Place {
    /// An empty folder.
    pub fn new() -> Self {
        Self::with_environment(Vec::new())
    }

    /// An empty folder, and variables that the binary gets beside `HOME`.
    pub fn with_environment(environment: Vec<(String, String)>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file, and the folders on the way.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The binary with these arguments, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hosu"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary.
    pub fn hosu(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the binary with a text on standard input.
    pub fn hosu_with(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that ends before it has read everything is fine.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
        child.wait_with_output().unwrap().into()
    }

    /// Starts the binary without waiting for it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The report of an ingest that worked.
    pub fn ingest(&self, arguments: &[&str]) -> Value {
        let line: Vec<&str> = ["ingest", "--output", "json"].iter().chain(arguments).copied().collect();
        self.hosu(&line).ok().json()
    }

    /// The rows of one statement that worked, as Trino's client protocol encodes them.
    pub fn rows(&self, sql: &str) -> Value {
        self.hosu(&["sql", "--output", "json", "-c", sql]).ok().json()["rows"].clone()
    }

    /// Everything below a folder with its bytes.
    pub fn files(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(name), &mut files);
        files
    }

    /// The names of everything below a folder.
    pub fn names(&self, name: &str) -> Vec<PathBuf> {
        self.files(name).into_keys().collect()
    }

    /// Asserts that the lake is sound.
    pub fn check_sound(&self) {
        let run = self.hosu(&["doctor", "--output", "json"]).ok();
        assert_eq!(run.json()["findings"], Value::Array(Vec::new()), "{run:?}");
    }
}

/// Says something that is seen without `--nocapture`: that a test was skipped, and why.
pub fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

fn collect(path: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| collect(&entry.unwrap().path(), files));
    } else if path.exists() {
        files.insert(path.to_owned(), fs::read(path).unwrap());
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Asserts that it worked.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that it failed with one clear error: code, message, remedy, for programs and for people.
    #[track_caller]
    pub fn fails(&self, exit: i32, code: &str, names: &str) -> Value {
        assert_eq!(self.code, exit, "{self:?}");
        assert!(self.stderr.starts_with("error: "), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code, "{self:?}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(names), "`{names}` is not in `{message}`");
        assert!(error["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{self:?}");
        error
    }

    /// The last line of stdout, as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Each line of stdout, as JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
