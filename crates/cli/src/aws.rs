//! Credentials and region for S3, from the places where every tool of AWS looks: the `AWS_*` variables, then a profile in
//! `~/.aws/credentials` and `~/.aws/config`. Values are handed on and never shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::environment::{self as env, Environment};

/// Names and values for [`hosu_host::S3Settings::pairs`].
pub fn pairs(environment: &Environment) -> Vec<(String, String)> {
    let mut pairs: BTreeMap<String, String> =
        environment.aws().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let profile = Profile::read(environment);
    if !pairs.contains_key(env::AWS_ACCESS_KEY_ID) || !pairs.contains_key(env::AWS_SECRET_ACCESS_KEY) {
        for (key, name) in [
            ("aws_access_key_id", env::AWS_ACCESS_KEY_ID),
            ("aws_secret_access_key", env::AWS_SECRET_ACCESS_KEY),
            ("aws_session_token", env::AWS_SESSION_TOKEN),
        ] {
            // A key of one source with the token of another would be refused.
            pairs.remove(name);
            pairs.extend(profile.get(key).map(|value| (name.to_owned(), value)));
        }
    }
    let region = environment.first(&[env::AWS_REGION, env::AWS_DEFAULT_REGION]).map(str::to_owned);
    if let Some(region) = region.or_else(|| profile.get("region")) {
        pairs.insert(env::AWS_REGION.to_owned(), region);
    }
    pairs.into_iter().collect()
}

/// The server of S3: the variables' word, else the profile's.
pub fn endpoint(environment: &Environment) -> Option<String> {
    let variable = environment.first(&[env::AWS_ENDPOINT_URL_S3, env::AWS_ENDPOINT_URL]);
    variable.map(str::to_owned).or_else(|| Profile::read(environment).get("endpoint_url"))
}

/// The keys of one profile, those of `credentials` before those of `config`.
#[derive(Default)]
struct Profile {
    credentials: BTreeMap<String, String>,
    config: BTreeMap<String, String>,
}

impl Profile {
    fn read(environment: &Environment) -> Self {
        let name = environment.get(env::AWS_PROFILE).unwrap_or("default");
        let file = |variable: &str, default: &str| {
            let home = environment.get(env::HOME).map(|home| PathBuf::from(home).join(".aws").join(default));
            let path = environment.get(variable).map(PathBuf::from).or(home)?;
            fs::read_to_string(path).ok()
        };
        let credentials = file(env::AWS_SHARED_CREDENTIALS_FILE, "credentials").unwrap_or_default();
        let config = file(env::AWS_CONFIG_FILE, "config").unwrap_or_default();
        let config_section = format!("profile {name}");
        let config_sections: &[&str] =
            if name == "default" { &["default", &config_section] } else { &[&config_section] };
        Self { credentials: section(&credentials, &[name]), config: section(&config, config_sections) }
    }

    fn get(&self, key: &str) -> Option<String> {
        self.credentials.get(key).or_else(|| self.config.get(key)).filter(|value| !value.is_empty()).cloned()
    }
}

/// The keys under `[name]` in AWS's dialect of INI: `#` and `;` begin comments, indented lines belong to the key above.
fn section(text: &str, names: &[&str]) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let mut inside = false;
    for line in text.lines() {
        let indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            inside = names.contains(&name.as_str());
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside && !indented) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            keys.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".aws");
        fs::create_dir(&folder).unwrap();
        let credentials = "[default]\naws_access_key_id = one\naws_secret_access_key=secret-one\n\n\
                           [ game ] ; ours\naws_access_key_id = two\naws_secret_access_key = secret-two # new\n\
                           aws_session_token = token\n";
        fs::write(folder.join("credentials"), credentials).unwrap();
        let config = "[default]\nregion = us-west-2\n[profile game]\nregion=ap-northeast-2\ns3 =\n  region = no\n\
                      endpoint_url = http://127.0.0.1:9000\n";
        fs::write(folder.join("config"), config).unwrap();
        home
    }

    fn environment(home: &Path, variables: &[(&str, &str)]) -> Environment {
        let home = home.display().to_string();
        Environment::made_up(Path::new("/"), variables.iter().copied().chain([(env::HOME, home.as_str())]))
    }

    fn value(pairs: &[(String, String)], name: &str) -> Option<String> {
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_profile_is_read_from_both_files() {
        let home = home();
        let game = environment(home.path(), &[(env::AWS_PROFILE, "game")]);
        let found = pairs(&game);
        assert_eq!(value(&found, env::AWS_ACCESS_KEY_ID).as_deref(), Some("two"));
        assert_eq!(value(&found, env::AWS_SECRET_ACCESS_KEY).as_deref(), Some("secret-two"));
        assert_eq!(value(&found, env::AWS_SESSION_TOKEN).as_deref(), Some("token"));
        assert_eq!(value(&found, env::AWS_REGION).as_deref(), Some("ap-northeast-2"));
        assert_eq!(endpoint(&game).as_deref(), Some("http://127.0.0.1:9000"));
        let default = pairs(&environment(home.path(), &[]));
        assert_eq!(value(&default, env::AWS_ACCESS_KEY_ID).as_deref(), Some("one"));
        assert_eq!(value(&default, env::AWS_REGION).as_deref(), Some("us-west-2"));
    }

    #[test]
    fn keys_of_the_environment_win_whole() {
        let home = home();
        let variables = [
            (env::AWS_ACCESS_KEY_ID, "mine"),
            (env::AWS_SECRET_ACCESS_KEY, "my-secret"),
            (env::AWS_PROFILE, "game"),
            (env::AWS_DEFAULT_REGION, "eu-west-1"),
            (env::AWS_ENDPOINT_URL, "http://all"),
            (env::AWS_ENDPOINT_URL_S3, "http://s3"),
        ];
        let environment = environment(home.path(), &variables);
        let found = pairs(&environment);
        assert_eq!(value(&found, env::AWS_ACCESS_KEY_ID).as_deref(), Some("mine"));
        assert_eq!(value(&found, env::AWS_SESSION_TOKEN), None);
        assert_eq!(value(&found, env::AWS_REGION).as_deref(), Some("eu-west-1"));
        assert_eq!(endpoint(&environment).as_deref(), Some("http://s3"));
    }

    #[test]
    fn no_files_are_no_error() {
        assert!(pairs(&environment(Path::new("/nowhere"), &[])).is_empty());
    }
}
