//! Buckets of any store that speaks S3, from explicit settings: nothing is read from the environment here, and no
//! metadata service is asked for credentials unless the settings name one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService, ReqwestConnector,
};
use object_store::{BackoffConfig, RetryConfig};

/// Where S3 is and how to speak to it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct S3Settings {
    /// The server's URL, such as `http://localhost:9000`; none means AWS itself (or what the pairs say).
    pub endpoint: Option<String>,
    /// The region, where it matters.
    pub region: Option<String>,
    /// Whether the bucket stands in the path (`true`) or in the host's name; none leaves it to the pairs, or to path
    /// style where there is an endpoint.
    pub path_style: Option<bool>,
    /// The `AWS_*` variables and what the profile files hold, as names and values. Names that object_store does not
    /// know are passed over, as those variables serve other programs too.
    pub pairs: Vec<(String, String)>,
}

impl fmt::Debug for S3Settings {
    /// Names only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("path_style", &self.path_style)
            .field("pairs", &self.pairs.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish()
    }
}

/// A part of 8 MiB over a slow line takes its time; a stuck connection must still end.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

impl S3Settings {
    /// The store of one bucket, or a reason why the settings do not suffice.
    pub(crate) fn open(&self, bucket: &str) -> Result<AmazonS3, String> {
        let mut builder = AmazonS3Builder::new();
        let pairs: Vec<(AmazonS3ConfigKey, &String)> =
            self.pairs.iter().filter_map(|(name, value)| Some((key(name)?, value))).collect();
        if !pairs.iter().any(|(key, _)| brings_credentials(key)) {
            return Err("no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
        }
        for (key, value) in &pairs {
            builder = builder.with_config(*key, value.as_str());
        }
        let named = |wanted: &[AmazonS3ConfigKey]| {
            pairs.iter().find(|(key, _)| wanted.contains(key)).map(|(_, value)| value.as_str())
        };
        let endpoint = self.endpoint.as_deref();
        let endpoint =
            endpoint.or_else(|| named(&[AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]));
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        match self.path_style {
            Some(path_style) => builder = builder.with_virtual_hosted_style_request(!path_style),
            None if named(&[AmazonS3ConfigKey::VirtualHostedStyleRequest]).is_some() => {}
            None => builder = builder.with_virtual_hosted_style_request(endpoint.is_none()),
        }
        let plain_http = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let options = ClientOptions::new().with_allow_http(plain_http).with_timeout(REQUEST_TIMEOUT);
        builder
            .with_bucket_name(bucket)
            .with_client_options(options)
            .with_retry(NO_RETRY)
            .with_http_connector(Connector { secrets: self.secrets() })
            .build()
            .map_err(|error| redact(&self.secrets(), error.to_string()))
    }

    /// The values that must never be shown.
    fn secrets(&self) -> Arc<[String]> {
        use AmazonS3ConfigKey as Key;
        let is_secret = |name: &str| {
            let key = key(name);
            matches!(key, Some(Key::AccessKeyId | Key::SecretAccessKey | Key::Token | Key::Encryption(_)))
        };
        self.pairs
            .iter()
            .filter(|(name, value)| is_secret(name) && value.len() >= 4)
            .map(|(_, value)| value.clone())
            .collect()
    }
}

/// The retry of [`crate::retrying`] does the work.
const NO_RETRY: RetryConfig = RetryConfig {
    backoff: BackoffConfig { init_backoff: Duration::ZERO, max_backoff: Duration::ZERO, base: 1.0 },
    max_retries: 0,
    retry_timeout: Duration::ZERO,
};

fn key(name: &str) -> Option<AmazonS3ConfigKey> {
    match AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase()).ok()? {
        // The bucket stands in the location, and the client's options are set below.
        AmazonS3ConfigKey::Bucket | AmazonS3ConfigKey::Client(_) => None,
        key => Some(key),
    }
}

/// Without one of these object_store would ask the metadata service at 169.254.169.254, which nobody configured.
fn brings_credentials(key: &AmazonS3ConfigKey) -> bool {
    use AmazonS3ConfigKey as Key;
    matches!(
        key,
        Key::AccessKeyId
            | Key::WebIdentityTokenFile
            | Key::ContainerCredentialsRelativeUri
            | Key::ContainerCredentialsFullUri
            | Key::MetadataEndpoint
            | Key::SkipSignature
    )
}

/// A server's answer that may be another one the next time.
#[derive(Debug, thiserror::Error)]
#[error("the server answered {status}: {body}")]
pub(crate) struct StatusError {
    status: u16,
    body: String,
}

/// Makes the HTTP clients of S3: they tell overload and server errors by type, and keep secrets out of error texts.
#[derive(Debug)]
struct Connector {
    secrets: Arc<[String]>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Service { inner, secrets: self.secrets.clone() }))
    }
}

struct Service {
    inner: HttpClient,
    secrets: Arc<[String]>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.inner.execute(request).await?;
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Ok(response);
        }
        // A server repeats the access key in its complaint about a wrong signature.
        let (parts, body) = response.into_parts();
        let body = redact(&self.secrets, String::from_utf8_lossy(&body.bytes().await?).into_owned());
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            let error = StatusError { status: status.as_u16(), body: body.chars().take(500).collect() };
            return Err(HttpError::new(HttpErrorKind::Unknown, error));
        }
        Ok(HttpResponse::from_parts(parts, body.into()))
    }
}

fn redact(secrets: &[String], text: String) -> String {
    secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "***"))
}

#[cfg(test)]
mod tests;
