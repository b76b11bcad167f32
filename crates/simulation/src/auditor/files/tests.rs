//! What a snapshot says it took out, held against what its parent had.

use super::*;

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn removed(location: &str, number: i64) -> Removed {
    Removed { location: location.to_owned(), snapshot_id: Some(9), numbers: [Some(number); 2] }
}

/// What is found when a snapshot of this kind has `files` after a parent that had `a` since 1 and `b` since 2.
fn findings(operation: Operation, files: &[&str], removed: &[Removed]) -> String {
    let mut audit = Audit::default();
    let numbers = HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let host = Host::seeded(1);
    let (manifests, examined) = (HashMap::new(), BTreeMap::new());
    let mut examiner = Examiner { audit: &mut audit, host: &host, manifests, files: examined, numbers };
    let summary = iceberg::spec::Summary { operation, additional_properties: HashMap::new() };
    let snapshot = Snapshot::builder()
        .with_snapshot_id(9)
        .with_sequence_number(3)
        .with_timestamp_ms(1)
        .with_manifest_list("list")
        .with_summary(summary)
        .build();
    examiner.compare(&snapshot, &names(&["a", "b"]), &names(files), removed);
    audit.findings.iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn a_snapshot_that_says_what_it_did_is_sound() {
    let gone = [removed("a", 1), removed("b", 2)];
    assert_eq!(findings(Operation::Overwrite, &["c"], &gone), "");
    assert_eq!(findings(Operation::Overwrite, &[], &gone), "");
    assert_eq!(findings(Operation::Append, &["a", "b", "c"], &[]), "");
}

#[test]
fn each_lie_of_an_overwrite_is_found() {
    let gone = [removed("a", 1), removed("b", 2)];
    let lies: [(Operation, &[&str], &[Removed], &str); 6] = [
        (Operation::Overwrite, &["c"], &gone[..1], "b is missing: snapshot 9 left it out"),
        (Operation::Append, &["a"], &[], "b is missing: snapshot 9 left it out"),
        (Operation::Append, &["c"], &gone, "list differs: snapshot 9 appends, and takes out"),
        (Operation::Overwrite, &["b", "c"], &gone, "b differs: snapshot 9 overwrites, and keeps it"),
        (
            Operation::Overwrite,
            &[],
            &[removed("a", 1), removed("b", 3)],
            "b differs: snapshot 9 says [Some(3)",
        ),
        (Operation::Overwrite, &[], &[gone[0].clone(), gone[1].clone(), removed("a", 1)], "it was not there"),
    ];
    for (operation, files, removed, says) in lies {
        let found = findings(operation, files, removed);
        assert!(found.contains(says), "{says}: {found}");
    }
}
