//! The interactive shell of `hosu sql`: lines in, statements and commands run one after the other, and nothing that one of them
//! does ends it.
//!
//! The shell has a thread of its own, because a line editor waits for keys. Statements run on the runtime of the process while
//! that thread waits for them, for Ctrl-C, and for the request to end.

mod act;
mod commands;
mod complete;
mod editor;
mod help;
mod highlight;
mod history;
mod keys;
mod keywords;
mod names;
mod objects;
mod pending;
mod prompt;
mod run;
mod terminal;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hosu_sql::Session;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::commands::Context;
use crate::environment;
use crate::failure::Failure;
use crate::show::Manner;
use editor::{EditorSettings, Input, LineEditor};
use history::History;
use names::NamesSource;
use pending::{Pending, Piece};
use prompt::prompt;
use terminal::Terminal;

/// Deep statements are planned on the shell's own stack.
const STACK_BYTES: usize = 32 << 20;
/// Read when a shell starts, in the home folder.
const STARTUP_FILE: &str = ".hosurc";

/// Runs a shell until its person leaves. Rows go to `output` until `\\o` says otherwise.
///
/// # Errors
/// When the terminal cannot be used.
pub async fn run(
    session: Session,
    manner: Manner,
    output: Option<(PathBuf, BufWriter<File>)>,
    context: Context,
) -> Result<u8, Failure> {
    // From here on Ctrl-C is the shell's: the handler stays for the whole process.
    let _interrupts = signal(SignalKind::interrupt())?;
    let stop = context.stop.clone();
    let _terminal = Terminal::remember();
    let busy = Arc::new(AtomicBool::new(false));
    let names = NamesSource::start(context.catalog.clone(), session.functions());
    let (ended, end) = oneshot::channel();
    let thread = std::thread::Builder::new().name("shell".to_owned()).stack_size(STACK_BYTES);
    let (runtime, is_busy) = (Handle::current(), busy.clone());
    thread.spawn(move || {
        let entered = runtime.clone();
        let _entered = entered.enter();
        let shell = Shell::new(session, manner, context, names, runtime, is_busy);
        let shell = shell.map(|shell| Shell { output, ..shell });
        // When nobody waits any more the process is about to end.
        let _ = ended.send(shell.map(Shell::run));
    })?;
    tokio::pin!(end);
    let ended = tokio::select! {
        ended = &mut end => ended,
        () = stop.asked() => {
            // At the prompt there is nothing to put away; a statement ends by itself.
            if !busy.load(Ordering::Acquire) {
                return Ok(Failure::interrupted().exit_code());
            }
            end.await
        }
    };
    match ended {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::new("INTERNAL", "the shell ended by a mistake of its own")
            .remedy("what was reported as done is in the lake; please report this")),
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Go,
    Leave,
}

struct Shell {
    session: Session,
    manner: Manner,
    context: Context,
    names: NamesSource,
    runtime: Handle,
    /// A statement runs.
    busy: Arc<AtomicBool>,
    editor: LineEditor,
    history: History,
    pending: Pending,
    /// What was typed since it was last remembered.
    typed: String,
    /// What the next line begins with.
    initial: String,
    /// The last statement that was run.
    last: Option<String>,
    /// Where `\o` sends rows.
    output: Option<(PathBuf, BufWriter<File>)>,
    /// Files that are being read: one must not read itself for ever.
    depth: u32,
}

impl Shell {
    fn new(
        session: Session,
        manner: Manner,
        context: Context,
        names: NamesSource,
        runtime: Handle,
        busy: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let path = history_path(&context);
        let (history, entries, outcome) = History::open(path.clone());
        if let (Err(error), Some(path)) = (outcome, path) {
            say(&format!("warning: cannot read the history {}: {error}", path.display()));
        }
        let environment = &context.environment;
        let settings = EditorSettings {
            colours: environment.get(environment::NO_COLOR).is_none()
                && environment.get(environment::TERM) != Some("dumb"),
            on_tty: !io::stdout().is_terminal(),
        };
        let editor = LineEditor::new(settings, names.clone(), &entries).map_err(|error| {
            Failure::new("IO", format!("cannot use this terminal: {error}"))
                .remedy("give statements with -c, with -f, or on standard input")
        })?;
        Ok(Self {
            session,
            manner,
            context,
            names,
            runtime,
            busy,
            editor,
            history,
            pending: Pending::default(),
            typed: String::new(),
            initial: String::new(),
            last: None,
            output: None,
            depth: 0,
        })
    }

