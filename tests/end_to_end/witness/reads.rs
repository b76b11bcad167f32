//! Every table of [`lake`] is read by every witness: all rows, what filters find, and what the table held when it was younger.

use std::process::Command;

use serde_json::Value;

use super::{lake, python};

#[test]
fn witnesses_read_every_table_as_we_do() {
    let Some(python) = python::python("witnesses_read_every_table_as_we_do") else { return };
    let lake = lake::shared();
    let past: String = lake.past.iter().map(|answer| format!("{answer}\n")).collect();
    let past = lake.place.write("past.ndjson", past);
    let mut command = Command::new(python);
    command.arg(python::script("compare.py")).arg(env!("CARGO_BIN_EXE_hosu"));
    command.arg(lake.place.path("lake")).arg(past);
    let said = python::run(&mut command);
    let mut lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap();
    let shown: Vec<String> = lines.iter().take(20).map(Value::to_string).collect();
    assert!(lines.is_empty(), "{} differences, the first:\n{}", lines.len(), shown.join("\n"));
    for engine in ["PyIceberg", "DuckDB", "Polars"] {
        let compared = |what: &str| summary["compared"][format!("{engine}: {what}")].as_u64().unwrap_or(0);
        assert!(compared("rows") >= 60 && compared("count") >= 350 && compared("snapshot") >= 5, "{summary}");
    }
    lake.place.check_sound();
}
