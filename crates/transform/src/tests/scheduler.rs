//! What is due is run: by the clock, by data, in order, by one of two.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hosu_host::Stop;

use super::lake::{Lake, Told};
use crate::{JobFile, JobFolder, Scheduler, SchedulerSettings, Served};

/// A folder that is changed by a test.
#[derive(Clone, Debug, Default)]
struct Folder(Arc<Mutex<Option<Vec<JobFile>>>>);

impl Folder {
    fn of(lake: &Lake) -> Self {
        let folder = Self::default();
        folder.set(lake);
        folder
    }

    fn set(&self, lake: &Lake) {
        *self.0.lock().unwrap() = Some(lake.files());
    }
}

impl JobFolder for Folder {
    fn path(&self) -> &Path {
        Path::new("jobs")
    }

    fn changed(&mut self) -> std::io::Result<Option<Vec<JobFile>>> {
        Ok(self.0.lock().unwrap().take())
    }
}

async fn until_idle(lake: &Lake, folder: &Folder) -> Served {
    let settings = SchedulerSettings { until_idle: true, ..SchedulerSettings::default() };
    let mut scheduler =
        Scheduler { runner: lake.runner.clone(), folder: folder.clone(), settings, stop: Stop::new() };
    folder.set(lake);
    scheduler.serve().await.unwrap()
}

async fn happened(told: &Told, line: &str) {
    while !told.take().iter().any(|told| told == line) {
        tokio::task::yield_now().await;
    }
}

async fn pass(lake: &Lake, seconds: u64) {
    lake.catalog.host().clock.sleep(Duration::from_secs(seconds)).await;
}

const HOUR: u64 = 3_600;

#[tokio::test]
async fn what_is_due_is_run_until_nothing_is() {
    let mut lake = Lake::with_events().await;
    lake.job(
        "logins",
        "target = \"logins\"\nmode = \"append\"\nschedule = \"after raw.events\"",
        "select id, country from raw.events where type = 'login'",
    );
    lake.job(
        "daily",
        "target = \"daily\"\nmode = \"full\"\nschedule = \"after logins\"",
        "select country, count(*) as n from logins group by country",
    );
    lake.job(
        "hourly",
        "target = \"hourly\"\nmode = \"full\"\nschedule = \"@hourly\"",
        "select count(*) as n from raw.events",
    );
    lake.job("by_hand", "target = \"by_hand\"\nmode = \"full\"", "select 1 as one");
    let folder = Folder::of(&lake);
    let served = until_idle(&lake, &folder).await;
    assert_eq!(served, Served { succeeded: 2, ..Served::default() });
    assert_eq!(lake.told.take(), ["leading", "4 jobs, 0 faults", "logins succeeded", "daily succeeded"]);
    assert_eq!(until_idle(&lake, &folder).await, Served::default(), "nothing came");
    pass(&lake, 5 * HOUR).await;
    assert_eq!(
        until_idle(&lake, &folder).await,
        Served { succeeded: 1, ..Served::default() },
        "the last of five slots"
    );
    assert_eq!(until_idle(&lake, &folder).await, Served::default());
    lake.sql("insert into raw.events values (9, 'login', 'FR', 0)").await;
    assert_eq!(until_idle(&lake, &folder).await.succeeded, 2);
    assert_eq!(lake.sql("select country from daily order by 1").await, ["DE", "FR", "KR"]);
    pass(&lake, HOUR).await;
    assert_eq!(until_idle(&lake, &folder).await.succeeded, 1);
    pass(&lake, HOUR).await;
    assert_eq!(until_idle(&lake, &folder).await.nothing_new, 1);
}

#[tokio::test]
async fn a_job_that_fails_on_its_data_waits_for_other_data() {
    let mut lake = Lake::with_events().await;
    lake.job(
        "t",
        "target = \"t\"\nmode = \"append\"\nschedule = \"after raw.events\"\ntests = [\"id > 1\"]",
        "select id from raw.events",
    );
    let folder = Folder::of(&lake);
    assert_eq!(until_idle(&lake, &folder).await.failed, 1);
    assert_eq!(until_idle(&lake, &folder).await, Served::default(), "the same data would fail again");
    lake.sql("insert into raw.events values (9, 'login', 'FR', 0)").await;
    assert_eq!(until_idle(&lake, &folder).await.failed, 1);
}

