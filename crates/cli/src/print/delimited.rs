//! CSV and TSV. CSV is what spreadsheets and other engines read back without loss: NULL and empty text differ.

use std::io::{self, Write};

use super::{Cells, Column, Layout};

/// A header, quotes as RFC 4180, lines that end in LF, NULL as nothing, empty text as `""`.
#[derive(Debug, Default)]
pub struct Csv {
    columns: usize,
}

/// A header, NULL as `\N`, tabs, line ends and backslashes escaped with a backslash.
#[derive(Debug, Default)]
pub struct Tsv {
    columns: usize,
}

impl Layout for Csv {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.len();
        line(out, ",", columns.iter().map(|column| quoted(&column.name)))
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        line(
            out,
            ",",
            (0..self.columns).map(|at| cells.text(at).map(|text| quoted(&text)).unwrap_or_default()),
        )
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

impl Layout for Tsv {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.len();
        line(out, "\t", columns.iter().map(|column| escaped(&column.name)))
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        let cell = |at| cells.text(at).map_or_else(|| "\\N".to_owned(), |text| escaped(&text));
        line(out, "\t", (0..self.columns).map(cell))
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn line(out: &mut dyn Write, separator: &str, cells: impl Iterator<Item = String>) -> io::Result<()> {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.write_all(separator.as_bytes())?;
        }
        out.write_all(cell.as_bytes())?;
    }
    out.write_all(b"\n")
}

fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn escaped(text: &str) -> String {
    if !text.contains(['\t', '\n', '\r', '\\']) {
        return text.to_owned();
    }
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}
