//! One statement run and shown: its rows in the wanted layout, its figures, its errors with their place. `hosu sql` and the
//! shell both come here, so that a statement looks the same wherever it is written.

mod figures;
mod pager;
mod progress;
mod rows;
mod screen;
mod sink;

use std::io::{self, IsTerminal, Write};

use hosu_dialect::{At, Statement};
use hosu_sql::{Answer, Live, Session, SqlError};

use crate::args::{Output, RowFormat};
use crate::commands::Context;
use crate::failure::Failure;
use crate::print::Look;
use screen::Screen;
use sink::Sink;

pub use crate::print::Expanded;
pub use figures::figures;
pub use pager::has_terminal as pager_has_terminal;
pub use progress::{ProgressLine, words};
pub use rows::print_rows;
pub use sink::Wanted;

/// How answers are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The layout of rows.
    pub format: RowFormat,
    /// Whether a table is turned on its side.
    pub expanded: Expanded,
    /// What stands for NULL in the layouts for people.
    pub null: String,
    /// Whether answers that are larger than the screen may go into a pager; only ever on a terminal.
    pub pager: bool,
    /// Whether a short table goes there too when it is wider than the screen, if it is not turned.
    pub pages_wide: bool,
    /// Whether a line of figures follows each answer.
    pub figures: bool,
}

/// Where rows go. Figures and errors are always for the screen.
pub enum Target<'a> {
    /// Standard output.
    Screen,
    /// A file, as `\o` names it.
    Writer(&'a mut dyn Write),
}

impl Manner {
    /// As `--format` asks for it, and as a terminal likes it.
    pub fn new(format: RowFormat) -> Self {
        let null = "NULL".to_owned();
        Self { format, expanded: Expanded::Auto, null, pager: true, pages_wide: true, figures: true }
    }

    fn look(&self, screen: Option<&Screen>) -> Look {
        let pager = screen.and_then(|screen| screen.pager.as_ref()).filter(|_| self.pager);
        Look {
            null: self.null.clone(),
            // What may go into a pager must be right in it.
            dims_null: screen.is_some_and(|screen| screen.has_colours)
                && pager.is_none_or(|pager| pager.has_colours),
            expanded: self.expanded,
            screen_width: screen.map(|screen| screen.width),
        }
    }

    /// Whether wide lines are wanted: who has a table turned when it is wide sees what is wide only in other layouts.
    fn pages_wide(&self) -> bool {
        self.pages_wide && self.format == RowFormat::Table && self.expanded == Expanded::Off
    }
}

/// Runs a statement of `text` and shows what it answers. Who drops this cancels the statement, and nothing of what was drawn
/// stays on the screen but rows.
///
/// # Errors
/// Those of the statement, with their place in `text`, and those of the target.
pub async fn statement(
    session: &mut Session,
    statement: &At<Statement>,
    text: &str,
    manner: &Manner,
    target: Target<'_>,
    context: &Context,
) -> Result<(), Failure> {
    let live = Live::default();
    let mut drawn = progress_line(&live, context);
    let failed = |error: SqlError| Failure::from(error).in_text(text);
    let mut answer = session.run_live(statement, &live).await.map_err(failed)?;
    let shown = show(&mut answer, manner, target, &mut drawn, context).await;
    drawn.hide();
    let wanted = shown.map_err(|failure| failure.in_text(text))?;
    if context.output == Output::Text && manner.figures {
        let has_rows = !answer.columns().is_empty();
        let line = figures(&answer.stats(), has_rows, wanted, context.config.query.price_per_tib);
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
    Ok(())
}

fn progress_line(live: &Live, context: &Context) -> ProgressLine {
    if context.output == Output::Text && io::stderr().is_terminal() {
        ProgressLine::start(live.clone(), context.catalog.host().clock.clone())
    } else {
        ProgressLine::none()
    }
}

async fn show(
    answer: &mut Answer,
    manner: &Manner,
    target: Target<'_>,
    drawn: &mut ProgressLine,
    context: &Context,
) -> Result<Wanted, Failure> {
    let screen = match &target {
        Target::Screen if context.output == Output::Text => Screen::of_stdout(&context.environment),
        _ => None,
    };
    let look = manner.look(screen.as_ref());
    let mut sink = match (target, screen) {
        (Target::Writer(out), _) => Sink::Writer(out),
        (Target::Screen, None) => Sink::stdout()?,
        (Target::Screen, Some(mut screen)) => {
            screen.pager = screen.pager.filter(|_| manner.pager);
            Sink::screen(screen, manner.pages_wide(), context.catalog.host().clock.clone())
        }
    };
    let poured = match context.output {
        Output::Json => rows::pour_json(answer, &mut sink, drawn, context).await.map(|()| Wanted::More),
        Output::Text => rows::pour(answer, manner.format, &look, &mut sink, drawn).await,
    };
    // What was printed before an error is shown, and read, before the error.
    let finished = sink.finish(drawn).await;
    let wanted = poured?;
    finished?;
    Ok(wanted)
}
