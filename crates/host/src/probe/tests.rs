//! Stores that lack something, played by the scripted server, and one that lacks nothing.

use super::*;
use crate::s3::tests::{Answer, Server, answer};

fn id() -> Uuid {
    Uuid::from_u128(7)
}

fn lacks(found: &[(Capability, Found)]) -> Vec<(Capability, String)> {
    let told = found.iter().filter_map(|(capability, found)| match found {
        Found::Works => None,
        Found::Denied(words) | Found::Lacks(words) => Some((*capability, words.clone())),
    });
    told.collect()
}

#[tokio::test]
async fn a_store_that_can_all_keeps_nothing() {
    let store = Store::new(None);
    let warehouse = Location::parse("memory:///lake").unwrap();
    let found = store.probe(&warehouse, id()).await.unwrap();
    assert_eq!(lacks(&found), []);
    assert_eq!(found.len(), 9);
    let left: Vec<_> = store.list(&warehouse).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

/// The whole course of a probe: the answers in the order of its requests.
fn course() -> Vec<Answer> {
    const PARTIAL: &str =
        "ETag: \"e1\"\r\nContent-Range: bytes 2-4/10\r\nLast-Modified: Tue, 02 Jan 2024 03:04:05 GMT\r\n";
    const LIST: &str = "<ListBucketResult>\
        <Contents><Key>lake/_hosu_probe/00000000-0000-0000-0000-000000000007/plain</Key><Size>10</Size>\
        <LastModified>2024-01-02T03:04:05Z</LastModified></Contents>\
        <Contents><Key>lake/_hosu_probe/00000000-0000-0000-0000-000000000007/day=2026-01-02/이름 a%2Fb+c&amp;d'e~f.x</Key>\
        <Size>10</Size><LastModified>2024-01-02T03:04:05Z</LastModified></Contents></ListBucketResult>";
    const FOLDERS: &str = "<ListBucketResult>\
        <Contents><Key>lake/_hosu_probe/00000000-0000-0000-0000-000000000007/plain</Key><Size>10</Size>\
        <LastModified>2024-01-02T03:04:05Z</LastModified></Contents>\
        <CommonPrefixes><Prefix>lake/_hosu_probe/00000000-0000-0000-0000-000000000007/day=2026-01-02/</Prefix>\
        </CommonPrefixes></ListBucketResult>";
    const BEGUN: &str = "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>x</Key><UploadId>u1</UploadId>\
        </InitiateMultipartUploadResult>";
    const DONE: &str = "<CompleteMultipartUploadResult><ETag>e2</ETag></CompleteMultipartUploadResult>";
    vec![
        answer(200, ""),
        answer(200, "0123456789"),
        Answer { headers: PARTIAL, ..answer(206, "234") },
        answer(200, ""),
        answer(200, "0123456789"),
        answer(200, LIST),
        answer(200, FOLDERS),
        answer(200, BEGUN),
        answer(200, ""),
        answer(200, DONE),
        answer(200, "0123456789"),
        answer(412, "<Error><Code>PreconditionFailed</Code></Error>"),
        answer(200, "<DeleteResult><Deleted><Key>x</Key></Deleted></DeleteResult>"),
        answer(200, "<DeleteResult><Deleted><Key>x</Key></Deleted></DeleteResult>"),
        answer(200, "<DeleteResult><Deleted><Key>x</Key></Deleted></DeleteResult>"),
        answer(404, ""),
    ]
}

async fn found(answers: Vec<Answer>) -> Result<Vec<(Capability, Found)>, StoreError> {
    let server = Server::start(answers).await;
    let warehouse = Location::parse("s3://bucket/lake").unwrap();
    let found = server.host().store.probe(&warehouse, id()).await;
    let requests = server.requests();
    assert!(
        requests.iter().all(|line| line.contains("_hosu_probe") || line.contains("?delete")),
        "{requests:?}"
    );
    found
}

#[tokio::test]
async fn a_store_of_s3_that_can_all() {
    assert_eq!(lacks(&found(course()).await.unwrap()), []);
}

#[tokio::test]
async fn a_store_without_parts_is_told_in_words() {
    let mut answers = course();
    let no = "<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality.</Message></Error>";
    answers.splice(7..11, [answer(501, no)]);
    let found = found(answers).await.unwrap();
    let words = "NotImplemented: A header you provided implies functionality".to_owned();
    assert_eq!(lacks(&found), [(Capability::Multipart, words)]);
    assert!(Capability::Multipart.without().contains("files beyond 8 MiB cannot be written"));
}

#[tokio::test]
async fn a_store_that_changes_names_or_forgets_conditions() {
    let mut answers = course();
    answers[5] = answer(200, "<ListBucketResult></ListBucketResult>");
    answers[11] = answer(200, "");
    let found = found(answers).await.unwrap();
    let lacking: Vec<Capability> = lacks(&found).into_iter().map(|(capability, _)| capability).collect();
    assert_eq!(lacking, [Capability::List, Capability::ConditionalPut]);
    assert!(Capability::List.is_needed() && !Capability::ConditionalPut.is_needed());
}

#[tokio::test]
async fn what_may_not_be_done_is_not_called_lacking() {
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";
    let answers = vec![answer(403, denied); 4];
    let found = found(answers).await.unwrap();
    let told = || Found::Denied("AccessDenied: Access Denied".to_owned());
    assert_eq!(found, [(Capability::Put, told()), (Capability::Delete, told())]);
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error() {
    let missing = "<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>";
    let error = found(vec![answer(404, missing); 4]).await.unwrap_err();
    assert!(error.to_string().contains("the bucket does not exist"), "{error}");
}
