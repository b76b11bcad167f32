//! What may go wrong with a call, and the seeded dice that decide when.

use std::fmt;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the error says so.
    Refused,
    /// Nothing happens, and no answer comes.
    TimedOut,
    /// It is done, but the answer does not come.
    LostAnswer,
    /// No answer comes, and it is done some calls later, or never. Reads and the catalog's database time out instead.
    Late,
    /// The answer breaks off in the middle. Calls without a long answer lose it instead.
    Torn,
    /// No space is left. Calls that write nothing are refused instead.
    Full,
}

/// How often each fault comes, in calls of a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// Of [`Fault::Refused`].
    pub refused: u32,
    /// Of [`Fault::TimedOut`].
    pub timed_out: u32,
    /// Of [`Fault::LostAnswer`].
    pub lost_answer: u32,
    /// Of [`Fault::Late`].
    pub late: u32,
    /// Of [`Fault::Torn`].
    pub torn: u32,
    /// Of [`Fault::Full`].
    pub full: u32,
    /// Of an outage: every call is refused or times out, for up to [`FaultRates::outage_calls_max`] calls.
    pub outage: u32,
    /// How long an outage lasts at most.
    pub outage_calls_max: u32,
}

impl FaultRates {
    /// Nothing fails.
    pub const NONE: Self = Self {
        refused: 0,
        timed_out: 0,
        lost_answer: 0,
        late: 0,
        torn: 0,
        full: 0,
        outage: 0,
        outage_calls_max: 0,
    };

    /// A bad day: about one call in eight fails, and now and then all do for longer than anybody retries.
    pub const BAD_DAY: Self = Self {
        refused: 30,
        timed_out: 20,
        lost_answer: 40,
        late: 15,
        torn: 20,
        full: 1,
        outage: 2,
        outage_calls_max: 12,
    };
}

/// Tells the fate of a call by its name.
type Rule = Box<dyn FnMut(&str) -> Option<Fault> + Send>;

/// Decides by its seed, or by a rule, which calls fail, and how.
pub struct Dice {
    random: SmallRng,
    rates: FaultRates,
    outage_left: u32,
    rule: Option<Rule>,
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dice").field("rates", &self.rates).finish_non_exhaustive()
    }
}

impl Dice {
    /// Dice that fall by `seed`.
    pub fn new(seed: u64, rates: FaultRates) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), rates, outage_left: 0, rule: None }
    }

    /// Loaded dice: the rule tells a call's fate by its name.
    pub fn by_rule(rule: impl FnMut(&str) -> Option<Fault> + Send + 'static) -> Self {
        Self { rule: Some(Box::new(rule)), ..Self::new(0, FaultRates::NONE) }
    }

    /// The fate of the call with this name; `None` is a good one.
    pub fn fate(&mut self, name: &str) -> Option<Fault> {
        match &mut self.rule {
            Some(rule) => rule(name),
            None => self.roll(),
        }
    }

    fn roll(&mut self) -> Option<Fault> {
        if self.outage_left > 0 {
            self.outage_left -= 1;
            return Some(if self.random.random() { Fault::Refused } else { Fault::TimedOut });
        }
        let rates = self.rates;
        let mut roll = self.random.random_range(0..1000_u32);
        let kinds = [
            (rates.refused, Fault::Refused),
            (rates.timed_out, Fault::TimedOut),
            (rates.lost_answer, Fault::LostAnswer),
            (rates.late, Fault::Late),
            (rates.torn, Fault::Torn),
            (rates.full, Fault::Full),
        ];
        for (rate, fault) in kinds {
            if roll < rate {
                return Some(fault);
            }
            roll -= rate;
        }
        if roll < rates.outage && rates.outage_calls_max > 0 {
            self.outage_left = self.random.random_range(1..=rates.outage_calls_max);
            return Some(Fault::Refused);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(seed: u64, rates: FaultRates, calls: usize) -> Vec<Option<Fault>> {
        let mut dice = Dice::new(seed, rates);
        std::iter::repeat_with(|| dice.fate("put x")).take(calls).collect()
    }

    #[test]
    fn a_seed_tells_the_fates() {
        let first = fates(1, FaultRates::BAD_DAY, 500);
        assert_eq!(first, fates(1, FaultRates::BAD_DAY, 500));
        assert_ne!(first, fates(2, FaultRates::BAD_DAY, 500));
        assert!(fates(1, FaultRates::NONE, 500).iter().all(Option::is_none));
    }

    #[test]
    fn every_fault_comes_about_as_often_as_it_should() {
        let fates = fates(3, FaultRates::BAD_DAY, 100_000);
        let count = |fault| fates.iter().filter(|fate| **fate == Some(fault)).count();
        assert!((3_500..4_500).contains(&count(Fault::LostAnswer)), "{}", count(Fault::LostAnswer));
        assert!((1_700..2_300).contains(&count(Fault::Torn)), "{}", count(Fault::Torn));
        assert!(
            count(Fault::Refused) > 3_000 && count(Fault::TimedOut) > 2_000 && count(Fault::Late) > 1_000
        );
        assert!((50..200).contains(&count(Fault::Full)), "{}", count(Fault::Full));
    }

    #[test]
    fn an_outage_lasts() {
        let rates = FaultRates { outage: 1000, outage_calls_max: 5, ..FaultRates::NONE };
        assert!(fates(4, rates, 100).iter().all(Option::is_some));
    }
}
