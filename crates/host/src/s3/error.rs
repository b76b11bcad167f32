//! Why a store of S3 did not do what it was asked for, told by what must be done about it. Servers have dozens of codes;
//! people can do about a dozen things.

use std::fmt;
use std::time::Duration;

/// A request that a store of S3 refused, or that never came through to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Error {
    /// What is wrong.
    pub kind: S3ErrorKind,
    /// What was to be done.
    pub action: S3Action,
    /// The bucket that was asked for.
    pub bucket: String,
    /// The words of the store or of the network, without secrets.
    pub words: String,
    /// How long the store asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// An answer without a body, as HEAD has it: asking in another way may tell more.
    pub(crate) unexplained: bool,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3Action {
    /// GET or HEAD of an object.
    Read,
    /// PUT of an object, or a step of an upload in parts.
    Write,
    /// GET of a bucket's names.
    List,
    /// DELETE of objects or of an upload.
    Delete,
}

/// The things that can be wrong, by what is to be done about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum S3ErrorKind {
    /// No credentials are set.
    NoCredentials,
    /// The store does not know the access key.
    KeyUnknown,
    /// The signature is not the one that the secret key makes.
    SecretWrong,
    /// The session's token is over, or none that the store knows.
    TokenExpired,
    /// The credentials are good, and may not do this.
    Denied,
    /// There is no such bucket.
    BucketMissing {
        /// The bucket that the store looked for, where that is not the one that was meant: the bucket's name stands in the
        /// wrong part of the URL.
        looked_for: Option<String>,
    },
    /// The bucket is in another region.
    RegionWrong {
        /// The bucket's region, where the store tells it.
        region: Option<String>,
    },
    /// The clocks of machine and store are too far apart.
    ClockWrong {
        /// By how many seconds the machine is behind the store; negative when it is ahead.
        behind_seconds: Option<i64>,
    },
    /// The disk or the quota of the store is full.
    Full,
    /// The store lacks this kind of request.
    NotSupported,
    /// What answers is not a store of S3.
    NotS3,
    /// Nobody is at the endpoint, or the way there is blocked.
    Unreachable {
        /// Whether nobody ever answered there since this program started.
        first_contact: bool,
    },
    /// The endpoint's name does not resolve.
    Unresolved {
        /// Whether nobody ever answered there since this program started.
        first_contact: bool,
    },
    /// The endpoint says `https://`, and the server speaks no TLS.
    NoTls,
    /// The endpoint says `http://`, and the server speaks TLS.
    TlsOnly,
    /// The server's certificate is not trusted.
    Certificate,
    /// The store asks for less at once.
    Overloaded,
    /// The store has a fault of its own.
    Failing,
    /// The connection is there and nothing comes.
    Silent,
    /// The connection broke before the answer was whole, or what came makes no sense.
    Broken,
    /// Another request was changing the same thing.
    Conflict,
    /// Anything else that the store refuses.
    Refused,
}

impl S3ErrorKind {
    /// Whether it may go away by itself.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Unresolved { .. }
                | Self::Overloaded
                | Self::Failing
                | Self::Silent
                | Self::Broken
                | Self::Conflict
        )
    }

    /// Whether nobody ever answered at this endpoint: then it is more likely wrong than out of order.
    pub(crate) fn is_first_contact(&self) -> bool {
        matches!(self, Self::Unreachable { first_contact: true } | Self::Unresolved { first_contact: true })
    }
}

impl S3Error {
    pub(crate) fn new(
        kind: S3ErrorKind,
        action: S3Action,
        bucket: impl Into<String>,
        words: impl Into<String>,
    ) -> Self {
        let (bucket, words) = (bucket.into(), words.into());
        Self { kind, action, bucket, words, retry_after: None, unexplained: false }
    }

    fn what(&self) -> String {
        use S3ErrorKind as Kind;
        let what = match &self.kind {
            Kind::NoCredentials => "there are no credentials for S3",
            Kind::KeyUnknown => "the store does not know the access key",
            Kind::SecretWrong => "the secret key does not belong to the access key",
            Kind::TokenExpired => "the credentials have expired, or their session token is wrong",
            Kind::Denied => "the store denies it",
            Kind::BucketMissing { looked_for: Some(name) } => {
                return format!("the store looked for a bucket `{name}`");
            }
            Kind::BucketMissing { looked_for: None } => "the bucket does not exist",
            Kind::RegionWrong { region: Some(region) } => {
                return format!("the bucket is in the region {region}");
            }
            Kind::RegionWrong { region: None } => "the bucket is in another region",
            Kind::ClockWrong { behind_seconds } => return clocks(*behind_seconds),
            Kind::Full => "the store has no space left",
            Kind::NotSupported => "the store does not support this",
            Kind::NotS3 => "what answers at the endpoint is not a store of S3",
            Kind::Unreachable { .. } => "the store cannot be reached",
            Kind::Unresolved { .. } => "the endpoint's name does not resolve",
            Kind::NoTls => "the endpoint says https, and the server does not speak TLS",
            Kind::TlsOnly => "the endpoint says http, and the server speaks TLS only",
            Kind::Certificate => "the server's certificate is not trusted",
            Kind::Overloaded => "the store is overloaded",
            Kind::Failing => "the store fails",
            Kind::Silent => "the store does not answer",
            Kind::Broken => "the connection to the store broke",
            Kind::Conflict => "others keep changing it at the store",
            Kind::Refused => "the store refuses it",
        };
        what.to_owned()
    }
}

/// `the clock of this machine is 20 minutes behind the store's`.
fn clocks(behind_seconds: Option<i64>) -> String {
    let Some(behind) = behind_seconds else {
        return "the clocks of this machine and of the store differ too much".to_owned();
    };
    let (seconds, side) = (behind.unsigned_abs(), if behind < 0 { "ahead of" } else { "behind" });
    let (number, unit) = match seconds {
        0..120 => (seconds, "seconds"),
        120..7_200 => ((seconds + 30) / 60, "minutes"),
        7_200..172_800 => ((seconds + 1_800) / 3_600, "hours"),
        _ => ((seconds + 43_200) / 86_400, "days"),
    };
    format!("the clock of this machine is {number} {unit} {side} the store's")
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { words, .. } = self;
        match words.is_empty() {
            true => f.write_str(&self.what()),
            false => write!(f, "{} ({words})", self.what()),
        }
    }
}

impl std::error::Error for S3Error {}

impl fmt::Display for S3Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::List => "list",
            Self::Delete => "delete",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_told_by_how_much() {
        assert_eq!(clocks(Some(1_201)), "the clock of this machine is 20 minutes behind the store's");
        assert_eq!(clocks(Some(-45)), "the clock of this machine is 45 seconds ahead of the store's");
        assert_eq!(clocks(Some(10_800)), "the clock of this machine is 3 hours behind the store's");
        assert_eq!(clocks(Some(-864_000)), "the clock of this machine is 10 days ahead of the store's");
        assert_eq!(clocks(None), "the clocks of this machine and of the store differ too much");
    }

    #[test]
    fn the_words_of_the_store_stand_behind_ours() {
        let error = S3Error::new(S3ErrorKind::Denied, S3Action::Write, "b", "AccessDenied: no");
        assert_eq!(error.to_string(), "the store denies it (AccessDenied: no)");
        assert_eq!(S3Error { words: String::new(), ..error }.to_string(), "the store denies it");
    }
}
