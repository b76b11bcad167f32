//! The comment at the start of a job's file, and the TOML in it.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use chrono_tz::{TZ_VARIANTS, Tz};
use hosu_table::name::{TableName, nearest};
use serde::Deserialize;
use toml::Spanned;

use super::{CatchUp, Job, JobFault, Mode, RETRIES_MAX};
use crate::schedule::{Schedule, interval_ms};

const OPEN: &str = "/*";
const MARK: &str = "hosu:job";
const CLOSE: &str = "*/";

/// The keys that exist.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    target: Spanned<String>,
    mode: Mode,
    schedule: Option<Spanned<String>>,
    timezone: Option<Spanned<String>>,
    #[serde(default)]
    partition_by: Vec<Spanned<String>>,
    #[serde(default)]
    tests: Vec<Spanned<String>>,
    retries: Option<Spanned<u32>>,
    timeout: Option<Spanned<String>>,
    #[serde(default)]
    catch_up: CatchUp,
}

/// An entry of a list, with its line.
type Lined = (usize, String);

/// A complaint and its line.
type Wrong = (usize, JobFault);

/// Reads a job's file.
pub(super) fn read(text: &str, name: String, path: &Path) -> Result<Job, Wrong> {
    let toml = find(text)?;
    let start = toml.start;
    let inside = text.get(toml).unwrap_or_default();
    let line = |span: Range<usize>| line_of(text, start + span.start);
    let at = |span: Range<usize>, fault| (line(span), fault);
    let keys: Keys = toml::from_str(inside).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        at(span, JobFault::Toml { message: error.message().to_owned() })
    })?;
    let target = TableName::parse(keys.target.get_ref())
        .map_err(|error| at(keys.target.span(), JobFault::Target(error)))?;
    let schedule = keys.schedule.as_ref().map(|text| {
        let schedule = text.get_ref().parse::<Schedule>();
        schedule.map_err(|error| at(text.span(), JobFault::Schedule(error)))
    });
    let schedule = schedule.transpose()?;
    let zone = match &keys.timezone {
        None => Tz::UTC,
        Some(text) => zone_of(text.get_ref()).map_err(|fault| at(text.span(), fault))?,
    };
    let timeout = keys.timeout.as_ref().map(|text| {
        let timeout_ms = interval_ms(text.get_ref()).and_then(|ms| u64::try_from(ms).ok());
        let wrong = || at(text.span(), JobFault::Timeout { text: text.get_ref().clone() });
        timeout_ms.map(Duration::from_millis).ok_or_else(wrong)
    });
    let retries = keys.retries.as_ref().map_or(0, |retries| *retries.get_ref());
    if let Some(text) = keys.retries.filter(|_| retries > RETRIES_MAX) {
        return Err(at(text.span(), JobFault::Retries { retries, max: RETRIES_MAX }));
    }
    Ok(Job {
        name,
        path: path.to_owned(),
        target,
        mode: keys.mode,
        schedule,
        zone,
        partition_by: entries("partition_by", keys.partition_by, line)
            .map_err(|(span, fault)| at(span, fault))?,
        tests: entries("tests", keys.tests, line).map_err(|(span, fault)| at(span, fault))?,
        retries,
        timeout: timeout.transpose()?,
        catch_up: keys.catch_up,
        text: text.to_owned(),
    })
}

/// The texts of a list with their lines, none of them empty.
fn entries(
    key: &'static str,
    entries: Vec<Spanned<String>>,
    line: impl Fn(Range<usize>) -> usize,
) -> Result<Vec<Lined>, (Range<usize>, JobFault)> {
    let filled = |entry: Spanned<String>| match entry.get_ref().trim().is_empty() {
        true => Err((entry.span(), JobFault::EmptyEntry { key })),
        false => Ok((line(entry.span()), entry.into_inner())),
    };
    entries.into_iter().map(filled).collect()
}

/// Where the TOML stands in the text.
fn find(text: &str) -> Result<Range<usize>, Wrong> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let open = text.len() - body.len();
    let missing = || (line_of(text, open), JobFault::NoFrontMatter);
    let comment = body.strip_prefix(OPEN).ok_or_else(missing)?;
    let toml = comment.trim_start().strip_prefix(MARK).ok_or_else(missing)?;
    let start = text.len() - toml.len();
    let length = toml.find(CLOSE).ok_or_else(|| (line_of(text, open), JobFault::Unclosed))?;
    let last_line = toml.get(..length).and_then(|toml| toml.lines().last()).unwrap_or_default();
    let is_open = |quote| !last_line.contains('#') && last_line.matches(quote).count() % 2 == 1;
    if is_open('"') || is_open('\'') {
        return Err((line_of(text, start + length), JobFault::ClosedInside));
    }
    Ok(start..start + length)
}

fn zone_of(text: &str) -> Result<Tz, JobFault> {
    text.parse::<Tz>().map_err(|_| {
        let nearest = nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
        JobFault::Zone { text: text.to_owned(), nearest }
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
