use std::sync::Arc;

use iceberg::spec::{ListType, NestedField, NestedFieldRef, StructType, Type};

use super::{bound, lake};
use crate::tests::{Lake, column, record};

async fn identity(lake: &Lake, sql: &str) -> String {
    bound(lake, "raw", sql).await.identity()
}

#[tokio::test]
async fn spelling_does_not_count() {
    let lake = lake().await;
    let groups: [&[&str]; 8] = [
        &[
            "select userId, type from raw.events where type = 'login'",
            "SELECT  USERID ,\n\tTYPE -- what\nFROM Events /* raw */ WHERE ((\"Type\") = 'login')",
            "select e.userid, e.\"type\" from hosu.RAW.events as e where e.type = 'login'",
            "with x as (select * from events) select userId, type from x where x.type = 'login'",
            "select u as userid, t as type from (select userid u, type t from events) where t = 'login'",
        ],
        &["select device.osname from events", "SELECT E.Device.\"osName\" FROM raw.EVENTS E"],
        &[
            "select userid as id, count(*) as n from events group by userid",
            "SELECT Events.UserId ID, Count(*) N FROM Events GROUP BY 1",
        ],
        &[
            "select e.userid, u.country from events e join users u on e.userid = u.id",
            "select x.userid, y.country from raw.events x inner join raw.users y on x.userid = y.id",
        ],
        &[
            "select userid from events where userid in (select id from users)",
            "select E.userid from events e where e.userid in (select u.ID from raw.users u)",
        ],
        &[
            "select userid from events e where exists (select 1 from users u where u.id = e.userid)",
            "select userid from events where exists (select 1 from users where id = events.userid)",
        ],
        &[
            "select userid, i.price from (select userid, unnest(items) as i from events) as t",
            "select t.userid, I.Price from (select *, unnest(events.items) i from events) t",
        ],
        &[
            "select userid, row_number() over (partition by type order by userid) as n from events",
            "select userid, ROW_NUMBER() OVER w n from events window w as (partition by TYPE order by USERID)",
        ],
    ];
    for group in groups {
        let first = identity(&lake, group[0]).await;
        for sql in &group[1..] {
            assert_eq!(identity(&lake, sql).await, first, "{sql}");
        }
    }
    let here = bound(&lake, "default", "select userid from raw.events").await.identity();
    assert_eq!(bound(&lake, "RAW", "select userid from events").await.identity(), here);
}

