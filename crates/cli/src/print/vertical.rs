//! One line a value, for rows that are wider than the terminal.

use std::io::{self, Write};

use super::look::{Look, one_line, width};
use super::{Cells, Column, Layout};

/// How wide the column of names is at most.
const NAME_WIDTH_MAX: usize = 200;

/// Rows below each other, names aligned.
pub struct Vertical {
    null: String,
    names: Vec<String>,
    name_width: usize,
    rows: u64,
}

impl Vertical {
    /// As somebody likes it.
    pub fn new(look: &Look) -> Self {
        Self { null: look.null().0, names: Vec::new(), name_width: 0, rows: 0 }
    }

    /// Prints a row of values that are each one line.
    pub fn print(&mut self, row: &[Option<String>], out: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        writeln!(out, "-[ row {} ]-", self.rows)?;
        for (name, value) in self.names.iter().zip(row) {
            let pad = self.name_width.saturating_sub(width(name));
            let value = value.as_ref().unwrap_or(&self.null);
            let blank = if value.is_empty() { "" } else { " " };
            writeln!(out, "{name}{:pad$} |{blank}{value}", "")?;
        }
        Ok(())
    }
}

impl Layout for Vertical {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.names = columns.iter().map(|column| one_line(column.name.clone())).collect();
        let widest = self.names.iter().map(|name| width(name)).max().unwrap_or(0);
        self.name_width = widest.min(NAME_WIDTH_MAX);
        Ok(())
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        let row: Vec<Option<String>> = (0..self.names.len()).map(|at| cells.text(at).map(one_line)).collect();
        self.print(&row, out)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
