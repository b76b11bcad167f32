//! How large a statement may be, and how deep: told from its words alone, before anything is built of them.
//!
//! Trees are walked by recursion, here and in the crates below, and a stack has an end. Brackets are not all that makes a tree
//! deep: `a OR b OR c` is a chain of ORs, each inside of the next, and so are unions, joins and WITH parts that build on each
//! other. What is counted is never less than the depth of the tree. A list is not deep, however long it is.

use crate::lexer::{Token, TokenKind};
use crate::{ParseError, Position};

/// The most bytes of a statement.
const BYTES_MAX: usize = 16 << 20;
/// The most words of a statement. Each takes some hundred bytes once it is part of a plan.
const WORDS_MAX: usize = 1_000_000;
/// The deepest that brackets may be nested, CASE among them.
const BRACKETS_MAX: usize = 100;
/// The deepest that a statement may be, with all of its chains: the time to plan one grows with the square of its length.
const DEPTH_MAX: usize = 2000;
/// The most queries that set operations and WITH may combine in one place.
const QUERIES_MAX: usize = 500;
/// The most tables that one FROM may join.
const JOINED_MAX: usize = 200;

/// What is open at a word, from the outermost bracket to the innermost.
#[derive(Debug)]
pub(crate) struct Limits {
    begin: Position,
    words: usize,
    levels: Vec<Level>,
    /// The depth of all levels but the last.
    outer: usize,
}

/// The inside of a bracket.
#[derive(Debug, Default)]
struct Level {
    /// What closes it; `None` for CASE, which END closes.
    close: Option<char>,
    /// AND and OR since the last comma or clause.
    links: usize,
    /// Operators since the last of those, each twice: planning `a + a + ...` takes longer than ORs.
    operators: usize,
    /// Tables of this FROM so far.
    joined: usize,
    /// UNION, INTERSECT, EXCEPT, and the parts of WITH.
    queries: usize,
    clause: Clause,
}

/// Where a comma stands.
#[derive(Debug, Default, PartialEq, Eq)]
enum Clause {
    With,
    From,
    #[default]
    Other,
}

impl Level {
    fn depth(&self) -> usize {
        1 + self.links + self.operators + self.joined + self.queries
    }

    fn fresh(&mut self, clause: Clause) {
        (self.links, self.operators, self.clause) = (0, 0, clause);
    }
}

impl Limits {
    pub(crate) fn new(begin: Position) -> Self {
        Self { begin, words: 0, levels: vec![Level::default()], outer: 0 }
    }

    /// Takes the next word of the statement into account.
    pub(crate) fn pass(&mut self, text: &str, token: &Token) -> Result<(), ParseError> {
        self.words += 1;
        if token.end - self.begin.offset > BYTES_MAX || self.words > WORDS_MAX {
            let message =
                format!("statement is too large: it may have {} MiB and {WORDS_MAX} words", BYTES_MAX >> 20);
            return Err(ParseError::new(message, self.begin));
        }
        match token.kind {
            TokenKind::Symbol(symbol) => self.symbol(symbol),
            TokenKind::Word => self.word(text.get(token.start.offset..token.end).unwrap_or_default()),
            _ => {}
        }
        let last = self.last();
        let (depth, joined, queries) = (last.depth(), last.joined, last.queries);
        let what = if self.levels.len() > BRACKETS_MAX {
            format!("brackets are nested deeper than {BRACKETS_MAX}")
        } else if joined > JOINED_MAX {
            format!("more than {JOINED_MAX} tables are joined in one FROM")
        } else if queries > QUERIES_MAX {
            format!("more than {QUERIES_MAX} queries are combined in one")
        } else if self.outer + depth > DEPTH_MAX {
            "the chain of operators is too long: what it compares may fit a list (IN) or a table to join"
                .to_owned()
        } else {
            return Ok(());
        };
        Err(ParseError::new(format!("statement is too large: {what}"), token.start))
    }

    fn last(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn open(&mut self, close: Option<char>) {
        self.outer += self.last().depth();
        self.levels.push(Level { close, ..Level::default() });
    }

    /// Closes the innermost bracket of this kind, and what was left open in it.
    fn close(&mut self, close: Option<char>) {
        let Some(index) = self.levels.iter().skip(1).rposition(|level| level.close == close) else { return };
        self.levels.truncate(index + 1);
        self.outer = self.levels.iter().rev().skip(1).map(Level::depth).sum();
    }

    fn symbol(&mut self, symbol: char) {
        match symbol {
            '(' => self.open(Some(')')),
            '[' => self.open(Some(']')),
            '{' => self.open(Some('}')),
            ')' | ']' | '}' => self.close(Some(symbol)),
            ';' => {}
            ',' => {
                let level = self.last();
                (level.links, level.operators) = (0, 0);
                match level.clause {
                    Clause::With => level.queries += 1,
                    Clause::From => level.joined += 1,
                    Clause::Other => {}
                }
            }
            // `||` is two, and names with their tables are in most expressions.
            '|' | '.' => self.last().operators += 1,
            _ => self.last().operators += 2,
        }
    }

    fn word(&mut self, word: &str) {
        const LONGEST: usize = 9;
        if word.len() > LONGEST {
            return;
        }
        let level = self.last();
        match word.to_ascii_uppercase().as_str() {
            "CASE" => self.open(None),
            "END" => self.close(None),
            "AND" | "OR" => (level.links, level.operators) = (level.links + 1, 0),
            "NOT" | "IS" | "IN" | "LIKE" | "ILIKE" | "SIMILAR" | "ESCAPE" | "BETWEEN" | "INTERVAL" | "AT"
            | "XOR" | "DIV" | "COLLATE" | "EXISTS" | "PRIOR" | "OVERLAPS" => level.operators += 2,
            "WHEN" | "THEN" | "ELSE" | "WHERE" | "GROUP" | "HAVING" | "ORDER" | "LIMIT" | "QUALIFY"
            | "WINDOW" => {
                level.fresh(Clause::Other);
            }
            "ON" | "USING" => (level.links, level.operators) = (0, 0),
            "FROM" => level.fresh(Clause::From),
            "WITH" => level.fresh(Clause::With),
            "SELECT" | "VALUES" => {
                level.joined = 0;
                level.fresh(Clause::Other);
            }
            "JOIN" => {
                level.joined += 1;
                (level.links, level.operators) = (0, 0);
            }
            "UNION" | "EXCEPT" | "INTERSECT" | "MINUS" => {
                level.queries += 1;
                level.joined = 0;
                level.fresh(Clause::Other);
            }
            _ => {}
        }
    }
}
