//! A server of a few lines that plays back answers: what is sent to S3, and what becomes of its answers.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::error::{StoreError, StoreErrorKind};
use crate::{Host, Location, ManualClock, Operation, Scratch, SeededIds, Store, Upload};

/// One answer of the server: status, extra headers, body, and whether it hangs up before the end of the body.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: &'static str,
    body: &'static str,
    hang_up_after: Option<usize>,
}

fn answer(status: u16, body: &'static str) -> Answer {
    let headers = "ETag: \"e1\"\r\nLast-Modified: Tue, 02 Jan 2024 03:04:05 GMT\r\n";
    Answer { status, headers, body, hang_up_after: None }
}

/// Plays back its answers, one a request, and writes the requests down.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (log, answers) = (requests.clone(), Arc::new(Mutex::new(VecDeque::from(answers))));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, answers.clone(), log.clone()));
            }
        });
        Self { url, requests }
    }

    fn host(&self) -> Host {
        host(&self.url)
    }

    /// Method, path and chosen headers of each request.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut connection: TcpStream,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    log: Arc<Mutex<Vec<String>>>,
) {
    let (read, mut write) = connection.split();
    let mut read = BufReader::new(read);
    loop {
        let (mut head, mut length, mut note) = (String::new(), 0, String::new());
        while !head.ends_with("\r\n\r\n") {
            if read.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        for line in head.lines() {
            let lower = line.to_ascii_lowercase();
            if note.is_empty() {
                note = line.trim_end_matches(" HTTP/1.1").to_owned();
            } else if let Some(value) = lower.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            } else if lower.starts_with("range:") || lower.starts_with("if-match:") {
                note = format!("{note} {lower}");
            }
        }
        read.read_exact(&mut vec![0; length]).await.unwrap();
        log.lock().unwrap().push(note);
        let answer = answers.lock().unwrap().pop_front().unwrap_or(answer(500, "no answer is left"));
        let (status, headers, body) = (answer.status, answer.headers, answer.body);
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        write.write_all(head.as_bytes()).await.unwrap();
        let sent = &body[..answer.hang_up_after.unwrap_or(body.len())];
        write.write_all(sent.as_bytes()).await.unwrap();
        if sent.len() < body.len() {
            return;
        }
    }
}

fn host(endpoint: &str) -> Host {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = S3Settings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("eu-west-1".to_owned()),
        path_style: None,
        pairs: vec![
            pair("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            pair("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
            pair("AWS_PAGER", "less"),
            pair("AWS_BUCKET", "other"),
        ],
    };
    let clock = Arc::new(ManualClock::at_ms(0));
    Host::new(Store::new(Some(settings)), clock, Arc::new(SeededIds::new(1)), Scratch::system())
}

fn object() -> Location {
    Location::parse("s3://bucket/folder/x").unwrap()
}

#[tokio::test]
async fn overload_and_server_errors_are_waited_out() {
    let server = Server::start(vec![
        answer(503, "<Error><Code>SlowDown</Code></Error>"),
        answer(429, ""),
        answer(500, "oops"),
        answer(200, "hello"),
    ])
    .await;
    let host = server.host();
    assert_eq!(host.store.get(&object()).await.unwrap(), "hello");
    assert_eq!(server.requests(), ["GET /bucket/folder/x"; 4]);
    let reading = host.store.meter().snapshot();
    assert_eq!((reading.requests(Operation::Get), reading.bytes_read()), (4, 5));
    assert!(host.clock.elapsed() > Duration::from_millis(300));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_taken_up_again() {
    let broken = Answer { hang_up_after: Some(4), ..answer(200, "0123456789") };
    let rest = Answer {
        headers: "ETag: \"e1\"\r\nContent-Range: bytes 4-9/10\r\nLast-Modified: Tue, 02 Jan 2024 03:04:05 GMT\r\n",
        ..answer(206, "456789")
    };
    let server = Server::start(vec![broken, rest]).await;
    assert_eq!(server.host().store.get(&object()).await.unwrap(), "0123456789");
    let requests = server.requests();
    assert_eq!(requests[0], "GET /bucket/folder/x");
    assert!(requests[1].contains("range: bytes=4-9"), "{requests:?}");
    assert!(requests[1].contains("if-match: \"e1\""), "{requests:?}");
}

#[tokio::test]
async fn refusals_are_told_at_once_and_without_credentials() {
    let complaint = "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId>\
                     <StringToSign>wJalrXUtnFEMI</StringToSign></Error>";
    let server = Server::start(vec![answer(403, complaint), answer(404, "<Error/>")]).await;
    let store = server.host().store;
    let error = store.get(&object()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    let texts = format!("{error} {error:?} {store:?} {:?}", store.object_store(&object()).unwrap());
    assert!(texts.contains("SignatureDoesNotMatch"), "{texts}");
    assert!(!texts.contains("AKIDEXAMPLE") && !texts.contains("wJalr"), "{texts}");
    assert_eq!(store.get(&object()).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_stays_broken_is_unavailable_after_eight_tries() {
    let server = Server::start(vec![answer(503, "wJalrXUtnFEMI is your secret")]).await;
    let error = server.host().store.put(&object(), Bytes::from_static(b"1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("no answer is left"), "{error}");
    assert!(!format!("{error:?}").contains("wJalr"));
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_unavailable() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = host(&format!("http://{unused}")).store.get(&object()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_part_that_failed_is_sent_again_under_its_number() {
    const BEGUN: &str = "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>folder/x</Key>\
                         <UploadId>u1</UploadId></InitiateMultipartUploadResult>";
    const DONE: &str = "<CompleteMultipartUploadResult><ETag>e2</ETag></CompleteMultipartUploadResult>";
    let server = Server::start(vec![
        answer(200, BEGUN),
        answer(503, ""),
        answer(200, ""),
        answer(200, ""),
        answer(200, DONE),
    ])
    .await;
    let host = server.host();
    let mut upload: Upload = host.store.upload(&object());
    upload.write(Bytes::from(vec![7; crate::PART_BYTES])).await.unwrap();
    upload.write(Bytes::from_static(b"8")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(upload.finish().await.unwrap(), crate::PART_BYTES as u64 + 1);
    let requests = server.requests();
    assert_eq!(requests[0], "POST /bucket/folder/x?uploads=");
    let parts: Vec<bool> = requests[1..4].iter().map(|request| request.contains("partNumber=1")).collect();
    assert_eq!(parts, [true, true, false], "{requests:?}");
    assert!(requests[4].starts_with("POST /bucket/folder/x?uploadId=u1"), "{requests:?}");
    assert_eq!(host.store.meter().snapshot().requests(Operation::Put), 5);
}

#[tokio::test]
async fn without_credentials_nobody_is_asked_for_them() {
    let settings = S3Settings { region: Some("eu-west-1".to_owned()), ..S3Settings::default() };
    let error = Store::new(Some(settings)).get(&object()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert!(error.to_string().contains("set AWS_ACCESS_KEY_ID"), "{error}");
}

#[test]
fn settings_show_names_only() {
    let settings = S3Settings {
        pairs: vec![("AWS_SECRET_ACCESS_KEY".to_owned(), "hidden".to_owned())],
        ..S3Settings::default()
    };
    let text = format!("{settings:?}");
    assert!(text.contains("AWS_SECRET_ACCESS_KEY") && !text.contains("hidden"), "{text}");
}
