//! Jobs that replace all rows, and tests of new rows.

use hosu_catalog::RunState;

use super::lake::Lake;

const KEYS: &str = "target = \"by_country\"\nmode = \"full\"";
const SELECT: &str = "select country, count(*) as events from raw.events group by country";

async fn lake() -> Lake {
    let mut lake = Lake::with_events().await;
    lake.job("by_country", KEYS, SELECT);
    lake
}

const ROWS: &str = "select country, events from by_country order by country";

#[tokio::test]
async fn the_rows_are_replaced_in_one_commit() {
    let mut lake = lake().await;
    lake.succeed("by_country").await;
    assert_eq!(lake.sql(ROWS).await, ["DE 1", "KR 2"]);
    lake.sql("insert into raw.events values (4, 'login', 'DE', null)").await;
    let run = lake.succeed("by_country").await;
    assert_eq!(run.rows_written, 2);
    assert_eq!(lake.sql(ROWS).await, ["DE 2", "KR 2"]);
    assert_eq!(lake.snapshots("by_country").await, 2, "no reader sees a state in between");
    lake.nothing_new("by_country").await;
    assert_eq!(lake.snapshots("by_country").await, 2);
}

#[tokio::test]
async fn all_is_made_anew_when_that_is_wished() {
    let lake = lake().await;
    lake.succeed("by_country").await;
    let ended = lake.run_anew("by_country").await;
    assert_eq!(ended.run.state, RunState::Succeeded);
    assert_eq!(lake.snapshots("by_country").await, 2);
}

#[tokio::test]
async fn no_rows_leave_an_empty_target() {
    let mut lake = Lake::with_events().await;
    lake.job("big", "target = \"big\"\nmode = \"full\"", "select id from raw.events where amount < 10");
    lake.succeed("big").await;
    lake.job("big", "target = \"big\"\nmode = \"full\"", "select id from raw.events where amount > 10");
    let run = lake.succeed("big").await;
    assert_eq!(run.rows_written, 0);
    assert_eq!(lake.sql("select count(*) from big").await, ["0"]);
}

#[tokio::test]
async fn a_failed_test_leaves_the_target_and_shows_rows() {
    let mut lake = Lake::with_events().await;
    let keys = "target = \"t\"\nmode = \"full\"\ntests = [\"id > 0\", \"amount is not null\"]";
    lake.job("t", keys, "select id, amount from raw.events where amount is not null");
    lake.succeed("t").await;
    let files = lake.data_files("t").await;
    lake.job("t", keys, "select id, amount from raw.events");
    let told = lake.fail("t").await;
    assert!(told.contains("`amount is not null`") && told.contains("{id: 1, amount: null}"), "{told}");
    assert_eq!(lake.sql("select id from t").await, ["2"]);
    assert_eq!(lake.data_files("t").await, files, "what was written is deleted");
    let run = &lake.history().await[0];
    assert_eq!((run.state, run.attempt), (RunState::Failed, 1), "a failed test is not tried again");
    assert!(run.error.as_ref().unwrap().contains("amount"));
}

#[tokio::test]
async fn the_number_of_rows_is_tested() {
    let mut lake = Lake::with_events().await;
    let keys = "target = \"t\"\nmode = \"append\"\ntests = [\"row_count > 1\"]\nretries = 2";
    lake.job("t", keys, "select id from raw.events where type = 'buy'");
    let told = lake.fail("t").await;
    assert!(told.contains("row_count is 1"), "{told}");
    assert_eq!(lake.history().await.len(), 1);
    assert!(lake.sql("show tables").await.is_empty(), "the target was not made");
}

#[tokio::test]
async fn rows_of_others_are_replaced_and_that_is_said() {
    let mut lake = lake().await;
    lake.succeed("by_country").await;
    lake.sql("insert into by_country values ('XX', 99)").await;
    let ended = lake.run("by_country").await;
    assert!(ended.notes[0].contains("written by another program"), "{:?}", ended.notes);
    assert_eq!(lake.sql(ROWS).await, ["DE 1", "KR 2"]);
}

#[tokio::test]
async fn another_select_gives_the_target_its_columns_when_all_is_made_anew() {
    let mut lake = lake().await;
    lake.succeed("by_country").await;
    lake.job(
        "by_country",
        KEYS,
        "select country, count(*) as events, max(amount) as most from raw.events group by country",
    );
    let faults = lake.faults().await;
    assert!(faults[0].contains("jobs/by_country.sql, line 5") && faults[0].contains("`most`"), "{faults:?}");
    assert!(lake.fail("by_country").await.contains("does not fit default.by_country"));
    assert!(lake.run_anew("by_country").await.error.is_none());
    assert_eq!(
        lake.sql("select country, events, most from by_country order by 1").await,
        ["DE 1 NULL", "KR 2 1.5"]
    );
    lake.job(
        "by_country",
        KEYS,
        "select country as land, sum(amount) as events from raw.events group by country",
    );
    assert!(lake.run_anew("by_country").await.error.is_none());
    assert_eq!(
        lake.sql("describe by_country").await.len(),
        2,
        "columns that the SELECT does not give are gone"
    );
    assert_eq!(lake.sql("select land, events from by_country order by 1").await, ["DE NULL", "KR 1.5"]);
}

#[tokio::test]
async fn a_test_may_ask_for_the_time() {
    let mut lake = Lake::with_events().await;
    let keys = |test: &str| format!("target = \"t\"\nmode = \"full\"\ntests = [\"{test}\"]");
    let select = "select id, timestamp '2000-01-01 00:00:00' as at from raw.events";
    lake.job("t", &keys("at < now()"), select);
    lake.succeed("t").await;
    lake.job("t", &keys("at > now()"), &format!("{select} where id < 3"));
    assert!(lake.fail("t").await.contains("`at > now()`"));
}
