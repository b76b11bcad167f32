//! Jobs that are wrong, and targets that are not theirs.

use super::lake::Lake;
use crate::{Around, Order, run_all};

const APPEND: &str = "target = \"t\"\nmode = \"append\"";

#[tokio::test]
async fn each_fault_names_file_and_line_and_the_others_go_on() {
    let mut lake = Lake::with_events().await;
    lake.file("front.sql", b"/* hosu:job\ntarget = \"x\"\nmode = \"appendd\"\n*/ select 1 as a");
    lake.file("unknown.sql", b"/* hosu:job\ntarget = \"x\"\nmode = \"full\"\nfoo = 1\n*/ select 1 as a");
    lake.file("utf8.sql", b"/* hosu:job\ntarget = \"x\"\nmode = \"full\"\n*/\nselect '\xff' as a");
    lake.job("never", "target = \"n\"\nmode = \"full\"\nschedule = \"0 0 31 2 *\"", "select 1 as a");
    lake.job("zone", "target = \"z\"\nmode = \"full\"\ntimezone = \"Asia/Soul\"", "select 1 as a");
    lake.job("column", APPEND, "select id,\n  contry from raw.events");
    lake.job("missing", "target = \"m\"\nmode = \"full\"", "select id from raw.event");
    lake.job("two", "target = \"w\"\nmode = \"full\"", "select 1 as a; select 2 as a");
    lake.job("insert", "target = \"v\"\nmode = \"full\"", "insert into x select 1");
    lake.job("unnamed", "target = \"u\"\nmode = \"full\"", "select id + 1 from raw.events");
    lake.job("twice", "target = \"s\"\nmode = \"full\"", "select id, id from raw.events");
    lake.job("test", "target = \"r\"\nmode = \"full\"\ntests = [\n\"id\"]", "select id from raw.events");
    lake.job(
        "parted",
        "target = \"q\"\nmode = \"full\"\npartition_by = [\"day(id)\"]",
        "select id from raw.events",
    );
    lake.job("a", "target = \"a\"\nmode = \"full\"", "select id from b");
    lake.job("b", "target = \"b\"\nmode = \"full\"", "select id from a");
    lake.job("one", "target = \"same\"\nmode = \"full\"", "select id from raw.events");
    lake.job("other", "target = \"same\"\nmode = \"full\"", "select id from raw.events");
    lake.job("good", "target = \"g\"\nmode = \"full\"", "select id from raw.events");
    let project = lake.project().await;
    let names: Vec<_> = project.jobs.iter().map(|job| job.job.name.as_str()).collect();
    assert_eq!(names, ["good"]);
    let faults: Vec<String> = project.faults.iter().map(ToString::to_string).collect();
    for expected in [
        ("front.sql, line 3", "append"),
        ("unknown.sql, line 4", "foo"),
        ("utf8.sql, line 5", "UTF-8"),
        ("never.sql, line 4", "0 0 31 2 *"),
        ("zone.sql, line 4", "Asia/Seoul"),
        ("column.sql, line 6", "country"),
        ("missing.sql, line 5", "raw.events"),
        ("two.sql, line 5", "one SELECT"),
        ("insert.sql, line 5", "one SELECT"),
        ("unnamed.sql, line 5", "no name"),
        ("twice.sql, line 5", "two columns `id`"),
        ("test.sql, line 5", "`id`"),
        ("parted.sql, line 4", "day"),
        ("a.sql, line 5", "a -> b -> a"),
        ("b.sql, line 5", "a -> b -> a"),
        ("one.sql, line 5", "`other`"),
        ("other.sql, line 5", "`one`"),
    ] {
        let found = faults.iter().any(|fault| fault.contains(expected.0) && fault.contains(expected.1));
        assert!(found, "{expected:?} is not among {faults:#?}");
    }
    assert_eq!(project.faulty.len(), 17);
    lake.succeed("good").await;
}

