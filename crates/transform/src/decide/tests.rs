//! What follows from what the catalog says.

use std::sync::Arc;

use hosu_host::Location;
use hosu_table::commit::{NewTable, first_metadata};
use hosu_table::evolve::fresh_ids_of;
use iceberg::spec::{NestedField, PartitionSpec, PrimitiveType, SortOrder, Type};
use serde_json::json;
use uuid::Uuid;

use super::*;

const SELECT: &str = "SELECT id FROM default.input";

/// A table whose snapshots are 1, 2, … with these operations.
fn table(name: &str, uuid: u128, operations: &[&str]) -> Table {
    let id = NestedField::optional(1, "id", Type::Primitive(PrimitiveType::Long));
    let schema = fresh_ids_of(vec![Arc::new(id)]).unwrap();
    let new = NewTable {
        uuid: Uuid::from_u128(uuid),
        location: "memory:///t".to_owned(),
        spec: PartitionSpec::unpartition_spec(),
        schema,
        sort_order: SortOrder::unsorted_order(),
        properties: Default::default(),
    };
    let mut metadata = serde_json::to_value(first_metadata(&new, 1).unwrap()).unwrap();
    let snapshots: Vec<_> = operations
        .iter()
        .zip(1_i64..)
        .map(|(operation, id)| {
            let mut snapshot = json!({
                "snapshot-id": id, "sequence-number": id, "timestamp-ms": id, "manifest-list": "memory:///l",
                "schema-id": 0, "summary": { "operation": operation, "total-records": "7" },
            });
            if id > 1 {
                snapshot["parent-snapshot-id"] = json!(id - 1);
            }
            snapshot
        })
        .collect();
    if !operations.is_empty() {
        let last = operations.len();
        metadata["current-snapshot-id"] = json!(last);
        metadata["last-sequence-number"] = json!(last);
        metadata["refs"] = json!({ "main": { "snapshot-id": last, "type": "branch" } });
    }
    metadata["snapshots"] = json!(snapshots);
    Table {
        name: TableName::parse(name).unwrap(),
        metadata: Arc::new(serde_json::from_value(metadata).unwrap()),
        metadata_location: String::new(),
        location: Location::parse("memory:///t").unwrap(),
    }
}

fn state(target_snapshot: Option<i64>, taken: Option<i64>) -> JobState {
    JobState {
        target_uuid: Uuid::from_u128(1),
        job: "job".to_owned(),
        mode: "append".to_owned(),
        select: SELECT.to_owned(),
        run_id: Uuid::from_u128(9),
        snapshot_id: target_snapshot,
        positions: vec![Position {
            table: TableName::parse("input").unwrap(),
            uuid: Uuid::from_u128(2),
            snapshot_id: taken,
        }],
        updated_at_ms: 0,
    }
}

struct Case {
    mode: Mode,
    anew: bool,
    select: &'static str,
    target: Option<Table>,
    state: Option<JobState>,
    input: Table,
}

impl Case {
    /// A target that was filled up to snapshot 1 of its input.
    fn filled(mode: Mode, target: &[&str], input: &[&str]) -> Self {
        Self {
            mode,
            anew: false,
            select: SELECT,
            target: Some(table("target", 1, target)),
            state: Some(state(Some(1), Some(1))),
            input: table("input", 2, input),
        }
    }

    fn decide(&self) -> Result<Decision, Refusal> {
        decide(&Facts {
            job: "job",
            mode: self.mode,
            select: self.select,
            anew: self.anew,
            target: self.target.as_ref(),
            state: self.state.as_ref(),
            inputs: vec![InputFacts { name: &self.input.name, table: &self.input }],
        })
    }

    fn told(&self) -> String {
        self.decide().unwrap_err().to_string()
    }
}

#[test]
fn the_first_run_takes_everything() {
    for mode in [Mode::Append, Mode::Full] {
        let mut case = Case { target: None, state: None, ..Case::filled(mode, &[], &["append", "delete"]) };
        assert_eq!(case.decide(), Ok(Decision::First));
        case.target = Some(table("target", 1, &[]));
        assert_eq!(case.decide(), Ok(Decision::First), "somebody made the table, and nobody filled it");
    }
}

