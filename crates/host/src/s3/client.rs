//! The HTTP client of S3: it notices a server that has gone silent, never follows a redirect, and turns every refusal into an
//! [`S3Error`] in which no secret stands.
//!
//! A redirect is not followed because the new request would be a GET in the place of a PUT, and its answer could be taken
//! for that of the PUT.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest,
    HttpResponse, HttpService,
};

use super::answer::{Answer, Asked, unanswered, wrong};
use super::error::{S3Error, S3ErrorKind};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// A request with a longer body than this is an upload: the store is silent while it is under way.
const UPLOAD_BYTES: usize = 64 << 10;

/// The slowest line, in bytes a second, on which an upload is not given up.
const UPLOAD_RATE_MIN: u64 = 32 << 10;

/// Makes the clients of one bucket.
#[derive(Clone)]
pub(super) struct Connector {
    pub bucket: String,
    pub secrets: Arc<[String]>,
    pub silence: Duration,
    pub certificates: Option<Vec<u8>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.bucket)
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain_http =
            options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = |silence: Option<Duration>| self.client(plain_http, silence).map_err(no_client);
        Ok(HttpClient::new(Service {
            reader: HttpClient::new(client(Some(self.silence))?),
            uploader: HttpClient::new(client(None)?),
            answered: AtomicBool::new(false),
            connector: self.clone(),
        }))
    }
}

impl Connector {
    fn client(&self, plain_http: bool, silence: Option<Duration>) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("hosu/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .https_only(!plain_http)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        if let Some(silence) = silence {
            builder = builder.read_timeout(silence);
        }
        if let Some(pem) = &self.certificates {
            for certificate in reqwest::Certificate::from_pem_bundle(pem)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        builder.build()
    }
}

fn no_client(error: reqwest::Error) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: error.into() }
}

struct Service {
    /// Gives up when nothing is read for a while.
    reader: HttpClient,
    /// Has no limit of its own.
    uploader: HttpClient,
    /// Whether a server of any kind has answered.
    answered: AtomicBool,
    connector: Connector,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = Asked::of(&request, &self.connector.bucket);
        let response = self.send(&asked, request).await?;
        self.answered.store(true, Ordering::Relaxed);
        let mut answer = head(&response);
        let is_object = matches!(answer.status, 200..300 | 304) && !asked.expects_document;
        if is_object && !answer.is_html() && !(answer.status < 300 && asked.lacks_length(&answer)) {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = self.whole(&asked, body.bytes()).await?;
        // A server repeats the access key in its complaint about a wrong signature.
        answer.body = redact(&self.connector.secrets, String::from_utf8_lossy(&body).into_owned());
        answer.location = answer.location.map(|text| redact(&self.connector.secrets, text));
        match wrong(&asked, &answer) {
            Some(error) => Err(HttpError::new(HttpErrorKind::Unknown, error)),
            // A document that is good is handed on as it came; only an error's text may be shown.
            None if asked.expects_document && answer.status < 300 => {
                Ok(HttpResponse::from_parts(parts, body.into()))
            }
            None => Ok(HttpResponse::from_parts(parts, answer.body.into())),
        }
    }
}

impl Service {
    async fn send(&self, asked: &Asked, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let bytes = request.body().content_length();
        let client = if bytes > UPLOAD_BYTES { &self.uploader } else { &self.reader };
        let limit = self.connector.silence + Duration::from_secs(bytes as u64 / UPLOAD_RATE_MIN) + CONNECT;
        let answer = tokio::time::timeout(limit, client.execute(request)).await;
        let answer = answer.map_err(|_| self.silent(asked))?;
        answer.map_err(|error| self.told(asked, &error))
    }

    async fn whole(
        &self,
        asked: &Asked,
        body: impl Future<Output = Result<Bytes, HttpError>>,
    ) -> Result<Bytes, HttpError> {
        let limit = self.connector.silence * 3;
        let body = tokio::time::timeout(limit, body).await.map_err(|_| self.silent(asked))?;
        body.map_err(|error| self.told(asked, &error))
    }

    fn silent(&self, asked: &Asked) -> HttpError {
        let words = format!("{}: nothing came for {} seconds", asked.text, self.connector.silence.as_secs());
        HttpError::new(HttpErrorKind::Unknown, asked.error(S3ErrorKind::Silent, words))
    }

    fn told(&self, asked: &Asked, error: &HttpError) -> HttpError {
        let first_contact = !self.answered.load(Ordering::Relaxed);
        let error = unanswered(asked, error, first_contact);
        let words = redact(&self.connector.secrets, error.words.clone());
        HttpError::new(HttpErrorKind::Unknown, S3Error { words, ..error })
    }
}

fn head(response: &HttpResponse) -> Answer {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Answer {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default().to_ascii_lowercase(),
        is_s3: ["x-amz-request-id", "x-amz-id-2", "etag"].iter().any(|name| header(name).is_some()),
        has_length: header("content-length").is_some(),
        date: header("date"),
        region: header("x-amz-bucket-region"),
        retry_after: header("retry-after"),
        location: header("location"),
        body: String::new(),
    }
}

/// The text without any of the secrets.
pub(super) fn redact(secrets: &[String], text: String) -> String {
    secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "***"))
}
