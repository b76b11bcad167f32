//! A lake for one test: its files in memory, its database in a temporary folder.

use crate::{Answer, Column, Session, SqlError, SqlSettings, Stats, encode};
use hosu_catalog::{Catalog, CatalogSettings};
use hosu_dialect::statements;
use hosu_host::{Host, Location};
use tempfile::TempDir;

pub(super) struct Lake {
    pub(super) session: Session,
    _folder: TempDir,
}

/// The answer of a statement, read to its end.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) columns: Vec<Column>,
    /// Values as people read them; NULL as `NULL`.
    pub(super) rows: Vec<Vec<String>>,
    pub(super) json: Vec<String>,
    pub(super) stats: Stats,
}

impl Lake {
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(super) fn with(change: impl Fn(&mut SqlSettings)) -> Self {
        let folder = TempDir::new().unwrap();
        let warehouse = Location::parse("memory:///warehouse").unwrap();
        let catalog = Catalog::open(Host::seeded(1), CatalogSettings::in_folder(folder.path(), warehouse));
        let mut settings = SqlSettings { cores: 2, memory_bytes: 64 << 20, ..SqlSettings::default() };
        change(&mut settings);
        Self { session: Session::new(catalog, settings).unwrap(), _folder: folder }
    }

    /// Runs all statements of a text; the answer of the last.
    pub(super) async fn run(&mut self, text: &str) -> Result<Told, SqlError> {
        let mut told = None;
        for statement in statements(text) {
            let answer = self.session.run(&statement?).await?;
            told = Some(Told::read(answer).await?);
        }
        Ok(told.unwrap())
    }
}

impl Told {
    async fn read(mut answer: Answer) -> Result<Self, SqlError> {
        let (mut rows, mut json) = (Vec::new(), Vec::new());
        for batch in answer.collect().await? {
            for row in 0..batch.num_rows() {
                let columns = batch.columns();
                let texts = columns.iter().map(|column| encode::text_cell(column, row));
                rows.push(texts.map(|text| text.unwrap_or_else(|| "NULL".to_owned())).collect());
                let values: Vec<_> = columns.iter().map(|column| encode::trino_json(column, row)).collect();
                json.push(serde_json::to_string(&values).unwrap());
            }
        }
        Ok(Self { columns: answer.columns().to_vec(), rows, json, stats: answer.stats() })
    }

    /// As the scripts write it.
    pub(super) fn lines(self) -> Vec<String> {
        if self.columns.is_empty() {
            let changed = self.stats.rows_changed;
            return vec![if changed == 0 { "ok".to_owned() } else { format!("{changed} rows") }];
        }
        let names = self.columns.iter().map(|column| format!("{} {}", column.name, column.trino_type));
        let names = names.collect::<Vec<_>>().join(", ");
        std::iter::once(names).chain(self.json).collect()
    }
}
