//! Aligned columns. The first rows decide the widths; a longer value that comes later sticks out, so that memory stays
//! bounded and rows appear while a long query still runs. The first rows also decide whether the table is turned.

use std::io::{self, Write};

use super::look::{Expanded, Look, one_line, width};
use super::vertical::Vertical;
use super::{Cells, Column, Layout};

/// How many rows are looked at before the first is printed.
const ROWS_LOOKED_AT: usize = 1_000;
/// How many bytes of them.
const BYTES_LOOKED_AT: usize = 1 << 20;
/// How wide a column is at most: one long value must not fill a thousand other rows with blanks.
const COLUMN_WIDTH_MAX: usize = 1_000;

/// Columns with a header line, numbers on the right.
pub struct Table {
    look: Look,
    null: (String, usize),
    columns: Vec<Column>,
    /// The widest of each, without a limit.
    widths: Vec<usize>,
    held: Vec<Vec<Option<String>>>,
    held_bytes: usize,
    flow: Flow,
}

/// What happens to a row.
enum Flow {
    /// It is looked at, and held back.
    Held,
    /// It becomes a line.
    Lines,
    /// Each of its values becomes a line.
    Turned(Vertical),
}

impl Table {
    /// As somebody likes it.
    pub fn new(look: &Look) -> Self {
        Self {
            look: look.clone(),
            null: look.null(),
            columns: Vec::new(),
            widths: Vec::new(),
            held: Vec::new(),
            held_bytes: 0,
            flow: Flow::Held,
        }
    }

    /// Prints what was held back; later rows are printed at once.
    fn flow(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        if self.is_turned() {
            let mut vertical = Vertical::new(&self.look);
            vertical.begin(&self.columns, out)?;
            held.iter().try_for_each(|row| vertical.print(row, out))?;
            self.flow = Flow::Turned(vertical);
            return Ok(());
        }
        self.flow = Flow::Lines;
        self.widths.iter_mut().for_each(|width| *width = (*width).min(COLUMN_WIDTH_MAX));
        let header: Vec<Option<String>> =
            self.columns.iter().map(|column| Some(column.name.clone())).collect();
        self.print(&header, out)?;
        let rule: Vec<String> = self.widths.iter().map(|width| "-".repeat(width + 2)).collect();
        writeln!(out, "{}", rule.join("+"))?;
        held.iter().try_for_each(|row| self.print(row, out))
    }

    fn is_turned(&self) -> bool {
        match (self.look.expanded, self.look.screen_width) {
            (Expanded::On, _) => true,
            (Expanded::Auto, Some(screen_width)) => {
                // A blank on both sides of each, a bar in between.
                let blanks = (self.widths.len() * 3).saturating_sub(1);
                self.widths.iter().fold(blanks, |sum, width| sum.saturating_add(*width)) > screen_width
            }
            _ => false,
        }
    }

    fn print(&self, row: &[Option<String>], out: &mut dyn Write) -> io::Result<()> {
        let last = self.columns.len().saturating_sub(1);
        let mut line = String::new();
        for (at, ((cell, column), widest)) in row.iter().zip(&self.columns).zip(&self.widths).enumerate() {
            if at > 0 {
                line.push('|');
            }
            let (text, text_width) = match cell {
                Some(text) => (text.as_str(), width(text)),
                None => (self.null.0.as_str(), self.null.1),
            };
            let pad = widest.saturating_sub(text_width);
            let is_left = !column.numeric;
            // What ends a line is not padded.
            if at == last && is_left && text.is_empty() {
                break;
            }
            line.push(' ');
            if !is_left {
                line.extend(std::iter::repeat_n(' ', pad));
            }
            line.push_str(text);
            if at < last {
                let right = if is_left { pad } else { 0 };
                line.extend(std::iter::repeat_n(' ', right + 1));
            }
        }
        line.push('\n');
        out.write_all(line.as_bytes())
    }
}

impl Layout for Table {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.to_vec();
        for column in &mut self.columns {
            column.name = one_line(std::mem::take(&mut column.name));
        }
        self.widths = self.columns.iter().map(|column| width(&column.name)).collect();
        Ok(())
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        let row: Vec<Option<String>> =
            (0..self.columns.len()).map(|at| cells.text(at).map(one_line)).collect();
        match &mut self.flow {
            Flow::Lines => return self.print(&row, out),
            Flow::Turned(vertical) => return vertical.print(&row, out),
            Flow::Held => {}
        }
        for (widest, cell) in self.widths.iter_mut().zip(&row) {
            *widest = (*widest).max(cell.as_ref().map_or(self.null.1, |text| width(text)));
        }
        let cells_bytes = row.len() * size_of::<Option<String>>();
        self.held_bytes += cells_bytes + row.iter().flatten().map(String::len).sum::<usize>();
        self.held.push(row);
        if self.held.len() >= ROWS_LOOKED_AT || self.held_bytes >= BYTES_LOOKED_AT {
            self.flow(out)
        } else {
            Ok(())
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if matches!(self.flow, Flow::Held) { self.flow(out) } else { Ok(()) }
    }
}