    fn run(mut self) -> u8 {
        say(&format!(
            "Hosu {}, lake {}. \\? for help, \\q to leave.",
            env!("CARGO_PKG_VERSION"),
            self.context.config.lake.catalog.display()
        ));
        self.names.refresh(self.session.database());
        if self.startup() == Flow::Leave {
            return 0;
        }
        loop {
            let database = self.session.database().to_owned();
            let shown = prompt(&database, self.pending.open());
            let initial = std::mem::take(&mut self.initial);
            let flow = match self.editor.read(&shown, &self.pending, &database, &initial) {
                Input::Lines(lines) => self.take(&format!("{lines}\n")),
                Input::Part(part) => self.take(&part),
                Input::Interrupted => {
                    self.forget();
                    Flow::Go
                }
                Input::NotText => {
                    self.forget();
                    say("error: that is no UTF-8; nothing of it was run");
                    Flow::Go
                }
                Input::Lost => {
                    self.forget();
                    say("error: the line editor failed on that line; nothing of it was run");
                    Flow::Go
                }
                Input::End => Flow::Leave,
            };
            if flow == Flow::Leave || self.context.stop.is_asked() {
                return 0;
            }
        }
    }

    /// `~/.hosurc`, without a word when there is none.
    fn startup(&mut self) -> Flow {
        let home = self.context.environment.get(environment::HOME).map(Path::new);
        match home.map(|home| home.join(STARTUP_FILE)).filter(|path| path.is_file()) {
            Some(path) => match self.include(&path) {
                Ok(flow) => flow,
                Err(failure) => {
                    self.tell(&failure);
                    Flow::Go
                }
            },
            None => Flow::Go,
        }
    }

    /// Runs what is whole of what was entered, up to the first error.
    fn take(&mut self, text: &str) -> Flow {
        self.typed.push_str(text);
        self.pending.push(text);
        while let Some(piece) = self.pending.next() {
            // Before it is run: a killed shell remembers it too.
            self.remember();
            match self.piece(piece) {
                Ok(Flow::Go) => {}
                Ok(Flow::Leave) => return Flow::Leave,
                Err(failure) => {
                    self.tell(&failure);
                    if self.pending.clear() {
                        say("what was entered behind it is not run");
                    }
                }
            }
        }
        if self.pending.is_blank() {
            self.remember();
        }
        Flow::Go
    }

    fn piece(&mut self, piece: Piece) -> Result<Flow, Failure> {
        match piece {
            Piece::Statement(text) => {
                self.last = Some(text.clone());
                self.statement(&text).map(|()| Flow::Go)
            }
            Piece::Command(line) => match commands::parse(&line) {
                Ok(command) => self.act(command),
                Err(mistake) => {
                    say(&mistake);
                    Ok(Flow::Go)
                }
            },
        }
    }

    fn remember(&mut self) {
        let typed = std::mem::take(&mut self.typed);
        let entry = typed.trim_end();
        // A history that cannot be written is missed at the next start, not while it is typed.
        if self.history.add(entry).unwrap_or(true) {
            self.editor.remember(entry);
        }
    }

    fn forget(&mut self) {
        self.remember();
        self.pending.clear();
    }

    fn tell(&self, failure: &Failure) {
        failure.print(self.context.output);
    }
}

/// A message for the person; rows alone go to standard output.
fn say(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}

fn history_path(context: &Context) -> Option<PathBuf> {
    let environment = &context.environment;
    if let Some(path) = environment.get(environment::HOSU_HISTORY) {
        return Some(context.folder.join(path));
    }
    let state =
        environment.get(environment::XDG_STATE_HOME).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get(environment::HOME).map(|home| Path::new(home).join(".local/state"));
    Some(state.or_else(home)?.join("hosu").join("history"))
}
