//! Writes the files of `sample-data/`: the same bytes each time, on each machine.
//!
//! `cargo run -p hosu-simulation --example make_sample_data [FOLDER]`. Its test holds that what is committed is
//! what it writes, so that nobody edits the samples by hand and the README's numbers stay true.

mod audit;
mod game;
mod json;
mod random;
mod wrong;

use std::path::{Path, PathBuf};

/// The files by name.
fn files() -> [(&'static str, Vec<u8>); 3] {
    [
        ("game-events.ndjson", game::events(3_000)),
        ("cloudtrail.ndjson", audit::records(1_000)),
        ("wrong-lines.ndjson", wrong::lines()),
    ]
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-data")
}

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(committed, PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for (name, bytes) in files() {
        std::fs::write(folder.join(name), &bytes)?;
        println!("{name}: {} lines, {} bytes", bytes.split(|b| *b == b'\n').count() - 1, bytes.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_is_written() {
        for (name, bytes) in files() {
            let found = std::fs::read(committed().join(name)).expect(name);
            let hint = "cargo run -p hosu-simulation --example make_sample_data";
            assert!(found == bytes, "sample-data/{name} differs from what the generator writes: {hint}");
        }
    }

    #[test]
    fn samples_are_objects_of_distinct_events() {
        for (name, key) in [("game-events.ndjson", "event_id"), ("cloudtrail.ndjson", "eventID")] {
            let text = std::fs::read_to_string(committed().join(name)).expect(name);
            let mut ids = std::collections::HashSet::new();
            for line in text.lines() {
                let event: serde_json::Value = serde_json::from_str(line).expect(line);
                assert!(ids.insert(event[key].as_str().expect(key).to_owned()), "twice: {line}");
            }
            assert!(ids.len() >= 1_000, "{name} has {} events", ids.len());
        }
    }
}
