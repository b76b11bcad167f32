//! Following, under a clock that moves when it is slept on.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hosu_host::Location;
use hosu_table::evolution::SchemaEvolution;
use serde_json::json;

use super::{FollowEvent, FollowRequest, FollowWatch, Followed, follow};
use crate::ingest::tests::support::{Lake, lines};
use crate::{CollectError, OnChanged};

/// Remembers what was told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl FollowWatch for Told {
    fn event(&self, event: &FollowEvent<'_>) {
        let text = match event {
            FollowEvent::Committed { report } => format!("committed {}", report.rows),
            FollowEvent::Anew { name, byte } => format!("anew {} {byte}", short(name)),
            FollowEvent::Gone { name } => format!("gone {}", short(name)),
            FollowEvent::Trouble { error, .. } => {
                let name = error.source_name().map(short).unwrap_or_default();
                format!("trouble {name}: {error}")
            }
            FollowEvent::Overtaken => "overtaken".to_owned(),
            FollowEvent::Stopping => "stopping".to_owned(),
            FollowEvent::Watching { .. } => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

struct Folder {
    lake: Lake,
    told: Told,
}

impl Folder {
    fn new() -> Self {
        Self { lake: Lake::new(), told: Told::default() }
    }

    fn append(&self, name: &str, text: &str) {
        fs::create_dir_all(self.lake.path(name).parent().unwrap()).unwrap();
        let file = OpenOptions::new().append(true).create(true).open(self.lake.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.lake.path(from), self.lake.path(to)).unwrap();
    }

    fn request(&self, sources: &[&str]) -> FollowRequest {
        FollowRequest { until_idle: true, ..FollowRequest::new(self.lake.request(sources)) }
    }

    /// As a new process, which knows nothing but the ledger.
    async fn run(&self, request: FollowRequest) -> Result<Followed, CollectError> {
        follow(&self.lake.catalog, request, &self.told).await
    }

    async fn follow(&self, sources: &[&str]) -> Followed {
        self.run(self.request(sources)).await.unwrap()
    }

    async fn ids(&self) -> Vec<i64> {
        let rows = self.lake.rows("events").await;
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row["id"].as_i64()).collect();
        ids.sort_unstable();
        ids
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.0.lock().unwrap())
    }
}

fn events(ids: std::ops::Range<i64>) -> String {
    ids.map(|id| format!("{{\"id\":{id}}}\n")).collect()
}

#[tokio::test]
async fn what_is_added_is_taken_line_by_line_whatever_the_file_is_called() {
    let folder = Folder::new();
    folder.append("logs/app.log", &events(0..3));
    folder.append("logs/app.log", "{\"id\":");
    let first = folder.follow(&["logs"]).await;
    assert_eq!((first.commits, first.rows, first.rejected, first.failing), (1, 3, 0, 0));
    assert_eq!(folder.follow(&["logs"]).await, Followed::default(), "the last line waits for its end");
    folder.append("logs/app.log", "3}\n");
    folder.rename("logs/app.log", "logs/app.log.1");
    folder.append("logs/app.log.1", &events(4..6));
    folder.append("logs/app.log", &events(6..8));
    assert_eq!(folder.follow(&["logs"]).await.rows, 5);
    folder.rename("logs/app.log.1", "logs/app.log.2");
    folder.rename("logs/app.log", "logs/app.log.1");
    folder.append("logs/app.log", &events(8..9));
    assert_eq!(folder.follow(&["logs"]).await.rows, 1);
    assert_eq!(folder.ids().await, (0..9).collect::<Vec<_>>());
    assert_eq!(folder.told(), ["committed 3", "committed 5", "committed 1"]);
}

#[tokio::test]
async fn a_file_that_was_renamed_out_of_sight_is_read_to_its_end() {
    let folder = Folder::new();
    folder.append("app.log", &events(0..3));
    assert_eq!(folder.follow(&["app.log"]).await.rows, 3);
    folder.append("app.log", &events(3..5));
    folder.rename("app.log", "app.log.1");
    // It begins like the one before, and is another one.
    folder.append("app.log", &events(0..3));
    assert_eq!(folder.follow(&["app.log"]).await.rows, 5);
    assert_eq!(folder.ids().await, [0, 0, 1, 1, 2, 2, 3, 4]);
}

