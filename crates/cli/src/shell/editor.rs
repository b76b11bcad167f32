//! The line editor: rustyline with what we know of statements. It blocks, so it has the shell's own thread.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hosu_dialect::Mark;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory, SearchDirection};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, ColorMode, CompletionType, Config, Context, Editor, Event, EventHandler, Helper};

use super::complete::{CommandCompletion, Completion, Typed, command, complete, tables_in_scope};
use super::highlight::{self, coloured};
use super::keys::{DRAWN_BYTES_MAX, DRAWN_LINES_MAX, Keys};
use super::names::NamesSource;
use super::pending::Pending;

/// More candidates than these are shown when the person says so.
const LISTED_WITHOUT_ASKING: usize = 120;

/// How the editor looks.
#[derive(Clone, Copy, Debug)]
pub struct EditorSettings {
    /// Whether statements are coloured.
    pub colours: bool,
    /// Standard output is not the terminal: lines are edited on the terminal itself.
    pub on_tty: bool,
}

/// What a person gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// Lines.
    Lines(String),
    /// The beginning of a line that is too long to be drawn.
    Part(String),
    /// Ctrl-C.
    Interrupted,
    /// Bytes that are no UTF-8.
    NotText,
    /// The editor failed in itself; what was typed is lost.
    Lost,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// See the module.
pub struct LineEditor {
    editor: Editor<Assistant, MemHistory>,
    keys: Keys,
    settings: EditorSettings,
    /// While it is there a change of the terminal's size is noticed at once.
    _printer: Option<Box<dyn rustyline::ExternalPrinter + Send>>,
}

impl LineEditor {
    /// An editor with these entries behind it.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn new(settings: EditorSettings, names: NamesSource, history: &[String]) -> rustyline::Result<Self> {
        let config = Config::builder()
            .max_history_size(super::history::ENTRIES_MAX)?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .completion_prompt_limit(LISTED_WITHOUT_ASKING)
            .color_mode(if settings.colours { ColorMode::Enabled } else { ColorMode::Disabled })
            .behavior(if settings.on_tty { Behavior::PreferTerm } else { Behavior::Stdio })
            .bell_style(BellStyle::None)
            .build();
        let entries = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, entries)?;
        let keys = Keys::default();
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(keys.clone())));
        editor.set_helper(Some(Assistant::new(names, settings.colours)));
        let printer = editor.create_external_printer().ok();
        let printer = printer.map(|printer| Box::new(printer) as Box<dyn rustyline::ExternalPrinter + Send>);
        let mut editor = Self { editor, keys, settings, _printer: printer };
        history.iter().for_each(|entry| editor.remember(entry));
        Ok(editor)
    }

    /// What a person gives behind a prompt, with `initial` there already.
    pub fn read(&mut self, prompt: &str, pending: &Pending, database: &str, initial: &str) -> Input {
        if let Some(assistant) = self.editor.helper_mut() {
            assistant.behind(pending, database);
        }
        let styled =
            if self.settings.colours { format!("\x1b[1m{prompt}\x1b[0m") } else { prompt.to_owned() };
        let prompt = (prompt, styled);
        // A line editor's mistake about a strange line is no reason to lose the session.
        let read =
            catch_unwind(AssertUnwindSafe(|| self.editor.readline_with_initial(&prompt, (initial, ""))));
        let taken = self.keys.take();
        match (read, taken) {
            (Ok(Ok(text)), None) => Input::Lines(text),
            (Ok(Ok(mut text)), Some(taken)) => {
                text.insert_str(
                    if text.is_char_boundary(taken.at) { taken.at } else { text.len() },
                    &taken.text,
                );
                if taken.whole { Input::Lines(text) } else { Input::Part(text) }
            }
            (Ok(Err(ReadlineError::Interrupted | ReadlineError::Signal(_))), _) => Input::Interrupted,
            (Ok(Err(ReadlineError::Io(error))), _) if error.kind() == std::io::ErrorKind::InvalidData => {
                Input::NotText
            }
            (Ok(Err(_)), _) => Input::End,
            (Err(_), _) => Input::Lost,
        }
    }

    /// Adds an entry that Up and Ctrl-R find.
    pub fn remember(&mut self, entry: &str) {
        let lines = entry.bytes().filter(|byte| *byte == b'\n').count();
        if entry.len() <= DRAWN_BYTES_MAX && lines <= DRAWN_LINES_MAX {
            // It is kept in memory, which does not fail.
            let _ = self.editor.history_mut().add(entry);
        }
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let history = self.editor.history();
        let entry = |at| history.get(at, SearchDirection::Forward).ok().flatten();
        (0..history.len()).filter_map(entry).map(|found| found.entry)
    }
}

/// What rustyline asks while a line is typed.
struct Assistant {
    names: NamesSource,
    files: FilenameCompleter,
    colours: bool,
    /// What was typed before the line; empty when it is too long to look at with each key.
    before: String,
    mark: Mark,
    long: bool,
    database: String,
}

impl Assistant {
    fn new(names: NamesSource, colours: bool) -> Self {
        let (before, database) = (String::new(), String::new());
        Self {
            names,
            files: FilenameCompleter::new(),
            colours,
            before,
            mark: Mark::START,
            long: false,
            database,
        }
    }

    fn behind(&mut self, pending: &Pending, database: &str) {
        self.long = pending.buffer().len() > highlight::BYTES_MAX;
        self.before = if self.long { String::new() } else { pending.buffer().to_owned() };
        self.mark = if self.long { Mark::START } else { pending.mark() };
        self.database = database.to_owned();
    }

    fn is_drawn_plain(&self, line: &str) -> bool {
        !self.colours || self.long || self.before.len() + line.len() > highlight::BYTES_MAX
    }

    fn in_statement(&self, line: &str, at: usize) -> Completion {
        let text = format!("{}{line}", self.before);
        let typed = Typed { text: &text, at: self.before.len() + at, database: &self.database };
        let names = self.names.with_columns(&tables_in_scope(typed));
        // Others may have made tables; the next Tab has them.
        self.names.refresh(&self.database);
        let Completion { start, candidates } = complete(typed, &names);
        match start.checked_sub(self.before.len()) {
            Some(start) => Completion { start, candidates },
            None => Completion::default(),
        }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let blank = line.len() - line.trim_start().len();
        let found = if self.before.trim().is_empty() && line.trim_start().starts_with('\\') && at > blank {
            self.names.refresh(&self.database);
            match command(&line[blank..], at - blank, &self.database, &self.names.now()) {
                CommandCompletion::Words(Completion { start, candidates }) => {
                    Completion { start: start + blank, candidates }
                }
                CommandCompletion::File => return self.files.complete(line, at, context),
            }
        } else {
            self.in_statement(line, at)
        };
        let pair = |text: String| Pair { display: text.clone(), replacement: text };
        Ok((found.start, found.candidates.into_iter().map(pair).collect()))
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.is_drawn_plain(line) {
            return Cow::Borrowed(line);
        }
        Cow::Owned(coloured(&self.before, self.mark, line))
    }

    fn highlight_char(&self, line: &str, _: usize, kind: CmdKind) -> bool {
        kind == CmdKind::Other && !self.is_drawn_plain(line)
    }
}

impl Validator for Assistant {
    /// A line is a line, but a statement of several lines that is edited as a whole is given as a whole.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input();
        if !line.contains('\n') {
            return Ok(ValidationResult::Valid(None));
        }
        let mut pending = Pending::default();
        pending.push(&self.before);
        pending.push(line);
        let complete = pending.next().is_some() || pending.is_blank();
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Helper for Assistant {}
