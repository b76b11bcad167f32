//! One table from what went wrong to what a person or a program is told: code, message, remedy, exit code.
//!
//! The crates below have typed errors that name the path or the table. Nobody but this file turns them into words for
//! people, so that a mistake is explained in one voice.

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::error::ErrorKind;
use hosu_host::StoreError;
use hosu_table::name::NameError;
use serde_json::json;

use crate::args::Output;
use crate::config::ConfigError;
use crate::lake::LakeError;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1.
    Failed,
    /// 2.
    Usage,
    /// 130, as a shell says of a program that Ctrl-C ended.
    Interrupted,
    /// Who read our output went away: that is not a failure of ours.
    Quiet,
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// A stable name for programs; in SQL it is Trino's.
    pub code: &'static str,
    /// What is wrong, with the thing's name.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Line and character in the text of statements, both from 1.
    pub position: Option<(usize, usize)>,
    /// The line of that text, to point into.
    pub excerpt: Option<String>,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remedy: None,
            position: None,
            excerpt: None,
            exit: Exit::Failed,
        }
    }

    /// A command that was written wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("USAGE", message) }
    }

    /// A verb that a later version will have.
    pub fn not_yet(what: &str) -> Self {
        Self::new("NOT_SUPPORTED", format!("{what} is not in this version"))
            .remedy("`hosu --help` lists what this version can do")
    }

    /// Ctrl-C, or a polite request to end.
    pub fn interrupted() -> Self {
        let message = "interrupted: what was not reported as done is not in the lake";
        Self { exit: Exit::Interrupted, ..Self::new("INTERRUPTED", message) }
            .remedy("run the same command again: what is in the lake already is skipped")
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds the place in a text, and that line of it.
    #[must_use]
    pub fn at(mut self, text: &str, position: Option<(usize, usize)>) -> Self {
        self.position = position;
        self.excerpt =
            position.and_then(|(line, _)| text.lines().nth(line.checked_sub(1)?)).map(str::to_owned);
        self
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self.exit {
            Exit::Quiet => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }

    /// Tells it: people on stderr, programs on stdout as well.
    pub fn print(&self, output: Output) {
        if self.exit == Exit::Quiet {
            return;
        }
        // When both are closed there is nobody left to tell.
        if output == Output::Json {
            let _ = writeln!(io::stdout().lock(), "{}", self.to_json());
        }
        let _ = io::stderr().lock().write_all(self.to_text().as_bytes());
    }

    /// `{"error": {…}}`.
    pub fn to_json(&self) -> String {
        let (line, column) = self.position.unzip();
        let error = json!({
            "code": self.code, "message": self.message, "remedy": self.remedy, "line": line, "column": column,
        });
        json!({ "error": error }).to_string()
    }

    fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", self.message);
        if let (Some((line, column)), Some(excerpt)) = (self.position, &self.excerpt) {
            let before: String = excerpt.chars().take(column.saturating_sub(1)).collect();
            let pad: usize = before.chars().map(|c| if c == '\t' { 1 } else { width(c) }).sum();
            let excerpt = excerpt.replace('\t', " ");
            let _ = writeln!(text, "  line {line}: {excerpt}");
            let _ =
                writeln!(text, "  {:indent$}^", "", indent = "line : ".len() + line.to_string().len() + pad);
        }
        if let Some(remedy) = &self.remedy {
            let _ = writeln!(text, "  {remedy}");
        }
        text
    }
}

fn width(c: char) -> usize {
    unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)
}

impl From<io::Error> for Failure {
    /// Of writing to stdout, and of what has no better words.
    fn from(error: io::Error) -> Self {
        let quiet = error.kind() == io::ErrorKind::BrokenPipe;
        Self { exit: if quiet { Exit::Quiet } else { Exit::Failed }, ..Self::new("IO", error.to_string()) }
    }
}

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
            ConfigError::Syntax { line, column, .. } => Self {
                position: Some((line, column)),
                ..Self::new("CONFIG_INVALID", message)
                    .remedy("docs/configuration.md lists the keys that exist")
            },
            ConfigError::Value { .. } => {
                Self::new("CONFIG_INVALID", message).remedy("docs/configuration.md says what each key takes")
            }
            ConfigError::CatalogKind { .. } => Self::new("NOT_SUPPORTED", message)
                .remedy("use `sqlite:PATH`, for example `sqlite:lake/catalog.db`"),
        }
    }
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        let message = error.to_string();
        let (code, remedy) = match error {
            LakeError::File { .. } => ("NOT_A_LAKE", "name the folder of a lake with --lake, or a new one"),
            LakeError::NotALake { .. } => {
                ("NOT_A_LAKE", "name the folder of a lake with --lake, or a new or empty one")
            }
            LakeError::CatalogIsFolder { .. } => ("NOT_A_LAKE", "name a file as the catalog"),
            LakeError::Unreadable { .. } => ("ACCESS_DENIED", "check the permissions of the folder"),
        };
        Self::new(code, message).remedy(remedy)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let (code, remedy) = match error {
            StoreError::NotFound { .. } => ("NOT_FOUND", "`hosu doctor` tells what else is missing"),
            StoreError::Denied { .. } => {
                ("ACCESS_DENIED", "check the permissions of the folder, or the credentials of S3")
            }
            StoreError::Full { .. } => {
                ("STORE_FULL", "free some space and run the command again: the lake is as it was")
            }
            StoreError::Unavailable { .. } => {
                ("STORE_UNAVAILABLE", "check the network and run the command again")
            }
            StoreError::Changed { .. } => {
                ("SOURCE_CHANGED", "run the command again when nobody writes to it")
            }
            StoreError::Invalid { .. } => {
                ("INVALID_LOCATION", "docs/configuration.md says how stores are configured")
            }
            StoreError::Other { .. } => {
                ("STORE_FAILED", "run the command again; if it stays, look at what the store says")
            }
        };
        Self::new(code, message).remedy(remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_the_place_in_the_statement() {
        let failure = Failure::new("COLUMN_NOT_FOUND", "column `tpye` does not exist")
            .remedy("did you mean `type`?")
            .at("select 1;\nselect '한', tpye from events", Some((2, 13)));
        assert_eq!(
            failure.to_text(),
            "error: column `tpye` does not exist\n  line 2: select '한', tpye from events\n                       ^\n  \
             did you mean `type`?\n"
        );
    }

    #[test]
    fn programs_see_stable_names() {
        let failure = Failure::new("X", "m").at("select", Some((1, 7)));
        assert_eq!(
            failure.to_json(),
            r#"{"error":{"code":"X","column":7,"line":1,"message":"m","remedy":null}}"#
        );
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit_code(), failure.exit), (0, Exit::Quiet));
        assert_eq!(Failure::interrupted().exit_code(), 130);
        assert_eq!(Failure::usage("x").exit_code(), 2);
    }

    #[test]
    fn a_name_that_cannot_be_is_wrong_usage() {
        let error = hosu_table::name::TableName::parse("a.b.c").unwrap_err();
        let failure = Failure::from(error);
        assert_eq!((failure.code, failure.exit_code()), ("INVALID_NAME", 2));
        assert!(failure.message.contains("a.b.c"));
    }
}
