//! Parquet from files of other programs to SQL: each value as it was written, in columns of the same meaning.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::Place;
use super::witness::python::{python, run, script};

/// Files of `tests/python/parquet_files.py`, with what each holds as SQL gives it back; none when there is no Python for it.
fn files(place: &Place, test: &str) -> Option<Value> {
    let python = python(test)?;
    let made = run(Command::new(python).arg(script("parquet_files.py")).arg(place.path("")));
    Some(serde_json::from_str(&made).unwrap())
}

#[test]
fn what_other_programs_wrote_is_what_sql_gives_back() {
    let place = Place::new();
    let Some(files) = files(&place, "what_other_programs_wrote_is_what_sql_gives_back") else { return };
    for file in files.as_array().unwrap() {
        let (name, columns) = (file["name"].as_str().unwrap(), file["columns"].as_array().unwrap());
        let table = name.split('.').next().unwrap();
        let report = place.ingest(&[table, name]);
        let detail = &report["sources_detail"][0];
        assert_eq!(detail["format"], "parquet", "{report}");
        assert_eq!(report["rescued"], file["rescued"], "{name}: {report}");
        assert_eq!(detail["bytes"], fs::metadata(place.path(name)).unwrap().len(), "{report}");
        for column in columns {
            let (column, expected) = (column["name"].as_str().unwrap(), &column["values"]);
            let rows = place.rows(&format!("select \"{column}\" from {table} order by id"));
            let found: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row[0]).collect();
            assert_eq!(json!(found), *expected, "{name}: {column}");
        }
        assert_eq!(place.ingest(&[table, name])["sources_skipped"], 1, "{name}");
    }
    place.check_sound();
}
