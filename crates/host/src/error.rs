//! What can go wrong at the store, told by what must be done about it, always with the place.

use std::error::Error;
use std::io;

use object_store::client::HttpError;

use crate::location::Location;
use crate::s3::{S3Error, S3ErrorKind};

type Source = Box<dyn Error + Send + Sync>;

/// A request to the store that failed, after all retries.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing is there.
    #[error("{location} does not exist")]
    NotFound {
        /// The place that was asked for.
        location: Location,
    },
    /// Rights or credentials are missing, or the file system is read-only.
    #[error("access to {location} is denied: {source}")]
    Denied {
        /// The place that was asked for.
        location: Location,
        /// What the store said.
        source: Source,
    },
    /// The disk or the quota is full.
    #[error("no space is left for {location}: {source}")]
    Full {
        /// The place that was to be written.
        location: Location,
        /// What the store said.
        source: Source,
    },
    /// The store did not answer, or answered that it is overloaded or broken, as often as we were ready to ask.
    /// Whether a write happened is not known.
    #[error("the store of {location} is not available: {source}")]
    Unavailable {
        /// The place that was asked for.
        location: Location,
        /// The last answer.
        source: Source,
    },
    /// The object changed while it was read.
    #[error("{location} changed while it was read")]
    Changed {
        /// The object that was read.
        location: Location,
    },
    /// The place cannot exist, or no store is configured for it.
    #[error("{location} cannot be used: {reason}")]
    Invalid {
        /// The place that was asked for.
        location: Location,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A store of S3 refused, or did not answer as often as we were ready to ask. Where the reason is one that may pass,
    /// it is not known whether a write happened.
    #[error("cannot {} {location}: {error}", error.action)]
    S3 {
        /// The place that was asked for.
        location: Location,
        /// What is wrong.
        error: Box<S3Error>,
    },
    /// Anything else.
    #[error("{location} failed: {source}")]
    Other {
        /// The place that was asked for.
        location: Location,
        /// What the store said.
        source: Source,
    },
}

/// The kinds of [`StoreError`], for who decides by kind alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// See [`StoreError::NotFound`].
    NotFound,
    /// See [`StoreError::Denied`].
    Denied,
    /// See [`StoreError::Full`].
    Full,
    /// See [`StoreError::Unavailable`].
    Unavailable,
    /// See [`StoreError::Changed`].
    Changed,
    /// See [`StoreError::Invalid`].
    Invalid,
    /// See [`StoreError::Other`].
    Other,
}

impl StoreError {
    /// Its kind.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::NotFound { .. } => StoreErrorKind::NotFound,
            Self::Denied { .. } => StoreErrorKind::Denied,
            Self::Full { .. } => StoreErrorKind::Full,
            Self::Unavailable { .. } => StoreErrorKind::Unavailable,
            Self::Changed { .. } => StoreErrorKind::Changed,
            Self::Invalid { .. } => StoreErrorKind::Invalid,
            Self::S3 { error, .. } => kind_of_s3(&error.kind),
            Self::Other { .. } => StoreErrorKind::Other,
        }
    }

    /// The place that was asked for.
    pub fn location(&self) -> &Location {
        match self {
            Self::NotFound { location }
            | Self::Denied { location, .. }
            | Self::Full { location, .. }
            | Self::Unavailable { location, .. }
            | Self::Changed { location }
            | Self::Invalid { location, .. }
            | Self::S3 { location, .. }
            | Self::Other { location, .. } => location,
        }
    }

    /// Translates what object_store said about `location`.
    pub fn from_object_store(location: &Location, error: object_store::Error) -> Self {
        let location = location.clone();
        if let Some(error) = s3_error(&error) {
            return Self::S3 { location, error: Box::new(error.clone()) };
        }
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound { location },
            object_store::Error::Precondition { .. } => Self::Changed { location },
            object_store::Error::PermissionDenied { source, .. }
            | object_store::Error::Unauthenticated { source, .. } => Self::Denied { location, source },
            other => Self::from_cause(location, other),
        }
    }

    /// What S3 said, where an error of a reader that speaks to the store itself has it somewhere below.
    pub fn of_s3(error: &(dyn Error + 'static)) -> Option<Self> {
        let error = Box::new(s3_error(error)?.clone());
        let location = Location::parse(&format!("s3://{}/", error.bucket)).ok()?;
        Some(Self::S3 { location, error })
    }

    /// Translates an error of the file system about `location`.
    pub fn from_io(location: &Location, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { location: location.clone() },
            _ => Self::from_cause(location.clone(), error),
        }
    }

    fn from_cause(location: Location, error: impl Error + Send + Sync + 'static) -> Self {
        match cause_of(&error) {
            Cause::Denied => Self::Denied { location, source: error.into() },
            Cause::Full => Self::Full { location, source: error.into() },
            Cause::Transient | Cause::Ambiguous => Self::Unavailable { location, source: error.into() },
            Cause::Final | Cause::Unknown => Self::Other { location, source: error.into() },
        }
    }
}

