//! Runs side by side, runs that lost their lease, runs that were broken off.

use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::{JobChange, RunState};
use hosu_table::name::TableName;

use super::lake::{Lake, runner};
use crate::run::lease_name;
use crate::{NobodyWatches, Order, RunError};

async fn lake() -> Lake {
    let mut lake = Lake::with_events().await;
    lake.job("t", "target = \"t\"\nmode = \"append\"", "select id from raw.events");
    lake
}

#[tokio::test]
async fn two_at_once_take_each_row_once() {
    let mut lake = lake().await;
    for round in 0..5 {
        lake.sql(&format!("insert into raw.events values ({}, 'x', 'y', 0)", 10 + round)).await;
        let other = runner(&lake.catalog, Arc::new(NobodyWatches));
        let (one, two) = tokio::join!(lake.run("t"), lake.run_by(&other, "t", false));
        let states = [one.run.state, two.run.state];
        assert!(
            states.contains(&RunState::Succeeded) && states.contains(&RunState::NothingNew),
            "{states:?}"
        );
    }
    assert_eq!(lake.sql("select count(*), count(distinct id) from t").await, ["8 8"]);
}

#[tokio::test]
async fn who_does_not_wait_is_told_that_another_run_goes_on() {
    let lake = lake().await;
    let target = TableName::parse("t").unwrap();
    let holder = lake.catalog.host().ids.uuid();
    let lease = lake.catalog.take_lease(&lease_name(&target), holder, Duration::from_secs(60)).await.unwrap();
    let project = lake.project().await;
    let job = project.job("t").unwrap();
    let ended = lake.runner.run(&project, job, &Order::default()).await;
    assert!(matches!(ended.error, Some(RunError::Busy { .. })), "{:?}", ended.error);
    assert!(lake.history().await.is_empty(), "it has not begun");
    lake.catalog.release_lease(&lease).await.unwrap();
    lake.succeed("t").await;
}

#[tokio::test]
async fn a_run_that_lost_its_lease_commits_nothing() {
    let lake = lake().await;
    let target = TableName::parse("t").unwrap();
    // The moment before the run writes: somebody else has taken over.
    #[derive(Debug)]
    struct TakesOver(hosu_catalog::Catalog, String);
    impl crate::Watch for TakesOver {
        fn event(&self, event: &crate::Event<'_>) {
            if let crate::Event::Started { .. } = event {
                let (catalog, name) = (self.0.clone(), self.1.clone());
                let taken = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(async move {
                        let now_ms = catalog.host().clock.now_ms() + 40 * 24 * 3_600_000;
                        let holder = catalog.host().ids.uuid();
                        let until_ms = now_ms + 60_000;
                        catalog.record(vec![JobChange::TakeLease { name, holder, now_ms, until_ms }]).await
                    })
                });
                taken.join().unwrap().unwrap();
            }
        }
    }
    let mut fenced = lake.runner.clone();
    fenced.watch = Arc::new(TakesOver(lake.catalog.clone(), lease_name(&target)));
    let ended = lake.run_by(&fenced, "t", false).await;
    assert!(matches!(ended.error, Some(RunError::LeaseLost)), "{:?}", ended.error);
    assert!(lake.catalog.load(&target).await.unwrap().is_none());
    assert_eq!(lake.history().await[0].state, RunState::Failed);
}

#[tokio::test]
async fn what_a_broken_off_run_left_is_called_so_by_the_next_one() {
    let lake = lake().await;
    let mut broken = lake.succeed("t").await;
    broken.run_id = lake.catalog.host().ids.uuid();
    broken.state = RunState::Running;
    broken.ended_at_ms = None;
    lake.catalog.record(vec![JobChange::PutRun(broken.clone())]).await.unwrap();
    lake.nothing_new("t").await;
    let history = lake.history().await;
    let found = history.iter().find(|run| run.run_id == broken.run_id).unwrap();
    assert_eq!(found.state, RunState::Interrupted);
    assert!(found.ended_at_ms.is_some());
}

#[tokio::test]
async fn a_stopped_run_leaves_nothing() {
    let lake = lake().await;
    lake.runner.stop.ask();
    let ended = lake.run("t").await;
    assert!(matches!(ended.error, Some(RunError::Stopped)), "{:?}", ended.error);
    assert!(lake.catalog.load(&TableName::parse("t").unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_snapshot_says_which_run_made_it_from_what() {
    let lake = lake().await;
    let run = lake.succeed("t").await;
    let table = lake.catalog.require(&TableName::parse("t").unwrap()).await.unwrap();
    let snapshot = table.snapshot().unwrap();
    assert_eq!(Some(snapshot.snapshot_id()), run.snapshot_id);
    let summary = &snapshot.summary().additional_properties;
    assert_eq!(summary[crate::SUMMARY_JOB], "t");
    assert_eq!(summary[crate::SUMMARY_RUN], run.run_id.to_string());
    let inputs: serde_json::Value = serde_json::from_str(&summary[crate::SUMMARY_INPUTS]).unwrap();
    let taken = run.inputs[0].to_snapshot_id.unwrap().to_string();
    assert_eq!(inputs["raw.events"]["snapshot-id"], taken);
    assert!(summary[crate::SUMMARY_SELECT].starts_with("blake3:"));
    let state = lake.catalog.job_state(table.uuid()).await.unwrap().unwrap();
    assert_eq!((state.snapshot_id, state.run_id), (run.snapshot_id, run.run_id));
}

#[tokio::test]
async fn each_failed_attempt_is_in_the_history() {
    let mut lake = Lake::with_events().await;
    lake.job(
        "t",
        "target = \"t\"\nmode = \"full\"\nretries = 2\ntimeout = \"1s\"",
        "select id from raw.events",
    );
    // A sleep on this clock is over at once, and so is the time that the job has.
    let ended = lake.run("t").await;
    assert!(matches!(ended.error, Some(RunError::Timeout { .. })), "{:?}", ended.error);
    let history = lake.history().await;
    assert_eq!(history.iter().map(|run| run.attempt).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(history.iter().all(|run| run.state == RunState::Failed));
    assert!(lake.told.take().contains(&"t again".to_owned()));
    assert!(lake.catalog.load(&TableName::parse("t").unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_failure_that_is_told_late_undoes_no_success() {
    let lake = lake().await;
    let run = lake.succeed("t").await;
    let late = hosu_catalog::JobRun { state: RunState::Failed, error: Some("lost".to_owned()), ..run };
    lake.catalog.record(vec![JobChange::PutRun(late)]).await.unwrap();
    assert_eq!(lake.history().await[0].state, RunState::Succeeded);
}

#[tokio::test]
async fn a_slot_that_was_handled_stays_handled() {
    let lake = lake().await;
    let slot = |schedule: &str, handled_until_ms| hosu_catalog::JobSlot {
        job: "t".to_owned(),
        schedule: schedule.to_owned(),
        handled_until_ms,
    };
    for (put, expected) in [(("@a", 10), 10), (("@a", 5), 10), (("@a", 12), 12), (("@b", 3), 3)] {
        lake.catalog.record(vec![JobChange::PutSlot(slot(put.0, put.1))]).await.unwrap();
        assert_eq!(lake.catalog.job_slots().await.unwrap(), [slot(put.0, expected)]);
    }
}
