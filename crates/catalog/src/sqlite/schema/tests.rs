//! A file looked at while somebody else makes it.

use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use uuid::Uuid;

use super::super::ledger;
use super::{Content, VERSION, check, create};

/// How long a lock of the other thread is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(60);

#[test]
fn a_file_that_is_being_made_is_empty_or_complete() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let path = folder.path().join(format!("{round}.db"));
        let reader = Connection::open(&path).unwrap();
        reader.busy_timeout(LOCK_WAIT).unwrap();
        thread::scope(|scope| {
            let maker = scope.spawn(|| create(&path, LOCK_WAIT).map(drop));
            while !maker.is_finished() {
                let seen = check(&reader, &path).unwrap();
                assert_ne!(seen, Content::Iceberg, "both are made in one transaction");
            }
            maker.join().unwrap().unwrap();
        });
        assert_eq!(check(&reader, &path).unwrap(), Content::Complete);
    }
}

#[test]
fn many_may_make_a_file_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let path = folder.path().join(format!("{round}.db"));
        thread::scope(|scope| {
            let make = || create(&path, LOCK_WAIT).map(drop);
            let makers: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            let reader = Connection::open(&path).unwrap();
            reader.busy_timeout(LOCK_WAIT).unwrap();
            while makers.iter().any(|maker| !maker.is_finished()) {
                check(&reader, &path).unwrap();
            }
            for maker in makers {
                maker.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn a_file_of_an_earlier_version_is_readable_and_completed_by_the_first_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.db");
    let connection = create(&path, LOCK_WAIT).unwrap();
    let second_version = "DROP INDEX hosu_ingested_identity; ALTER TABLE hosu_ingested DROP COLUMN from_byte; \
                          ALTER TABLE hosu_ingested DROP COLUMN identity; \
                          UPDATE hosu_meta SET value = '2' WHERE key = 'schema_version'";
    connection.execute_batch(second_version).unwrap();
    assert_eq!(check(&connection, &path).unwrap(), Content::Earlier { has_jobs: true });
    let first_version = "DROP TABLE hosu_leases; DROP TABLE hosu_job_runs; DROP TABLE hosu_job_states; \
                         DROP TABLE hosu_job_slots; UPDATE hosu_meta SET value = '1' WHERE key = 'schema_version'";
    connection.execute_batch(first_version).unwrap();
    assert_eq!(check(&connection, &path).unwrap(), Content::Earlier { has_jobs: false });
    let table = Uuid::from_u128(7);
    let row = "INSERT INTO hosu_ingested (table_uuid, branch, source, size_bytes, content, operation_id, rows_added, \
               rejected, ingested_at_ms) VALUES (?1, 'main', '/a', 10, 'blake3:1', '', 1, 0, 5)";
    connection.execute(row, [table.to_string()]).unwrap();
    let names = ["/a".to_owned(), "inode:1:2".to_owned()];
    let before = ledger::rows(&connection, table, Some(&names), false).unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!((before[0].from_byte, before[0].identity.as_deref()), (0, None));
    drop(connection);
    let connection = create(&path, LOCK_WAIT).unwrap();
    assert_eq!(check(&connection, &path).unwrap(), Content::Complete);
    let version = "SELECT value FROM hosu_meta WHERE key = 'schema_version'";
    let version: String = connection.query_row(version, [], |row| row.get(0)).unwrap();
    assert_eq!(version, VERSION.to_string());
    assert_eq!(ledger::rows(&connection, table, Some(&names), true).unwrap(), before);
}
