//! The statement around the cursor, by its words: what stands at the cursor, and which tables it names.

use std::cell::OnceCell;

use hosu_dialect::{ScannedWord, WordKind, scan};

use super::super::keywords::{self, is_keyword};

/// Rows in rows deeper than this are not completed.
const PATH_MAX: usize = 20;
/// More tables than these have no say.
const REFERENCES_MAX: usize = 100;

/// What the words before the cursor want.
pub enum Wanted {
    Tables,
    Databases,
    /// One of these.
    Words(&'static [&'static str]),
    Expression,
}

/// What stands at the cursor.
pub struct Cursor {
    /// Where that begins, its quote included.
    pub start: usize,
    /// The letters before the cursor.
    pub prefix: String,
    /// The quote before them.
    pub quote: Option<char>,
    /// Names before it, each with a dot behind.
    pub path: Vec<String>,
    /// How the statement begins.
    pub first_word: Option<String>,
    /// How many words stand before the path.
    words_before: usize,
}

/// A table that the statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub database: Option<String>,
    pub table: String,
    pub alias: Option<String>,
}

impl Reference {
    /// Whether columns are found behind this name.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.alias.as_ref().unwrap_or(&self.table).to_lowercase() == name
    }
}

/// Words of one statement, without comments.
pub struct Statement<'a> {
    text: &'a str,
    words: Vec<ScannedWord>,
    /// A comment has the cursor in it.
    in_comment: bool,
    references: OnceCell<Vec<Reference>>,
}

impl<'a> Statement<'a> {
    /// The statement that has the cursor in it.
    pub fn around(text: &'a str, at: usize) -> Option<Self> {
        if text.len() > super::BYTES_MAX || !text.is_char_boundary(at) {
            return None;
        }
        let mut words = Vec::new();
        let mut in_comment = false;
        for word in scan(text) {
            match word.kind {
                WordKind::End if word.end <= at => words.clear(),
                WordKind::End => break,
                WordKind::Comment => {
                    let line_comment = text[word.start..].starts_with("--");
                    in_comment |=
                        word.start < at && (at < word.end || (at == word.end && (word.open || line_comment)));
                }
                _ => words.push(word),
            }
        }
        Some(Self { text, words, in_comment, references: OnceCell::new() })
    }

    /// What stands at the cursor; none in texts, numbers and comments.
    pub fn cursor(&self, at: usize) -> Option<Cursor> {
        if self.in_comment {
            return None;
        }
        let index = self.words.iter().position(|word| word.end >= at).unwrap_or(self.words.len());
        let word = self.words.get(index).filter(|word| word.start < at);
        let (start, prefix, quote) = match word {
            None => (at, "", None),
            Some(word) => match word.kind {
                WordKind::Word => (word.start, &self.text[word.start..at], None),
                WordKind::Name if word.open || at < word.end => {
                    let quote = self.text[word.start..].chars().next();
                    (word.start, &self.text[word.start + 1..at], quote)
                }
                WordKind::Symbol => (at, "", None),
                WordKind::Text if at == word.end && !word.open => (at, "", None),
                WordKind::Name if at == word.end => (at, "", None),
                _ => return None,
            },
        };
        let mut before = self.words.iter().take_while(|word| word.end <= start).count();
        let path = self.path_before(&mut before);
        let first_word =
            self.words.first().filter(|first| first.end <= start).map(|first| self.text(first).to_owned());
        Some(Cursor { start, prefix: prefix.to_owned(), quote, path, first_word, words_before: before })
    }

    /// Names with dots behind them that end before the word at `before`, which moves to the first of them.
    fn path_before(&self, before: &mut usize) -> Vec<String> {
        let mut path = Vec::new();
        let symbol = |at: usize, symbol: &str| {
            self.words.get(at).is_some_and(|word| word.kind == WordKind::Symbol && self.text(word) == symbol)
        };
        while *before >= 2 && path.len() < PATH_MAX && symbol(*before - 1, ".") {
            let mut at = *before - 2;
            // `a[1].`
            if symbol(at, "]") {
                let Some(open) = (0..at).rev().find(|at| symbol(*at, "[")) else { break };
                if open == 0 {
                    break;
                }
                at = open - 1;
            }
            let Some(name) = self.name(at) else { break };
            path.insert(0, name);
            *before = at;
        }
        path
    }