#[test]
fn nothing_new_is_nothing_to_do() {
    for mode in [Mode::Append, Mode::Full] {
        let case = Case::filled(mode, &["append"], &["append"]);
        assert_eq!(case.decide(), Ok(Decision::NothingNew { moved: false }));
        let rewritten = Case::filled(mode, &["append"], &["append", "replace", "replace"]);
        assert_eq!(rewritten.decide(), Ok(Decision::NothingNew { moved: true }));
        let own_files_rewritten = Case::filled(mode, &["append", "replace"], &["append"]);
        assert_eq!(own_files_rewritten.decide(), Ok(Decision::NothingNew { moved: false }));
    }
}

#[test]
fn new_rows_are_added_or_all_is_replaced() {
    let input = ["append", "replace", "append"];
    let changed = vec![TableName::parse("input").unwrap()];
    assert_eq!(Case::filled(Mode::Append, &["append"], &input).decide(), Ok(Decision::Append { changed }));
    assert_eq!(
        Case::filled(Mode::Full, &["append"], &input).decide(),
        Ok(Decision::Replace { foreign: None })
    );
}

#[test]
fn what_rows_cannot_be_added_to_is_refused_and_what_replaces_them_is_not() {
    let append = |target: &[&str], input: &[&str]| Case::filled(Mode::Append, target, input);
    let mut cases = Vec::new();
    cases.push((
        append(&["append"], &["append", "overwrite"]),
        "default.input has rows that were changed or removed",
    ));
    cases.push((append(&["append"], &["append", "append", "delete"]), "(snapshot 3, delete)"));
    let mut rolled_back = append(&["append"], &["append"]);
    rolled_back.state = Some(state(Some(1), Some(77)));
    cases.push((rolled_back, "default.input was rolled back"));
    let mut recreated = append(&["append"], &["append"]);
    recreated.input = table("input", 3, &["append"]);
    cases.push((recreated, "default.input was dropped and made again"));
    let mut select = append(&["append"], &["append", "append"]);
    select.select = "SELECT id + 1 FROM default.input";
    cases.push((select, "the SELECT is not the one that filled default.target"));
    cases.push((
        append(&["append", "append"], &["append"]),
        "written by another program since the last run (snapshot 2, append)",
    ));
    let mut target_rolled_back = append(&["append"], &["append"]);
    target_rolled_back.state = Some(state(Some(5), Some(1)));
    cases.push((target_rolled_back, "its snapshot is 1 again"));
    let mut other = append(&["append"], &["append"]);
    other.state.as_mut().unwrap().job = "logins".to_owned();
    cases.push((other, "filled by the job `logins`"));
    let mut not_ours = append(&["append"], &["append"]);
    not_ours.state = None;
    cases.push((not_ours, "has rows that no job wrote"));
    for (mut case, told) in cases {
        assert!(case.told().contains(told), "{}", case.told());
        case.anew = true;
        assert!(matches!(case.decide(), Ok(Decision::Replace { .. })), "{told}");
    }
}

#[test]
fn a_full_run_says_what_else_it_replaces_and_does_so_without_news() {
    let case = Case::filled(Mode::Full, &["append", "append"], &["append"]);
    let foreign = Some(ForeignWrite::Snapshot { id: 2, operation: "append".to_owned() });
    assert_eq!(case.decide(), Ok(Decision::Replace { foreign }));
    let mut changed = Case::filled(Mode::Full, &["append"], &["append", "overwrite"]);
    assert_eq!(changed.decide(), Ok(Decision::Replace { foreign: None }), "whatever became of the input");
    changed.input = table("input", 2, &["append"]);
    changed.select = "SELECT 1";
    assert_eq!(changed.decide(), Ok(Decision::Replace { foreign: None }), "another SELECT has other rows");
}

#[test]
fn an_input_that_was_empty_is_new_as_a_whole() {
    for operations in [&["append"][..], &["append", "overwrite"], &["overwrite"], &["replace"]] {
        let mut case = Case::filled(Mode::Append, &["append"], operations);
        case.state = Some(state(Some(1), None));
        assert!(matches!(case.decide(), Ok(Decision::Append { .. })), "{operations:?}");
    }
    let mut empty = Case::filled(Mode::Append, &["append"], &[]);
    empty.state = Some(state(Some(1), None));
    assert_eq!(empty.decide(), Ok(Decision::NothingNew { moved: false }));
}
