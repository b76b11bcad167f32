//! One statement of the shell: run so that Ctrl-C ends it, a mistake of ours does not end the shell, and what it changed is known
//! to those who complete names.

use std::fs::File;
use std::future::Future;
use std::io::{BufWriter, Write};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::Ordering;

use futures::FutureExt;
use hosu_dialect::{At, Ident, Position, Statement, WordKind, scan};
use hosu_sql::SqlError;
use tokio::signal::unix::{SignalKind, signal};

use super::Shell;
use crate::failure::Failure;
use crate::show::{self, Manner, Target};

/// How a piece of work ended.
enum End<T> {
    Done(T),
    /// By Ctrl-C.
    Cancelled,
    /// By the request to end the process.
    Stopped,
    /// By a mistake of ours.
    Panicked,
}

impl Shell {
    /// Runs a statement as everything is set.
    pub(super) fn statement(&mut self, text: &str) -> Result<(), Failure> {
        let manner = self.manner.clone();
        self.statement_in(text, &manner, None)
    }

    /// Runs a statement in this manner, its rows into a file of its own if there is one.
    pub(super) fn statement_in(
        &mut self,
        text: &str,
        manner: &Manner,
        file: Option<&Path>,
    ) -> Result<(), Failure> {
        if let Some(database) = used_database(text) {
            return self.use_database(&database).map_err(|failure| failure.in_text(text));
        }
        let statement = match hosu_dialect::statements(text).next() {
            Some(parsed) => parsed.map_err(|error| Failure::from(SqlError::from(error)).in_text(text))?,
            None => return Ok(()),
        };
        let mut own = file.map(|path| self.create(path)).transpose()?;
        let outcome = {
            let Self { session, context, output, runtime, busy, .. } = self;
            let target = match own.as_mut().or(output.as_mut().map(|(_, file)| file)) {
                Some(file) => Target::Writer(file),
                None => Target::Screen,
            };
            busy.store(true, Ordering::Release);
            let work = show::statement(session, &statement, text, manner, target, context);
            let end = runtime.block_on(until_cancelled(work, &context.stop));
            busy.store(false, Ordering::Release);
            end
        };
        if changes_names(&statement.value) {
            self.names.refresh(self.session.database());
        }
        let outcome = outcome_of(outcome, &statement.value);
        let flushed = match own.as_mut().or(self.output.as_mut().map(|(_, file)| file)) {
            Some(file) => file.flush().map_err(Failure::from),
            None => Ok(()),
        };
        outcome.and(flushed)
    }

    /// Changes the database of tables that are named without one.
    pub(super) fn use_database(&mut self, database: &Ident) -> Result<(), Failure> {
        let Self { session, context, runtime, .. } = self;
        match runtime.block_on(until_cancelled(session.use_database(database), &context.stop)) {
            End::Done(outcome) => outcome?,
            End::Cancelled | End::Stopped | End::Panicked => return Err(cancelled("")),
        }
        self.names.refresh(self.session.database());
        Ok(())
    }

    /// Waits until Ctrl-C; whether the time passed without it.
    pub(super) fn wait(&self, duration: std::time::Duration) -> bool {
        let clock = self.context.catalog.host().clock.clone();
        matches!(
            self.runtime.block_on(until_cancelled(clock.sleep(duration), &self.context.stop)),
            End::Done(())
        )
    }

    /// A file to write to, counted from the current folder.
    pub(super) fn create(&self, path: &Path) -> Result<BufWriter<File>, Failure> {
        let path = self.path(path);
        let file = File::create(&path).map_err(|error| {
            Failure::new("FILE_UNWRITABLE", format!("cannot write {}: {error}", path.display()))
                .remedy("name another file")
        })?;
        Ok(BufWriter::new(file))
    }
}

async fn until_cancelled<T>(work: impl Future<Output = T>, stop: &hosu_host::Stop) -> End<T> {
    // Before the work begins: it may think long before it first waits for something.
    let interrupts = signal(SignalKind::interrupt());
    let interrupted = async {
        // Without them only the request to end is heard.
        let Ok(mut interrupts) = interrupts else { return std::future::pending().await };
        while interrupts.recv().await.is_some() && show::pager_has_terminal() {}
    };
    tokio::select! {
        biased;
        done = AssertUnwindSafe(work).catch_unwind() => done.map_or(End::Panicked, End::Done),
        () = interrupted => {
            // Behind the terminal's `^C`.
            super::say("");
            End::Cancelled
        }
        () = stop.asked() => End::Stopped,
    }
}

fn outcome_of(end: End<Result<(), Failure>>, statement: &Statement) -> Result<(), Failure> {
    let unknown = if changes_rows(statement) || changes_names(statement) {
        "; it is done as a whole or not at all: look before you run it again"
    } else {
        ""
    };
    match end {
        End::Done(outcome) => outcome,
        End::Cancelled | End::Stopped => Err(cancelled(unknown)),
        End::Panicked => {
            Err(Failure::new("INTERNAL", format!("the statement failed by a mistake of Hosu{unknown}"))
                .remedy("please report it with what is printed above; the shell goes on"))
        }
    }
}

fn cancelled(more: &str) -> Failure {
    Failure::new("CANCELLED", format!("cancelled{more}"))
}

fn changes_rows(statement: &Statement) -> bool {
    matches!(statement, Statement::Insert(_))
}

fn changes_names(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateDatabase(_)
            | Statement::DropDatabase { .. }
            | Statement::CreateTable(_)
            | Statement::DropTable { .. }
    )
}

/// The database of `USE database`, which is the shell's alone: Athena has no such statement.
fn used_database(text: &str) -> Option<Ident> {
    let mut words = scan(text).filter(|word| word.kind != WordKind::Comment);
    let first = words.next().filter(|word| text[word.start..word.end].eq_ignore_ascii_case("use"))?;
    let (name, rest) = (words.next()?, words.next());
    if rest.is_some() || name.open {
        return None;
    }
    let written = &text[name.start..name.end];
    let value = match name.kind {
        WordKind::Word => written.to_owned(),
        WordKind::Name => written.get(1..written.len() - 1)?.to_owned(),
        _ => return None,
    };
    Some(At::new(value, Position::START.after(&text[..first.start]).after(&text[first.start..name.start])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_known_with_any_quotes() {
        for text in ["use game", "USE \"game\"", "use `game`", "-- a\nuse /* b */ game"] {
            assert_eq!(used_database(text).map(|name| name.value).as_deref(), Some("game"), "{text}");
        }
        for text in ["select 1", "use", "use a.b", "use 'game'", "user game", ""] {
            assert_eq!(used_database(text), None, "{text}");
        }
        let place = used_database("\nuse  game").map(|name| (name.position.line, name.position.column));
        assert_eq!(place, Some((2, 6)));
    }
}
