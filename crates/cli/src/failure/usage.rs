//! What is wrong on the command line and in `hosu.toml`.

use clap::error::ErrorKind;
use hosu_table::name::NameError;

use super::{Exit, Failure};
use crate::config::ConfigError;

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let remedy = match error.kind() {
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                return Self::usage("a command is missing").remedy("`hosu --help` lists the commands");
            }
            _ => lines.collect::<Vec<_>>().join("\n  "),
        };
        Self::usage(message).remedy(remedy)
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self { exit: Exit::Usage, ..Self::new("INVALID_NAME", error.to_string()) }
            .remedy("a table is named `table` or `database.table`, in letters, digits, `_` and `-`")
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        match error {
            ConfigError::Unreadable { .. } => Self::new("CONFIG_UNREADABLE", message)
                .remedy("name a file that exists with --config or HOSU_CONFIG"),
            ConfigError::Syntax { line, column, .. } => Self::new("CONFIG_INVALID", message)
                .remedy("docs/configuration.md lists the keys that exist")
                .at(Some((line, column))),
            ConfigError::Value { .. } => {
                Self::new("CONFIG_INVALID", message).remedy("docs/configuration.md says what each key takes")
            }
            ConfigError::CatalogKind { .. } => Self::new("NOT_SUPPORTED", message)
                .remedy("use `sqlite:PATH`, for example `sqlite:lake/catalog.db`"),
        }
    }
}
