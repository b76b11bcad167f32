//! Each thing that can be wrong with a store of S3 is one clear error with its remedy, for ingest and for sql alike, and no
//! credential stands in it.

use std::net::TcpListener;
use std::process::Command;

use super::proxy::{Fault, Rule};
use super::{Place, Wired};
use crate::end_to_end::Run;
use crate::end_to_end::s3::{ACCESS_KEY, SECRET_KEY};

/// A lake with a table, which has been reached well once.
struct Case {
    wired: Wired,
    endpoint: String,
    variables: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn new() -> Self {
        let wired = Wired::with_rows();
        let endpoint = wired.server.url();
        Self { wired, endpoint, variables: Vec::new() }
    }

    fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), ..Self::new() }
    }

    fn with(variables: &[(&'static str, &'static str)]) -> Self {
        Self { variables: variables.to_vec(), ..Self::new() }
    }

    fn command(&self, place: &Place, arguments: &[&str]) -> Command {
        let mut command = place.command(arguments);
        for (name, value) in &self.variables {
            match value.is_empty() {
                true => command.env_remove(name),
                false => command.env(name, value),
            };
        }
        command
    }

    /// Asserts that a query and an ingest fail alike: this code, these words in message and remedy.
    #[track_caller]
    fn fails(&self, code: &str, message: &str, remedy: &str) {
        let place = self.wired.place(&self.endpoint);
        let ingest = ["--output", "json", "ingest", "events", &self.wired.source(1)];
        let sql = ["--output", "json", "sql", "-c", "select count(*) from events"];
        for (arguments, code) in [(&ingest[..], code), (&sql[..], "ICEBERG_FILESYSTEM_ERROR")] {
            let run: Run = self.command(&place, arguments).output().unwrap().into();
            let error = run.fails(1, code, message);
            let said = error["remedy"].as_str().unwrap();
            assert!(said.contains(remedy), "`{remedy}` is not in `{said}`");
            for secret in [ACCESS_KEY, SECRET_KEY, "my-token-of-the-session", "other-key", "other-secret"] {
                assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run:?}");
            }
            assert!(!run.stderr.contains("<Error>") && run.stderr.lines().count() <= 4, "{run:?}");
        }
        self.wired.holds(super::ROWS, code);
    }
}

/// What a server answers to everything, in the words of AWS or MinIO.
#[track_caller]
fn answered(status: u16, headers: &'static str, body: &'static str, code: &str, message: &str, remedy: &str) {
    let case = Case::new();
    let proxy = case.wired.proxy(vec![Rule::always("", "", Fault::Answer(status, headers, body))]);
    Case { endpoint: proxy.url(), ..case }.fails(code, message, remedy);
}

#[test]
fn wrong_keys() {
    let key = [("AWS_ACCESS_KEY_ID", "other-key")];
    Case::with(&key).fails("S3_KEY_UNKNOWN", "the store does not know the access key", "AWS_ACCESS_KEY_ID");
    let secret = [("AWS_SECRET_ACCESS_KEY", "other-secret")];
    Case::with(&secret).fails(
        "S3_SECRET_WRONG",
        "the secret key does not belong to the access key (SignatureDoesNotMatch",
        "AWS_SECRET_ACCESS_KEY",
    );
}

#[test]
fn a_token_that_is_over() {
    let expired =
        "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    answered(400, "", expired, "S3_TOKEN_EXPIRED", "the credentials have expired", "AWS_SESSION_TOKEN");
}

#[test]
fn no_credentials() {
    let none = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    Case::with(&none).fails("S3_NO_CREDENTIALS", "there are no credentials for S3", "AWS_PROFILE");
    let unknown = [("AWS_PROFILE", "game")];
    Case::with(&unknown).fails(
        "S3_NO_CREDENTIALS",
        "the profile `game`; the profiles in ~/.aws are: none",
        "AWS_PROFILE",
    );
}

#[test]
fn no_right() {
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";
    answered(
        403,
        "",
        denied,
        "ACCESS_DENIED",
        "the store denies it (AccessDenied: Access Denied)",
        "the right to read",
    );
    let case = Case::new();
    for (method, target, action) in [("PUT", ".parquet", "write"), ("PUT", "snap-", "write")] {
        let proxy = case.wired.proxy(vec![Rule::always(method, target, Fault::Answer(403, "", denied))]);
        let place = case.wired.place(&proxy.url());
        let run = place.hosu(&["--output", "json", "ingest", "events", &case.wired.source(1)]);
        let error = run.fails(1, "ACCESS_DENIED", "cannot write s3://");
        assert!(error["remedy"].as_str().unwrap().contains(&format!("the right to {action}")), "{error}");
        case.wired.holds(super::ROWS, target);
    }
    let proxy = case.wired.proxy(vec![Rule::always("GET", "list-type", Fault::Answer(403, "", denied))]);
    let place = case.wired.place(&proxy.url());
    let run = place.hosu(&["--output", "json", "ingest", "events", &case.wired.url("in/")]);
    let error = run.fails(1, "ACCESS_DENIED", "cannot list s3://");
    assert!(error["remedy"].as_str().unwrap().contains("the right to list"), "{error}");
}

