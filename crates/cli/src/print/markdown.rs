//! A Markdown table, for issues and notebooks.

use std::io::{self, Write};

use super::{Cells, Column, Layout, Look};

/// One line a row; numbers are aligned on the right.
#[derive(Debug, Default)]
pub struct Markdown {
    null: String,
    columns: usize,
}

impl Markdown {
    /// With what stands for NULL.
    pub fn new(look: &Look) -> Self {
        Self { null: look.null.clone(), ..Self::default() }
    }
}

impl Layout for Markdown {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.len();
        line(out, columns.iter().map(|column| escaped(&column.name)))?;
        line(out, columns.iter().map(|column| if column.numeric { "---:" } else { "---" }.to_owned()))
    }

    fn row(&mut self, cells: &dyn Cells, out: &mut dyn Write) -> io::Result<()> {
        let cell = |at| cells.text(at).map_or_else(|| escaped(&self.null), |text| escaped(&text));
        line(out, (0..self.columns).map(cell))
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    out.write_all(b"|")?;
    for cell in cells {
        write!(out, " {cell} |")?;
    }
    out.write_all(b"\n")
}

fn escaped(text: &str) -> String {
    let text =
        text.replace('\\', "\\\\").replace('|', "\\|").replace("\r\n", "<br>").replace(['\n', '\r'], "<br>");
    super::one_line(text)
}
