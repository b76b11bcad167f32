//! A text to its statements: where each ends depends on its grammar, because a backslash may or may not escape a quote.

use crate::lexer::{Grammar, Lexer, Token, TokenKind};
use crate::limits::Limits;
use crate::parser::Parser;
use crate::{At, ParseError, Position, Statement};

/// Parses the statements of a text one by one, so that those before a faulty one can be run.
///
/// After a syntax error the iteration goes on behind the next `;`; after a text, name or comment without its end it is over.
#[must_use]
pub fn statements(text: &str) -> Statements<'_> {
    Statements { text, next: Some(Position::START) }
}

/// The statements of a text. See [`statements`].
#[derive(Clone, Debug)]
pub struct Statements<'a> {
    text: &'a str,
    next: Option<Position>,
}

impl Iterator for Statements<'_> {
    type Item = Result<At<Statement>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut lexer = Lexer::new(self.text, self.next.take()?);
            let tokens = match statement_tokens(self.text, &mut lexer) {
                Ok(tokens) => tokens,
                Err(error) => return Some(Err(error)),
            };
            let at_end = tokens.last().is_none_or(|last| last.end == last.start.offset);
            self.next = (!at_end).then_some(lexer.position());
            if tokens.len() > 1 {
                return Some(Parser::new(self.text, tokens).statement());
            }
        }
    }
}

/// The words up to and with the next `;`, which becomes [`TokenKind::End`].
fn statement_tokens(text: &str, lexer: &mut Lexer<'_>) -> Result<Vec<Token>, ParseError> {
    let mut grammar = grammar_of(text, lexer.clone());
    let mut tokens: Vec<Token> = Vec::new();
    let mut depth = 0_i32;
    let mut limits: Option<Limits> = None;
    loop {
        let mut token = lexer.next(grammar)?;
        limits.get_or_insert_with(|| Limits::new(token.start)).pass(text, &token)?;
        match token.kind {
            TokenKind::Symbol('(') => depth += 1,
            TokenKind::Symbol(')') => depth -= 1,
            _ => {}
        }
        // CREATE TABLE ... AS SELECT starts in Hive's grammar and ends in Trino's.
        if grammar == Grammar::Hive
            && depth == 0
            && token.kind == TokenKind::Word
            && is_word(text, &token, &["AS"])
        {
            grammar = Grammar::Trino;
        }
        let ends = matches!(token.kind, TokenKind::Symbol(';') | TokenKind::End);
        if ends {
            token.kind = TokenKind::End;
        }
        tokens.push(token);
        if ends {
            return Ok(tokens);
        }
    }
}

/// Athena's routing: by the first two words.
pub(crate) fn grammar_of(text: &str, mut lexer: Lexer<'_>) -> Grammar {
    let mut word = || lexer.next(Grammar::Trino).ok();
    let (first, second) = (word(), word());
    let is = |token: &Option<Token>, words: &[&str]| {
        token.as_ref().is_some_and(|token| is_word(text, token, words))
    };
    let hive = is(&first, &["SHOW", "DESCRIBE", "DESC", "MSCK", "USE"])
        || (is(&first, &["ALTER", "DROP"]) && !is(&second, &["VIEW"]))
        || (is(&first, &["CREATE"]) && is(&second, &["DATABASE", "SCHEMA", "TABLE", "EXTERNAL"]));
    if hive { Grammar::Hive } else { Grammar::Trino }
}

/// Whether an unquoted word is one of these, case aside.
pub(crate) fn is_word(text: &str, token: &Token, words: &[&str]) -> bool {
    let written = text.get(token.start.offset..token.end).unwrap_or_default();
    token.kind == TokenKind::Word && words.iter().any(|word| word.eq_ignore_ascii_case(written))
}
