//! Commands of the shell: lines that begin with a backslash, as psql has them, and the dots of DuckDB's shell for those who
//! are used to them.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use hosu_table::name::nearest;

use crate::args::RowFormat;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `\?`
    Help,
    /// `\h [statement]`
    SqlHelp(String),
    /// `\q`
    Quit,
    /// `\d`, `\d+`: a table.
    Describe { table: String, more: bool },
    /// `\d`, `\dt`: tables of a database.
    Tables(Option<String>),
    /// `\l`, `\dn`
    Databases(Option<String>),
    /// `\sc`: how a table was made.
    ShowCreate(String),
    /// `\df`
    Functions(Option<String>),
    /// `\c`, `\use`; without a name it tells where we are.
    Use(Option<String>),
    /// `\conninfo`
    Where,
    /// `\timing [on|off]`; without a word the other way round, as all switches.
    Timing(Option<bool>),
    /// `\x [on|off|auto]`
    Expanded(Option<Switch>),
    /// `\format NAME`, `\pset format NAME`; without a name it tells which.
    Format(Option<RowFormat>),
    /// `\pset null TEXT`
    Null(String),
    /// `\pset pager on|off`
    Pager(Option<bool>),
    /// `\pset`: how everything is set.
    Settings,
    /// `\o [FILE]`
    Output(Option<PathBuf>),
    /// `\i FILE`
    Include(PathBuf),
    /// `\e [FILE]`
    Edit(Option<PathBuf>),
    /// `\w FILE`
    Write(PathBuf),
    /// `\g`, `\gx`, `\g FILE`
    Go { expanded: bool, file: Option<PathBuf> },
    /// `\watch [SECONDS]`
    Watch(Seconds),
    /// `\p`
    Print,
    /// `\r`
    Reset,
    /// `\s [FILE]`
    History(Option<PathBuf>),
    /// `\! [COMMAND]`
    System(String),
    /// `\cd [FOLDER]`
    ChangeFolder(Option<PathBuf>),
    /// `\echo TEXT`
    Echo(String),
}

/// A switch that can be left to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Always.
    On,
    /// Never.
    Off,
    /// When it is better.
    Auto,
}

/// Between two runs, in milliseconds, so that commands can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(u64);

impl Seconds {
    /// Of a text like `5` or `0.5`; a day at most.
    fn parse(text: &str) -> Option<Self> {
        let seconds: f64 = text.parse().ok()?;
        (0.1..=86_400.0).contains(&seconds).then_some(Self((seconds * 1000.0) as u64))
    }

    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// A command as the help lists it: names, arguments, what it does. An empty name begins a group.
pub type Listed = (&'static [&'static str], &'static str, &'static str);

/// All commands, in the order of the help.
pub const COMMANDS: &[Listed] = &[
    (&[], "", "Run"),
    (&["g"], "[FILE]", "run the statement, or the last one again; its rows into FILE"),
    (&["gx"], "", "the same, one line a value"),
    (&["watch"], "[SECONDS]", "run it again and again until Ctrl-C; every 2 seconds"),
    (&["i", "include"], "FILE", "run the statements and commands of a file, until the first error"),
    (&[], "", "Statement that is being typed"),
    (&["p", "print"], "", "print it"),
    (&["r", "reset"], "", "forget it"),
    (&["e", "edit"], "[FILE]", "edit it, or the last one, or a file, in $VISUAL or $EDITOR"),
    (&["w", "write"], "FILE", "write it to a file"),
    (&["s", "history"], "[FILE]", "print or write what was typed before; Ctrl-R searches in it"),
    (&[], "", "What there is"),
    (&["d", "describe"], "[TABLE]", "columns and partitions of a table; tables of this database"),
    (&["d+"], "TABLE", "the same with location, snapshot and size"),
    (&["dt", "tables"], "[PATTERN]", "tables: `ev*`, `game.*`"),
    (&["l", "dn", "list", "databases"], "[PATTERN]", "databases"),
    (&["df", "functions"], "[PATTERN]", "functions: what they take and do"),
    (&["sc", "schema"], "TABLE", "the statement that makes such a table"),
    (&["c", "connect", "use"], "[DATABASE]", "change to a database"),
    (&["conninfo"], "", "which lake and database this is"),
    (&[], "", "How rows are shown"),
    (&["x"], "[on|off|auto]", "one line a value; auto: when a row is wider than the screen"),
    (&["format"], "[NAME]", "table, csv, tsv, json, ndjson, markdown, vertical"),
    (&["timing"], "[on|off]", "the line of figures behind each result"),
    (&["o", "out"], "[FILE]", "rows into a file; without FILE on the screen again"),
    (&["pset"], "[NAME [VALUE]]", "null TEXT, format NAME, expanded on|off|auto, pager on|off"),
    (&[], "", "Other"),
    (&["!"], "[COMMAND]", "run a command of the system, or its shell"),
    (&["cd"], "[FOLDER]", "change the current folder"),
    (&["echo", "qecho"], "TEXT", "print a text"),
    (&["h"], "[STATEMENT]", "how statements are written"),
    (&["?", "help"], "", "this page"),
    (&["q", "quit"], "", "leave, as Ctrl-D"),
];

