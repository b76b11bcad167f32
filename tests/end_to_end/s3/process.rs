//! S3 servers that are programs of their own. They are found where a variable says or where `.ci/run` puts them, listen on a
//! free loopback port and keep their data in a temporary folder.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::super::say;
use super::{ACCESS_KEY, REGION, SECRET_KEY};

/// Kept in step with `.ci/run`, which builds these versions.
const MINIO_VERSION: &str = "v0.0.0-20260212201848-7aac2a2c5b7c";
/// See [`MINIO_VERSION`].
const VERSITYGW_VERSION: &str = "v1.7.0";

/// MinIO, or none after saying why.
pub fn minio() -> Option<Arc<Process>> {
    static SHARED: Shared = Shared::new();
    let program = find("MinIO", "HOSU_TEST_MINIO", "minio", MINIO_VERSION)?;
    let shared = SHARED.get(|| {
        Process::start("/minio/health/ready", |address, folder| {
            let mut command = Command::new(&program);
            command.args(["server", "--quiet", "--address", address]).arg(folder);
            command.env("MINIO_ROOT_USER", ACCESS_KEY).env("MINIO_ROOT_PASSWORD", SECRET_KEY);
            command.env("MINIO_BROWSER", "off").env("MINIO_UPDATE", "off").env("MINIO_REGION", REGION);
            command
        })
    });
    Some(shared)
}

/// The Versity gateway, or none after saying why.
pub fn versitygw() -> Option<Arc<Process>> {
    static SHARED: Shared = Shared::new();
    let program = find("versitygw", "HOSU_TEST_VERSITYGW", "versitygw", VERSITYGW_VERSION)?;
    let shared = SHARED.get(|| {
        Process::start("/health", |address, folder| {
            let mut command = Command::new(&program);
            command.args(["--quiet", "--keep-alive", "--health", "/health", "--port", address]);
            command.args(["--access", ACCESS_KEY, "--secret", SECRET_KEY, "--region", REGION, "posix"]);
            command.arg(folder);
            command
        })
    });
    Some(shared)
}

#[allow(clippy::disallowed_methods, reason = "a test's own setting")]
fn variable_of(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Where the variable says, else `~/.cache/hosu/servers/NAME-VERSION/NAME`.
fn find(title: &str, variable: &str, name: &str, version: &str) -> Option<PathBuf> {
    let cache = std::env::home_dir().unwrap_or_default().join(".cache/hosu/servers");
    let program = variable_of(variable).unwrap_or_else(|| cache.join(format!("{name}-{version}")).join(name));
    if program.is_file() {
        return Some(program);
    }
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    say(&format!("skipped {test}: no {title} here ({} is missing; .ci/run builds it)", program.display()));
    None
}

/// One server for all tests that run at the same time: it starts with the first of them and ends with the last.
struct Shared(Mutex<Weak<Process>>);

impl Shared {
    const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    fn get(&self, start: impl FnOnce() -> Process) -> Arc<Process> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let process = Arc::new(start());
            *shared = Arc::downgrade(&process);
            process
        })
    }
}

/// A server that runs.
pub struct Process {
    url: String,
    folder: tempfile::TempDir,
    guard: Child,
}

/// Runs its arguments until its standard input ends: that is when the test's process ends, in whatever way.
const UNTIL_STDIN_ENDS: &str =
    r#"exec 3<&0; "$@" </dev/null & pid=$!; { cat <&3 >/dev/null; kill -KILL $pid; } & wait $pid"#;

impl Process {
    /// Starts it and waits until it is healthy.
    fn start(health: &str, command: impl Fn(&str, &Path) -> Command) -> Self {
        // Between the choice of a port and its use another program may take it.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let command = command(&address.to_string(), folder.path());
            let mut guard = guarded(&command).spawn().unwrap();
            if wait_until_healthy(&mut guard, address, health) {
                return Self { url: format!("http://{address}"), folder, guard };
            }
        }
        panic!("the server ends as soon as it is started, or does not get healthy");
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its buckets are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn guarded(command: &Command) -> Command {
    let mut guarded = Command::new("sh");
    guarded.args(["-c", UNTIL_STDIN_ENDS, "sh"]).arg(command.get_program()).args(command.get_args());
    guarded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    guarded.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    guarded
}

fn wait_until_healthy(guard: &mut Child, address: SocketAddr, path: &str) -> bool {
    for _ in 0..600 {
        if guard.try_wait().unwrap().is_some() {
            return false;
        }
        if is_healthy(address, path).unwrap_or(false) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = guard.kill();
    false
}

fn is_healthy(address: SocketAddr, path: &str) -> std::io::Result<bool> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    connection.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
