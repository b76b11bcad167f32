//! What there is to be named: a picture of the catalog that typing asks, and a task that keeps it fresh.
//!
//! Typing never waits for a store: whoever completes takes the picture as it is. Columns of a table are read when they are
//! first asked for; the asker waits for them a moment, and gets them at the next Tab if the store takes longer.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use hosu_catalog::Catalog;
use hosu_query::FunctionInfo;
use hosu_query::system::{self, SystemTable};
use hosu_table::name::TableName;
use iceberg::spec::{NestedFieldRef, Type};
use tokio::sync::mpsc;

/// How long a Tab waits for columns.
const PATIENCE: Duration = Duration::from_millis(300);
/// Tables of the current database whose columns are read without being asked for.
const READ_AHEAD: usize = 50;
/// Databases whose tables are listed.
const DATABASES_MAX: usize = 500;

/// A column, or a field of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Of a row, or of the rows in a list or the values of a map.
    pub fields: Vec<Column>,
}

/// The picture. Databases and tables are spelled as the catalog has them; keys of `columns` are in lower case.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Databases and their tables.
    pub databases: BTreeMap<String, Vec<String>>,
    /// Of the tables that were asked for, by database and table.
    pub columns: HashMap<(String, String), Arc<Vec<Column>>>,
    /// All functions.
    pub functions: Arc<Vec<FunctionInfo>>,
}

impl Names {
    /// The tables of a database.
    pub fn tables(&self, database: &str) -> &[String] {
        let exact = self.databases.get(database);
        let found = exact.or_else(|| {
            let lower = database.to_lowercase();
            self.databases.iter().find(|(name, _)| name.to_lowercase() == lower).map(|(_, tables)| tables)
        });
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// The columns of a table, if they are known.
    pub fn columns(&self, database: &str, table: &str) -> Option<&Arc<Vec<Column>>> {
        self.columns.get(&(database.to_lowercase(), table.to_lowercase()))
    }

    /// The catalog's spelling of a table; none when there is no such table.
    fn stored(&self, database: &str, table: &str) -> Option<TableName> {
        let (database, table) = (database.to_lowercase(), table.to_lowercase());
        let (database, tables) = self.databases.iter().find(|(name, _)| name.to_lowercase() == database)?;
        let table = tables.iter().find(|name| name.to_lowercase() == table)?;
        Some(TableName::stored(database, table))
    }
}

enum Wish {
    /// Databases and tables, and again the columns that are known.
    All { database: String },
    /// The columns of one table.
    Columns { table: TableName, done: Sender<()> },
}

/// Who has the picture and may ask for more. Clones share it.
#[derive(Clone, Debug)]
pub struct NamesSource {
    names: Arc<Mutex<Arc<Names>>>,
    wishes: mpsc::UnboundedSender<Wish>,
    /// A new picture is wished for and not begun.
    wished: Arc<AtomicBool>,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::All { .. } => "All",
            Self::Columns { .. } => "Columns",
        })
    }
}

impl NamesSource {
    /// Starts the task, on the runtime that this is called in. Its picture is empty but for the functions.
    pub fn start(catalog: Catalog, functions: Vec<FunctionInfo>) -> Self {
        let names =
            Arc::new(Mutex::new(Arc::new(Names { functions: Arc::new(functions), ..Names::default() })));
        let (wishes, receiver) = mpsc::unbounded_channel();
        let wished = Arc::new(AtomicBool::new(false));
        tokio::spawn(fulfil(catalog, names.clone(), wished.clone(), receiver));
        Self { names, wishes, wished }
    }

    /// The picture as it is.
    pub fn now(&self) -> Arc<Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the picture taken anew, some time soon.
    pub fn refresh(&self, database: &str) {
        if self.wished.swap(true, Ordering::AcqRel) {
            return;
        }
        // Nobody takes wishes once the runtime is gone, and then nobody completes either.
        let _ = self.wishes.send(Wish::All { database: database.to_owned() });
    }