/// What other shells write with a dot, and what it is here. Arguments follow.
const DOTS: &[(&str, &str)] = &[
    ("tables", "dt"),
    ("schema", "sc"),
    ("databases", "l"),
    ("columns", "d"),
    ("indexes", "d"),
    ("mode", "format"),
    ("timer", "timing"),
    ("nullvalue", "pset null"),
    ("output", "o"),
    ("once", "g"),
    ("read", "i"),
    ("edit", "e"),
    ("print", "echo"),
    ("shell", "!"),
    ("system", "!"),
    ("cd", "cd"),
    ("show", "pset"),
    ("open", "c"),
    ("help", "?"),
    ("quit", "q"),
    ("exit", "q"),
];

/// The command on a line; else one sentence about what is wrong with it.
pub fn parse(line: &str) -> Result<Command, String> {
    let line = match line.strip_prefix('.') {
        Some(dotted) => undotted(dotted)?,
        None => line.to_owned(),
    };
    let line = line.trim_start_matches('\\').trim();
    let at = line.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(line.len());
    let (mut name, mut rest) = line.split_at(at);
    // `\!ls` needs no blank.
    if let Some(command) = line.strip_prefix('!') {
        (name, rest) = ("!", command);
    }
    let known = |name: &str| COMMANDS.iter().find(|(names, ..)| names.contains(&name));
    let lower = name.to_lowercase();
    let Some(listed) = known(name).or_else(|| known(&lower)) else { return Err(unknown(name)) };
    let first = listed.0.first().copied().unwrap_or_default();
    if first == "!" {
        return Ok(Command::System(rest.trim().to_owned()));
    }
    // Statements end in `;`, so hands write it behind commands too.
    let rest = rest.trim().trim_end_matches(';').trim_end();
    Arguments { name: first, usage: listed.1, words: words(rest), rest }.command()
}

fn undotted(dotted: &str) -> Result<String, String> {
    let at = dotted.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(dotted.len());
    let (name, rest) = dotted.split_at(at);
    match DOTS.iter().find(|(dot, _)| dot.eq_ignore_ascii_case(name)) {
        Some((_, command)) => Ok(format!("{command} {rest}")),
        None => {
            let near = nearest(name, DOTS.iter().map(|(dot, _)| *dot));
            let near = near.map(|near| format!(": did you mean .{near}?")).unwrap_or_default();
            Err(format!("there is no command .{name}{near} (\\? lists all)"))
        }
    }
}

fn unknown(name: &str) -> String {
    let lower = name.to_lowercase();
    let names = || COMMANDS.iter().flat_map(|(names, ..)| names.iter().copied());
    // Of short names nearly all are near; the first letter is seldom the wrong one.
    let near = nearest(&lower, names().filter(|known| lower.get(..1) == known.get(..1)));
    let near = near.or_else(|| if lower.len() > 2 { nearest(&lower, names()) } else { None });
    let near = near.map(|near| format!(": did you mean \\{near}?")).unwrap_or_default();
    format!("there is no command \\{name}{near} (\\? lists all)")
}

/// Words apart by blanks; quotes hold one together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

struct Arguments<'a> {
    name: &'a str,
    usage: &'a str,
    words: Vec<String>,
    rest: &'a str,
}

