//! An S3 server in a thread of the test, so that every machine that runs the tests has one. It takes real HTTP and checks
//! signatures; buckets are folders of a temporary folder.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::sync::oneshot;

use super::{ACCESS_KEY, SECRET_KEY};

/// A server with a thread and a runtime of its own.
pub struct InProcess {
    url: String,
    folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    /// Listens before it returns.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async {
                tokio::select! {
                    () = serve(listener, service) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { url, folder, stop: Some(stop), thread: Some(thread) }
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

async fn serve(listener: TcpListener, service: S3Service) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((connection, _)) = listener.accept().await {
        let connection = http1::Builder::new().serve_connection(TokioIo::new(connection), service.clone());
        // A client that hangs up is no failure of the server.
        tokio::spawn(async { drop(connection.await) });
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A panic of the thread was printed when it happened.
        drop(self.thread.take().map(JoinHandle::join));
    }
}