    fn text(&self, word: &ScannedWord) -> &'a str {
        self.text.get(word.start..word.end).unwrap_or_default()
    }

    /// The keyword at a place, in lower case; empty when there is none.
    fn keyword(&self, at: usize) -> String {
        let word = self.words.get(at).filter(|word| word.kind == WordKind::Word);
        word.map(|word| self.text(word).to_lowercase()).filter(|word| is_keyword(word)).unwrap_or_default()
    }

    /// The name at a place, without its quotes.
    fn name(&self, at: usize) -> Option<String> {
        let word = self.words.get(at)?;
        let text = self.text(word);
        match word.kind {
            WordKind::Word => Some(text.to_owned()),
            WordKind::Name => {
                let quote = text.chars().next()?;
                let inner = text.get(1..text.len().saturating_sub(usize::from(!word.open)))?;
                Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
            }
            _ => None,
        }
    }

    fn is_symbol(&self, at: usize, symbol: &str) -> bool {
        self.words.get(at).is_some_and(|word| word.kind == WordKind::Symbol && self.text(word) == symbol)
    }

    /// Whether names are quoted in backquotes.
    pub fn hive(&self) -> bool {
        matches!(self.keyword(0).as_str(), "show" | "describe" | "desc" | "alter" | "drop" | "create" | "use")
    }

    /// What is wanted where the cursor is, when no dot stands before it.
    pub fn wanted(&self, cursor: &Cursor) -> Wanted {
        let before = cursor.words_before;
        let (first, second) = (self.keyword(0), self.keyword(1));
        let Some(last) = before.checked_sub(1) else { return Wanted::Words(keywords::FIRST) };
        match (first.as_str(), self.keyword(last).as_str()) {
            (_, "explain" | "verbose") => Wanted::Words(&["analyze", "select", "values", "with"]),
            ("explain", "analyze") => Wanted::Words(&["select", "values", "verbose", "with"]),
            ("show", "show") => {
                Wanted::Words(&["columns", "create", "databases", "schemas", "tables", "tblproperties"])
            }
            ("show", "tables") => Wanted::Words(&["in", "like"]),
            ("show", "columns") => Wanted::Words(&["in"]),
            ("show", "databases" | "schemas") => Wanted::Words(&["like"]),
            ("show", "create") => Wanted::Words(&["table"]),
            ("show", "in" | "from") if second == "tables" => Wanted::Databases,
            ("show", "in" | "from" | "tblproperties") => Wanted::Tables,
            ("create" | "drop", "create" | "drop") => Wanted::Words(&["database", "schema", "table"]),
            ("create", "table" | "database" | "schema") => Wanted::Words(&["if not exists"]),
            ("drop", "exists") if second == "table" => Wanted::Tables,
            ("drop", "database" | "schema" | "exists") | (_, "use") => Wanted::Databases,
            ("alter", "alter") => Wanted::Words(&["table"]),
            ("insert", "insert") => Wanted::Words(&["into"]),
            (_, "from" | "join" | "into" | "update" | "table" | "describe" | "extended" | "formatted") => {
                Wanted::Tables
            }
            ("desc", "desc") => Wanted::Tables,
            _ if self.is_symbol(last, ",") && self.clause(last) == "from" => Wanted::Tables,
            _ => Wanted::Expression,
        }
    }

    /// The keyword that began the list with this comma.
    fn clause(&self, comma: usize) -> String {
        let mut depth = 0_usize;
        for at in (0..comma).rev() {
            if self.is_symbol(at, ")") {
                depth += 1;
            } else if self.is_symbol(at, "(") {
                match depth.checked_sub(1) {
                    Some(outer) => depth = outer,
                    None => return String::new(),
                }
            } else if depth == 0 {
                let word = self.keyword(at);
                if matches!(
                    word.as_str(),
                    "select" | "from" | "where" | "by" | "having" | "on" | "values" | "set"
                ) {
                    return word;
                }
            }
        }
        String::new()
    }

    /// Names that WITH gives to queries.
    pub fn with_names(&self) -> Vec<String> {
        if !(0..self.words.len()).any(|at| self.keyword(at) == "with") {
            return Vec::new();
        }
        let named = |at: &usize| self.keyword(*at + 1) == "as" && self.is_symbol(*at + 2, "(");
        let names = (0..self.words.len()).filter(named).filter(|at| self.keyword(*at).is_empty());
        names.filter_map(|at| self.name(at)).collect()
    }

    /// The tables that the statement names.
    pub fn references(&self) -> &[Reference] {
        self.references.get_or_init(|| self.find_references())
    }

    /// The same by database and table.
    pub fn tables(&self, database: &str) -> Vec<(String, String)> {
        let table = |reference: &Reference| {
            (reference.database.clone().unwrap_or_else(|| database.to_owned()), reference.table.clone())
        };
        self.references().iter().map(table).collect()
    }

    fn find_references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.words.len() && found.len() < REFERENCES_MAX {
            let keyword = self.keyword(at);
            at += 1;
            match keyword.as_str() {
                "from" => {
                    while let Some(reference) = self.reference(&mut at) {
                        found.push(reference);
                        if found.len() >= REFERENCES_MAX || !self.is_symbol(at, ",") {
                            break;
                        }
                        at += 1;
                    }
                }
                "join" | "into" | "update" | "table" | "describe" => found.extend(self.reference(&mut at)),
                _ => {}
            }
        }
        found
    }

    /// `[database.]table [[AS] alias]` at a place, which moves behind it.
    fn reference(&self, at: &mut usize) -> Option<Reference> {
        while matches!(self.keyword(*at).as_str(), "extended" | "formatted" | "if" | "not" | "exists") {
            *at += 1;
        }
        let is_name = |at: usize| {
            self.words.get(at).is_some_and(|word| word.kind == WordKind::Name) || self.keyword(at).is_empty()
        };
        let mut parts = vec![self.name(*at).filter(|_| is_name(*at))?];
        *at += 1;
        while self.is_symbol(*at, ".")
            && let Some(part) = self.name(*at + 1)
        {
            parts.push(part);
            *at += 2;
        }
        if self.keyword(*at) == "as" {
            *at += 1;
        }
        let alias = self.name(*at).filter(|_| is_name(*at));
        *at += usize::from(alias.is_some());
        let table = parts.pop()?;
        Some(Reference { database: parts.pop(), table, alias })
    }
}
