//! Where the text of an answer goes: a writer, standard output, or a screen, on which a long answer gets a pager.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

use hosu_host::Clock;
use tokio::io::AsyncWriteExt;

use super::pager::RunningPager;
use super::progress::ProgressLine;
use super::screen::Screen;
use crate::print::width;

/// What is collected before it is handed on.
pub const CHUNK_BYTES: usize = 64 << 10;

/// A place for text.
pub enum Sink<'a> {
    /// Somebody else's.
    Writer(&'a mut dyn Write),
    /// A pipe or a file. Written to apart from the query, so that a reader who is slow can still be interrupted.
    Stdout(tokio::fs::File),
    /// A person's screen.
    Screen(Box<OnScreen>),
}

/// Whether anybody wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Go on.
    More,
    /// The reader has quit the pager.
    Enough,
}

/// What is on its way to a screen: held back until it is known whether it fits.
pub struct OnScreen {
    screen: Screen,
    clock: Arc<dyn Clock>,
    /// Whether lines that are wider than the screen are for a pager as well.
    pages_wide: bool,
    held: Vec<u8>,
    stage: Stage,
}

enum Stage {
    /// It may fit.
    Held,
    /// There is no pager.
    Plain(tokio::fs::File),
    /// It does not fit.
    Paged(RunningPager),
    /// The pager was quit.
    Over,
}

impl Sink<'_> {
    /// Standard output, whatever it is.
    ///
    /// # Errors
    /// When it is closed.
    pub fn stdout() -> io::Result<Self> {
        Ok(Self::Stdout(stdout_file()?))
    }

    /// A screen.
    pub fn screen(screen: Screen, pages_wide: bool, clock: Arc<dyn Clock>) -> Self {
        let held = Vec::new();
        Self::Screen(Box::new(OnScreen { screen, clock, pages_wide, held, stage: Stage::Held }))
    }

    /// Takes all of `text`. What is drawn on the screen is put away before anything else appears there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn take(&mut self, text: &mut Vec<u8>, drawn: &mut ProgressLine) -> io::Result<Wanted> {
        let wanted = match self {
            Self::Writer(out) => out.write_all(text).map(|()| Wanted::More),
            Self::Stdout(out) => out.write_all(text).await.map(|()| Wanted::More),
            Self::Screen(screen) => screen.take(text, drawn).await,
        };
        text.clear();
        // One very long value must not stay in memory.
        text.shrink_to(CHUNK_BYTES * 2);
        wanted
    }

    /// Ends when the reader quits the pager; never where there is none.
    pub async fn quit(&mut self) {
        if let Self::Screen(screen) = self
            && let Stage::Paged(pager) = &mut screen.stage
        {
            return pager.quit().await;
        }
        std::future::pending().await
    }

    /// Everything has been taken: waits until it is written, and read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn finish(self, drawn: &mut ProgressLine) -> io::Result<()> {
        match self {
            Self::Writer(out) => out.flush(),
            Self::Stdout(mut out) => out.flush().await,
            Self::Screen(screen) => screen.finish(drawn).await,
        }
    }
}

impl OnScreen {
    async fn take(&mut self, text: &[u8], drawn: &mut ProgressLine) -> io::Result<Wanted> {
        match &mut self.stage {
            Stage::Held => {
                self.held.extend_from_slice(text);
                if !self.fits() {
                    drawn.hide();
                    self.stage = match &self.screen.pager {
                        Some(pager) => Stage::Paged(RunningPager::start(pager, self.clock.clone())?),
                        None => Stage::Plain(stdout_file()?),
                    };
                    let held = std::mem::take(&mut self.held);
                    return Box::pin(self.take(&held, drawn)).await;
                }
                Ok(Wanted::More)
            }
            Stage::Plain(out) => {
                out.write_all(text).await?;
                out.flush().await?;
                Ok(Wanted::More)
            }
            Stage::Paged(pager) => {
                if pager.write(text).await? {
                    return Ok(Wanted::More);
                }
                if let Stage::Paged(pager) = std::mem::replace(&mut self.stage, Stage::Over) {
                    pager.finish().await;
                }
                Ok(Wanted::Enough)
            }
            Stage::Over => Ok(Wanted::Enough),
        }
    }

    /// Whether what is held can be seen at a glance: the prompt and the figures need a line each.
    fn fits(&self) -> bool {
        let lines_max = self.screen.height.saturating_sub(2).max(1);
        if self.held.len() > lines_max.saturating_mul(self.screen.width).saturating_mul(8) {
            return false;
        }
        let text = String::from_utf8_lossy(&self.held);
        let mut lines = 0;
        for line in text.lines() {
            let line_width = width(line);
            if self.pages_wide && self.screen.pager.is_some() && line_width > self.screen.width {
                return false;
            }
            lines += line_width.div_ceil(self.screen.width).max(1);
        }
        lines <= lines_max
    }

    async fn finish(self, drawn: &mut ProgressLine) -> io::Result<()> {
        drawn.hide();
        match self.stage {
            Stage::Held => {
                let mut out = stdout_file()?;
                out.write_all(&self.held).await?;
                out.flush().await
            }
            Stage::Plain(mut out) => out.flush().await,
            Stage::Paged(pager) => {
                pager.finish().await;
                Ok(())
            }
            Stage::Over => Ok(()),
        }
    }
}

fn stdout_file() -> io::Result<tokio::fs::File> {
    // What was printed before stands before.
    io::stdout().flush()?;
    Ok(tokio::fs::File::from_std(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_screen(width: usize, height: usize, pages_wide: bool, text: &str) -> bool {
        let pager = super::super::screen::Pager { command: "x".to_owned(), less: None, has_colours: false };
        let screen = Screen { width, height, has_colours: false, pager: Some(pager) };
        let clock = Arc::new(hosu_host::SystemClock::new());
        let held = text.as_bytes().to_vec();
        OnScreen { screen, clock, pages_wide, held, stage: Stage::Held }.fits()
    }

    #[test]
    fn what_is_larger_than_the_screen_does_not_fit() {
        assert!(on_screen(5, 3, false, "12345\n"));
        assert!(!on_screen(5, 3, false, "1\n2\n"));
        assert!(!on_screen(5, 3, false, "123456\n"), "it takes two lines");
        assert!(on_screen(5, 4, false, "123456\n"));
        assert!(!on_screen(5, 4, true, "123456\n"), "wide lines are for the pager");
        assert!(on_screen(6, 3, true, "한국어\n") && !on_screen(5, 4, true, "한국어\n"));
        assert!(on_screen(5, 1, false, "1\n"), "one line always fits");
        assert!(!on_screen(80, 24, false, &"x".repeat(80 * 24 * 9)));
    }
}
