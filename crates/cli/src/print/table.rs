//! Aligned columns. The first rows decide the widths; a longer value that comes later sticks out, so that memory stays
//! bounded and rows appear while a long query still runs.

use std::io::{self, Write};

use super::{Cells, Column, Layout, one_line, width};

/// How many rows are looked at before the first is printed.
const ROWS_LOOKED_AT: usize = 1_000;
/// How many bytes of them.
const BYTES_LOOKED_AT: usize = 1 << 20;

/// Columns with a header line, numbers on the right.
#[derive(Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    widths: Vec<usize>,
    held: Vec<Vec<String>>,
    held_bytes: usize,
    flowing: bool,
}

impl Layout for Table {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.to_vec();
        for column in &mut self.columns {
            column.name = one_line(&column.name);
        }
        self.widths = self.columns.iter().map(|column| width(&column.name)).collect();
        Ok(())
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        let cell = |at| cells.text(at).map_or_else(|| "NULL".to_owned(), |text| one_line(&text));
        let row: Vec<String> = (0..self.columns.len()).map(cell).collect();
        if self.flowing {
            return self.print(&row, out);
        }
        for (widest, cell) in self.widths.iter_mut().zip(&row) {
            *widest = (*widest).max(width(cell));
        }
        self.held_bytes += row.iter().map(String::len).sum::<usize>();
        self.held.push(row);
        if self.held.len() >= ROWS_LOOKED_AT || self.held_bytes >= BYTES_LOOKED_AT {
            self.flow(out)
        } else {
            Ok(())
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.flowing { Ok(()) } else { self.flow(out) }
    }
}

impl Table {
    /// Prints the header and what was held back; later rows are printed at once.
    fn flow(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.flowing = true;
        let header: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        self.print(&header, out)?;
        let rule: Vec<String> = self.widths.iter().map(|width| "-".repeat(width + 2)).collect();
        writeln!(out, "{}", rule.join("+"))?;
        std::mem::take(&mut self.held).iter().try_for_each(|row| self.print(row, out))
    }

    fn print(&self, row: &[String], out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (at, ((cell, column), widest)) in row.iter().zip(&self.columns).zip(&self.widths).enumerate() {
            if at > 0 {
                line.push('|');
            }
            let pad = " ".repeat(widest.saturating_sub(width(cell)));
            let (left, right) = if column.numeric { (pad.as_str(), "") } else { ("", pad.as_str()) };
            line.extend([" ", left, cell.as_str(), right, " "]);
        }
        writeln!(out, "{}", line.trim_end())
    }
}
