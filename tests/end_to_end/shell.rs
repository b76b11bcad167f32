//! The shell in a real terminal: tmux holds it, keys go in, and what is on the screen is waited for.

mod bad_input;
mod commands;
mod history;
mod lines;

use std::cell::Cell;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Place, say};

/// How often a screen is looked at before it is given up: generous, because a test machine may be busy.
const LOOKS: u32 = 3_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A terminal with a shell of `hosu sql` in it.
pub struct Terminal<'a> {
    place: &'a Place,
    /// Which server of tmux it is: one that is on its way out takes its socket with it.
    server: Cell<u32>,
}

static SERVERS: AtomicU32 = AtomicU32::new(0);

impl<'a> Terminal<'a> {
    /// A terminal of 100 columns; none, and a word about it, where tmux is missing.
    pub fn open(place: &'a Place) -> Option<Self> {
        Self::open_with(place, 100, "", &[])
    }

    /// The same with its width, options of `hosu sql`, and variables.
    pub fn open_with(
        place: &'a Place,
        columns: u16,
        options: &str,
        variables: &[(&str, &str)],
    ) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            say("skipped: the shell is tried in tmux, which is not on this machine");
            return None;
        }
        let terminal = Self { place, server: Cell::default() };
        terminal.start(columns, options, variables);
        Some(terminal)
    }

    /// Another shell in the same place, its screen instead of the first one's.
    pub fn again(&self) {
        self.end();
        self.start(100, "", &[]);
    }

    fn start(&self, columns: u16, options: &str, variables: &[(&str, &str)]) {
        self.server.set(SERVERS.fetch_add(1, Ordering::Relaxed));
        // What stands on the screen and how it ended stay to be looked at. tmux itself does not always notice an end.
        let _ = std::fs::remove_file(self.place.path("ended"));
        let settings = self.place.write("tmux.conf", "set -g remain-on-exit on\nset -g status off\n");
        let mut command = self.tmux(&["-f"]);
        command.arg(settings).args(["new-session", "-d", "-y", "40", "-x", &columns.to_string()]);
        for (name, value) in variables {
            command.args(["-e", &format!("{name}={value}")]);
        }
        let hosu = env!("CARGO_BIN_EXE_hosu");
        done(command.arg(format!("trap : INT; {hosu} sql {options}; echo $? >code && mv code ended")));
        self.wait_for("=>");
    }

    /// Waits until the shell has ended, with this code.
    #[track_caller]
    pub fn wait_for_end(&self, code: i32) {
        let ended = self.place.path("ended");
        self.wait("the end of the shell", |_| ended.exists());
        assert_eq!(std::fs::read_to_string(ended).unwrap().trim(), code.to_string(), "{}", self.screen());
    }

    fn asked(&self, format: &str) -> String {
        let output = done(&mut self.tmux(&["display-message", "-p", format]));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command
            .arg("-S")
            .arg(self.place.path(&format!("tmux{}", self.server.get())))
            .args(["-u"])
            .args(arguments);
        command.current_dir(self.place.path("")).env_clear();
        command.envs([
            ("PATH", "/usr/bin:/bin:/usr/local/bin"),
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
        ]);
        command.env("HOME", self.place.path("")).env("SHELL", "/bin/sh");
        command
    }

    /// Presses keys by tmux's names: `Enter`, `C-c`, `Up`.
    pub fn press(&self, keys: &[&str]) {
        done(self.tmux(&["send-keys"]).args(keys));
    }

    /// Types a text.
    pub fn write(&self, text: &str) {
        // tmux takes a `;` at the end for its own.
        let text = text.strip_suffix(';').map_or(text.to_owned(), |text| format!("{text}\\;"));
        done(self.tmux(&["send-keys", "-l", "--"]).arg(text));
    }

    /// Types a line and Enter.
    pub fn enter(&self, line: &str) {
        self.write(line);
        self.press(&["Enter"]);
    }

    /// Pastes a text, with the marks that a terminal puts around it.
    pub fn paste(&self, text: &str, marks: bool) {
        let path = self.place.write("pasted", text);
        done(self.tmux(&["load-buffer"]).arg(path));
        done(&mut self.tmux(if marks { &["paste-buffer", "-p", "-r"] } else { &["paste-buffer"] }));
    }

    /// The screen, and what went over its top.
    pub fn screen(&self) -> String {
        let output = done(&mut self.tmux(&["capture-pane", "-p", "-J", "-S", "-3000"]));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// The last line with something on it.
    pub fn last_line(&self) -> String {
        self.screen().lines().last().unwrap_or_default().to_owned()
    }

    /// The screen with its colours.
    pub fn coloured(&self) -> String {
        String::from_utf8_lossy(&done(&mut self.tmux(&["capture-pane", "-p", "-e"])).stdout).into_owned()
    }

    /// Whether the terminal is as programs other than line editors have it: Ctrl-C is a signal.
    pub fn has_plain_modes(&self) -> bool {
        let modes = Command::new("stty").args(["-a", "-F", &self.asked("#{pane_tty}")]).output().unwrap();
        String::from_utf8_lossy(&modes.stdout).contains(" icanon")
    }

    /// Presses Ctrl-C and waits for the prompt: what is typed together with it is forgotten too.
    #[track_caller]
    pub fn forget_line(&self) {
        self.press(&["C-c"]);
        self.wait_for_prompt();
    }

    /// Waits until the screen is so.
    #[track_caller]
    pub fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        for _ in 0..LOOKS {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        panic!("waited in vain: {what}\n{}", self.screen());
    }

    /// Waits for a text on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Waits for the last line.
    #[track_caller]
    pub fn wait_for_line(&self, line: &str) {
        self.wait(line, |screen| screen.lines().last().is_some_and(|last| last.trim_end() == line));
    }

    /// Waits for the prompt of a database, with nothing behind it.
    #[track_caller]
    pub fn wait_for_prompt(&self) {
        self.wait_for_line("hosu:default=>");
    }

    /// Enters a line and gives what stands below it when the prompt is back.
    #[track_caller]
    pub fn answer(&self, line: &str) -> String {
        self.press(&["C-l"]);
        self.wait_for_prompt();
        done(&mut self.tmux(&["clear-history"]));
        self.enter(line);
        let screen = self.wait("an answer", |screen| {
            screen.lines().count() > 1
                && screen.lines().last().is_some_and(|last| last.trim_end() == "hosu:default=>")
        });
        screen.lines().skip(1).map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn end(&self) {
        let _ = self.tmux(&["kill-server"]).output();
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

#[track_caller]
fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// A lake with a table `events` of four rows.
pub fn lake() -> Place {
    let place = Place::new();
    place.write(
        "events.ndjson",
        "{\"id\":1,\"name\":\"ann\",\"geo\":{\"city\":\"서울\",\"country\":\"KR\"}}\n{\"id\":2,\"name\":\"bob\"}\n\
         {\"id\":3,\"name\":\"한국어\"}\n{\"id\":4}\n",
    );
    place.ingest(&["events", "events.ndjson"]);
    place
}