    /// The picture with the columns of these tables, if they come within a moment.
    pub fn with_columns(&self, tables: &[(String, String)]) -> Arc<Names> {
        let names = self.now();
        let missing = tables.iter().filter(|(database, table)| names.columns(database, table).is_none());
        let (done, all_done) = channel();
        let mut waiting = 0;
        for table in missing.filter_map(|(database, table)| names.stored(database, table)).take(20) {
            waiting += u32::from(self.wishes.send(Wish::Columns { table, done: done.clone() }).is_ok());
        }
        drop(done);
        for _ in 0..waiting {
            if all_done.recv_timeout(PATIENCE / waiting).is_err() {
                break;
            }
        }
        if waiting > 0 { self.now() } else { names }
    }
}

async fn fulfil(
    catalog: Catalog,
    names: Arc<Mutex<Arc<Names>>>,
    wished: Arc<AtomicBool>,
    mut wishes: mpsc::UnboundedReceiver<Wish>,
) {
    while let Some(wish) = wishes.recv().await {
        let before = names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (after, done) = match wish {
            Wish::All { database } => {
                wished.store(false, Ordering::Release);
                // A lake that cannot be read completes what it could before.
                (all(&catalog, &before, &database).await.unwrap_or(before), None)
            }
            Wish::Columns { table, done } => {
                let mut after = Names::clone(&before);
                add_columns(&catalog, &mut after, vec![table]).await;
                (Arc::new(after), Some(done))
            }
        };
        *names.lock().unwrap_or_else(PoisonError::into_inner) = after;
        if let Some(done) = done {
            // Who asked may have lost patience.
            let _ = done.send(());
        }
    }
}

async fn all(catalog: &Catalog, before: &Names, database: &str) -> Option<Arc<Names>> {
    let mut after = Names { functions: before.functions.clone(), ..Names::default() };
    for name in catalog.databases().await.ok()?.into_iter().take(DATABASES_MAX) {
        let tables = catalog.tables(&name).await.unwrap_or_default();
        after.databases.insert(name, tables.into_iter().map(|table| table.table).collect());
    }
    add_system(&mut after);
    let known = before.columns.keys().filter_map(|(database, table)| after.stored(database, table));
    let mut wanted: Vec<TableName> = known.collect();
    let ahead = after.tables(database).iter().take(READ_AHEAD);
    wanted.extend(ahead.map(|table| TableName::stored(database, table)));
    wanted.sort();
    wanted.dedup();
    add_columns(catalog, &mut after, wanted).await;
    Some(Arc::new(after))
}

/// Adds the tables that no file is of.
fn add_system(names: &mut Names) {
    let tables = names.databases.entry(system::DATABASE.to_owned()).or_default();
    for table in SystemTable::ALL {
        if !tables.iter().any(|own| own == table.name()) {
            tables.push(table.name().to_owned());
        }
    }
    tables.sort();
}

async fn add_columns(catalog: &Catalog, names: &mut Names, tables: Vec<TableName>) {
    const AT_ONCE: usize = 4;
    let loads = tables.into_iter().map(|name| async move { (catalog.load(&name).await, name) });
    let mut loaded = futures::stream::iter(loads).buffer_unordered(AT_ONCE);
    while let Some((table, name)) = loaded.next().await {
        let fields = match (table, SystemTable::find(&name)) {
            (Ok(Some(table)), _) => columns(table.schema().as_struct().fields()),
            (Ok(None), Some(table)) => match table.schema() {
                Ok(schema) => columns(schema.as_struct().fields()),
                Err(_) => continue,
            },
            _ => continue,
        };
        names.columns.insert((name.database.to_lowercase(), name.table.to_lowercase()), Arc::new(fields));
    }
}

fn columns(fields: &[NestedFieldRef]) -> Vec<Column> {
    fields.iter().map(|field| Column { name: field.name.clone(), fields: inner(&field.field_type) }).collect()
}

fn inner(data_type: &Type) -> Vec<Column> {
    match data_type {
        Type::Struct(fields) => columns(fields.fields()),
        Type::List(list) => inner(&list.element_field.field_type),
        Type::Map(map) => inner(&map.value_field.field_type),
        Type::Primitive(_) => Vec::new(),
    }
}