impl Arguments<'_> {
    fn command(self) -> Result<Command, String> {
        Ok(match self.name {
            "g" => Command::Go { expanded: false, file: self.one()?.map(PathBuf::from) },
            "gx" => Command::Go { expanded: true, file: self.one()?.map(PathBuf::from) },
            "watch" => Command::Watch(self.seconds()?),
            "i" => Command::Include(PathBuf::from(self.needed()?)),
            "p" => Command::Print,
            "r" => Command::Reset,
            "e" => Command::Edit(self.one()?.map(PathBuf::from)),
            "w" => Command::Write(PathBuf::from(self.needed()?)),
            "s" => Command::History(self.one()?.map(PathBuf::from)),
            "d" => match self.name_or_pattern()? {
                Some(table) if !table.contains('*') => Command::Describe { table, more: false },
                pattern => Command::Tables(pattern),
            },
            "d+" => Command::Describe { table: self.needed()?, more: true },
            "dt" => Command::Tables(self.name_or_pattern()?),
            "l" => Command::Databases(self.name_or_pattern()?),
            "df" => Command::Functions(self.name_or_pattern()?),
            "sc" => Command::ShowCreate(self.needed()?),
            "c" => Command::Use(self.one()?),
            "conninfo" => Command::Where,
            "x" => Command::Expanded(self.switch()?),
            "format" => Command::Format(self.format(self.words.first())?),
            "timing" => Command::Timing(self.on_off(self.words.first())?),
            "o" => Command::Output(self.one()?.map(PathBuf::from)),
            "pset" => return self.pset(),
            "cd" => Command::ChangeFolder(self.one()?.map(PathBuf::from)),
            "echo" => Command::Echo(self.words.join(" ")),
            "h" => Command::SqlHelp(self.rest.to_owned()),
            "q" => Command::Quit,
            _ => Command::Help,
        })
    }

    fn wrong(&self) -> String {
        format!("write it as \\{} {}", self.name, self.usage)
    }

    fn one(&self) -> Result<Option<String>, String> {
        match self.words.as_slice() {
            [] => Ok(None),
            [word] => Ok(Some(word.clone())),
            _ => Err(self.wrong()),
        }
    }

    fn needed(&self) -> Result<String, String> {
        self.one()?.ok_or_else(|| self.wrong())
    }

    /// psql's `%` and DuckDB's are taken for `*`.
    fn name_or_pattern(&self) -> Result<Option<String>, String> {
        Ok(self.one()?.map(|word| word.replace('%', "*")))
    }

    fn seconds(&self) -> Result<Seconds, String> {
        let word = self.one()?.unwrap_or_else(|| "2".to_owned());
        // psql's newer way of writing it.
        let word = word.strip_prefix("i=").unwrap_or(&word);
        Seconds::parse(word).ok_or_else(|| self.wrong())
    }

    fn on_off(&self, word: Option<&String>) -> Result<Option<bool>, String> {
        match word.map(|word| word.to_lowercase()).as_deref() {
            None => Ok(None),
            Some("on" | "true" | "yes" | "1") => Ok(Some(true)),
            Some("off" | "false" | "no" | "0") => Ok(Some(false)),
            Some(_) => Err(self.wrong()),
        }
    }

    fn switch(&self) -> Result<Option<Switch>, String> {
        self.switch_of(self.words.first())
    }

    fn switch_of(&self, word: Option<&String>) -> Result<Option<Switch>, String> {
        if word.is_some_and(|word| word.eq_ignore_ascii_case("auto")) {
            return Ok(Some(Switch::Auto));
        }
        Ok(self.on_off(word)?.map(|on| if on { Switch::On } else { Switch::Off }))
    }

    fn format(&self, word: Option<&String>) -> Result<Option<RowFormat>, String> {
        let Some(word) = word else { return Ok(None) };
        let name = match word.to_lowercase().as_str() {
            // What others call it.
            "aligned" | "duckbox" | "box" | "column" => "table".to_owned(),
            "tabs" => "tsv".to_owned(),
            "line" => "vertical".to_owned(),
            "jsonlines" | "jsonl" => "ndjson".to_owned(),
            name => name.to_owned(),
        };
        let known = RowFormat::from_str(&name, true);
        known.map(Some).map_err(|_| {
            format!("there is no format {word}: table, csv, tsv, json, ndjson, markdown, vertical")
        })
    }

    fn pset(&self) -> Result<Command, String> {
        let value = self.words.get(1);
        let too_many = self.words.len() > 2;
        match self.words.first().map(String::as_str) {
            _ if too_many => Err(self.wrong()),
            None => Ok(Command::Settings),
            Some("null") => Ok(Command::Null(value.cloned().unwrap_or_default())),
            Some("format") => Ok(Command::Format(self.format(value)?)),
            Some("expanded" | "x") => Ok(Command::Expanded(self.switch_of(value)?)),
            Some("pager") => Ok(Command::Pager(self.on_off(value)?)),
            Some(_) => Err(self.wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arguments_are_read() {
        let path = |text: &str| Some(PathBuf::from(text));
        for (line, expected) in [
            ("\\q", Command::Quit),
            ("\\q;", Command::Quit),
            ("\\d", Command::Tables(None)),
            ("\\d game.events;", Command::Describe { table: "game.events".into(), more: false }),
            ("\\d ev%", Command::Tables(Some("ev*".into()))),
            ("\\d+ t", Command::Describe { table: "t".into(), more: true }),
            ("\\DT", Command::Tables(None)),
            ("\\x", Command::Expanded(None)),
            ("\\x auto", Command::Expanded(Some(Switch::Auto))),
            ("\\pset expanded off", Command::Expanded(Some(Switch::Off))),
            ("\\timing OFF", Command::Timing(Some(false))),
            ("\\pset null '(none)'", Command::Null("(none)".into())),
            ("\\pset null ''", Command::Null(String::new())),
            ("\\pset", Command::Settings),
            ("\\format CSV", Command::Format(Some(RowFormat::Csv))),
            ("\\o 'a b.csv'", Command::Output(path("a b.csv"))),
            ("\\o", Command::Output(None)),
            ("\\gx", Command::Go { expanded: true, file: None }),
            ("\\g out.txt", Command::Go { expanded: false, file: path("out.txt") }),
            ("\\!ls -l; pwd", Command::System("ls -l; pwd".into())),
            ("\\! ls", Command::System("ls".into())),
            ("\\use game", Command::Use(Some("game".into()))),
            ("\\c", Command::Use(None)),
            (".tables", Command::Tables(None)),
            (".mode line", Command::Format(Some(RowFormat::Vertical))),
            (".nullvalue x", Command::Null("x".into())),
            (".exit", Command::Quit),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
        assert!(matches!(parse("\\watch 0.5"), Ok(Command::Watch(s)) if s.duration().as_millis() == 500));
        assert!(matches!(parse("\\watch"), Ok(Command::Watch(s)) if s.duration().as_secs() == 2));
    }

    #[test]
    fn a_mistake_is_one_line_with_the_nearest_name() {
        for (line, expected) in [
            ("\\timin", "there is no command \\timin: did you mean \\timing? (\\? lists all)"),
            ("\\wacth 5", "there is no command \\wacth: did you mean \\watch? (\\? lists all)"),
            (".tabels", "there is no command .tabels: did you mean .tables? (\\? lists all)"),
            ("\\dx", "there is no command \\dx: did you mean \\d? (\\? lists all)"),
            ("\\zzzzzz", "there is no command \\zzzzzz (\\? lists all)"),
            ("\\i", "write it as \\i FILE"),
            ("\\timing maybe", "write it as \\timing [on|off]"),
            ("\\watch soon", "write it as \\watch [SECONDS]"),
        ] {
            assert_eq!(parse(line), Err(expected.to_owned()), "{line}");
        }
        assert!(parse("\\").is_err() && parse("\\ㅁ").is_err());
        assert!(parse("\\format xml").unwrap_err().contains("ndjson"));
        assert!(parse("\\d a b").is_err());
    }

    #[test]
    fn each_name_is_listed_once_and_can_be_parsed() {
        let names: Vec<&str> = COMMANDS.iter().flat_map(|(names, ..)| names.iter().copied()).collect();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
            let line = format!("\\{name} a");
            let unknown = parse(&line).is_err_and(|error| error.contains("no command"));
            assert!(!unknown, "{name}");
        }
        for (dot, _) in DOTS {
            assert!(!parse(&format!(".{dot} a")).is_err_and(|error| error.contains("no command")), "{dot}");
        }
    }
}
