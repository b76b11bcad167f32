//! JSON: rows as objects for people's tools, and one object a statement for programs.

use std::collections::HashSet;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::{Cells, Column, Layout};

/// Rows as objects whose keys stand in the order of the columns.
#[derive(Debug)]
pub struct Objects {
    names: Vec<String>,
    in_array: bool,
    rows: u64,
}

impl Objects {
    /// One array of objects.
    pub fn in_one_array() -> Self {
        Self { names: Vec::new(), in_array: true, rows: 0 }
    }

    /// One object a line.
    pub fn one_a_line() -> Self {
        Self { names: Vec::new(), in_array: false, rows: 0 }
    }
}

impl Layout for Objects {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        self.names = object_names(columns).into_iter().map(|name| Value::from(name).to_string()).collect();
        if self.in_array { out.write_all(b"[") } else { Ok(()) }
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        if self.in_array {
            out.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
        }
        self.rows += 1;
        out.write_all(b"{")?;
        for (at, name) in self.names.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(out, "{comma}{name}:{}", cells.json(at))?;
        }
        out.write_all(if self.in_array { b"}" } else { b"}\n" })
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.in_array, self.rows) {
            (true, 0) => out.write_all(b"]\n"),
            (true, _) => out.write_all(b"\n]\n"),
            (false, _) => Ok(()),
        }
    }
}

/// The columns' names as keys of an object, which has each key once: a second `n` becomes `n_2`.
pub fn object_names(columns: &[Column]) -> Vec<String> {
    let mut taken: HashSet<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut seen = HashSet::new();
    let mut free_name = |name: &String| {
        if seen.insert(name.clone()) {
            return name.clone();
        }
        let mut number = 2_u64;
        loop {
            let next = format!("{name}_{number}");
            if taken.insert(next.clone()) {
                return next;
            }
            number += 1;
        }
    };
    columns.iter().map(|column| free_name(&column.name)).collect()
}

/// `{"columns": …, "rows": …, "stats": …}`, written while the rows come in.
#[derive(Debug, Default)]
pub struct Answers {
    rows: u64,
}

impl Answers {
    /// The columns, each with its name and Trino's type.
    pub fn begin(&mut self, columns: &[(String, String)], out: &mut dyn Write) -> io::Result<()> {
        let columns: Vec<Value> =
            columns.iter().map(|(name, kind)| serde_json::json!({ "name": name, "type": kind })).collect();
        write!(out, "{{\"columns\":{},\"rows\":[", Value::from(columns))
    }

    /// One row, encoded as in Trino's client protocol.
    pub fn row(&mut self, values: &[impl Serialize], out: &mut dyn Write) -> io::Result<()> {
        if self.rows > 0 {
            out.write_all(b",")?;
        }
        self.rows += 1;
        serde_json::to_writer(&mut *out, values).map_err(io::Error::from)
    }

    /// What the statement did and cost.
    pub fn end(&mut self, stats: &Value, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "],\"stats\":{stats}}}")
    }
}