fn kind_of_s3(kind: &S3ErrorKind) -> StoreErrorKind {
    use S3ErrorKind as Kind;
    match kind {
        Kind::KeyUnknown
        | Kind::SecretWrong
        | Kind::TokenExpired
        | Kind::Denied
        | Kind::ClockWrong { .. } => StoreErrorKind::Denied,
        Kind::Full => StoreErrorKind::Full,
        Kind::NoCredentials | Kind::BucketMissing { .. } | Kind::RegionWrong { .. } | Kind::NotS3 => {
            StoreErrorKind::Invalid
        }
        Kind::NoTls | Kind::TlsOnly | Kind::Certificate => StoreErrorKind::Invalid,
        kind if kind.is_transient() => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Other,
    }
}

/// What S3 has to do with an error, where it has.
pub(crate) fn s3_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a S3Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<S3Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What lies at the bottom of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It may go away, and the request was not carried out.
    Transient,
    /// It may go away, and the request may have been carried out.
    Ambiguous,
    Denied,
    Full,
    /// It will not go away.
    Final,
    Unknown,
}

/// Walks down the sources of an error to the first one that tells something.
pub(crate) fn cause_of(error: &(dyn Error + 'static)) -> Cause {
    let mut next = Some(error);
    while let Some(error) = next {
        let cause = cause_here(error);
        if cause != Cause::Unknown {
            return cause;
        }
        next = error.source();
    }
    Cause::Unknown
}

fn cause_here(error: &(dyn Error + 'static)) -> Cause {
    use object_store::client::HttpErrorKind;
    if let Some(error) = error.downcast_ref::<S3Error>() {
        return match &error.kind {
            S3ErrorKind::Unreachable { .. } | S3ErrorKind::Unresolved { .. } => Cause::Transient,
            // A server that answers 503 has mostly done nothing, but some do the work and then fail to say so.
            kind if kind.is_transient() => Cause::Ambiguous,
            S3ErrorKind::Full => Cause::Full,
            _ => Cause::Final,
        };
    }
    if let Some(http) = error.downcast_ref::<HttpError>() {
        return match http.kind() {
            HttpErrorKind::Connect => Cause::Transient,
            HttpErrorKind::Request
            | HttpErrorKind::Timeout
            | HttpErrorKind::Interrupted
            | HttpErrorKind::Decode => Cause::Ambiguous,
            _ => Cause::Unknown,
        };
    }
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => Cause::Denied,
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Cause::Full,
        Some(io::ErrorKind::ConnectionRefused) => Cause::Transient,
        Some(
            io::ErrorKind::TimedOut
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected,
        ) => Cause::Ambiguous,
        _ => Cause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(kind: io::ErrorKind) -> StoreErrorKind {
        let location = Location::parse("/lake/x").unwrap();
        let source = object_store::Error::Generic { store: "file", source: io::Error::from(kind).into() };
        StoreError::from_object_store(&location, source).kind()
    }

    #[test]
    fn causes_are_found_below_generic_errors() {
        assert_eq!(kind_of(io::ErrorKind::StorageFull), StoreErrorKind::Full);
        assert_eq!(kind_of(io::ErrorKind::QuotaExceeded), StoreErrorKind::Full);
        assert_eq!(kind_of(io::ErrorKind::PermissionDenied), StoreErrorKind::Denied);
        assert_eq!(kind_of(io::ErrorKind::ReadOnlyFilesystem), StoreErrorKind::Denied);
        assert_eq!(kind_of(io::ErrorKind::TimedOut), StoreErrorKind::Unavailable);
        assert_eq!(kind_of(io::ErrorKind::InvalidData), StoreErrorKind::Other);
        // ENOSPC as the kernel says it
        assert_eq!(cause_of(&io::Error::from_raw_os_error(28)), Cause::Full);
    }

    #[test]
    fn an_error_names_its_place() {
        let location = Location::parse("/lake/x").unwrap();
        let error = StoreError::from_io(&location, io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(error.to_string(), "file:///lake/x does not exist");
        assert_eq!((error.kind(), error.location()), (StoreErrorKind::NotFound, &location));
    }
}
