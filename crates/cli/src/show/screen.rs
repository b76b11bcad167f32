//! The person's screen: whether there is one, how large it is, which pager it has.

use std::io::{self, IsTerminal};
use std::path::Path;

use crate::environment::{self, Environment};

/// A terminal of this size is assumed where none can be asked.
const WIDTH_DEFAULT: usize = 80;
const HEIGHT_DEFAULT: usize = 24;

/// What a terminal can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Whether it can show a dimmed text.
    pub has_colours: bool,
    /// The command of the pager.
    pub pager: Option<Pager>,
}

/// The program that shows what is larger than the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    /// As a shell understands it.
    pub command: String,
    /// The options of `less`, unless the person has set others.
    pub less: Option<&'static str>,
    /// Whether colours get through it.
    pub has_colours: bool,
}

impl Screen {
    /// The screen behind standard output, if that is a terminal.
    pub fn of_stdout(environment: &Environment) -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(&stdout).ok();
        let asked = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        Some(Self::new(environment, asked))
    }

    fn new(environment: &Environment, asked: Option<(usize, usize)>) -> Self {
        // As everywhere, who sets the variable means it.
        let set = |name: &str| environment.get(name)?.parse().ok().filter(|size: &usize| *size > 0);
        let known = asked.filter(|(width, height)| *width > 0 && *height > 0);
        let (width, height) = known.unwrap_or((WIDTH_DEFAULT, HEIGHT_DEFAULT));
        let is_dumb = environment.get(environment::TERM).is_none_or(|term| term == "dumb");
        Self {
            width: set(environment::COLUMNS).unwrap_or(width),
            height: set(environment::LINES).unwrap_or(height),
            has_colours: !is_dumb && environment.get(environment::NO_COLOR).is_none(),
            pager: if is_dumb { None } else { Pager::of(environment) },
        }
    }
}

impl Pager {
    /// The person's pager, else `less` where there is one. A variable that is set to nothing, or to `cat`, wants none.
    fn of(environment: &Environment) -> Option<Self> {
        let wished = [environment::HOSU_PAGER, environment::PAGER]
            .iter()
            .find_map(|name| environment.as_set(name))
            .map(str::trim);
        let command = match wished {
            Some("" | "cat") => return None,
            Some(command) => command.to_owned(),
            None if is_program(environment, "less") => "less".to_owned(),
            None => return None,
        };
        let program = command.split_whitespace().next().unwrap_or_default();
        let is_less = Path::new(program).file_name().is_some_and(|name| name == "less");
        let options = environment.get(environment::LESS);
        let has_colours = is_less && options.is_none_or(|options| options.contains(['r', 'R']));
        let less = if options.is_none() { Some("RSX") } else { None };
        Some(Self { command, less, has_colours })
    }
}

fn is_program(environment: &Environment, name: &str) -> bool {
    let folders = environment.get(environment::PATH).unwrap_or_default();
    std::env::split_paths(folders).any(|folder| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(variables: &[(&str, &str)], asked: Option<(usize, usize)>) -> Screen {
        Screen::new(&Environment::made_up(Path::new("/"), variables.iter().copied()), asked)
    }

    #[test]
    fn the_size_is_what_is_set_then_what_the_terminal_says() {
        let size = |screen: Screen| (screen.width, screen.height);
        assert_eq!(size(screen(&[], Some((5, 3)))), (5, 3));
        assert_eq!(size(screen(&[("COLUMNS", "120")], Some((5, 3)))), (120, 3));
        assert_eq!(size(screen(&[("COLUMNS", "0"), ("LINES", "x")], Some((0, 0)))), (80, 24));
        assert_eq!(size(screen(&[], None)), (80, 24));
    }

    #[test]
    fn a_pager_is_the_persons_own_first() {
        let pager = |variables: &[(&str, &str)]| {
            screen(&[variables, &[("TERM", "xterm")]].concat(), None).pager.map(|pager| pager.command)
        };
        assert_eq!(pager(&[("PAGER", "more"), ("HOSU_PAGER", "less -M")]), Some("less -M".to_owned()));
        assert_eq!(pager(&[("PAGER", "more")]), Some("more".to_owned()));
        assert_eq!(pager(&[("PAGER", "more"), ("HOSU_PAGER", "")]), None);
        assert_eq!(pager(&[("PAGER", "cat")]), None);
        assert_eq!(pager(&[("PATH", "/nowhere")]), None, "there is no less");
    }

    #[test]
    fn colours_are_for_who_can_show_them() {
        let colours = |variables: &[(&str, &str)]| {
            let screen = screen(variables, None);
            (screen.has_colours, screen.pager.is_some_and(|pager| pager.has_colours))
        };
        assert_eq!(colours(&[("TERM", "xterm"), ("PAGER", "/usr/bin/less -i")]), (true, true));
        assert_eq!(colours(&[("TERM", "xterm"), ("PAGER", "less"), ("LESS", "FX")]), (true, false));
        assert_eq!(colours(&[("TERM", "xterm"), ("PAGER", "more"), ("NO_COLOR", "1")]), (false, false));
        assert_eq!(colours(&[("TERM", "dumb"), ("PAGER", "less")]), (false, false));
        assert_eq!(colours(&[("PAGER", "less")]), (false, false));
    }
}