#[test]
fn a_missing_bucket() {
    let missing =
        "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist.</Message></Error>";
    answered(
        404,
        "",
        missing,
        "S3_NO_BUCKET",
        "the bucket does not exist (NoSuchBucket",
        "make the bucket `lake-",
    );
    let case = Case::new();
    let place = case.wired.place(&case.endpoint);
    for source in ["s3://no-such-bucket/in/", "s3://no-such-bucket/x.json"] {
        let run = place.hosu(&["--output", "json", "ingest", "events", source]);
        let error = run.fails(1, "S3_NO_BUCKET", "the bucket does not exist (NoSuchBucket");
        assert!(error["remedy"].as_str().unwrap().contains("make the bucket `no-such-bucket`"), "{error}");
    }
}

#[test]
fn a_wrong_region() {
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the \
                     region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>";
    answered(
        400,
        "",
        malformed,
        "S3_WRONG_REGION",
        "the bucket is in the region eu-west-1",
        "AWS_REGION=eu-west-1",
    );
    let redirect = "<Error><Code>PermanentRedirect</Code><Message>Use another endpoint.</Message></Error>";
    let headers = "x-amz-bucket-region: eu-west-1\r\nLocation: http://127.0.0.1:1/\r\n";
    for status in [301, 307] {
        answered(
            status,
            headers,
            redirect,
            "S3_WRONG_REGION",
            "the region eu-west-1",
            "AWS_REGION=eu-west-1",
        );
    }
    let constraint = "<Error><Code>IllegalLocationConstraintException</Code><Message>no</Message></Error>";
    answered(400, "", constraint, "S3_WRONG_REGION", "the bucket is in another region", "AWS_REGION");
}

#[test]
fn a_clock_that_is_off() {
    let skewed = "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the \
                  server's time is too large.</Message></Error>";
    let long_ago = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    answered(403, long_ago, skewed, "S3_CLOCK", "days ahead of the store's (RequestTimeTooSkewed", "NTP");
}

#[test]
fn nobody_there() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Case::at(&format!("http://{unused}")).fails(
        "S3_UNREACHABLE",
        "Connection refused",
        "correct the endpoint",
    );
    Case::at("http://no-such-host.invalid:9000").fails(
        "S3_UNREACHABLE",
        "does not resolve",
        "path_style = true",
    );
}

#[test]
fn not_s3() {
    let page = "<html><head><title>Console</title></head><body>Log in</body></html>";
    for (status, headers) in [
        (200, "Content-Type: text/html\r\n"),
        (404, "Content-Type: text/html\r\n"),
        (302, "Location: https://wifi.example/login\r\n"),
    ] {
        answered(status, headers, page, "S3_NOT_S3", "not a store of S3", "check the endpoint");
    }
    Case::at("localhost:9000").fails(
        "INVALID_LOCATION",
        "is no URL: write it like http://",
        "docs/configuration.md",
    );
}

#[test]
fn tls_and_plain_http() {
    let case = Case::new();
    let https = case.endpoint.replace("http://", "https://");
    Case { endpoint: https, ..case }.fails("S3_TLS", "the server does not speak TLS", "write http://");
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    answered(400, "", go, "S3_TLS", "the server speaks TLS only", "write https://");
}

#[test]
fn a_full_store() {
    let full = "<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its minimum free drive \
                threshold.</Message></Error>";
    let case = Case::new();
    for status in [507, 500] {
        let proxy = case.wired.proxy(vec![Rule::always("PUT", "", Fault::Answer(status, "", full))]);
        let place = case.wired.place(&proxy.url());
        let run = place.hosu(&["--output", "json", "ingest", "events", &case.wired.source(1)]);
        run.fails(1, "STORE_FULL", "the store has no space left (XMinioStorageFull");
        case.wired.holds(super::ROWS, "full");
    }
}

#[test]
fn a_bucket_in_the_wrong_part_of_the_url() {
    let looked_for =
        "<Error><Code>NoSuchBucket</Code><Message>no</Message><BucketName>default</BucketName></Error>";
    answered(404, "", looked_for, "S3_NO_BUCKET", "the store looked for a bucket `default`", "`path_style`");
}
