//! Answers as AWS, MinIO, versitygw and servers that are no S3 give them.

use super::*;

fn asked(action: S3Action) -> Asked {
    Asked {
        action,
        bucket: "lake".to_owned(),
        expects_document: action == S3Action::List,
        text: "GET s3.example".to_owned(),
        signed_at: Some(1_700_000_000),
        is_head: false,
    }
}

fn xml(status: u16, body: &str) -> Answer {
    Answer {
        status,
        content_type: "application/xml".to_owned(),
        is_s3: true,
        has_length: true,
        body: body.to_owned(),
        ..Answer::default()
    }
}

fn html(status: u16) -> Answer {
    let body = "<html><head><title>Wi-Fi of the hotel</title></head>\n<body>Log in &amp; surf</body></html>";
    Answer {
        status,
        content_type: "text/html; charset=utf-8".to_owned(),
        body: body.to_owned(),
        ..Answer::default()
    }
}

fn kind(answer: &Answer) -> Option<S3ErrorKind> {
    wrong(&asked(S3Action::Read), answer).map(|error| error.kind)
}

#[test]
fn codes_become_what_is_to_be_done() {
    use S3ErrorKind as Kind;
    let error = |code: &str| format!("<Error><Code>{code}</Code><Message>m.</Message></Error>");
    for (status, code, expected) in [
        (403, "InvalidAccessKeyId", Kind::KeyUnknown),
        (404, "XAdminUserNotFound", Kind::KeyUnknown),
        (404, "NoSuchConfiguration", Kind::Refused),
        (403, "SignatureDoesNotMatch", Kind::SecretWrong),
        (400, "ExpiredToken", Kind::TokenExpired),
        (403, "InvalidTokenId", Kind::TokenExpired),
        (403, "AccessDenied", Kind::Denied),
        (404, "NoSuchBucket", Kind::BucketMissing { looked_for: None }),
        (507, "XMinioStorageFull", Kind::Full),
        (403, "QuotaExceeded", Kind::Full),
        (501, "NotImplemented", Kind::NotSupported),
        (503, "SlowDown", Kind::Overloaded),
        (500, "InternalError", Kind::Failing),
        (400, "RequestTimeout", Kind::Broken),
        (400, "XAmzContentSHA256Mismatch", Kind::Broken),
        (409, "ConditionalRequestConflict", Kind::Conflict),
        (400, "KeyTooLongError", Kind::Refused),
    ] {
        assert_eq!(kind(&xml(status, &error(code))), Some(expected), "{code}");
    }
    let told = wrong(&asked(S3Action::Read), &xml(403, &error("AccessDenied"))).unwrap();
    assert_eq!(told.words, "AccessDenied: m");
}

#[test]
fn what_object_store_knows_is_left_to_it() {
    for code in ["NoSuchKey", "NoSuchUpload"] {
        assert_eq!(kind(&xml(404, &format!("<Error><Code>{code}</Code></Error>"))), None);
    }
    assert_eq!(kind(&xml(412, "<Error><Code>PreconditionFailed</Code></Error>")), None);
    assert_eq!(kind(&xml(404, "")), None);
    assert_eq!(kind(&Answer { status: 304, ..Answer::default() }), None);
}

#[test]
fn the_region_is_found_wherever_it_stands() {
    let right = Some(S3ErrorKind::RegionWrong { region: Some("eu-west-1".to_owned()) });
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; \
                     the region is wrong; expecting 'eu-west-1'</Message></Error>";
    assert_eq!(kind(&xml(400, malformed)), right);
    assert_eq!(kind(&xml(400, &malformed.replace('\'', "&#39;"))), right);
    let with_element = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region</Message><Region>eu-west-1</Region></Error>";
    assert_eq!(kind(&xml(400, with_element)), right);
    let redirect = Answer { region: Some("eu-west-1".to_owned()), ..xml(301, "") };
    assert_eq!(kind(&redirect), right);
    assert_eq!(kind(&Answer { status: 400, ..redirect }), right);
    let unknown = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";
    assert_eq!(kind(&xml(301, unknown)), Some(S3ErrorKind::RegionWrong { region: None }));
}

