//! What each command does.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use hosu_dialect::Ident;

use super::commands::{Command, Seconds, Switch};
use super::{Flow, Shell, help, objects, say};
use crate::environment;
use crate::failure::Failure;
use crate::show::{Expanded, Manner};

/// Files that read files, deep.
const INCLUDE_DEPTH_MAX: u32 = 32;

impl Shell {
    /// Does what a command asks for.
    pub(super) fn act(&mut self, command: Command) -> Result<Flow, Failure> {
        match command {
            Command::Quit => return Ok(Flow::Leave),
            Command::Include(path) => return self.include(&path),
            Command::Help => print(&help::commands())?,
            Command::SqlHelp(statement) => print(&help::sql(&statement))?,
            Command::Echo(text) => print(&format!("{text}\n"))?,
            Command::Describe { table, more } => self.list(&objects::describe(&table, more))?,
            Command::Tables(pattern) => self.list(&objects::show_tables(pattern.as_deref()))?,
            Command::Databases(pattern) => self.list(&objects::show_databases(pattern.as_deref()))?,
            Command::ShowCreate(table) => self.statement(&objects::show_create(&table))?,
            Command::Functions(pattern) => self.functions(pattern.as_deref())?,
            Command::Use(Some(database)) => self.change_database(&database)?,
            Command::Use(None) | Command::Where => self.tell_where(),
            Command::Timing(_)
            | Command::Expanded(_)
            | Command::Format(_)
            | Command::Null(_)
            | Command::Pager(_)
            | Command::Settings => self.set(command),
            Command::Output(path) => self.output_to(path)?,
            Command::Edit(path) => self.edit(path.as_deref())?,
            Command::Write(path) => self.write(&path)?,
            Command::Go { expanded, file } => self.go(expanded, file.as_deref())?,
            Command::Watch(seconds) => self.watch(seconds)?,
            Command::Print => self.print_buffer()?,
            Command::Reset => {
                self.pending.replace_buffer("");
                say("the statement is forgotten");
            }
            Command::History(path) => self.print_history(path.as_deref())?,
            Command::System(command) => self.system(&command)?,
            Command::ChangeFolder(path) => self.change_folder(path)?,
        }
        Ok(Flow::Go)
    }

