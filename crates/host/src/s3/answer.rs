//! From an answer of a store, or the lack of one, to what is wrong. Pure.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest};

use super::error::{S3Action, S3Error, S3ErrorKind};

/// How many characters of an answer that is no XML of S3 are told.
const WORDS_MAX: usize = 200;

/// What was asked, as far as it matters for the answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub action: S3Action,
    pub bucket: String,
    /// Whether the answer's body is a small document, not an object.
    pub expects_document: bool,
    /// The request as a person would say it, without its query.
    pub text: String,
    /// The time that the request was signed for, in seconds since 1970.
    signed_at: Option<i64>,
    is_head: bool,
}

impl Asked {
    pub fn of(request: &HttpRequest, bucket: &str) -> Self {
        let (method, uri) = (request.method().as_str(), request.uri());
        let has = |name: &str| {
            uri.query().is_some_and(|query| {
                query.split('&').any(|pair| pair.split('=').next().is_some_and(|key| key == name))
            })
        };
        let action = match method {
            "DELETE" => S3Action::Delete,
            "POST" if has("delete") => S3Action::Delete,
            "PUT" | "POST" => S3Action::Write,
            _ if has("list-type") => S3Action::List,
            _ => S3Action::Read,
        };
        let signed_at = request.headers().get("x-amz-date").and_then(|value| value.to_str().ok());
        let signed_at = signed_at.and_then(|text| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok());
        Self {
            action,
            bucket: bucket.to_owned(),
            expects_document: method == "POST" || action == S3Action::List,
            text: format!("{method} {}", uri.authority().map_or("", |authority| authority.as_str())),
            signed_at: signed_at.map(|time| time.and_utc().timestamp()),
            is_head: method == "HEAD",
        }
    }

    /// Whether this is the answer to a read without its length, without which nobody knows when it is whole.
    pub fn lacks_length(&self, answer: &Answer) -> bool {
        self.action == S3Action::Read && !answer.has_length
    }

    pub fn error(&self, kind: S3ErrorKind, words: impl Into<String>) -> S3Error {
        S3Error::new(kind, self.action, &self.bucket, words)
    }
}

/// An answer's head and, of one that is no object, its body.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub status: u16,
    /// `Content-Type` in lower case.
    pub content_type: String,
    /// Whether a header says that S3 speaks: the id of the request, or an ETag.
    pub is_s3: bool,
    pub has_length: bool,
    pub date: Option<String>,
    pub region: Option<String>,
    pub retry_after: Option<String>,
    pub location: Option<String>,
    pub body: String,
}

impl Answer {
    pub fn is_html(&self) -> bool {
        self.content_type.starts_with("text/html") && !self.is_s3
    }

    fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
    }

    /// The code and message of S3, or what else there is to say.
    fn words(&self) -> String {
        match (self.element("Code"), self.element("Message")) {
            (Some(code), Some(message)) => format!("{code}: {}", unescape(message.trim_end_matches('.'))),
            (Some(code), None) => code.to_owned(),
            _ => {
                let body = plain(&self.body);
                let place =
                    self.location.as_deref().map(|to| format!(", leading to {to}")).unwrap_or_default();
                let body = if body.is_empty() { body } else { format!(": {body}") };
                format!("it answered {}{place}{body}", self.status)
            }
        }
    }
}

/// The text of an answer that is not S3's: tags left out, blanks put together, cut.
fn plain(body: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside && !c.is_control() => text.push(c),
            c if !inside && c.is_whitespace() => text.push(' '),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(WORDS_MAX).collect()
}

