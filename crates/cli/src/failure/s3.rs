//! What is wrong with a store of S3, by what can be done about it.

use hosu_host::{S3Error, S3ErrorKind};

/// The code for programs and the remedy for people.
pub(super) fn told(error: &S3Error) -> (&'static str, String) {
    use S3ErrorKind as Kind;
    let bucket = &error.bucket;
    let (code, remedy) = match &error.kind {
        Kind::NoCredentials => (
            "S3_NO_CREDENTIALS",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has them with AWS_PROFILE".to_owned(),
        ),
        Kind::KeyUnknown => {
            ("S3_KEY_UNKNOWN", "check AWS_ACCESS_KEY_ID, or the profile it comes from, and the endpoint".to_owned())
        }
        Kind::SecretWrong => {
            ("S3_SECRET_WRONG", "check AWS_SECRET_ACCESS_KEY, or the profile it comes from".to_owned())
        }
        Kind::TokenExpired => {
            ("S3_TOKEN_EXPIRED", "get new credentials, and set AWS_SESSION_TOKEN together with the keys".to_owned())
        }
        Kind::Denied => (
            "ACCESS_DENIED",
            format!("give these credentials the right to {} in the bucket `{bucket}`", error.action),
        ),
        Kind::BucketMissing { looked_for: Some(_) } => (
            "S3_NO_BUCKET",
            "change `path_style` under [s3] in hosu.toml: the bucket's name stands in the wrong part of the URL".to_owned(),
        ),
        Kind::BucketMissing { looked_for: None } => {
            ("S3_NO_BUCKET", format!("make the bucket `{bucket}`, or correct its name; check the endpoint too"))
        }
        Kind::RegionWrong { region: Some(region) } => {
            ("S3_WRONG_REGION", format!("set AWS_REGION={region}, or `region` under [s3] in hosu.toml"))
        }
        Kind::RegionWrong { region: None } => {
            ("S3_WRONG_REGION", "set AWS_REGION to the bucket's region, or `region` under [s3] in hosu.toml".to_owned())
        }
        Kind::ClockWrong { .. } => {
            ("S3_CLOCK", "set the clock of this machine (or of the store) right, for example with NTP".to_owned())
        }
        Kind::Full => {
            ("STORE_FULL", "free some space, or raise the quota, and run the command again: the lake is as it was".to_owned())
        }
        Kind::NotSupported => ("S3_NOT_SUPPORTED", "`hosu doctor` tells what the store can do".to_owned()),
        Kind::NotS3 => (
            "S3_NOT_S3",
            "check the endpoint: is it the port of S3, not of a console, and is there a login page in between?".to_owned(),
        ),
        kind => of_the_way(kind, &error.action.to_string()),
    };
    (code, remedy)
}

/// What is wrong with the way to the store, or with the store itself.
fn of_the_way(kind: &S3ErrorKind, action: &str) -> (&'static str, String) {
    use S3ErrorKind as Kind;
    let (code, remedy) = match kind {
        Kind::Unreachable { .. } => {
            ("S3_UNREACHABLE", "start the store, or correct the endpoint; a firewall may be in between")
        }
        Kind::Unresolved { .. } => (
            "S3_UNREACHABLE",
            "correct the endpoint; a server that is not AWS mostly needs `path_style = true` under [s3] in hosu.toml",
        ),
        Kind::NoTls => ("S3_TLS", "write http:// in the place of https:// in the endpoint"),
        Kind::TlsOnly => ("S3_TLS", "write https:// in the place of http:// in the endpoint"),
        Kind::Certificate => (
            "S3_TLS",
            "name the file of the authority that signed it with AWS_CA_BUNDLE, and check the endpoint's name",
        ),
        Kind::Overloaded => ("STORE_UNAVAILABLE", "run the command again when fewer others use the store"),
        Kind::Conflict => ("STORE_UNAVAILABLE", "run the command again when fewer others write"),
        Kind::Failing | Kind::Silent | Kind::Broken => (
            "STORE_UNAVAILABLE",
            "run the command again; if it stays, look at the network and the store's own log",
        ),
        _ => return ("STORE_FAILED", format!("look up what the store says: hosu asked it to {action}")),
    };
    (code, remedy.to_owned())
}