    /// A path as the person means it: from the current folder, `~` the home.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        let home = self.context.environment.get(environment::HOME);
        match (path.strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => Path::new(home).join(rest),
            _ => self.context.folder.join(path),
        }
    }

    /// Runs a file up to the first error.
    pub(super) fn include(&mut self, path: &Path) -> Result<Flow, Failure> {
        let path = self.path(path);
        let unreadable = |what: &dyn std::fmt::Display| {
            Failure::new("FILE_UNREADABLE", format!("cannot read {}: {what}", path.display()))
                .remedy("\\i names a file with statements and commands")
        };
        if self.depth >= INCLUDE_DEPTH_MAX {
            return Err(unreadable(&format!("{INCLUDE_DEPTH_MAX} files read each other")));
        }
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
        // A file stands for itself: what was being typed is not its beginning, and its end ends its last statement.
        let typed = std::mem::take(&mut self.pending);
        self.depth += 1;
        self.pending.push(&text);
        let mut outcome = Ok(Flow::Go);
        while let (Ok(Flow::Go), Some(piece)) = (&outcome, self.pending.next()) {
            outcome = self.piece(piece);
        }
        let rest = std::mem::replace(&mut self.pending, typed);
        self.depth -= 1;
        if matches!(outcome, Ok(Flow::Go)) && !rest.is_blank() {
            outcome = self.statement(rest.buffer().trim()).map(|()| Flow::Go);
        }
        outcome
    }

    /// Runs a statement that lists what there is. However wide a list is, it is not better turned on its side, nor a short
    /// one in a pager.
    fn list(&mut self, statement: &str) -> Result<(), Failure> {
        let manner = Manner { expanded: Expanded::Off, pages_wide: false, ..self.manner.clone() };
        self.statement_in(statement, &manner, None)
    }

    fn functions(&mut self, pattern: Option<&str>) -> Result<(), Failure> {
        match objects::functions(&self.session.functions(), pattern) {
            Some(list) => self.list(&list),
            None => {
                say(&format!("no function is called like {}", pattern.unwrap_or_default()));
                Ok(())
            }
        }
    }

    fn change_database(&mut self, database: &str) -> Result<(), Failure> {
        self.use_database(&Ident::from(database))
    }

    fn tell_where(&self) {
        let lake = &self.context.config.lake;
        say(&format!("database {}", self.session.database()));
        say(&format!("catalog  {} ({})", lake.catalog.display(), lake.name));
        say(&format!("tables   {}", lake.warehouse));
    }

    /// Settings of how rows are shown, each told as it is afterwards.
    fn set(&mut self, command: Command) {
        let manner = &mut self.manner;
        match command {
            Command::Timing(on) => manner.figures = on.unwrap_or(!manner.figures),
            Command::Expanded(switch) => {
                manner.expanded = match (switch, manner.expanded) {
                    (Some(Switch::On), _) | (None, Expanded::Off | Expanded::Auto) => Expanded::On,
                    (Some(Switch::Off), _) | (None, Expanded::On) => Expanded::Off,
                    (Some(Switch::Auto), _) => Expanded::Auto,
                }
            }
            Command::Format(Some(format)) => manner.format = format,
            Command::Null(ref text) => manner.null.clone_from(text),
            Command::Pager(on) => manner.pager = on.unwrap_or(!manner.pager),
            _ => {}
        }
        let told = self.settings();
        let wanted: &[usize] = match command {
            Command::Format(_) => &[0],
            Command::Expanded(_) => &[1],
            Command::Null(_) => &[2],
            Command::Timing(_) => &[3],
            Command::Pager(_) => &[4],
            _ => &[0, 1, 2, 3, 4, 5],
        };
        wanted.iter().filter_map(|at| told.get(*at)).for_each(|line| say(line));
    }

    fn settings(&self) -> [String; 6] {
        let Manner { format, expanded, null, figures, pager, .. } = &self.manner;
        let on = |on: bool| if on { "on" } else { "off" };
        let expanded = match expanded {
            Expanded::On => "on",
            Expanded::Off => "off",
            Expanded::Auto => "auto",
        };
        let output =
            self.output.as_ref().map_or("the screen".to_owned(), |(path, _)| path.display().to_string());
        [
            format!("format   {}", format!("{format:?}").to_lowercase()),
            format!("expanded {expanded}"),
            format!("null     '{null}'"),
            format!("timing   {}", on(*figures)),
            format!("pager    {}", on(*pager)),
            format!("output   {output}"),
        ]
    }

    fn output_to(&mut self, path: Option<PathBuf>) -> Result<(), Failure> {
        if let Some((_, mut file)) = self.output.take() {
            file.flush()?;
        }
        if let Some(path) = path {
            self.output = Some((self.path(&path), self.create(&path)?));
        }
        Ok(())
    }

    /// The statement that is being typed, else the last one.
    fn meant(&self) -> Option<String> {
        let buffer = self.pending.buffer().trim();
        if buffer.is_empty() { self.last.clone() } else { Some(buffer.to_owned()) }
    }

    /// The same, and what was being typed is used up.
    fn take_meant(&mut self) -> Option<String> {
        let meant = self.meant();
        self.pending.replace_buffer("");
        if let Some(text) = &meant {
            self.last = Some(text.clone());
        } else {
            say("there is no statement yet");
        }
        meant
    }

    fn go(&mut self, expanded: bool, file: Option<&Path>) -> Result<(), Failure> {
        let Some(text) = self.take_meant() else { return Ok(()) };
        let mut manner = self.manner.clone();
        if expanded {
            manner.expanded = Expanded::On;
        }
        self.statement_in(&text, &manner, file)
    }

    fn watch(&mut self, seconds: Seconds) -> Result<(), Failure> {
        let Some(text) = self.take_meant() else { return Ok(()) };
        // A pager would wait for a person who is away.
        let manner = Manner { pager: false, ..self.manner.clone() };
        loop {
            let second = self.context.catalog.host().clock.now_ms().div_euclid(1000).rem_euclid(86_400);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let every = seconds.duration().as_secs_f64();
            say(&format!("-- {hour:02}:{minute:02}:{second:02} UTC, every {every} s, Ctrl-C ends it"));
            self.statement_in(&text, &manner, None)?;
            if !self.wait(seconds.duration()) {
                return Ok(());
            }
        }
    }

    fn print_buffer(&self) -> Result<(), Failure> {
        match self.meant() {
            Some(text) => print(&format!("{text}\n")),
            None => {
                say("there is no statement yet");
                Ok(())
            }
        }
    }

    fn write(&self, path: &Path) -> Result<(), Failure> {
        let mut file = self.create(path)?;
        writeln!(file, "{};", self.meant().unwrap_or_default())?;
        Ok(file.flush()?)
    }

    fn print_history(&self, path: Option<&Path>) -> Result<(), Failure> {
        let mut text = String::new();
        for entry in self.editor.entries() {
            text.push_str(&entry);
            text.push('\n');
        }
        match path {
            None => print(&text),
            Some(path) => {
                let mut file = self.create(path)?;
                file.write_all(text.as_bytes())?;
                Ok(file.flush()?)
            }
        }
    }

    /// Has the person edit the statement. What is whole of it then is run; the rest stands on the line.
    fn edit(&mut self, path: Option<&Path>) -> Result<(), Failure> {
        let scratch = tempfile::Builder::new().prefix("hosu-").suffix(".sql").tempfile()?;
        let path = match path {
            Some(path) => self.path(path),
            None => {
                let mut text = self.meant().unwrap_or_default();
                text.push('\n');
                fs::write(scratch.path(), text)?;
                scratch.path().to_owned()
            }
        };
        let environment = &self.context.environment;
        let editor = environment.first(&[environment::VISUAL, environment::EDITOR]).unwrap_or("vi");
        // As other programs do: the variable may have arguments in it.
        let mut process = Process::new("/bin/sh");
        process.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&path);
        let failed = |what: String| {
            Failure::new("EDITOR", format!("the editor `{editor}` {what}"))
                .remedy("VISUAL or EDITOR names the one that \\e starts; the statement is as it was")
        };
        let status = process.current_dir(&self.context.folder).status();
        let status = status.map_err(|error| failed(format!("cannot be started: {error}")))?;
        if !status.success() {
            return Err(failed(format!("failed: {status}")));
        }
        let text = fs::read_to_string(&path).map_err(|error| failed(format!("left no text: {error}")))?;
        let text = text.trim_end();
        let behind = text.rfind(';').map_or(0, |at| at + 1);
        if behind == text.len() {
            self.typed = text.to_owned();
            self.pending.replace_buffer(text);
        } else {
            self.pending.replace_buffer("");
            self.initial = text.to_owned();
        }
        Ok(())
    }

    fn system(&self, command: &str) -> Result<(), Failure> {
        let mut process = Process::new("/bin/sh");
        if !command.is_empty() {
            process.args(["-c", command]);
        }
        let status = process.current_dir(&self.context.folder).status();
        match status {
            Ok(status) if !status.success() => say(&format!("it ended with {status}")),
            Ok(_) => {}
            Err(error) => say(&format!("error: cannot start /bin/sh: {error}")),
        }
        Ok(())
    }

    fn change_folder(&mut self, path: Option<PathBuf>) -> Result<(), Failure> {
        let path = self.path(&path.unwrap_or_else(|| PathBuf::from("~")));
        std::env::set_current_dir(&path).map_err(|error| {
            Failure::new("FILE_UNREADABLE", format!("cannot change to {}: {error}", path.display()))
                .remedy("name a folder")
        })?;
        self.context.folder = path;
        Ok(())
    }
}

/// To standard output: what was asked for.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
