//! The terminal as it was before the shell: a line editor changes its modes, and a shell that is ended from outside while a line
//! is edited has to put them back.

use std::io::{self, IsTerminal, Write};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Puts the modes back when it is dropped.
pub struct Terminal {
    modes: Option<Termios>,
}

impl Terminal {
    /// Remembers the modes of the terminal on standard input.
    pub fn remember() -> Self {
        Self { modes: tcgetattr(io::stdin()).ok() }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(modes) = &self.modes else { return };
        let now = tcgetattr(io::stdin()).ok();
        if now.is_some_and(|now| now.local_modes == modes.local_modes) {
            return;
        }
        // A terminal that is gone needs no modes.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, modes);
        if io::stdout().is_terminal() {
            // Pasted text without marks again, and the next line at its start.
            let _ = io::stdout().lock().write_all(b"\x1b[?2004l\n");
        }
    }
}
