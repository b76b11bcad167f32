//! Credentials, region and endpoint for S3, from the places where every tool of AWS looks: the `AWS_*` variables, then a
//! profile in `~/.aws/credentials` and `~/.aws/config`. Values are handed on and never shown.
//!
//! Only keys that stand there are taken. Where a profile says how to get some (SSO, a program, a role), that is told, with
//! the command of AWS that gets them: hosu starts no programs and opens no browser.

mod profile;

use std::collections::BTreeMap;
use std::fs;

use crate::environment::{self as env, Environment};
use profile::{Profile, Profiles};

/// What is known about S3 outside of `hosu.toml`.
#[derive(Default)]
pub struct Aws {
    /// Names and values for [`hosu_host::S3Settings::pairs`].
    pub pairs: Vec<(String, String)>,
    /// The server of S3: the variables' word, else the profile's.
    pub endpoint: Option<String>,
    /// For [`hosu_host::S3Settings::trouble`].
    pub trouble: Option<String>,
    /// For [`hosu_host::S3Settings::certificates`].
    pub certificates: Option<Vec<u8>>,
}

/// What brings credentials without keys.
const OTHER_CREDENTIALS: [&str; 5] = [
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
    "AWS_SKIP_SIGNATURE",
];

/// Reads variables and files.
pub fn read(environment: &Environment) -> Aws {
    let profiles = Profiles::read(environment);
    let profile = profiles.chosen(environment);
    let mut pairs: BTreeMap<String, String> =
        environment.aws().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut trouble = profile.is_none().then(|| profiles.unknown(environment)).flatten();
    let profile = profile.unwrap_or_default();
    if !pairs.contains_key(env::AWS_ACCESS_KEY_ID) || !pairs.contains_key(env::AWS_SECRET_ACCESS_KEY) {
        let found = credentials(&mut pairs, &profile);
        trouble = trouble.or_else(|| if found { None } else { profile.how_else() });
    }
    let region = environment.first(&[env::AWS_REGION, env::AWS_DEFAULT_REGION]).map(str::to_owned);
    if let Some(region) = region.or_else(|| profile.get("region")) {
        pairs.insert(env::AWS_REGION.to_owned(), region);
    }
    if let Some(style) = profile.s3("addressing_style").filter(|style| style != "auto") {
        pairs
            .entry(env::AWS_VIRTUAL_HOSTED_STYLE_REQUEST.to_owned())
            .or_insert((style == "virtual").to_string());
    }
    let endpoint = endpoint(environment, &profile);
    if endpoint.is_none() {
        // They are there and to be ignored.
        pairs.retain(|name, _| name != env::AWS_ENDPOINT_URL && name != env::AWS_ENDPOINT_URL_S3);
    }
    let bundle = environment.get(env::AWS_CA_BUNDLE).map(str::to_owned).or_else(|| profile.get("ca_bundle"));
    let certificates = bundle.and_then(|path| {
        let read = fs::read(environment.current_folder().join(&path));
        read.map_err(|error| {
            trouble = Some(format!("the file of certificates {path} cannot be read: {error}"))
        })
        .ok()
    });
    Aws { pairs: pairs.into_iter().collect(), endpoint, trouble, certificates }
}

/// Puts the profile's credentials in the place of half a set of variables. Whether there are any then.
fn credentials(pairs: &mut BTreeMap<String, String>, profile: &Profile) -> bool {
    if OTHER_CREDENTIALS.iter().any(|name| pairs.contains_key(*name)) {
        return true;
    }
    for (key, name) in [
        ("aws_access_key_id", env::AWS_ACCESS_KEY_ID),
        ("aws_secret_access_key", env::AWS_SECRET_ACCESS_KEY),
        ("aws_session_token", env::AWS_SESSION_TOKEN),
        ("web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("role_arn", "AWS_ROLE_ARN"),
    ] {
        // A key of one source with the token of another would be refused.
        pairs.remove(name);
        pairs.extend(profile.get(key).map(|value| (name.to_owned(), value)));
    }
    let has = |name: &str| pairs.contains_key(name);
    (has(env::AWS_ACCESS_KEY_ID) && has(env::AWS_SECRET_ACCESS_KEY)) || has("AWS_WEB_IDENTITY_TOKEN_FILE")
}

fn endpoint(environment: &Environment, profile: &Profile) -> Option<String> {
    let ignored = environment.get(env::AWS_IGNORE_CONFIGURED_ENDPOINT_URLS).map(str::to_owned);
    let ignored = ignored.or_else(|| profile.get("ignore_configured_endpoint_urls"));
    if ignored.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let variable = environment.first(&[env::AWS_ENDPOINT_URL_S3, env::AWS_ENDPOINT_URL]).map(str::to_owned);
    variable.or_else(|| profile.service_endpoint()).or_else(|| profile.get("endpoint_url"))
}

#[cfg(test)]
mod tests;