fn unescape(text: &str) -> String {
    [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// What is wrong with an answer. None where object_store knows best: an object that is not there, a condition not met.
pub(super) fn wrong(asked: &Asked, answer: &Answer) -> Option<S3Error> {
    use S3ErrorKind as Kind;
    let code = answer.element("Code").unwrap_or_default();
    let told = match answer.status {
        // A request that takes long is begun with 200 and may end in an error all the same.
        200..300 if asked.expects_document && answer.body.contains("<Error>") => {
            by_code(asked, answer, code).or(Some(Kind::Failing))
        }
        200..300 if answer.is_html() => Some(Kind::NotS3),
        200..300 if asked.expects_document && !answer.body.contains('<') => Some(Kind::Broken),
        200..300 if asked.lacks_length(answer) => {
            return Some(asked.error(Kind::Broken, "the answer does not say how long the object is"));
        }
        200..300 | 304 => None,
        // Of what is not a write, nothing can be there already.
        409 if code.is_empty() && asked.action != S3Action::Write => Some(Kind::Conflict),
        status => by_code(asked, answer, code).or_else(|| by_status(asked, answer, status)),
    };
    let mut error = asked.error(told?, answer.words());
    error.retry_after =
        answer.retry_after.as_deref().and_then(|text| retry_after(text, answer.date.as_deref()));
    error.unexplained = asked.is_head && answer.body.is_empty() && !error.kind.is_transient();
    Some(error)
}

fn by_code(asked: &Asked, answer: &Answer, code: &str) -> Option<S3ErrorKind> {
    use S3ErrorKind as Kind;
    Some(match code {
        "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "NotSignedUp"
        | "XAdminUserNotFound" => Kind::KeyUnknown,
        "SignatureDoesNotMatch" => Kind::SecretWrong,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "TokenRefreshRequired"
        | "InvalidToken"
        | "InvalidTokenId" => Kind::TokenExpired,
        "RequestTimeTooSkewed" | "RequestExpired" => Kind::ClockWrong { behind_seconds: skew(asked, answer) },
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "UnauthorizedAccess" => Kind::Denied,
        "NoSuchBucket" | "InvalidBucketName" => {
            let looked_for =
                answer.element("BucketName").filter(|name| *name != asked.bucket && !name.is_empty());
            Kind::BucketMissing { looked_for: looked_for.map(str::to_owned) }
        }
        "PermanentRedirect" | "TemporaryRedirect" | "Redirect" | "IllegalLocationConstraintException" => {
            Kind::RegionWrong { region: region(answer) }
        }
        "AuthorizationHeaderMalformed" if answer.body.contains("egion") => {
            Kind::RegionWrong { region: region(answer) }
        }
        "AuthorizationHeaderMalformed" => Kind::Denied,
        "QuotaExceeded"
        | "XMinioStorageFull"
        | "XMinioAdminBucketQuotaExceeded"
        | "InsufficientStorage"
        | "InsufficientCapacity" => Kind::Full,
        "NotImplemented" | "MethodNotAllowed" | "XNotImplemented" => Kind::NotSupported,
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "ServiceUnavailable"
        | "Throttling"
        | "TooManyRequests"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded" => Kind::Overloaded,
        "InternalError" => Kind::Failing,
        // What arrived is not what was sent: the same again may arrive whole.
        "RequestTimeout"
        | "IncompleteBody"
        | "BadDigest"
        | "XAmzContentSHA256Mismatch"
        | "XAmzContentChecksumMismatch" => Kind::Broken,
        "OperationAborted" | "ConditionalRequestConflict" => Kind::Conflict,
        _ => return None,
    })
}

fn by_status(asked: &Asked, answer: &Answer, status: u16) -> Option<S3ErrorKind> {
    use S3ErrorKind as Kind;
    Some(match status {
        300..400 if region(answer).is_some() => Kind::RegionWrong { region: region(answer) },
        300..400 => Kind::NotS3,
        408 => Kind::Silent,
        429 | 503 => Kind::Overloaded,
        501 => Kind::NotSupported,
        507 => Kind::Full,
        500.. => Kind::Failing,
        400 if answer.body.contains("HTTPS server") || answer.body.contains("HTTPS port") => Kind::TlsOnly,
        _ if answer.is_html() => Kind::NotS3,
        400 if region(answer).is_some() => Kind::RegionWrong { region: region(answer) },
        // MinIO says so on the port of its console.
        400 if answer.body.contains("API port") => Kind::NotS3,
        401 | 403 => Kind::Denied,
        404 => return not_found(asked, answer),
        409 | 412 | 416 => return None,
        _ => Kind::Refused,
    })
}

/// Nothing is there, unless what answers is another kind of server, or means another thing by it.
fn not_found(asked: &Asked, answer: &Answer) -> Option<S3ErrorKind> {
    let code = answer.element("Code").unwrap_or_default();
    match code {
        "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" => None,
        "" if asked.is_head || asked.action == S3Action::Delete => None,
        "" if !answer.is_s3 && !answer.body.contains("<Error") => Some(S3ErrorKind::NotS3),
        "" if asked.action != S3Action::Write => None,
        _ => Some(S3ErrorKind::Refused),
    }
}

/// The bucket's region, from wherever a store may say it.
fn region(answer: &Answer) -> Option<String> {
    let expecting =
        || answer.body.split_once("expecting ").and_then(|(_, rest)| rest.split(['\'', '&']).nth(1));
    let named = answer.region.as_deref().or_else(|| answer.element("Region")).or_else(expecting);
    named
        .map(|name| name.trim_start_matches("#39;").trim_end_matches('\'').to_owned())
        .filter(|name| !name.is_empty())
}

/// By how many seconds we are behind the store.
fn skew(asked: &Asked, answer: &Answer) -> Option<i64> {
    Some(http_date(answer.date.as_deref()?)? - asked.signed_at?)
}

fn http_date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.timestamp())
}

/// Seconds, or a date that is counted from the answer's own.
fn retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    let seconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from(http_date(text.trim())? - http_date(date?)?).ok()?,
    };
    Some(Duration::from_secs(seconds))
}

/// What is wrong when no whole answer came.
pub(super) fn unanswered(asked: &Asked, error: &HttpError, first_contact: bool) -> S3Error {
    use S3ErrorKind as Kind;
    let causes = causes(error);
    let said = |words: &[&str]| words.iter().any(|word| causes.contains(word));
    let kind = match error.kind() {
        _ if said(&["InvalidContentType", "corrupt message"]) => Kind::NoTls,
        _ if said(&["certificate", "CertificateRequired", "UnknownIssuer"]) => Kind::Certificate,
        _ if said(&["invalid HTTP version parsed", "invalid HTTP header parsed"]) => Kind::TlsOnly,
        _ if said(&["dns error", "failed to lookup address"]) => Kind::Unresolved { first_contact },
        HttpErrorKind::Connect => Kind::Unreachable { first_contact },
        HttpErrorKind::Timeout if said(&["connect"]) => Kind::Unreachable { first_contact },
        HttpErrorKind::Timeout => Kind::Silent,
        _ => Kind::Broken,
    };
    let cause = match last_cause(error) {
        cause if cause == "deadline has elapsed" => "no connection came about in time".to_owned(),
        cause => cause,
    };
    asked.error(kind, format!("{}: {cause}", asked.text))
}

fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&error.to_string());
        text.push('\n');
        next = error.source();
    }
    text
}

/// The one that says most: the causes above it only say that there is one.
fn last_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

#[cfg(test)]
mod tests;
