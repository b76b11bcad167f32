//! The only place that reads the environment. Everything else is handed values, so that a test can say what they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the lake, as `--lake DIR`.
pub const HOSU_LAKE: &str = "HOSU_LAKE";
/// The configuration file, as `--config FILE`.
pub const HOSU_CONFIG: &str = "HOSU_CONFIG";
/// The catalog, as `lake.catalog` in `hosu.toml`.
pub const HOSU_CATALOG: &str = "HOSU_CATALOG";
/// The warehouse, as `lake.warehouse` in `hosu.toml`.
pub const HOSU_WAREHOUSE: &str = "HOSU_WAREHOUSE";
/// The folder that `.aws` lies in.
pub const HOME: &str = "HOME";
/// The S3 server, before [`AWS_ENDPOINT_URL`].
pub const AWS_ENDPOINT_URL_S3: &str = "AWS_ENDPOINT_URL_S3";
/// The server of all AWS services.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// The region, before [`AWS_DEFAULT_REGION`].
pub const AWS_REGION: &str = "AWS_REGION";
/// The region.
pub const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
/// Credentials: the key's id.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Credentials: the key.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Credentials: the token of a session.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Which profile of `~/.aws` to take where no keys are set.
pub const AWS_PROFILE: &str = "AWS_PROFILE";
/// The older name of [`AWS_PROFILE`].
pub const AWS_DEFAULT_PROFILE: &str = "AWS_DEFAULT_PROFILE";
/// `true`: no endpoint of the environment or the profile counts.
pub const AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
/// Certificates to trust beside the system's.
pub const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";
/// `true`: the bucket stands in the host's name, not in the path.
pub const AWS_VIRTUAL_HOSTED_STYLE_REQUEST: &str = "AWS_VIRTUAL_HOSTED_STYLE_REQUEST";
/// Where `~/.aws/credentials` lies instead.
pub const AWS_SHARED_CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// Where `~/.aws/config` lies instead.
pub const AWS_CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// The program that shows long answers, before [`PAGER`].
pub const HOSU_PAGER: &str = "HOSU_PAGER";
/// The program that shows long texts.
pub const PAGER: &str = "PAGER";
/// The options of `less`.
pub const LESS: &str = "LESS";
/// Where programs are looked for.
pub const PATH: &str = "PATH";
/// The kind of terminal.
pub const TERM: &str = "TERM";
/// No colours, whatever the terminal can do.
pub const NO_COLOR: &str = "NO_COLOR";
/// How wide the terminal is, where it cannot be asked.
pub const COLUMNS: &str = "COLUMNS";
/// How high the terminal is, where it cannot be asked.
pub const LINES: &str = "LINES";

/// The file of what was typed in the shell before.
pub const HOSU_HISTORY: &str = "HOSU_HISTORY";
/// The folder of what programs keep for a person, in place of `~/.local/state`.
pub const XDG_STATE_HOME: &str = "XDG_STATE_HOME";
/// The editor that a person likes, before [`EDITOR`].
pub const VISUAL: &str = "VISUAL";
/// The editor that a person likes.
pub const EDITOR: &str = "EDITOR";

/// What the names of all variables of AWS begin with: object_store knows more of them than stand here.
const AWS_PREFIX: &str = "AWS_";

/// The variables and the folder that the process was started with.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    current_folder: PathBuf,
}

impl Environment {
    /// As the process sees it. Values that are not UTF-8 are taken as not set.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| is_ours(name))
            .collect();
        Self { variables, current_folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")) }
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable, also an empty one.
    pub fn as_set(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The first of these variables that is set.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// All variables of AWS that are set.
    pub fn aws(&self) -> impl Iterator<Item = (&str, &str)> {
        let set =
            self.variables.iter().filter(|(name, value)| name.starts_with(AWS_PREFIX) && !value.is_empty());
        set.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The folder that relative paths of the command line count from.
    pub fn current_folder(&self) -> &Path {
        &self.current_folder
    }

    /// An environment that a test makes up.
    #[cfg(test)]
    pub fn made_up<'a>(folder: &Path, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let variables =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { variables, current_folder: folder.to_owned() }
    }
}

fn is_ours(name: &str) -> bool {
    const OF_THE_LAKE: [&str; 5] = [HOSU_LAKE, HOSU_CONFIG, HOSU_CATALOG, HOSU_WAREHOUSE, HOME];
    const OF_THE_SCREEN: [&str; 8] = [HOSU_PAGER, PAGER, LESS, PATH, TERM, NO_COLOR, COLUMNS, LINES];
    const OF_THE_SHELL: [&str; 4] = [HOSU_HISTORY, XDG_STATE_HOME, VISUAL, EDITOR];
    OF_THE_SHELL.contains(&name)
        || OF_THE_LAKE.contains(&name)
        || OF_THE_SCREEN.contains(&name)
        || name.starts_with(AWS_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = Environment::made_up(
            Path::new("/"),
            [(AWS_REGION, ""), (AWS_DEFAULT_REGION, "eu-west-1"), (HOME, "/root")],
        );
        assert_eq!(environment.first(&[AWS_REGION, AWS_DEFAULT_REGION]), Some("eu-west-1"));
        assert_eq!(environment.aws().collect::<Vec<_>>(), [(AWS_DEFAULT_REGION, "eu-west-1")]);
    }

    #[test]
    fn variables_of_others_are_not_kept() {
        assert!(is_ours("AWS_SESSION_TOKEN") && is_ours("HOSU_LAKE") && !is_ours("EDITORIAL"));
    }
}