#[tokio::test]
async fn what_is_not_row_wise_is_refused_with_its_name() {
    let mut lake = Lake::with_events().await;
    for (select, told) in [
        ("select country, count(*) as n from raw.events group by country", "GROUP BY"),
        ("select distinct country from raw.events", "DISTINCT"),
        ("select id from raw.events limit 3", "LIMIT"),
        ("select id, row_number() over (order by id) as n from raw.events", "window"),
        ("select id, now() as at from raw.events", "now"),
    ] {
        lake.job("t", APPEND, select);
        let faults = lake.faults().await;
        let fault = faults.first().cloned().unwrap_or_default().to_lowercase();
        assert!(fault.contains(&told.to_lowercase()) && fault.contains("full"), "{select}: {faults:?}");
    }
}

#[tokio::test]
async fn a_target_that_is_not_the_job_s_own_is_left_alone() {
    let mut lake = Lake::with_events().await;
    lake.sql("create table t (id bigint) tblproperties ('table_type'='ICEBERG'); insert into t values (77)")
        .await;
    lake.job("t", APPEND, "select id from raw.events");
    assert!(lake.fail("t").await.contains("rows that no job wrote"));
    assert_eq!(lake.sql("select id from t").await, ["77"]);
    assert!(lake.run_anew("t").await.error.is_none());
    lake.sql("insert into t values (78)").await;
    let told = lake.fail("t").await;
    assert!(told.contains("written by another program") && told.contains("append"), "{told}");
}

#[tokio::test]
async fn a_job_under_another_name_is_another_job() {
    let mut lake = Lake::with_events().await;
    lake.job("old", APPEND, "select id from raw.events");
    lake.succeed("old").await;
    lake.remove("old.sql");
    lake.job("new", APPEND, "select id from raw.events");
    assert!(lake.fail("new").await.contains("was filled by the job `old`"));
    assert!(lake.run_anew("new").await.error.is_none());
    lake.nothing_new("new").await;
}

#[tokio::test]
async fn jobs_run_in_their_order_and_what_fails_stops_those_behind_it() {
    let mut lake = Lake::with_events().await;
    lake.job("c", "target = \"tc\"\nmode = \"full\"", "select id from tb");
    lake.job("b", "target = \"tb\"\nmode = \"append\"", "select id from ta");
    lake.job("a", "target = \"ta\"\nmode = \"append\"", "select id from raw.events");
    lake.job("alone", "target = \"alone\"\nmode = \"full\"", "select id from raw.events");
    let project = lake.project().await;
    assert!(project.faults.is_empty(), "{:?}", project.faults);
    let names = |around: Around, name: &str| {
        let chosen = project.chosen(&[name.to_owned()], around).unwrap();
        chosen.iter().map(|job| job.job.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(Around { upstream: true, downstream: false }, "c"), "a b c");
    assert_eq!(names(Around { upstream: false, downstream: true }, "a"), "a b c");
    assert_eq!(names(Around { upstream: true, downstream: true }, "b"), "a b c");
    assert!(
        project
            .chosen(&["aalone".to_owned()], Around::default())
            .unwrap_err()
            .to_string()
            .contains("`alone`")
    );
    assert!(lake.fail("c").await.contains("the job `b` makes it"));
    lake.told.take();
    let all = project.chosen(&["c".to_owned()], Around { upstream: true, downstream: false }).unwrap();
    let outcomes = run_all(&lake.runner, &project, all, &Order::default(), 2).await;
    assert!(outcomes.iter().all(crate::Outcome::is_good));
    assert_eq!(lake.told.take(), ["a succeeded", "b succeeded", "c succeeded"]);
    lake.sql("insert into tb values (9)").await;
    lake.sql("insert into raw.events values (4, 'x', 'y', 0)").await;
    let all = project.chosen(&["a".to_owned()], Around { upstream: false, downstream: true }).unwrap();
    run_all(&lake.runner, &project, all, &Order::default(), 2).await;
    assert_eq!(lake.told.take(), ["a succeeded", "b failed", "c skipped: b"]);
}
