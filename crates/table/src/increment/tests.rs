use std::collections::HashMap;

use iceberg::spec::{MAIN_BRANCH, Operation, Snapshot, SortOrder, Summary, TableMetadata};
use iceberg::spec::{
    NestedField, PartitionSpec, PrimitiveType, Schema, SnapshotReference, SnapshotRetention, Type,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::commit::{NewTable, first_metadata};

fn table() -> TableMetadata {
    let column = NestedField::optional(1, "id", Type::Primitive(PrimitiveType::Long)).into();
    let new = NewTable {
        uuid: Uuid::from_u128(7),
        location: "memory:///t".to_owned(),
        schema: Schema::builder().with_fields(vec![column]).build().unwrap(),
        spec: PartitionSpec::unpartition_spec(),
        sort_order: SortOrder::unsorted_order(),
        properties: HashMap::new(),
    };
    first_metadata(&new, 1).unwrap()
}

fn snapshot(id: i64, on: &TableMetadata, operation: Operation) -> Snapshot {
    let log_ms = on.history().last().map_or(0, |entry| entry.timestamp_ms);
    Snapshot::builder()
        .with_snapshot_id(id)
        .with_parent_snapshot_id(on.current_snapshot_id())
        .with_sequence_number(on.next_sequence_number())
        .with_timestamp_ms(on.last_updated_ms().max(log_ms))
        .with_manifest_list(format!("memory:///t/{id}"))
        .with_summary(Summary { operation, additional_properties: HashMap::new() })
        .with_schema_id(0)
        .build()
}

/// A table with a snapshot on its current one.
pub(crate) fn with(metadata: &TableMetadata, id: i64, operation: Operation) -> TableMetadata {
    let snapshot = snapshot(id, metadata, operation);
    let builder = metadata.clone().into_builder(None);
    builder.set_branch_snapshot(snapshot, MAIN_BRANCH).unwrap().build().unwrap().metadata
}

pub(crate) fn history(operations: &[Operation]) -> TableMetadata {
    operations
        .iter()
        .zip(1..)
        .fold(table(), |metadata, (operation, id)| with(&metadata, id, operation.clone()))
}

pub(crate) fn rolled_back(metadata: &TableMetadata, to: i64) -> TableMetadata {
    let main = SnapshotReference::new(to, SnapshotRetention::branch(None, None, None));
    let builder = metadata.clone().into_builder(None);
    builder.set_ref(MAIN_BRANCH, main).unwrap().build().unwrap().metadata
}

pub(crate) fn expired(metadata: &TableMetadata, ids: &[i64]) -> TableMetadata {
    metadata.clone().into_builder(None).remove_snapshots(ids).build().unwrap().metadata
}

fn ids(metadata: &TableMetadata, after: Option<i64>) -> Result<Vec<i64>, Gap> {
    new_snapshots(metadata, after).map(|new| new.snapshots.iter().map(|s| s.snapshot_id()).collect())
}

use Operation::{Append, Delete, Overwrite, Replace};

#[test]
fn what_was_appended_after_a_position_is_new() {
    let metadata = history(&[Append, Append, Replace, Append]);
    assert_eq!(ids(&metadata, Some(4)), Ok(vec![]));
    assert_eq!(ids(&metadata, Some(1)), Ok(vec![2, 3, 4]));
    assert_eq!(ids(&metadata, None), Ok(vec![1, 2, 3, 4]));
    let new = new_snapshots(&metadata, Some(2)).unwrap();
    assert_eq!(new.appended().map(|s| s.snapshot_id()).collect::<Vec<_>>(), [4]);
    assert!(new.has_replace());
    assert!(!new_snapshots(&metadata, Some(3)).unwrap().has_replace());
    assert_eq!(ids(&table(), None), Ok(vec![]));
}

#[test]
fn what_was_changed_or_taken_away_is_a_gap_after_a_position_only() {
    let metadata = history(&[Append, Overwrite, Append, Delete, Append]);
    let overwritten =
        |snapshot_id, operation: &str| Gap::Overwritten { snapshot_id, operation: operation.to_owned() };
    assert_eq!(ids(&metadata, Some(1)), Err(overwritten(2, "overwrite")));
    assert_eq!(ids(&metadata, Some(2)), Err(overwritten(4, "delete")));
    assert_eq!(ids(&metadata, Some(4)), Ok(vec![5]));
    assert_eq!(ids(&metadata, None), Ok(vec![1, 2, 3, 4, 5]));
}

#[test]
fn a_position_that_was_left_behind_is_a_rollback() {
    let back = rolled_back(&history(&[Append, Append, Append]), 1);
    assert_eq!(ids(&back, Some(3)), Err(Gap::RolledBack));
    assert_eq!(ids(&back, Some(1)), Ok(vec![]));
    let other_way = with(&back, 9, Append);
    assert_eq!(ids(&other_way, Some(2)), Err(Gap::RolledBack));
    assert_eq!(ids(&other_way, Some(1)), Ok(vec![9]));
    assert_eq!(ids(&other_way, Some(77)), Err(Gap::RolledBack), "the root was reached");
    let forgetful = expired(&rolled_back(&history(&[Append, Append, Append]), 2), &[1]);
    assert_eq!(
        ids(&forgetful, Some(3)),
        Err(Gap::RolledBack),
        "it is there, and younger than the current one"
    );
    assert_eq!(ids(&table(), Some(1)), Err(Gap::RolledBack));
}

#[test]
fn a_position_behind_what_is_forgotten_has_expired() {
    let metadata = history(&[Append, Append, Append, Append]);
    assert_eq!(ids(&expired(&metadata, &[1, 2]), Some(1)), Err(Gap::Expired));
    assert_eq!(ids(&expired(&metadata, &[2]), Some(1)), Err(Gap::Expired));
    assert_eq!(ids(&expired(&metadata, &[1, 2]), Some(2)), Ok(vec![3, 4]), "all after it are there");
    assert_eq!(ids(&expired(&metadata, &[1, 2]), None), Ok(vec![3, 4]));
}

#[derive(Clone, Debug)]
enum Act {
    Add(Operation),
    RollBack(prop::sample::Index),
    Expire(prop::sample::Index),
}

fn act() -> impl Strategy<Value = Act> {
    let operation =
        prop_oneof![8 => Just(Append), 3 => Just(Replace), 1 => Just(Overwrite), 1 => Just(Delete)];
    prop_oneof![
        8 => operation.prop_map(Act::Add),
        1 => any::<prop::sample::Index>().prop_map(Act::RollBack),
        1 => any::<prop::sample::Index>().prop_map(Act::Expire),
    ]
}

proptest! {
    /// Against what really happened, of which the metadata forgets a part.
    #[test]
    fn nothing_is_told_that_did_not_happen(acts in prop::collection::vec(act(), 0..30)) {
        let mut metadata = table();
        let mut parents: HashMap<i64, (Option<i64>, Operation)> = HashMap::new();
        let mut id = 0;
        for act in acts {
            let known: Vec<i64> = metadata.snapshots().map(|s| s.snapshot_id()).collect();
            metadata = match act {
                Act::Add(operation) => {
                    id += 1;
                    parents.insert(id, (metadata.current_snapshot_id(), operation.clone()));
                    with(&metadata, id, operation)
                }
                Act::RollBack(at) if !known.is_empty() => rolled_back(&metadata, *at.get(&known)),
                Act::Expire(at) if !known.is_empty() => match *at.get(&known) {
                    gone if Some(gone) != metadata.current_snapshot_id() => expired(&metadata, &[gone]),
                    _ => metadata,
                },
                _ => metadata,
            };
        }
        let mut line = Vec::new();
        let mut next = metadata.current_snapshot_id();
        while let Some(at) = next {
            line.insert(0, at);
            next = parents[&at].0;
        }
        for after in 1..=id {
            let told = ids(&metadata, Some(after));
            let Some(at) = line.iter().position(|on_line| *on_line == after) else {
                let is_gap = matches!(told, Err(Gap::RolledBack | Gap::Expired));
                prop_assert!(is_gap, "{told:?}");
                continue;
            };
            let really = &line[at + 1..];
            let first = really.iter().find(|id| !matches!(parents[id].1, Append | Replace));
            if really.iter().any(|id| metadata.snapshot_by_id(*id).is_none()) {
                prop_assert_eq!(told, Err(Gap::Expired));
            } else if let Some(first) = first {
                let is_first = matches!(&told, Err(Gap::Overwritten { snapshot_id, .. }) if snapshot_id == first);
                prop_assert!(is_first, "{told:?}");
            } else {
                prop_assert_eq!(told, Ok(really.to_vec()));
            }
        }
    }
}
