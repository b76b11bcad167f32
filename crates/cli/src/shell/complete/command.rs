//! Completion of lines that begin with a backslash.

use super::super::commands::COMMANDS;
use super::super::names::Names;
use super::Completion;

/// What may follow in a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandCompletion {
    /// One of these.
    Words(Completion),
    /// A file's name.
    File,
}

/// What may stand at the cursor of a line that begins with a backslash.
pub fn command(line: &str, at: usize, database: &str, names: &Names) -> CommandCompletion {
    let typed = line.get(..at).unwrap_or(line);
    let Some(blank) = typed.find(char::is_whitespace) else {
        let all = COMMANDS.iter().flat_map(|(names, ..)| names.iter().map(|name| format!("\\{name}")));
        return among(0, typed, all);
    };
    let name = typed.get(1..blank).unwrap_or_default();
    let start = typed.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let word = typed.get(start..).unwrap_or_default();
    let listed =
        COMMANDS.iter().find(|(names, ..)| names.contains(&name)).and_then(|(names, ..)| names.first());
    match listed.copied().unwrap_or_default() {
        "g" | "i" | "e" | "w" | "s" | "o" | "cd" => CommandCompletion::File,
        "d" | "d+" | "dt" | "sc" => tables(start, word, database, names),
        "l" | "c" => among(start, word, names.databases.keys().cloned()),
        "df" => among(start, word, names.functions.iter().map(|function| function.name.clone())),
        "x" => among(start, word, ["on", "off", "auto"].map(str::to_owned)),
        "timing" => among(start, word, ["on", "off"].map(str::to_owned)),
        "format" => among(start, word, formats()),
        "pset" => match typed.split_whitespace().nth(1) {
            Some("format") if start > blank + 1 => among(start, word, formats()),
            _ => among(start, word, ["expanded", "format", "null", "pager"].map(str::to_owned)),
        },
        "h" => among(start, word, super::super::help::statements()),
        _ => CommandCompletion::Words(Completion { start, candidates: Vec::new() }),
    }
}

fn formats() -> impl Iterator<Item = String> {
    ["table", "csv", "tsv", "json", "ndjson", "markdown", "vertical"].into_iter().map(str::to_owned)
}

fn tables(start: usize, word: &str, database: &str, names: &Names) -> CommandCompletion {
    match word.split_once('.') {
        Some((database, table)) => {
            among(start + database.len() + 1, table, names.tables(database).iter().cloned())
        }
        None => {
            let databases = names.databases.keys().map(|name| format!("{name}."));
            among(start, word, names.tables(database).iter().cloned().chain(databases))
        }
    }
}

fn among(start: usize, word: &str, all: impl IntoIterator<Item = String>) -> CommandCompletion {
    let word = word.to_lowercase();
    let mut candidates: Vec<String> =
        all.into_iter().filter(|name| name.to_lowercase().starts_with(&word)).collect();
    candidates.dedup();
    CommandCompletion::Words(Completion { start, candidates })
}
