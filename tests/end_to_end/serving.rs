//! A process that goes on until somebody wants its end, and says in JSON what it does: a scheduler, a follower.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Place;

/// Nothing that is waited for takes so long, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A process that logs JSON.
pub struct Serving {
    child: Child,
    records: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

impl Serving {
    /// Starts `hosu … --log json`.
    pub fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(&[arguments, &["--log", "json"]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let records: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), records.clone());
        let reader = thread::spawn(move || {
            for line in lines {
                let line = line.unwrap();
                // A test that waits in vain shows what there was.
                let record = serde_json::from_str(&line)
                    .unwrap_or_else(|_| json!({ "event": "no JSON", "text": line }));
                kept.lock().unwrap().push(record);
            }
        });
        Self { child, records, reader: Some(reader) }
    }

    pub fn records(&self) -> Vec<Value> {
        self.records.lock().unwrap().clone()
    }

    /// Waits until a record of a kind has come.
    #[track_caller]
    pub fn wait(&mut self, event: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let find = |records: &[Value]| {
            records.iter().find(|record| record["event"] == event && is_it(record)).cloned()
        };
        self.wait_for(event, |records| find(records).is_some());
        find(&self.records()).unwrap()
    }

    /// Waits until what it has said so far is enough.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, is_enough: impl Fn(&[Value]) -> bool) {
        let started = now();
        loop {
            // What it says before it ends is read after its end is seen.
            let ended = self.child.try_wait().unwrap();
            if is_enough(&self.records()) {
                return;
            }
            let in_time = started.elapsed() < PATIENCE && ended.is_none();
            assert!(
                in_time || is_enough(&self.records()),
                "`{what}` never came: {ended:?} {:#?}",
                self.records()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the end: exit code, standard output, and all records.
    pub fn end(mut self) -> (i32, String, Vec<Value>) {
        let mut stdout = String::new();
        std::io::Read::read_to_string(&mut self.child.stdout.take().unwrap(), &mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        (status.code().unwrap_or(-1), stdout, self.records())
    }

    /// Asks for the end and waits for it.
    pub fn stop(self) -> (i32, String, Vec<Value>) {
        self.signal("-TERM");
        self.end()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits by the real clock")]
pub fn now() -> Instant {
    Instant::now()
}

pub fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}