#[tokio::test]
async fn a_file_that_is_copied_anew_with_more_at_its_end_goes_on() {
    let folder = Folder::new();
    folder.append("app.log", &events(0..3));
    assert_eq!(folder.follow(&["*.log"]).await.rows, 3);
    // As rsync does it: another inode.
    folder.append("app.tmp", &events(0..5));
    folder.rename("app.tmp", "app.log");
    assert_eq!(folder.follow(&["*.log"]).await.rows, 2);
    assert_eq!(folder.ids().await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_truncated_file_is_told_and_read_anew() {
    let folder = Folder::new();
    folder.append("app.log", &events(0..3));
    folder.follow(&["app.log"]).await;
    fs::write(folder.lake.path("app.log"), events(5..6)).unwrap();
    folder.follow(&["app.log"]).await;
    // Longer than what was taken before.
    fs::write(folder.lake.path("app.log"), events(6..16)).unwrap();
    folder.follow(&["app.log"]).await;
    folder.append("app.log", &events(16..17));
    folder.follow(&["app.log"]).await;
    assert_eq!(folder.ids().await, [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let told = folder.told();
    assert_eq!(told.iter().filter(|told| told.starts_with("anew app.log")).count(), 2, "{told:?}");
}

#[tokio::test]
async fn compressed_files_are_taken_whole_and_once() {
    let folder = Folder::new();
    folder.lake.file("logs/a.json.gz", events(0..3));
    assert_eq!(folder.follow(&["logs"]).await.rows, 3);
    folder.rename("logs/a.json.gz", "logs/b.json.gz");
    folder.lake.file("logs/a.json.gz", events(3..4));
    assert_eq!(folder.follow(&["logs"]).await.rows, 1);
    assert_eq!(folder.follow(&["logs"]).await.rows, 0);
    assert_eq!(folder.ids().await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_source_that_cannot_be_taken_does_not_stop_the_others() {
    let folder = Folder::new();
    folder.lake.file("logs/a.bin", b"\0\x01\x02 no text");
    folder.lake.file("logs/b.gz", events(0..1));
    folder.append("logs/c.log", &events(1..2));
    fs::write(folder.lake.path("logs/d.gz"), b"\x1f\x8b\x08 damaged").unwrap();
    folder.append("logs/e.csv", "id,id\n5,6\n");
    let followed = folder.follow(&["logs", "absent.log"]).await;
    assert_eq!((followed.rows, followed.failing), (2, 4));
    let told = folder.told();
    for name in ["trouble a.bin", "trouble d.gz", "trouble absent.log", "trouble e.csv"] {
        assert_eq!(told.iter().filter(|told| told.starts_with(name)).count(), 1, "{name} in {told:?}");
    }
    assert_eq!(folder.ids().await, [0, 1]);
}

#[tokio::test]
async fn a_schema_that_may_not_change_stops_the_source_that_would_change_it() {
    let folder = Folder::new();
    folder.append("logs/a.log", &events(0..1));
    folder.follow(&["logs"]).await;
    folder.append("logs/a.log", "{\"id\":1,\"new\":2}\n");
    folder.append("logs/b.log", &events(2..3));
    let mut request = folder.request(&["logs"]);
    request.ingest.evolution = Some(SchemaEvolution::Fail);
    let followed = folder.run(request).await.unwrap();
    assert_eq!((followed.rows, followed.failing), (1, 1));
    assert_eq!(folder.ids().await, [0, 2]);
}

#[tokio::test]
async fn a_commit_takes_about_as_much_as_it_should() {
    let folder = Folder::new();
    folder.append("a.log", &events(100..200));
    folder.append("b.log", &events(200..203));
    let request = FollowRequest { commit_bytes: 400, ..folder.request(&["*.log"]) };
    let followed = folder.run(request).await.unwrap();
    assert_eq!((followed.rows, followed.commits), (103, 3), "{:?}", folder.told());
    assert_eq!(folder.ids().await.len(), 103);
}

#[tokio::test]
async fn objects_are_taken_once() {
    let folder = Folder::new();
    let store = &folder.lake.catalog.host().store;
    let put = |key: &str, text: String| {
        let location = Location::parse(&format!("memory:///in/{key}")).unwrap();
        async move { store.put(&location, text.into()).await.unwrap() }
    };
    put("a.json", events(0..2)).await;
    assert_eq!(folder.follow(&["memory:///in/"]).await.rows, 2);
    put("b/c.json", events(2..3)).await;
    assert_eq!(folder.follow(&["memory:///in/"]).await.rows, 1);
    assert_eq!(folder.follow(&["memory:///in/"]).await, Followed::default());
    put("a.json", events(5..6)).await;
    let replaced = folder.follow(&["memory:///in/"]).await;
    assert_eq!((replaced.rows, replaced.failing), (0, 1));
    let mut request = folder.request(&["memory:///in/"]);
    request.ingest.on_changed = OnChanged::New;
    assert_eq!(folder.run(request).await.unwrap().rows, 1);
    assert_eq!(folder.ids().await, [0, 1, 2, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_followers_of_a_folder_take_each_line_once() {
    let folder = Arc::new(Folder::new());
    for n in 0..8 {
        folder.append(&format!("logs/{n}.log"), &events(n * 10..n * 10 + 10));
    }
    for round in 0..3 {
        let followers = (0..3).map(|n| {
            let folder = folder.clone();
            tokio::spawn(async move {
                let catalog = folder.lake.other_process(100 + round * 10 + n);
                let request = FollowRequest { commit_bytes: 100, ..folder.request(&["logs"]) };
                follow(&catalog, request, &folder.told).await.unwrap().rows
            })
        });
        let rows: Vec<u64> =
            futures::future::join_all(followers).await.into_iter().map(|rows| rows.unwrap()).collect();
        assert_eq!(rows.iter().sum::<u64>(), if round == 0 { 80 } else { 8 }, "{rows:?} {:?}", folder.told());
        for n in 0..8 {
            let id = 1000 + round as i64 * 10 + n;
            folder.append(&format!("logs/{n}.log"), &events(id..id + 1));
        }
    }
    let ids = folder.ids().await;
    let mut once = ids.clone();
    once.dedup();
    assert_eq!((ids.len(), once.len()), (96, 96));
}

#[tokio::test]
async fn a_stop_takes_what_is_complete() {
    let folder = Folder::new();
    folder.append("a.log", &events(0..3));
    folder.append("a.log", "{\"id\":3}");
    let request = FollowRequest { until_idle: false, ..folder.request(&["*.log"]) };
    request.stop.ask();
    assert_eq!(folder.run(request).await.unwrap().rows, 3);
    assert_eq!(folder.told(), ["stopping", "committed 3"]);
    assert_eq!(folder.lake.rows("events").await, [json!({"id": 0}), json!({"id": 1}), json!({"id": 2})]);
    assert_eq!(lines(&[json!({"id": 3})]).trim_end(), "{\"id\":3}");
}

#[tokio::test]
async fn a_commit_is_made_when_something_has_waited_long_enough() {
    let folder = Folder::new();
    folder.append("a.log", &events(0..3));
    let mut request = FollowRequest { until_idle: false, ..folder.request(&["*.log"]) };
    request.commit_age = Duration::from_secs(30);
    let stop = request.stop.clone();
    let clock = folder.lake.catalog.host().clock.clone();
    let committed_at = Mutex::new(Duration::ZERO);
    struct StopAtCommit<'a>(hosu_host::Stop, Arc<dyn hosu_host::Clock>, &'a Mutex<Duration>);
    impl FollowWatch for StopAtCommit<'_> {
        fn event(&self, event: &FollowEvent<'_>) {
            if matches!(event, FollowEvent::Committed { .. }) {
                *self.2.lock().unwrap() = self.1.elapsed();
                self.0.ask();
            }
        }
    }
    let watch = StopAtCommit(stop, clock, &committed_at);
    assert_eq!(follow(&folder.lake.catalog, request, &watch).await.unwrap().rows, 3);
    let waited = *committed_at.lock().unwrap();
    assert!((Duration::from_secs(30)..Duration::from_secs(40)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_parquet_file_is_taken_when_it_has_its_end() {
    let folder = Folder::new();
    let ids: arrow::array::ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![1, 2]));
    let batch = arrow::array::RecordBatch::try_from_iter([("id", ids)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    folder.append("in/a.json", &events(3..4));
    folder.lake.file("in/b.parquet", &bytes[..bytes.len() / 2]);
    assert_eq!(folder.follow(&["in"]).await.failing, 1);
    assert_eq!(folder.ids().await, [3]);
    let told = folder.told();
    assert!(
        told.iter().any(|told| told.starts_with("trouble b.parquet") && told.contains("being written")),
        "{told:?}"
    );
    folder.lake.file("in/b.parquet", &bytes);
    assert_eq!(folder.follow(&["in"]).await.rows, 2);
    assert_eq!(folder.follow(&["in"]).await, Followed::default());
    assert_eq!(folder.ids().await, [1, 2, 3]);
}