#[tokio::test]
async fn two_that_are_due_at_once_keep_the_order_of_the_graph() {
    let mut lake = Lake::with_events().await;
    for (name, input) in [("z", "raw.events"), ("m", "tz"), ("a", "tm")] {
        let schedule = if name == "m" { "after tz" } else { "every 1h" };
        lake.job(
            name,
            &format!("target = \"t{name}\"\nmode = \"full\"\nschedule = \"{schedule}\""),
            &format!("select id from {input}"),
        );
    }
    let folder = Folder::of(&lake);
    until_idle(&lake, &folder).await;
    pass(&lake, HOUR).await;
    lake.told.take();
    assert_eq!(until_idle(&lake, &folder).await.succeeded, 3);
    let told: Vec<String> = lake.told.take().into_iter().filter(|line| line.ends_with("succeeded")).collect();
    assert_eq!(told, ["z succeeded", "m succeeded", "a succeeded"]);
}

#[tokio::test]
async fn a_fault_is_told_and_the_others_run() {
    let mut lake = Lake::with_events().await;
    lake.job(
        "bad",
        "target = \"bad\"\nmode = \"full\"\nschedule = \"@hourly\"",
        "select nothing from raw.events",
    );
    lake.job(
        "good",
        "target = \"good\"\nmode = \"full\"\nschedule = \"after raw.events\"",
        "select id from raw.events",
    );
    let folder = Folder::of(&lake);
    assert_eq!(until_idle(&lake, &folder).await, Served { succeeded: 1, faulty: 1, ..Served::default() });
    assert!(lake.told.take().contains(&"1 jobs, 1 faults".to_owned()));
}

#[tokio::test]
async fn one_leads_and_the_other_stands_by_until_it_may() {
    let lake = Lake::with_events().await;
    let holder = lake.catalog.host().ids.uuid();
    lake.catalog.take_lease("scheduler", holder, Duration::from_secs(20)).await.unwrap();
    let folder = Folder::of(&lake);
    // Its waiting moves the clock until the lease has run out.
    until_idle(&lake, &folder).await;
    assert_eq!(lake.told.take(), ["standing by", "leading", "0 jobs, 0 faults"]);
}

#[tokio::test]
async fn changes_of_the_folder_are_taken_up() {
    let mut lake = Lake::with_events().await;
    let told = lake.told.clone();
    lake.job(
        "one",
        "target = \"one\"\nmode = \"full\"\nschedule = \"after raw.events\"",
        "select id from raw.events",
    );
    let folder = Folder::of(&lake);
    let stop = Stop::new();
    let mut scheduler = Scheduler {
        runner: lake.runner.clone(),
        folder: folder.clone(),
        settings: SchedulerSettings::default(),
        stop: stop.clone(),
    };
    let changes = async {
        happened(&told, "one succeeded").await;
        lake.job("two", "target = \"two\"\nmode = \"full\"\nschedule = \"every 1m\"", "select id from one");
        lake.remove("one.sql");
        folder.set(&lake);
        happened(&told, "two succeeded").await;
        stop.ask();
    };
    let (served, ()) = tokio::join!(scheduler.serve(), changes);
    assert_eq!(served.unwrap().failed, 0);
}

#[tokio::test]
async fn a_target_that_somebody_works_on_is_waited_for() {
    let mut lake = Lake::with_events().await;
    lake.job(
        "t",
        "target = \"t\"\nmode = \"full\"\nschedule = \"after raw.events\"",
        "select id from raw.events",
    );
    let target = hosu_table::name::TableName::parse("t").unwrap();
    let holder = lake.catalog.host().ids.uuid();
    let name = crate::run::lease_name(&target);
    lake.catalog.take_lease(&name, holder, Duration::from_secs(20)).await.unwrap();
    let folder = Folder::of(&lake);
    assert_eq!(until_idle(&lake, &folder).await.succeeded, 1);
    assert_eq!(lake.told.take(), ["leading", "1 jobs, 0 faults", "t waits", "t succeeded"]);
}
