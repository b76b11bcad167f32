//! One line a value, for rows that are wider than the terminal.

use std::io::{self, Write};

use super::{Cells, Column, Layout, one_line, width};

/// Rows below each other, names aligned.
#[derive(Debug, Default)]
pub struct Vertical {
    names: Vec<String>,
    name_width: usize,
    rows: u64,
}

impl Layout for Vertical {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.names = columns.iter().map(|column| one_line(&column.name)).collect();
        self.name_width = self.names.iter().map(|name| width(name)).max().unwrap_or(0);
        Ok(())
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        writeln!(out, "-[ row {} ]-", self.rows)?;
        for (at, name) in self.names.iter().enumerate() {
            let value = cells.text(at).map_or_else(|| "NULL".to_owned(), |text| one_line(&text));
            let pad = self.name_width.saturating_sub(width(name));
            writeln!(out, "{name}{:pad$} | {value}", "")?;
        }
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
