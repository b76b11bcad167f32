use hosu_table::name::TableName;

use super::{bound, lake};
use crate::NotRowWise;
use crate::tests::Lake;

async fn check(lake: &Lake, sql: &str, changed: &[&str]) -> Result<(), NotRowWise> {
    let changed: Vec<_> = changed.iter().map(|name| TableName::parse(name).unwrap()).collect();
    bound(lake, "raw", sql).await.check_row_wise(&changed)
}

#[tokio::test]
async fn what_treats_each_row_alone_is_row_wise() {
    let lake = lake().await;
    let statements = [
        "select userid, upper(type) as t from events where device.osname = 'ios'",
        "with e as (select * from events) select x.userid from (select * from e where userid > 1) x order by 1",
        "select userid, i.price from (select *, unnest(items) as i from events)",
        "select userid, unnest(items) as i from events",
        "select userid from events union all select userid from events where type = 'a'",
        "select userid from events union all select userid from other",
        "select e.userid, u.country from events e join users u on e.userid = u.id",
        "select e.userid, u.country from users u join events e on e.userid = u.id",
        "select e.userid, u.country from users u, events e where e.userid = u.id",
        "select e.userid, u.country from events e left join users u on e.userid = u.id",
        "select e.userid, u.country from users u right join events e on e.userid = u.id",
        "select e.userid, u.n from events e join (select id, count(*) as n from users group by id limit 3) u on e.userid = u.id",
        "select userid from events where userid in (select id from users group by id)",
        "select userid from events where userid not in (select id from users)",
        "select userid from events e where exists (select 1 from users u where u.id = e.userid)",
        "select userid, (select max(country) from users) as c from events",
        "select userid, v from events cross join (values (1), (2)) as t(v)",
        "select e.userid from events e left semi join users u on e.userid = u.id",
        "select e.userid from events e left anti join users u on e.userid = u.id",
        "select e.userid from events e cross join lateral (select max(country) as c from users u where u.id = e.userid) x",
    ];
    for sql in statements {
        for changed in [&["raw.events"][..], &["Raw.EVENTS"][..], &[]] {
            assert_eq!(check(&lake, sql, changed).await, Ok(()), "{sql} {changed:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_is_named_as_sql_names_it() {
    let lake = lake().await;
    let refusals = [
        ("select type, count(*) from events group by type", "GROUP BY"),
        ("select count(*) as n from events", "count()"),
        ("select max(userid) + 1 as n from events", "max()"),
        ("select distinct type from events", "DISTINCT"),
        ("select distinct on (type) type, userid from events order by type", "DISTINCT ON"),
        ("select type from events union select type from other", "UNION without ALL"),
        ("select type from events except select type from other", "EXCEPT"),
        ("select type from events intersect select type from other", "INTERSECT"),
        ("select type from events limit 3", "LIMIT"),
        ("select type from events order by type limit 3", "LIMIT"),
        ("select type from events offset 3", "OFFSET"),
        ("select userid, row_number() over (order by type) as n from events", "row_number() OVER"),
        ("select userid, random() as r from events", "random()"),
        ("select userid from events where rand() < 0.5", "random()"),
        ("select userid, uuid() as id from events", "uuid()"),
        ("select userid, now() as at from events", "now()"),
        ("select userid from events where current_date > date '2024-05-01'", "current_date()"),
        ("select userid, current_timestamp as at from events", "now()"),
        (
            "select e.userid from events e join (select * from users where random() < 1) u on e.userid = u.id",
            "random()",
        ),
        (
            "select userid from events where userid in (select id from users where now() > timestamp '2024-05-01')",
            "now()",
        ),
        (
            "select userid from events where userid in (select id from events e2 join users on id = userid)",
            "a subquery over raw.events",
        ),
        (
            "select a.userid from events a join events b on a.userid = b.userid",
            "a join of raw.events with itself",
        ),
        ("select u.id from users u left join events e on e.userid = u.id", "a LEFT JOIN with raw.events"),
        ("select u.id from events e right join users u on e.userid = u.id", "a RIGHT JOIN with raw.events"),
        ("select u.id from users u full join events e on e.userid = u.id", "a FULL JOIN with raw.events"),
        (
            "select u.id from users u left semi join events e on e.userid = u.id",
            "a SEMI JOIN with raw.events",
        ),
        (
            "select u.id from users u left anti join events e on e.userid = u.id",
            "a ANTI JOIN with raw.events",
        ),
        ("select 1 as a", "a SELECT without a table"),
        ("select userid from events union all select 1", "a SELECT without a table"),
        ("select * from (values (1)) as t(a)", "VALUES"),
        ("select value from range(1, 5)", "range(), which is no table of the lake,"),
        (
            "with recursive r as (select userid from events union all select userid + 1 from r where userid < 9) select * from r",
            "WITH RECURSIVE",
        ),
    ];
    for (sql, construct) in refusals {
        let refused = check(&lake, sql, &["raw.events"]).await.expect_err(sql);
        assert_eq!(refused.construct, construct, "{sql}: {refused}");
        assert_eq!(refused.mode, "full");
    }
    let refused = check(&lake, "select count(*) from events", &[]).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "count() cannot be computed from new rows alone: it depends on all rows; mode `full` computes it from all"
    );
}

#[tokio::test]
async fn a_join_is_row_wise_as_long_as_one_side_is_as_it_was() {
    let lake = lake().await;
    let inner = "select e.userid, u.country from events e join users u on e.userid = u.id";
    assert_eq!(check(&lake, inner, &["raw.users"]).await, Ok(()));
    let both = check(&lake, inner, &["raw.users", "raw.events"]).await.unwrap_err();
    assert_eq!(
        (both.construct.as_str(), both.reason.as_str()),
        ("a join of raw.events and raw.users", "both have new rows")
    );
    let left = "select e.userid, u.country from events e left join users u on e.userid = u.id";
    let refused = check(&lake, left, &["raw.users"]).await.unwrap_err();
    assert_eq!(refused.construct, "a LEFT JOIN with raw.users");
    let within = "select userid from events where userid in (select id from users)";
    assert_eq!(
        check(&lake, within, &["raw.users"]).await.unwrap_err().construct,
        "a subquery over raw.users"
    );
    let aggregated = "select u.id, e.n from (select userid, count(*) as n from events group by userid) e join users u on e.userid = u.id";
    assert_eq!(check(&lake, aggregated, &[]).await, Ok(()), "users drives");
    assert_eq!(check(&lake, aggregated, &["raw.users"]).await, Ok(()));
    assert_eq!(check(&lake, aggregated, &["raw.events"]).await.unwrap_err().construct, "GROUP BY");
    let full = "select u.id from users u full join events e on e.userid = u.id";
    assert_eq!(check(&lake, full, &[]).await.unwrap_err().construct, "a FULL JOIN");
}
