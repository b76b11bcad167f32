//! Buckets of any store that speaks S3, from explicit settings: nothing is read from the environment here, and no
//! metadata service is asked for credentials unless the settings name one.

mod answer;
mod client;
mod error;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::ClientOptions;
use object_store::{BackoffConfig, RetryConfig};

use crate::error::StoreError;
use crate::location::Location;
use client::Connector;

pub use error::{S3Action, S3Error, S3ErrorKind};

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
    /// Why there are no credentials, or none that can be used, in words with a remedy.
    pub trouble: Option<String>,
    /// How long the store may say nothing before a request counts as lost; none means [`SILENCE`].
    pub silence: Option<Duration>,
    /// Certificates to trust beside the system's, as PEM.
    pub certificates: Option<Vec<u8>>,
}

impl fmt::Debug for S3Settings {
    /// Names only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("path_style", &self.path_style)
            .field("pairs", &self.pairs.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("trouble", &self.trouble)
            .field("silence", &self.silence)
            .finish_non_exhaustive()
    }
}

/// A server that is alive says something within this time: MinIO and AWS answer within a second or two.
const SILENCE: Duration = Duration::from_secs(20);

impl S3Settings {
    /// The store of the bucket of `location`.
    pub(crate) fn open(&self, location: &Location) -> Result<AmazonS3, StoreError> {
        let bucket = location.root().strip_prefix("s3://").unwrap_or_default();
        let invalid = |reason: String| StoreError::Invalid { location: location.clone(), reason };
        let pairs = self.known_pairs();
        self.check_credentials(location, &pairs)?;
        let mut builder = AmazonS3Builder::new();
        for (key, value) in &pairs {
            builder = builder.with_config(*key, value.as_str());
        }
        let endpoint = self.endpoint(&pairs);
        if let Some(endpoint) = endpoint {
            check_endpoint(endpoint).map_err(invalid)?;
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        match self.path_style {
            Some(path_style) => builder = builder.with_virtual_hosted_style_request(!path_style),
            None if named(&pairs, &[AmazonS3ConfigKey::VirtualHostedStyleRequest]).is_some() => {}
            None => builder = builder.with_virtual_hosted_style_request(endpoint.is_none()),
        }
        let plain_http = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let connector = Connector {
            bucket: bucket.to_owned(),
            secrets: self.secrets(),
            silence: self.silence.unwrap_or(SILENCE),
            certificates: self.certificates.clone(),
        };
        builder
            .with_bucket_name(bucket)
            .with_client_options(ClientOptions::new().with_allow_http(plain_http))
            .with_retry(NO_RETRY)
            .with_http_connector(connector)
            .build()
            .map_err(|error| invalid(client::redact(&self.secrets(), error.to_string())))
    }

    fn known_pairs(&self) -> Vec<(AmazonS3ConfigKey, &String)> {
        self.pairs.iter().filter_map(|(name, value)| Some((key(name)?, value))).collect()
    }

    fn check_credentials(
        &self,
        location: &Location,
        pairs: &[(AmazonS3ConfigKey, &String)],
    ) -> Result<(), StoreError> {
        let words = match &self.trouble {
            Some(trouble) => trouble.clone(),
            None if pairs.iter().any(|(key, _)| brings_credentials(key)) => return Ok(()),
            None => String::new(),
        };
        let bucket = location.root().strip_prefix("s3://").unwrap_or_default();
        let error = S3Error::new(S3ErrorKind::NoCredentials, S3Action::Read, bucket, words);
        Err(StoreError::S3 { location: location.clone(), error: Box::new(error) })
    }

    fn endpoint<'a>(&'a self, pairs: &'a [(AmazonS3ConfigKey, &String)]) -> Option<&'a str> {
        let in_pairs = || named(pairs, &[AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]);
        self.endpoint.as_deref().or_else(in_pairs)
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

fn named<'a>(pairs: &'a [(AmazonS3ConfigKey, &String)], wanted: &[AmazonS3ConfigKey]) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| wanted.contains(key)).map(|(_, value)| value.as_str())
}

fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let host = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(()),
        _ => Err(format!("the endpoint `{endpoint}` is no URL: write it like http://localhost:9000")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