#[tokio::test]
async fn each_change_of_meaning_counts() {
    let lake = lake().await;
    let statements = [
        "select userid, type from events where type = 'login'",
        "select userid, type from events where type = 'Login'",
        "select userid, type from events where type = 'login '",
        "select userid, type from events where type <> 'login'",
        "select userid, type from events where device.osname = 'login'",
        "select userid, type from events where 'login' = any (select country from users)",
        "select userid, type from events",
        "select type, userid from events",
        "select userid as id, type from events",
        "select userid, type as kind from events",
        "select userid, type from other",
        "select userid, type from default.events",
        "select userid, upper(type) as type from events",
        "select userid, lower(type) as type from events",
        "select userid + 1 as userid, type from events",
        "select userid + 2 as userid, type from events",
        "select userid - 1 as userid, type from events",
        "select 1 + userid as userid, type from events",
        "select cast(userid as varchar) as userid, type from events",
        "select try_cast(userid as varchar) as userid, type from events",
        "select cast(userid as double) as userid, type from events",
        "select userid, case when type = 'a' then 'b' else type end as type from events",
        "select userid, case when type = 'a' then type else 'b' end as type from events",
        "select userid, case type when 'a' then 'b' end as type from events",
        "select distinct userid, type from events",
        "select userid, type from events union all select userid, type from other",
        "select userid, type from events union select userid, type from other",
        "select userid, type from other union all select userid, type from events",
        "select userid, type from events except select userid, type from other",
        "select userid, type from events intersect select userid, type from other",
        "select userid, type from events limit 3",
        "select userid, type from events limit 4",
        "select userid, type from events offset 3",
        "select userid, type from events order by userid",
        "select userid, type from events order by userid desc",
        "select userid, type from events order by userid nulls first",
        "select userid, count(type) as type from events group by userid",
        "select userid, count(distinct type) as type from events group by userid",
        "select userid, count(*) as type from events group by userid",
        "select userid, max(type) as type from events group by userid",
        "select userid, max(type) filter (where type > 'b') as type from events group by userid",
        "select userid, max(type) as type from events group by userid, device.ver",
        "select userid, max(type) as type from events group by userid having max(type) > 'b'",
        "select userid, first_value(type) over (order by userid) as type from events",
        "select userid, first_value(type) over (partition by userid) as type from events",
        "select userid, first_value(type) over (order by userid rows 2 preceding) as type from events",
        "select userid, first_value(type) over (order by userid rows 3 preceding) as type from events",
        "select userid, type from events where type like 'a%'",
        "select userid, type from events where type not like 'a%'",
        "select userid, type from events where type ilike 'a%'",
        "select userid, type from events where type in ('a', 'b')",
        "select userid, type from events where type in ('a')",
        "select userid, type from events where type not in ('a', 'b')",
        "select userid, type from events where type in ('a, ''b')",
        "select userid, type from events where type is null",
        "select userid, type from events where type is not null",
        "select userid, type from events where userid between 1 and 2",
        "select userid, type from events where userid between 1 and 3",
        "select userid, type from events where userid = 1",
        "select userid, type from events where userid = 1.0",
        "select userid, type from events where type = null",
        "select userid, type from events where type = 'NULL'",
        "select userid, type from events where userid in (select id from users)",
        "select userid, type from events where userid not in (select id from users)",
        "select userid, type from events where userid in (select id from users where country = 'KR')",
        "select userid, type from events where userid in (select id + 1 from users)",
        "select userid, type from events e where exists (select 1 from users where id = e.userid)",
        "select userid, type from events e where not exists (select 1 from users where id = e.userid)",
        "select userid, type from events e where exists (select 1 from users where country = e.type)",
        "select userid, (select max(country) from users) as type from events",
        "select userid, (select min(country) from users) as type from events",
        "select userid, country as type from events join users on userid = id",
        "select userid, type from events join users on userid = id",
        "select userid, type from events left join users on userid = id",
        "select userid, type from events full join users on userid = id",
        "select userid, type from events join users on userid = id and country > 'a'",
        "select userid, type from events join users on userid = id + 1",
        "select userid, type from events cross join users",
        "select a.userid, b.type from events a join events b on a.userid = b.userid",
        "select a.userid, a.type from events a join events b on a.userid = b.userid",
        "select a.userid, a.type from events a join events b on a.userid = b.device.ver",
        "select device.ver as userid, type from events",
        "select userid, device.osname as type from events",
        "select userid, cast(device.ver as varchar) as type from events",
        "select items[1].price as userid, type from events",
        "select items[2].price as userid, type from events",
        "select i.price as userid, type from (select type, unnest(items) as i from events)",
        "select userid, type from (select *, unnest(items) as i from events)",
        "select userid, i['price'] as type from (select userid, unnest(items) as i from events)",
        "select * from (values (1, 'a')) as t(userid, type)",
        "select * from (values (1, 'b')) as t(userid, type)",
        "select value as userid, 'a' as type from range(1, 5)",
        "select value as userid, 'a' as type from range(1, 6)",
    ];
    let mut seen = std::collections::HashMap::new();
    for sql in statements {
        if let Some(other) = seen.insert(identity(&lake, sql).await, sql) {
            panic!("{other}\n{sql}");
        }
    }
}

