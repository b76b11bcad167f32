use iceberg::spec::Operation::Append;

use super::*;
use crate::increment::tests::{expired, history, rolled_back, with};

fn fate(metadata: &TableMetadata, id: i64) -> Fate {
    // As early as can be: of what is not in the metadata only the time is known.
    Ancestry::of(metadata).fate(metadata, id, 0)
}

#[test]
fn ancestors_are_current() {
    let table = history(&[Append, Append, Append]);
    assert_eq!([1, 2, 3].map(|id| fate(&table, id)), [Fate::Current; 3]);
    let ancestry = Ancestry::of(&table);
    assert!(!ancestry.is_cut());
    let ids: Vec<i64> = ancestry.snapshots().iter().map(|snapshot| snapshot.snapshot_id()).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn what_the_table_was_set_back_past_is_rolled_back() {
    let table = rolled_back(&history(&[Append, Append, Append]), 1);
    assert_eq!([1, 2, 3].map(|id| fate(&table, id)), [Fate::Current, Fate::RolledBack, Fate::RolledBack]);
    let table = with(&table, 4, Append);
    assert_eq!([1, 2, 4].map(|id| fate(&table, id)), [Fate::Current, Fate::RolledBack, Fate::Current]);
}

#[test]
fn what_is_missing_before_the_oldest_has_expired() {
    let table = expired(&history(&[Append, Append, Append]), &[1]);
    assert_eq!([1, 2, 3].map(|id| fate(&table, id)), [Fate::Expired, Fate::Current, Fate::Current]);
    assert!(Ancestry::of(&table).is_cut());
    let ancestry = Ancestry::of(&table);
    let oldest_ms = ancestry.snapshots()[0].timestamp_ms();
    assert_eq!(ancestry.fate(&table, 99, oldest_ms), Fate::Expired);
    assert_eq!(ancestry.fate(&table, 99, oldest_ms + 1), Fate::RolledBack, "it is younger than the oldest");
}

#[test]
fn a_gap_hides_what_is_older_and_nothing_else() {
    let table = expired(&history(&[Append, Append, Append]), &[2]);
    assert_eq!([1, 2, 3].map(|id| fate(&table, id)), [Fate::Expired, Fate::Expired, Fate::Current]);
    let table = rolled_back(&history(&[Append, Append, Append]), 2);
    let table = expired(&table, &[3]);
    assert_eq!(fate(&table, 3), Fate::RolledBack, "the parents lead back to the first of all");
}

#[test]
fn a_table_without_a_snapshot_has_lost_what_was_committed() {
    assert_eq!(fate(&history(&[]), 1), Fate::RolledBack);
}

/// What PyIceberg makes of a snapshot whose parent it expires.
fn without_parents(metadata: &TableMetadata) -> TableMetadata {
    let mut json = serde_json::to_value(metadata).unwrap();
    for snapshot in json["snapshots"].as_array_mut().unwrap() {
        snapshot.as_object_mut().unwrap().remove("parent-snapshot-id");
    }
    serde_json::from_value(json).unwrap()
}

#[test]
fn an_oldest_that_says_no_parent_is_not_the_first_of_all() {
    let table = without_parents(&expired(&history(&[Append, Append, Append]), &[1, 2]));
    assert!(Ancestry::of(&table).is_cut());
    assert_eq!([1, 2, 3].map(|id| fate(&table, id)), [Fate::Expired, Fate::Expired, Fate::Current]);
    let table = without_parents(&history(&[Append, Append]));
    assert_eq!(fate(&table, 1), Fate::RolledBack, "it is there, and nothing leads to it");
    assert!(!Ancestry::of(&history(&[Append])).is_cut());
}
