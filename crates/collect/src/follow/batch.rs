//! Which of what can be taken makes the next commit.

use std::time::Duration;

use super::entry::Offer;

/// When a commit is made, and how much it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub bytes: u64,
    pub age: Duration,
}

/// The next commit's share of the offers; none while it is better to wait. What has waited longest comes first, so that a file
/// with much to take leaves room for the others.
pub(super) fn next(mut offers: Vec<Offer>, now: Duration, limits: Limits, at_once: bool) -> Vec<Offer> {
    let bytes: u64 = offers.iter().map(|offer| offer.bytes).sum();
    let is_old = |offer: &Offer| now.saturating_sub(offer.since) >= limits.age;
    if !at_once && bytes < limits.bytes && !offers.iter().any(is_old) {
        return Vec::new();
    }
    offers.sort_by(|a, b| (a.since, &a.source.name).cmp(&(b.since, &b.source.name)));
    let mut taken = 0;
    offers
        .into_iter()
        .take_while(|offer| {
            let fits = taken == 0 || taken < limits.bytes;
            taken += offer.bytes.max(1);
            fits
        })
        .collect()
}

/// How long it is until the oldest offer is due.
pub(super) fn due_in(offers: &[Offer], now: Duration, limits: Limits) -> Option<Duration> {
    let waits = offers.iter().map(|offer| offer.since.saturating_add(limits.age).saturating_sub(now));
    waits.min()
}

#[cfg(test)]
mod tests {
    use hosu_catalog::LedgerRule;

    use super::*;
    use crate::source::{Source, SourceKind};

    const LIMITS: Limits = Limits { bytes: 100, age: Duration::from_secs(60) };

    fn offer(name: &str, bytes: u64, since: u64) -> Offer {
        let kind = SourceKind::File { path: name.into(), size_bytes: bytes };
        Offer {
            key: name.to_owned(),
            source: Source { name: name.to_owned(), kind },
            rule: LedgerRule::Any,
            bytes,
            since: Duration::from_secs(since),
        }
    }

    fn names(offers: Vec<Offer>, now: u64, at_once: bool) -> Vec<String> {
        let taken = next(offers, Duration::from_secs(now), LIMITS, at_once);
        taken.into_iter().map(|offer| offer.key).collect()
    }

    #[test]
    fn a_commit_waits_for_size_or_age() {
        let few = || vec![offer("a", 30, 20), offer("b", 30, 10)];
        assert!(names(few(), 69, false).is_empty());
        assert_eq!(due_in(&few(), Duration::from_secs(69), LIMITS), Some(Duration::from_secs(1)));
        assert_eq!(names(few(), 70, false), ["b", "a"], "the longest waiting first");
        assert_eq!(names(few(), 20, true), ["b", "a"], "somebody wants the end");
        assert!(names(Vec::new(), 99, true).is_empty());
        let many = vec![offer("a", 100, 20), offer("b", 90, 19), offer("c", 90, 10)];
        assert_eq!(names(many, 20, false), ["c", "b"]);
        assert_eq!(names(vec![offer("a", 500, 0)], 0, false), ["a"], "a file that cannot be divided");
    }
}
