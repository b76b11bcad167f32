//! Who makes the files of a kill test: of several shapes and sizes, each event with an id of its own, some of them broken; and keeps
//! the account of what must be in the table and what among its rejects.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::end_to_end::dice::Dice;

/// After so many files events get a new field.
const FILES_A_FIELD: u64 = 25;

/// Writes files.
pub struct Feeder {
    pub dice: Dice,
    next: u64,
    files: u64,
    /// The ids that belong into the table.
    pub good: Vec<u64>,
    /// The records that belong among the rejects, as they stand in their files.
    pub bad: Vec<String>,
}

impl Feeder {
    /// One that has written nothing.
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), next: 0, files: 0, good: Vec::new(), bad: Vec::new() }
    }

    /// A new file: its name and what is in it. The first of its events is good, the second is broken.
    pub fn file(&mut self) -> (String, Vec<u8>) {
        let events = 2 + match self.dice.roll(10) {
            0 => 3_000 + self.dice.roll(5_000),
            1..=3 => 100 + self.dice.roll(900),
            _ => self.dice.roll(40),
        };
        let number = self.files;
        self.files += 1;
        match self.dice.roll(4) {
            0 => (format!("{number:05}.ndjson"), self.lines(events).into_bytes()),
            1 => (format!("{number:05}.ndjson.gz"), gzip(&self.lines(events))),
            2 => (format!("{number:05}.zst"), zstd::encode_all(self.lines(events).as_bytes(), 1).unwrap()),
            _ => (format!("{number:05}.json"), self.array(events).into_bytes()),
        }
    }

    fn lines(&mut self, events: u64) -> String {
        (0..events).fold(String::new(), |text, at| text + &self.event(at) + "\n")
    }

    /// An array, over several lines or in one.
    fn array(&mut self, events: u64) -> String {
        let between = if self.dice.roll(2) == 0 { "," } else { ",\n  " };
        let events: Vec<String> = (0..events).map(|at| self.event(at)).collect();
        format!("[{}]", events.join(between))
    }

    fn event(&mut self, at: u64) -> String {
        let id = self.next;
        self.next += 1;
        if at == 1 || at > 1 && self.dice.roll(50) == 0 {
            // JSON, so that it stands in an array as well, and no object.
            let bad = format!("\"bad {id}\"");
            self.bad.push(bad.clone());
            return bad;
        }
        self.good.push(id);
        let (day, hour) = (1 + self.dice.roll(5), self.dice.roll(24));
        let text = "x".repeat(self.dice.roll(90) as usize);
        let mut event =
            format!("{{\"id\":{id},\"at\":\"2026-03-0{day}T{hour:02}:00:00Z\",\"text\":\"{text}\"");
        let _ = write!(event, ",\"field_{}\":{}}}", self.files / FILES_A_FIELD, id % 7);
        event
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
