//! Whether a dictionary pays: judged by the first pages of a column, which wait for the answer.
//!
//! Numbers that refer to a dictionary take fewer bits than values, but zstd finds much of what repeats by itself, and a small
//! file pays for a dictionary that few of its rows use. So both are made of a part of the first page and compared, with
//! its share of the dictionary that the column is likely to come to.

use parquet::errors::Result;

use super::dictionary::Dictionary;
use super::hybrid;
use super::page::{Filling, Press};

/// So many values tell enough of a column that goes on. A file of a day's events often has fewer, and then it is known what
/// its dictionary is good for.
const VALUES_ENOUGH: usize = 96 * 1024;

/// So many tell enough where not one in a hundred of them repeats.
const VALUES_ENOUGH_FOR_NO: usize = 8 * 1024;

/// Where each value comes at least so often, nobody doubts the dictionary.
const REPEATS_SURE: usize = 32;

/// So many values are compressed in both ways.
const VALUES_COMPARED: usize = 4 * 1024;

/// Where so many of the values are different, a dictionary holds nearly all of them once more.
const HARDLY_REPEATED: f64 = 0.75;

/// A column that goes on after its trial is taken to become so many times as long.
const GROWTH: f64 = 4.0;

/// Pages that are not made yet, because it is open whether their numbers or their values are written.
#[derive(Debug, Default)]
pub(super) struct Trial {
    pub(super) pages: Vec<Filling>,
    values: usize,
}

impl Trial {
    /// Takes a page that is complete.
    pub(super) fn add(&mut self, page: Filling) {
        self.values += page.values;
        self.pages.push(page);
    }

    /// How many numbers wait.
    pub(super) fn numbers(&self) -> usize {
        self.values
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.pages.iter().map(Filling::memory_bytes).sum()
    }

    /// Whether more pages would not help.
    pub(super) fn is_over(&self, dictionary: &Dictionary) -> bool {
        self.values >= VALUES_ENOUGH
            || self.is_sure(dictionary)
            || (self.values >= VALUES_ENOUGH_FOR_NO && dictionary.len() * 100 >= self.values * 99)
    }

    fn is_sure(&self, dictionary: &Dictionary) -> bool {
        dictionary.len() * REPEATS_SURE <= self.values
    }

    /// What the column comes to.
    fn foreseen(&self, dictionary: &Dictionary, is_last: bool) -> Foreseen {
        let (values, distinct) = (self.values as f64, dictionary.len() as f64);
        match is_last {
            true => Foreseen { values, distinct },
            false => {
                let grown = values * GROWTH;
                Foreseen { values: grown, distinct: distinct_among(grown, distinct, values) }
            }
        }
    }

    /// Whether numbers and a dictionary take less room than values, in pages of at most `page_bytes_max`.
    pub(super) fn pays(
        &self,
        dictionary: &Dictionary,
        press: &mut Press,
        compression: parquet::basic::Compression,
        (page_bytes_max, is_last): (usize, bool),
    ) -> Result<bool> {
        let is_large = |page: &Filling| dictionary.plain_bytes(page) > page_bytes_max;
        let Some(first) = self.pages.iter().find(|page| page.values > 0) else { return Ok(true) };
        if self.is_sure(dictionary) || self.pages.iter().any(is_large) {
            return Ok(true);
        }
        let foreseen = self.foreseen(dictionary, is_last);
        if foreseen.hardly_repeat() {
            return Ok(false);
        }
        let compared = first.numbers.get(..VALUES_COMPARED.min(first.numbers.len())).unwrap_or_default();
        let mut stored = |put: &dyn Fn(&mut Vec<u8>)| {
            press.plain.clear();
            put(&mut press.plain);
            press.stored_bytes(compression)
        };
        let plain = stored(&|out| dictionary.put_values(compared, out))?;
        // As many entries as there would be for these values.
        let entries = (compared.len() as f64 * foreseen.distinct / foreseen.values).ceil() as u32;
        let entries: Vec<u32> = (0..entries.min(dictionary.len() as u32)).collect();
        let bits = hybrid::bits_of(foreseen.distinct as u32);
        let with_dictionary = stored(&|out| {
            hybrid::pack(compared, bits, out);
            dictionary.put_values(&entries, out);
        })?;
        Ok(with_dictionary < plain)
    }
}

/// How many values a column comes to, and how many different ones.
struct Foreseen {
    values: f64,
    distinct: f64,
}

impl Foreseen {
    fn hardly_repeat(&self) -> bool {
        self.distinct >= self.values * HARDLY_REPEATED
    }
}

/// How many different values there will be among more of them, if all are equally frequent.
fn distinct_among(values_then: f64, distinct: f64, values: f64) -> f64 {
    // Of `n` draws out of `k` values, `k (1 - e^(-n/k))` are different, which grows with `k`.
    let drawn = |among: f64, draws: f64| among * (1.0 - (-draws / among).exp());
    let (mut low, mut high) = (distinct, 1e12_f64);
    if drawn(high, values) < distinct {
        return values_then;
    }
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        match drawn(middle, values) < distinct {
            true => low = middle,
            false => high = middle,
        }
    }
    drawn(high, values_then).max(distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_values_are_foreseen() {
        let near =
            |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}");
        // 6,321 of 10,000 values are seen after 10,000 draws.
        near(distinct_among(100_000.0, 6_321.0, 10_000.0), 9_999.5);
        near(distinct_among(20_000.0, 100.0, 10_000.0), 100.0);
        near(distinct_among(20_000.0, 10_000.0, 10_000.0), 20_000.0);
        near(distinct_among(20_000.0, 9_999.9, 10_000.0), 20_000.0);
        near(distinct_among(1.0, 1.0, 1.0), 1.0);
    }
}
