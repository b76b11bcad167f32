//! The profiles of `~/.aws`, in AWS's dialect of INI.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::environment::{self as env, Environment};

/// A section's keys; what is indented below a key is `key.name`.
type Section = BTreeMap<String, String>;

/// All that both files hold.
pub(super) struct Profiles {
    /// By the profile's name.
    credentials: BTreeMap<String, Section>,
    /// By the profile's name.
    config: BTreeMap<String, Section>,
    /// The `services` sections by name.
    services: BTreeMap<String, Section>,
}

/// The keys of one profile, those of `credentials` before those of `config`.
#[derive(Default)]
pub(super) struct Profile {
    name: String,
    credentials: Section,
    config: Section,
    services: Section,
}

impl Profiles {
    pub fn read(environment: &Environment) -> Self {
        let file = |variable: &str, default: &str| {
            let home = environment.get(env::HOME).map(|home| PathBuf::from(home).join(".aws").join(default));
            let path = environment.get(variable).map(PathBuf::from).or(home)?;
            fs::read_to_string(path).ok()
        };
        let credentials = file(env::AWS_SHARED_CREDENTIALS_FILE, "credentials").unwrap_or_default();
        let (mut config, mut services) = (BTreeMap::new(), BTreeMap::new());
        for (title, section) in sections(&file(env::AWS_CONFIG_FILE, "config").unwrap_or_default()) {
            match title.split_once(' ') {
                Some(("profile", name)) => drop(config.insert(name.to_owned(), section)),
                Some(("services", name)) => drop(services.insert(name.to_owned(), section)),
                None if title == "default" => drop(config.insert(title, section)),
                _ => {}
            }
        }
        Self { credentials: sections(&credentials), config, services }
    }

    /// The profile that is asked for. None when it does not exist.
    pub fn chosen(&self, environment: &Environment) -> Option<Profile> {
        let name = asked_for(environment).unwrap_or("default");
        let (credentials, config) = (self.credentials.get(name), self.config.get(name));
        if credentials.is_none() && config.is_none() {
            return None;
        }
        let config = config.cloned().unwrap_or_default();
        let services = config.get("services").and_then(|name| self.services.get(name)).cloned();
        Some(Profile {
            name: name.to_owned(),
            credentials: credentials.cloned().unwrap_or_default(),
            config,
            services: services.unwrap_or_default(),
        })
    }

    /// That there is no profile of the name that was asked for, where one was.
    pub fn unknown(&self, environment: &Environment) -> Option<String> {
        let name = asked_for(environment)?;
        let names: std::collections::BTreeSet<&str> =
            self.credentials.keys().chain(self.config.keys()).map(String::as_str).collect();
        let names = names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let there = if names.is_empty() { "none".to_owned() } else { names };
        Some(format!("AWS_PROFILE names the profile `{name}`; the profiles in ~/.aws are: {there}"))
    }
}

impl Profile {
    pub fn get(&self, key: &str) -> Option<String> {
        self.credentials.get(key).or_else(|| self.config.get(key)).filter(|value| !value.is_empty()).cloned()
    }

    /// A key of the indented block `s3`.
    pub fn s3(&self, key: &str) -> Option<String> {
        self.get(&format!("s3.{key}"))
    }

    /// `endpoint_url` of S3 in the section of services.
    pub fn service_endpoint(&self) -> Option<String> {
        self.services.get("s3.endpoint_url").filter(|value| !value.is_empty()).cloned()
    }

    /// How this profile gets credentials, where that is not by keys.
    pub fn how_else(&self) -> Option<String> {
        let name = &self.name;
        let how = [
            ("sso_session", "by SSO"),
            ("sso_start_url", "by SSO"),
            ("login_session", "by `aws login`"),
            ("credential_process", "from a program"),
            ("role_arn", "by taking a role"),
            ("credential_source", "from the machine"),
        ];
        let (_, how) = how.iter().find(|(key, _)| self.get(key).is_some())?;
        Some(format!(
            "the profile `{name}` gets its credentials {how}, which hosu does not do: \
             `eval \"$(aws configure export-credentials --profile {name} --format env)\"` gets them"
        ))
    }
}

fn asked_for(environment: &Environment) -> Option<&str> {
    environment.first(&[env::AWS_PROFILE, env::AWS_DEFAULT_PROFILE])
}

/// The sections by title: `#` and `;` begin comments, indented lines belong to the key above.
fn sections(text: &str) -> BTreeMap<String, Section> {
    let mut sections = BTreeMap::<String, Section>::new();
    let (mut title, mut above) = (None, String::new());
    for line in text.lines() {
        let indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let name = name.replace(['"', '\''], "").split_whitespace().collect::<Vec<_>>().join(" ");
            sections.entry(name.clone()).or_default();
            title = Some(name);
            continue;
        }
        let (Some((key, value)), Some(title)) = (line.split_once('='), &title) else { continue };
        let value = value.split(" #").next().unwrap_or_default().trim().to_owned();
        let key = key.trim().to_ascii_lowercase();
        let name = if indented { format!("{above}.{key}") } else { key.clone() };
        if !indented {
            above = key;
        }
        sections.entry(title.clone()).or_default().insert(name, value);
    }
    sections
}
