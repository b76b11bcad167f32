//! A transaction that arrives after its sender gave it up must find the files that it speaks of.

use super::*;
use crate::auditor::{Finding, audit};
use crate::book::Batch;
use crate::faults::Dice;
use crate::sender::{Flaw, Sender};
use crate::world::{Storage, World};

fn batch(number: i64) -> Batch {
    Batch { number, events: 3, bad_lines: 0, extra_field: false }
}

/// The first transaction is late, and so many questions after it the database is not there any more. Gives what the
/// auditor finds once all has arrived, and whether the batch is there.
async fn commit_late(sender: Sender, questions_left: u32) -> (Vec<Finding>, bool) {
    let world = World::new(Storage::Bucket).unwrap().with_late_transactions();
    let table = TableName::stored("default", "events");
    let before = world.open(&Gate::open(), 1).unwrap();
    Sender::Writer.send(&world, &before, &table, &batch(1)).await.unwrap();
    let mut questions = None;
    let rule = move |name: &str| match (name.starts_with("database"), &mut questions) {
        (false, _) => None,
        (true, Some(questions)) => {
            *questions += 1;
            (*questions > questions_left).then_some(Fault::Refused)
        }
        (true, questions) => (name == "database: transact").then(|| {
            *questions = Some(0);
            Fault::Late
        }),
    };
    let catalog = world.open(&Gate::new(Dice::by_rule(rule)), 2).unwrap();
    let sent = sender.send(&world, &catalog, &table, &batch(2)).await;
    assert!(sent.is_ok() || questions_left < 20, "{sent:?}");
    world.settle().await.unwrap();
    let audit = audit(&world, &table).await;
    (audit.findings, audit.visible.contains(&2))
}

#[tokio::test]
async fn a_late_commit_finds_its_files_wherever_the_database_went_away() {
    let mut there = 0;
    for questions_left in 0..20 {
        let (findings, is_there) = commit_late(Sender::Writer, questions_left).await;
        assert_eq!(findings, [], "{questions_left} questions after the late transaction");
        there += usize::from(is_there);
    }
    assert!(there > 0);
}

#[tokio::test]
async fn a_writer_that_deletes_in_doubt_is_found() {
    let (findings, _) = commit_late(Sender::Flawed(Flaw::DeletesInDoubt), 0).await;
    assert!(findings.iter().any(|finding| matches!(finding, Finding::Missing { .. })), "{findings:?}");
}