#[test]
fn a_page_for_people_is_not_s3() {
    for status in [200, 302, 403, 404] {
        assert_eq!(kind(&html(status)), Some(S3ErrorKind::NotS3), "{status}");
    }
    // The proxy before a store that is away for a moment speaks HTML.
    assert_eq!(kind(&html(502)), Some(S3ErrorKind::Failing));
    // An object may be a page.
    assert_eq!(kind(&Answer { is_s3: true, has_length: true, ..html(200) }), None);
    // One whose end nobody knows is no object.
    assert_eq!(kind(&Answer { is_s3: true, ..html(200) }), Some(S3ErrorKind::Broken));
    let words = wrong(&asked(S3Action::Read), &html(200)).unwrap().words;
    assert_eq!(words, "it answered 200: Wi-Fi of the hotel Log in &amp; surf");
    let plain = Answer {
        status: 400,
        body: "Client sent an HTTP request to an HTTPS server.".to_owned(),
        ..html(400)
    };
    assert_eq!(kind(&plain), Some(S3ErrorKind::TlsOnly));
}

#[test]
fn nothing_there_is_told_by_s3_alone() {
    let other = Answer { status: 404, body: "404 page not found".to_owned(), ..Answer::default() };
    assert_eq!(kind(&other), Some(S3ErrorKind::NotS3));
    let head = Asked { is_head: true, ..asked(S3Action::Read) };
    assert_eq!(wrong(&head, &other), None, "HEAD has no words");
    let console = "<Error><Code>InvalidArgument</Code><Message>S3 API Requests must be made to API port.</Message></Error>";
    assert_eq!(kind(&xml(400, console)), Some(S3ErrorKind::NotS3));
}

#[test]
fn a_list_must_be_one() {
    let list = |body: &str| wrong(&asked(S3Action::List), &xml(200, body)).map(|error| error.kind);
    assert_eq!(list("<ListBucketResult></ListBucketResult>"), None);
    assert_eq!(list(""), Some(S3ErrorKind::Broken));
    assert_eq!(list("<Error><Code>InternalError</Code></Error>"), Some(S3ErrorKind::Failing));
    assert_eq!(list("<Error><Code>SlowDown</Code></Error>"), Some(S3ErrorKind::Overloaded));
}

#[test]
fn clocks_are_compared_by_the_date_of_the_answer() {
    // 1,700,000,000 is 22:13:20; the store is 20 minutes on.
    let answer = Answer {
        date: Some("Tue, 14 Nov 2023 22:33:20 GMT".to_owned()),
        ..xml(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    };
    assert_eq!(kind(&answer), Some(S3ErrorKind::ClockWrong { behind_seconds: Some(1_200) }));
    let answer = Answer { date: None, ..answer };
    assert_eq!(kind(&answer), Some(S3ErrorKind::ClockWrong { behind_seconds: None }));
}

#[test]
fn a_wait_may_be_seconds_or_a_date() {
    let date = Some("Tue, 14 Nov 2023 22:33:20 GMT");
    assert_eq!(retry_after("7", None), Some(Duration::from_secs(7)));
    assert_eq!(retry_after("Tue, 14 Nov 2023 22:33:50 GMT", date), Some(Duration::from_secs(30)));
    assert_eq!(retry_after("Tue, 14 Nov 2023 22:33:10 GMT", date), None);
    assert_eq!(retry_after("soon", date), None);
}

#[test]
fn a_bucket_in_the_wrong_part_of_the_url_is_seen() {
    let body = "<Error><Code>NoSuchBucket</Code><BucketName>warehouse</BucketName></Error>";
    assert_eq!(
        kind(&xml(404, body)),
        Some(S3ErrorKind::BucketMissing { looked_for: Some("warehouse".to_owned()) })
    );
    let same = body.replace("warehouse", "lake");
    assert_eq!(kind(&xml(404, &same)), Some(S3ErrorKind::BucketMissing { looked_for: None }));
}
