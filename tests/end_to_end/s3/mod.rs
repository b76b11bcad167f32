//! A lake on S3, on every server that this machine has: one in the test's own process (real HTTP, real signatures), MinIO and
//! versitygw where `.ci/run` has built them. Two servers by different people, because no lake may depend on what only one does.

mod in_process;
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use hosu_host::{Location, RetryPolicy, S3Settings, Store};

use super::Place;
use in_process::InProcess;
use process::Process;

/// Of all servers alike, so that a test swaps only the URL.
pub const ACCESS_KEY: &str = "hosu-test-key";
/// See [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "hosu-test-secret";
/// See [`ACCESS_KEY`].
pub const REGION: &str = "us-east-1";

/// An S3 server on a loopback port. It ends, and its data go, when the last test that uses it drops it.
#[derive(Clone)]
pub struct S3Server {
    url: String,
    /// Buckets are folders in it, for each of the servers.
    folder: PathBuf,
    _server: Running,
}

/// What ends when it is dropped.
#[derive(Clone)]
enum Running {
    InProcess { _server: Arc<InProcess> },
    Process { _server: Arc<Process> },
}

impl S3Server {
    /// One of its own, in a thread of this process.
    pub fn in_process() -> Self {
        let server = InProcess::start();
        let (url, folder) = (server.url().to_owned(), server.folder().to_owned());
        Self { url, folder, _server: Running::InProcess { _server: Arc::new(server) } }
    }

    /// MinIO, shared by the tests that run at the same time; none after saying why.
    pub fn minio() -> Option<Self> {
        Self::of_process(process::minio())
    }

    /// The Versity gateway, shared by the tests that run at the same time; none after saying why.
    pub fn versitygw() -> Option<Self> {
        Self::of_process(process::versitygw())
    }

    fn of_process(server: Option<Arc<Process>>) -> Option<Self> {
        let server = server?;
        let (url, folder) = (server.url().to_owned(), server.folder().to_owned());
        let server = Self { url, folder, _server: Running::Process { _server: server } };
        server.wait_until_it_writes();
        Some(server)
    }

    /// MinIO calls itself ready some moments before it takes an object.
    fn wait_until_it_writes(&self) {
        let bucket = self.new_bucket("ready");
        let store = bucket.store.clone().with_retry(RetryPolicy::NEVER);
        for _ in 0..600 {
            match wait(store.put(&bucket.location("x"), "x".into())) {
                Ok(()) => return,
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        panic!("{} takes no objects", self.url);
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Makes a bucket.
    pub fn make_bucket(&self, name: &str) {
        fs::create_dir(self.folder.join(name)).unwrap();
    }

    /// Makes a bucket that no other test has.
    pub fn new_bucket(&self, name: &str) -> Bucket {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{name}-{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.make_bucket(&name);
        Bucket { name, store: self.store() }
    }

    /// Writes the empty object `folder/`, as consoles do; false where there is no curl to do it with.
    pub fn make_folder_marker(&self, bucket: &Bucket, folder: &str) -> bool {
        let mut curl = Command::new("curl");
        curl.args([
            "-sf",
            "-X",
            "PUT",
            "-H",
            "Content-Length: 0",
            "-H",
            "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        ]);
        curl.args([
            "--aws-sigv4",
            &format!("aws:amz:{REGION}:s3"),
            "-u",
            &format!("{ACCESS_KEY}:{SECRET_KEY}"),
        ]);
        curl.arg(format!("{}/{}/{folder}/", self.url, bucket.name));
        curl.status().is_ok_and(|status| status.success())
    }

    /// The `AWS_*` variables that lead to it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_REGION", REGION),
            ("AWS_ENDPOINT_URL", &self.url),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// A folder for the binary, with these variables and a `hosu.toml` whose warehouse is this URL; the catalog is a file
    /// beside it.
    pub fn place(&self, warehouse: &str) -> Place {
        let place = Place::with_environment(self.environment());
        let toml = format!("[lake]\ncatalog = \"sqlite:catalog.db\"\nwarehouse = \"{warehouse}\"\n");
        place.write("hosu.toml", toml);
        place
    }

    fn store(&self) -> Store {
        Store::new(Some(S3Settings { pairs: self.environment(), ..S3Settings::default() }))
    }
}

/// A bucket, as a test looks at it from outside.
pub struct Bucket {
    /// Its name.
    pub name: String,
    store: Store,
}

impl Bucket {
    /// `s3://bucket/key`.
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Writes an object.
    #[track_caller]
    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        let bytes = content.as_ref().to_vec();
        wait(self.store.put(&self.location(key), bytes.into())).unwrap();
    }

    /// The same, for many at a time.
    pub async fn put_later(&self, key: String, content: String) {
        self.store.put(&self.location(&key), content.into()).await.unwrap();
    }

    /// Removes an object.
    #[track_caller]
    pub fn delete(&self, key: &str) {
        wait(self.store.delete(&self.location(key))).unwrap();
    }

    /// The keys below a prefix and the objects' sizes.
    #[track_caller]
    pub fn keys(&self, prefix: &str) -> BTreeMap<String, u64> {
        let prefix = self.location(prefix);
        let listed = self.store.list(&prefix).map_ok(|(at, info)| (at.key().to_owned(), info.size_bytes));
        wait(listed.try_collect()).unwrap()
    }

    fn location(&self, key: &str) -> Location {
        Location::parse(&self.url(key)).unwrap()
    }
}

/// Runs a future where nothing is asynchronous.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A test of a flow on each server: `flow::in_process`, `flow::minio`, `flow::versitygw`.
macro_rules! on_every_server {
    ($($flow:ident),+ $(,)?) => {$(
        mod $flow {
            use super::super::S3Server;

            #[test]
            fn in_process() {
                super::$flow(&S3Server::in_process());
            }

            #[test]
            fn minio() {
                S3Server::minio().iter().for_each(super::$flow);
            }

            #[test]
            fn versitygw() {
                S3Server::versitygw().iter().for_each(super::$flow);
            }
        }
    )+};
}

mod broken_off;
mod credentials;
mod followed;
mod lake;
mod sources;

/// Events with these ids, one a line.
pub fn events(ids: std::ops::Range<usize>) -> String {
    ids.map(|id| format!("{{\"id\":{id},\"text\":\"{}\"}}\n", "x".repeat(id % 90))).collect()
}

/// The same, packed.
pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
