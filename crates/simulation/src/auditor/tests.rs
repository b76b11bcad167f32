//! The auditor finds each kind of damage, and none where there is none.

use hosu_host::object_store::ObjectStoreExt;
use hosu_host::object_store::path::Path;

use super::*;
use crate::gate::Gate;
use crate::sender::{self, Sender};
use crate::world::Storage;

struct Lake {
    world: World,
    catalog: Catalog,
    table: TableName,
}

fn batch(number: i64) -> Batch {
    Batch { number, events: 4, bad_lines: 0, extra_field: false }
}

/// A lake with three batches that were acknowledged.
async fn lake() -> Lake {
    let world = World::new(Storage::Bucket).unwrap();
    let catalog = world.open(&Gate::open(), 1).unwrap();
    let lake = Lake { world, catalog, table: TableName::stored("default", "events") };
    for number in 1..=3 {
        Sender::Writer.send(&lake.world, &lake.catalog, &lake.table, &batch(number)).await.unwrap();
    }
    lake
}

impl Lake {
    async fn findings(&self) -> Vec<Finding> {
        audit(&self.world, &self.table).await.findings
    }

    /// Commits a batch under any source, behind the book's back.
    async fn slip_in(&self, source: String, batch: &Batch) {
        sender::write(&self.world, &self.catalog, &self.table, source, batch).await.unwrap();
    }

    /// The first object whose name says that it is such a file.
    async fn object(&self, says: impl Fn(&str) -> bool) -> Path {
        let all: Vec<_> =
            futures::TryStreamExt::try_collect(self.world.bucket().objects().list(None)).await.unwrap();
        let mut paths: Vec<Path> =
            all.into_iter().map(|meta: object_store::ObjectMeta| meta.location).collect();
        paths.sort();
        paths.into_iter().find(|path| says(path.as_ref())).unwrap()
    }
}

fn is_missing(findings: &[Finding], path: &Path) -> bool {
    findings
        .iter()
        .any(|f| matches!(f, Finding::Missing { location, .. } if location.ends_with(path.as_ref())))
}

#[tokio::test]
async fn a_sound_lake_has_no_findings() {
    let lake = lake().await;
    let audit = audit(&lake.world, &lake.table).await;
    assert_eq!(audit.findings, []);
    assert_eq!(audit.visible, BTreeSet::from([1, 2, 3]));
    assert_eq!((audit.snapshots, audit.data_files), (3, 6), "two partitions each");
}

#[tokio::test]
async fn a_lost_batch_is_found() {
    let lake = lake().await;
    lake.world.book.send(&batch(4));
    assert_eq!(lake.findings().await, [], "nothing was promised");
    lake.world.book.acknowledge(&batch(4));
    assert_eq!(lake.findings().await, (0..4).map(|place| Finding::Lost((4, place))).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_without_its_table_is_found() {
    let lake = lake().await;
    lake.catalog.drop_table(&lake.table).await.unwrap();
    assert_eq!(lake.findings().await.len(), 12);
}

#[tokio::test]
async fn a_doubled_batch_is_found() {
    let lake = lake().await;
    lake.slip_in("s3://sim/sources/elsewhere".to_owned(), &batch(2)).await;
    let findings = lake.findings().await;
    assert!((0..4).all(|place| findings.contains(&Finding::Doubled((2, place)))), "{findings:?}");
    assert!(findings.iter().any(|finding| matches!(finding, Finding::Ledger(_))));
}

#[tokio::test]
async fn half_a_batch_is_found_acknowledged_or_not() {
    let lake = lake().await;
    lake.world.book.send(&batch(4));
    lake.slip_in(lake.world.source(&batch(4).source()), &Batch { events: 3, ..batch(4) }).await;
    let half = Finding::Half { batch: 4, events: (3, 4), rejects: (0, 0) };
    let findings = lake.findings().await;
    assert!(findings.contains(&half), "{findings:?}");
    assert!(!findings.iter().any(|finding| matches!(finding, Finding::Lost(_))), "{findings:?}");
    lake.world.book.acknowledge(&batch(4));
    assert!(lake.findings().await.contains(&Finding::Lost((4, 3))));
}

#[tokio::test]
async fn rejects_that_are_missing_are_half_a_batch() {
    let lake = lake().await;
    let with_rejects = Batch { bad_lines: 2, ..batch(4) };
    lake.world.book.send(&with_rejects);
    lake.slip_in(lake.world.source(&batch(4).source()), &batch(4)).await;
    let half = Finding::Half { batch: 4, events: (4, 4), rejects: (0, 2) };
    assert!(lake.findings().await.contains(&half));
}

#[tokio::test]
async fn an_event_that_nobody_sent_is_found() {
    let lake = lake().await;
    lake.slip_in("s3://sim/sources/elsewhere".to_owned(), &batch(9)).await;
    assert!(lake.findings().await.contains(&Finding::Changed((9, 0))));
}

#[tokio::test]
async fn a_changed_event_is_found() {
    let lake = lake().await;
    let mut rows = Rows::default();
    rows.events.insert((1, 0), vec![Some("other".to_owned())]);
    rows.events.insert((1, 1), vec![None]);
    let mut audit = Audit::default();
    audit.check_events(&lake.world.book, &rows, &Rows::default());
    assert!(audit.findings.contains(&Finding::Changed((1, 0))));
    assert!(audit.findings.contains(&Finding::Changed((1, 1))));
}

#[tokio::test]
async fn strange_and_doubled_rejects_are_found() {
    let lake = lake().await;
    let sent = Batch { bad_lines: 1, ..batch(4) };
    lake.world.book.send(&sent);
    let mut rows = Rows::default();
    rows.rejects.insert(sent.bad_line(0).into_bytes(), 2);
    rows.rejects.insert(b"never sent".to_vec(), 1);
    let mut audit = Audit::default();
    audit.check_rejects(&lake.world.book, &rows);
    let strange = |line: &str| Finding::StrangeReject(line.to_owned());
    assert_eq!(audit.findings, [strange("bad 4 0"), strange("never sent")]);
}

#[tokio::test]
async fn each_removed_file_is_found() {
    type Says = fn(&str) -> bool;
    let kinds: [Says; 4] = [
        |name| name.ends_with(".parquet"),
        |name| name.ends_with("-m0.avro"),
        |name| name.contains("/snap-"),
        |name| name.ends_with(".metadata.json"),
    ];
    for says in kinds {
        let lake = lake().await;
        let path = lake.object(says).await;
        lake.world.bucket().objects().delete(&path).await.unwrap();
        let findings = lake.findings().await;
        assert!(is_missing(&findings, &path), "{path}: {findings:?}");
    }
}

#[tokio::test]
async fn a_cut_file_is_found() {
    for end in [".parquet", "-m0.avro"] {
        let lake = lake().await;
        let path = lake.object(|name| name.ends_with(end)).await;
        let objects = lake.world.bucket().objects();
        let bytes = objects.get(&path).await.unwrap().bytes().await.unwrap();
        objects.put(&path, bytes.slice(..bytes.len() - 1).into()).await.unwrap();
        let findings = lake.findings().await;
        let cut =
            |f: &Finding| matches!(f, Finding::Differs { location, .. } if location.ends_with(path.as_ref()));
        assert!(findings.iter().any(cut), "{findings:?}");
    }
}
