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
pub(crate) struct Answer {
    pub status: u16,
    pub headers: &'static str,
    pub body: &'static str,
    pub hang_up_after: Option<usize>,
}

pub(crate) fn answer(status: u16, body: &'static str) -> Answer {
    let headers = "ETag: \"e1\"\r\nLast-Modified: Tue, 02 Jan 2024 03:04:05 GMT\r\n";
    Answer { status, headers, body, hang_up_after: None }
}

/// Plays back its answers, one a request, and writes the requests down.
pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
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

    pub(crate) fn host(&self) -> Host {
        host(&self.url)
    }

    /// Waits until so many requests came.
    async fn wait_for(&self, requests: usize) {
        let come = async {
            while self.requests().len() < requests {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), come).await.unwrap();
    }

    /// Method, path and chosen headers of each request.
    pub(crate) fn requests(&self) -> Vec<String> {
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
        silence: Some(Duration::from_secs(1)),
        ..S3Settings::default()
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
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().starts_with("cannot write s3://bucket/folder/x: the store fails"), "{error}");
    assert!(error.to_string().contains("no answer is left"), "{error}");
    assert!(!format!("{error:?}").contains("wJalr"));
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_unavailable() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = host(&format!("http://{unused}")).store.get(&object()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn an_address_that_never_answered_is_not_waited_for() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let host = host(&format!("http://{unused}"));
    host.store.get(&object()).await.unwrap_err();
    assert!(host.clock.elapsed() <= Duration::from_secs(1), "{:?}", host.clock.elapsed());
}

#[tokio::test]
async fn a_store_that_asks_for_time_gets_it_or_an_error() {
    let busy =
        |headers: &'static str| Answer { headers, ..answer(503, "<Error><Code>SlowDown</Code></Error>") };
    let server = Server::start(vec![busy("Retry-After: 30\r\n"), answer(200, "hello")]).await;
    let host = server.host();
    assert_eq!(host.store.get(&object()).await.unwrap(), "hello");
    assert!(host.clock.elapsed() >= Duration::from_secs(30));
    let server = Server::start(vec![busy("Retry-After: 3600\r\n"), answer(200, "hello")]).await;
    let error = server.host().store.get(&object()).await.unwrap_err();
    assert!(error.to_string().contains("the store is overloaded (SlowDown)"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let headers = "Location: /elsewhere\r\nx-amz-bucket-region: ap-northeast-2\r\n";
    for status in [301, 302, 307] {
        let server = Server::start(vec![Answer { headers, ..answer(status, "") }, answer(200, "")]).await;
        let error = server.host().store.put(&object(), Bytes::from_static(b"1")).await.unwrap_err();
        assert!(error.to_string().contains("the bucket is in the region ap-northeast-2"), "{error}");
        assert_eq!(server.requests(), ["PUT /bucket/folder/x"]);
    }
}

#[tokio::test]
async fn an_answer_to_head_is_explained_by_asking_again() {
    let why = "<Error><Code>InvalidAccessKeyId</Code><Message>who?</Message></Error>";
    let server = Server::start(vec![answer(403, ""), answer(403, why)]).await;
    let error = server.host().store.head(&object()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    assert!(error.to_string().contains("does not know the access key (InvalidAccessKeyId: who?)"), "{error}");
    assert_eq!(server.requests(), ["HEAD /bucket/folder/x", "GET /bucket/folder/x range: bytes=0-0"]);
}

#[tokio::test]
async fn a_page_that_answers_a_write_is_no_success() {
    let page = Answer { headers: "Content-Type: text/html\r\n", ..answer(200, "<html>Log in</html>") };
    let server = Server::start(vec![page.clone(), page]).await;
    let store = server.host().store;
    let error = store.put(&object(), Bytes::from_static(b"1")).await.unwrap_err();
    assert!(error.to_string().contains("not a store of S3 (it answered 200: Log in)"), "{error}");
    let error = store.get(&object()).await.unwrap_err();
    assert!(error.to_string().contains("not a store of S3"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = host(&format!("http://{}", listener.local_addr().unwrap()));
    let store = host.store.clone().with_retry(crate::RetryPolicy::NEVER);
    let error = store.get(&object()).await.unwrap_err();
    assert!(error.to_string().contains("the store does not answer"), "{error}");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
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
    server.wait_for(3).await;
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
    assert!(
        matches!(&error, StoreError::S3 { error, .. } if error.kind == S3ErrorKind::NoCredentials),
        "{error}"
    );
    let settings =
        S3Settings { trouble: Some("the profile is of a kind".to_owned()), ..S3Settings::default() };
    let error = Store::new(Some(settings)).get(&object()).await.unwrap_err();
    assert!(
        error.to_string().contains("there are no credentials for S3 (the profile is of a kind)"),
        "{error}"
    );
}

#[tokio::test]
async fn an_endpoint_without_a_scheme_is_refused() {
    let pairs = vec![("AWS_ACCESS_KEY_ID".to_owned(), "key".to_owned())];
    for endpoint in ["localhost:9000", "ftp://x", "http://"] {
        let settings =
            S3Settings { endpoint: Some(endpoint.to_owned()), pairs: pairs.clone(), ..S3Settings::default() };
        let error = Store::new(Some(settings)).get(&object()).await.unwrap_err();
        assert!(error.to_string().contains("is no URL: write it like"), "{error}");
    }
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
