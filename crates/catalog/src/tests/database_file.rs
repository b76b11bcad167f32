//! What is found in the file of the database: another version, another layout, no catalog at all.

use std::time::Duration;

use super::*;
use crate::JobRuns;

#[tokio::test]
async fn a_file_that_is_no_catalog_is_told_from_a_damaged_and_a_newer_one() {
    let lake = Lake::new();
    let path = lake.folder.path().join("catalog.db");
    std::fs::write(&path, "this is a text and not a database, long enough to be looked at".repeat(40))
        .expect("written");
    let error = lake.catalog.databases().await.expect_err("no database");
    assert!(matches!(error, CatalogError::Database(DatabaseError::NotACatalog { .. })), "{error}");

    std::fs::remove_file(&path).expect("removed");
    let events = name("events");
    let fresh = lake.again(2);
    fresh.create_table(events.clone(), new_table(&fresh, &events, &[]), false).await.expect("a table");
    drop(fresh);
    let connection = rusqlite::Connection::open(&path).expect("the database");
    connection.execute("UPDATE hosu_meta SET value = '999'", []).expect("updated");
    drop(connection);
    let error = lake.again(3).load(&events).await.expect_err("a newer version");
    let CatalogError::Database(DatabaseError::Newer { version, known, .. }) = error else {
        panic!("{error}")
    };
    assert_eq!((version.as_str(), known), ("999", 3));
}

#[tokio::test]
async fn a_database_of_the_old_layout_is_read_and_then_written() {
    let lake = Lake::new();
    let events = name("events");
    let maker = lake.again(2);
    maker.create_table(events.clone(), new_table(&maker, &events, &[]), false).await.expect("a table");
    drop(maker);
    let connection = rusqlite::Connection::open(lake.folder.path().join("catalog.db")).expect("the database");
    let old = "ALTER TABLE iceberg_tables DROP COLUMN iceberg_type; DROP TABLE hosu_meta; DROP TABLE hosu_ingested;";
    connection.execute_batch(old).expect("the old layout");
    drop(connection);
    assert!(lake.catalog.load(&events).await.expect("readable").is_some());
    add(&lake.catalog, &events, "file:///a.parquet", 1).await;
    assert_eq!(live_files(&lake, &events).await.len(), 1);
}

#[tokio::test]
async fn a_database_of_version_1_is_read_and_then_written() {
    let lake = Lake::new();
    let events = name("events");
    let maker = lake.again(2);
    let made =
        maker.create_table(events.clone(), new_table(&maker, &events, &[]), false).await.expect("made");
    drop(maker);
    let connection = rusqlite::Connection::open(lake.folder.path().join("catalog.db")).expect("the database");
    let old = "DROP TABLE hosu_leases; DROP TABLE hosu_job_runs; DROP TABLE hosu_job_states; DROP TABLE hosu_job_slots; \
               UPDATE hosu_meta SET value = '1'";
    connection.execute_batch(old).expect("version 1");
    assert!(lake.catalog.load(&events).await.expect("readable").is_some());
    assert_eq!(lake.catalog.ledger(made.uuid(), None).await.expect("readable"), []);
    assert_eq!(lake.catalog.lease("a").await.expect("readable"), None);
    assert_eq!(lake.catalog.job_runs(JobRuns::default()).await.expect("readable"), []);
    assert_eq!(lake.catalog.job_states().await.expect("readable"), []);
    assert_eq!(lake.catalog.job_state(made.uuid()).await.expect("readable"), None);
    assert_eq!(lake.catalog.job_slots().await.expect("readable"), []);
    let version = |connection: &rusqlite::Connection| {
        connection
            .query_row("SELECT value FROM hosu_meta", [], |row| row.get::<_, String>(0))
            .expect("a version")
    };
    assert_eq!(version(&connection), "1", "questions write nothing");
    let second = Duration::from_secs(1);
    assert_eq!(lake.catalog.take_lease("a", made.uuid(), second).await.expect("the first write").fence, 1);
    assert_eq!(version(&connection), "3");
}

#[tokio::test]
async fn a_view_of_another_engine_is_no_table_but_takes_the_name() {
    let lake = Lake::new();
    let events = name("events");
    lake.catalog
        .create_table(name("other"), new_table(&lake.catalog, &name("other"), &[]), false)
        .await
        .expect("a table");
    let connection = rusqlite::Connection::open(lake.folder.path().join("catalog.db")).expect("the database");
    connection
        .execute("INSERT INTO iceberg_tables VALUES ('hosu', 'default', 'events', 'x', NULL, 'VIEW')", [])
        .expect("a view");
    assert!(lake.catalog.load(&events).await.expect("no table").is_none());
    assert_eq!(lake.catalog.tables("default").await.expect("tables"), [name("other")]);
    let taken =
        lake.catalog.create_table(events.clone(), new_table(&lake.catalog, &events, &[]), false).await;
    assert!(matches!(taken, Err(CatalogError::TableExists { .. })), "{taken:?}");
}

#[tokio::test]
async fn the_database_is_there_before_the_first_file_of_a_table() {
    let lake = Lake::new();
    // Nothing can be stored below a file, so the commit ends where a kill may end it.
    std::fs::write(lake.folder.path().join("warehouse"), "").expect("a file");
    let events = name("events");
    let new = new_table(&lake.catalog, &events, &[]);
    let error = lake.catalog.create_table(events.clone(), new, false).await.expect_err("no folder");
    assert!(matches!(error, CatalogError::Store { .. }), "{error:?}");
    assert!(lake.folder.path().join("catalog.db").exists());
    assert!(lake.again(2).tables("default").await.expect("a database").is_empty());
}