/// The columns of `raw.events` and others.
fn columns(os: &str, price: &str, in_device: bool, in_items: bool, at_the_end: bool) -> Vec<NestedFieldRef> {
    let mut device = vec![column(5, os, "string"), column(6, "ver", "int")];
    let mut element = vec![column(8, price, "long")];
    if in_device {
        device.insert(0, column(20, "model", "string"));
    }
    if in_items {
        element.push(column(21, "count", "long"));
    }
    let element = NestedField::list_element(7, Type::Struct(StructType::new(element)), false);
    let items = Type::List(ListType::new(Arc::new(element)));
    let mut columns = vec![
        column(1, "userId", "long"),
        column(2, "type", "string"),
        record(3, "Device", device),
        Arc::new(NestedField::optional(4, "items", items)),
    ];
    if at_the_end {
        columns.insert(1, column(22, "new", "long"));
    }
    columns
}

#[tokio::test]
async fn columns_that_are_not_read_do_not_count() {
    let lake = lake().await;
    let unmoved = [
        "select userid, device.osname from events where type = 'a'",
        "with e as (select * from events) select userid, device.ver + 1 as v from (select * from e) s where type = 'a'",
        "select userid, count(*) as n from (select * from events) group by userid",
        "select items[1].price, type from events",
        "select userid, i.price from (select *, unnest(items) as i from events)",
        "select u.country from (select * from events) e join users u on e.userid = u.id",
        "select id from users u where exists (select * from events e where e.userid = u.id)",
        "select count(*) as n from events",
        "select type from (select * from events union all select * from events)",
        "select userid, row_number() over (order by type) as n from (select * from events)",
        "select n from (select *, row_number() over (order by type) as n from events)",
    ];
    let moved = [
        "select * from events",
        "select e.* from events e join users u on e.userid = u.id",
        "select userid, device from events",
        "select items from events",
        "select items[1] from events",
        "select distinct * from events",
        "select type from (select * from events union select * from events)",
    ];
    let mut before = Vec::new();
    for sql in unmoved.iter().chain(&moved) {
        before.push(identity(&lake, sql).await);
    }
    lake.evolve("raw.events", columns("osName", "price", true, true, true)).await;
    for (sql, before) in unmoved.iter().zip(&before) {
        assert_eq!(identity(&lake, sql).await, *before, "{sql}");
    }
    for (sql, before) in moved.iter().zip(&before[unmoved.len()..]) {
        assert_ne!(identity(&lake, sql).await, *before, "{sql}");
    }
}

#[tokio::test]
async fn a_column_is_told_by_its_id_and_type() {
    let lake = lake().await;
    let before = identity(&lake, "select userid as a from events where device.ver = 1").await;
    let mut renamed = columns("osName", "price", false, false, false);
    renamed[0] = column(1, "player", "long");
    lake.evolve("raw.events", renamed.clone()).await;
    assert_eq!(identity(&lake, "select player as a from events where device.ver = 1").await, before);
    renamed[2] = record(3, "Device", vec![column(5, "osName", "string"), column(6, "ver", "long")]);
    lake.evolve("raw.events", renamed.clone()).await;
    assert_ne!(identity(&lake, "select player as a from events where device.ver = 1").await, before);
    renamed.push(column(30, "userId", "long"));
    lake.evolve("raw.events", renamed).await;
    assert_ne!(identity(&lake, "select userid as a from events where device.ver = 1").await, before);
}

#[tokio::test]
async fn it_says_nothing_of_this_process() {
    let lake = lake().await;
    let sql = "select userid, upper(type) as t from events where device.osname in ('a') order by 1";
    let expected = r#"select "userid" = 1#1:Int64, "t" = 2.0 from [2 compute (upper(1#2:text)) of filter (<_ IN ([_])>(1#3.get_field("osname"):text, text "a")) of [1 table "raw.events"]]"#;
    let told = identity(&lake, sql).await;
    assert_eq!(told.replace(r#"sort true false None (1#1:Int64) of "#, ""), expected, "{told}");
}
