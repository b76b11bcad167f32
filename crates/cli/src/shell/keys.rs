//! Keys that the line editor leaves to us: pasted text as a whole, history by what is typed, and texts too large to draw.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::{
    Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount,
};

/// A line of more bytes or lines than these is not drawn: the line editor draws all of it with each key, and counts the rows
/// of the screen in 16 bits.
pub const DRAWN_BYTES_MAX: usize = 48 << 10;
/// See [`DRAWN_BYTES_MAX`].
pub const DRAWN_LINES_MAX: usize = 5_000;
/// So many letters in a row without any other key are no hand's.
const TYPED_BYTES_MAX: usize = 16 << 10;

/// Text that did not become part of the drawn line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where it belongs in the line.
    pub at: usize,
    /// The text.
    pub text: String,
    /// It was pasted as a whole, and is not the start of something longer.
    pub whole: bool,
}

#[derive(Debug, Default)]
struct State {
    /// What has come of a text that is being pasted.
    paste: Option<String>,
    taken: Option<Taken>,
    /// Up and Down go through all entries.
    browsing: bool,
    /// Up and Down go through the entries that begin as the line does.
    searching: bool,
    /// Letters in a row.
    letters: usize,
}

/// The state behind the keys; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    state: Arc<Mutex<State>>,
}

impl Keys {
    /// The text that was too large for the line, when a line is done. The next begins anew.
    pub fn take(&self) -> Option<Taken> {
        std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner)).taken
    }

    fn on_key(&self, key: KeyEvent, line: &str, at: usize) -> Option<Cmd> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.paste.is_some() {
            return Some(state.on_pasted(key, line, at));
        }
        let KeyEvent(code, modifiers) = key;
        let letter = matches!(code, KeyCode::Char(_)) && modifiers.is_empty();
        state.letters = if letter { state.letters + 1 } else { 0 };
        match (code, modifiers) {
            (KeyCode::BracketedPasteStart, _) => {
                state.paste = Some(String::new());
                return Some(Cmd::Noop);
            }
            (KeyCode::Char(c), Modifiers::NONE) if state.letters > TYPED_BYTES_MAX => {
                state.taken = Some(Taken { at, text: c.to_string(), whole: false });
                return Some(Cmd::AcceptLine);
            }
            (KeyCode::Up, Modifiers::NONE) => return state.up(line, at),
            (KeyCode::Down, Modifiers::NONE) => return state.searching.then_some(Cmd::HistorySearchForward),
            _ => {}
        }
        (state.browsing, state.searching) = (false, false);
        (code == KeyCode::Enter && modifiers == Modifiers::ALT).then_some(Cmd::Newline)
    }
}

impl State {
    fn up(&mut self, line: &str, at: usize) -> Option<Cmd> {
        let before = line.get(..at).unwrap_or_default();
        if before.contains('\n') || self.browsing || before.trim().is_empty() {
            self.browsing |= !before.contains('\n');
            return None;
        }
        self.searching = true;
        Some(Cmd::HistorySearchBackward)
    }

    fn on_pasted(&mut self, KeyEvent(code, modifiers): KeyEvent, line: &str, at: usize) -> Cmd {
        let Some(paste) = &mut self.paste else { return Cmd::Noop };
        match (code, modifiers) {
            (KeyCode::BracketedPasteEnd, _) => {
                let text = paste.replace("\r\n", "\n").replace('\r', "\n");
                self.paste = None;
                let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
                let too_large =
                    line.len() + text.len() > DRAWN_BYTES_MAX || lines(line) + lines(&text) > DRAWN_LINES_MAX;
                if too_large {
                    self.taken = Some(Taken { at, text, whole: true });
                    return Cmd::AcceptLine;
                }
                return Cmd::Insert(1, text);
            }
            (KeyCode::Char(c), Modifiers::NONE) => paste.push(c),
            (KeyCode::Char('J'), Modifiers::CTRL) => paste.push('\n'),
            (KeyCode::Enter, _) => paste.push('\r'),
            (KeyCode::Tab, _) => paste.push('\t'),
            // Escape sequences and control characters are no part of a statement.
            _ => {}
        }
        Cmd::Noop
    }
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.on_key(*event.get(0)?, context.line(), context.pos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent(code, Modifiers::NONE)
    }

    fn paste(keys: &Keys, text: &str) -> Option<Cmd> {
        keys.on_key(key(KeyCode::BracketedPasteStart), "", 0);
        for c in text.chars() {
            assert_eq!(keys.on_key(KeyEvent::new(c, Modifiers::NONE), "", 0), Some(Cmd::Noop));
        }
        keys.on_key(key(KeyCode::BracketedPasteEnd), "", 0)
    }

    #[test]
    fn a_pasted_text_comes_as_a_whole() {
        let keys = Keys::default();
        let expected = Cmd::Insert(1, "select\n\t'한국어'\n;\n".to_owned());
        assert_eq!(paste(&keys, "select\r\n\t'한국어'\r;\n\u{1b}\u{7}"), Some(expected));
        assert_eq!(keys.take(), None);
    }

    #[test]
    fn a_text_too_large_to_draw_is_taken_beside_the_line() {
        let keys = Keys::default();
        for text in ["x".repeat(DRAWN_BYTES_MAX + 1), "\n".repeat(DRAWN_LINES_MAX + 1)] {
            assert_eq!(paste(&keys, &text), Some(Cmd::AcceptLine));
            assert_eq!(keys.take(), Some(Taken { at: 0, text, whole: true }));
        }
        for _ in 0..TYPED_BYTES_MAX {
            assert_eq!(keys.on_key(key(KeyCode::Char('x')), "", 0), None);
        }
        assert_eq!(keys.on_key(key(KeyCode::Char('y')), "xxx", 3), Some(Cmd::AcceptLine));
        assert_eq!(keys.take(), Some(Taken { at: 3, text: "y".to_owned(), whole: false }));
    }

    #[test]
    fn up_searches_behind_letters_and_browses_without() {
        let keys = Keys::default();
        let (up, down) = (key(KeyCode::Up), key(KeyCode::Down));
        assert_eq!(keys.on_key(up, "", 0), None);
        assert_eq!(keys.on_key(up, "select 1;", 9), None, "an entry that was browsed to is no search");
        assert_eq!(keys.on_key(key(KeyCode::Char('x')), "", 0), None);
        assert_eq!(keys.on_key(up, "sel", 3), Some(Cmd::HistorySearchBackward));
        assert_eq!(keys.on_key(down, "select 1;", 3), Some(Cmd::HistorySearchForward));
        assert_eq!(keys.on_key(key(KeyCode::Left), "select 1;", 3), None);
        assert_eq!(keys.on_key(down, "select 1;", 3), None);
        assert_eq!(keys.on_key(up, "select\n1", 8), None, "a line up in the same statement");
        let alt_enter = KeyEvent(KeyCode::Enter, Modifiers::ALT);
        assert_eq!(keys.on_key(alt_enter, "", 0), Some(Cmd::Newline));
    }
}
