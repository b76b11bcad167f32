//! Jobs that add the results of new rows.

use super::lake::Lake;

const LOGINS: &str = "target = \"curated.logins\"\nmode = \"append\"";
const SELECT: &str = "select id, country from raw.events where type = 'login'";

async fn lake() -> Lake {
    let mut lake = Lake::with_events().await;
    lake.job("logins", LOGINS, SELECT);
    lake
}

#[tokio::test]
async fn only_new_rows_are_read_and_added() {
    let mut lake = lake().await;
    let first = lake.succeed("logins").await;
    assert_eq!((first.rows_read, first.rows_written, first.files_written), (3, 2, 1));
    lake.sql("insert into raw.events values (4, 'login', 'FR', null), (5, 'buy', 'KR', 2.0)").await;
    lake.sql("insert into raw.events values (6, 'buy', 'FR', 2.0), (7, 'login', 'KR', null)").await;
    let second = lake.succeed("logins").await;
    assert_eq!((second.rows_read, second.rows_written), (4, 2));
    assert_eq!(second.inputs[0].from_snapshot_id, first.inputs[0].to_snapshot_id);
    assert_eq!(lake.sql("select id from curated.logins order by id").await, ["1", "3", "4", "7"]);
    lake.nothing_new("logins").await;
    assert_eq!(lake.snapshots("curated.logins").await, 2);
}

#[tokio::test]
async fn new_input_that_gives_no_row_moves_the_position_alone() {
    let mut lake = lake().await;
    lake.succeed("logins").await;
    lake.sql("insert into raw.events values (4, 'buy', 'FR', 1)").await;
    let run = lake.succeed("logins").await;
    assert_eq!((run.rows_written, run.snapshot_id), (0, None));
    assert_eq!(lake.snapshots("curated.logins").await, 1);
    lake.nothing_new("logins").await;
}

#[tokio::test]
async fn an_empty_input_makes_an_empty_target() {
    let mut lake = Lake::new();
    lake.sql("create table events (id bigint) tblproperties ('table_type'='ICEBERG')").await;
    lake.job("copy", "target = \"copied\"\nmode = \"append\"", "select id from events");
    lake.succeed("copy").await;
    assert_eq!(lake.sql("select count(*) from copied").await, ["0"]);
    lake.nothing_new("copy").await;
    lake.sql("insert into events values (1), (2)").await;
    lake.succeed("copy").await;
    assert_eq!(lake.sql("select count(*) from copied").await, ["2"]);
}

#[tokio::test]
async fn a_dimension_that_did_not_change_may_be_joined_and_one_that_did_may_not() {
    let mut lake = Lake::with_events().await;
    lake.sql("create table names (country string, name string) tblproperties ('table_type'='ICEBERG')").await;
    lake.sql("insert into names values ('KR', 'Korea'), ('DE', 'Germany')").await;
    lake.job(
        "named",
        "target = \"named\"\nmode = \"append\"",
        "select e.id, n.name from raw.events e left join names n on e.country = n.country",
    );
    lake.succeed("named").await;
    lake.sql("insert into raw.events values (4, 'login', 'DE', null)").await;
    lake.succeed("named").await;
    assert_eq!(lake.sql("select id, name from named order by id").await.last().unwrap(), "4 Germany");
    lake.sql("insert into names values ('FR', 'France')").await;
    let told = lake.fail("named").await;
    assert!(told.contains("names") && told.contains("full"), "{told}");
    assert!(lake.run_anew("named").await.error.is_none());
    lake.nothing_new("named").await;
}

#[tokio::test]
async fn an_input_that_was_overwritten_stops_the_job_until_all_is_made_anew() {
    let mut lake = lake().await;
    lake.succeed("logins").await;
    // A full job overwrites what an append job reads.
    lake.job("again", "target = \"mid\"\nmode = \"full\"", "select id, country from raw.events");
    lake.job("low", "target = \"low\"\nmode = \"append\"", "select id from mid");
    lake.succeed("again").await;
    lake.succeed("low").await;
    lake.sql("insert into raw.events values (4, 'login', 'FR', null)").await;
    lake.succeed("again").await;
    let told = lake.fail("low").await;
    assert!(
        told.contains("default.mid") && told.contains("overwrite") && told.contains("job run low --full"),
        "{told}"
    );
    assert!(lake.run_anew("low").await.error.is_none());
    assert_eq!(lake.sql("select count(*) from low").await, ["4"]);
}

#[tokio::test]
async fn another_spelling_goes_on_and_another_meaning_does_not() {
    let mut lake = lake().await;
    lake.succeed("logins").await;
    lake.job(
        "logins",
        LOGINS,
        "-- the same\nSELECT e.ID, e.\"country\"\nFROM Raw.Events AS e WHERE (e.type = 'login')",
    );
    lake.sql("insert into raw.events values (4, 'login', 'FR', null)").await;
    lake.succeed("logins").await;
    lake.job("logins", LOGINS, "select id, country from raw.events where type = 'logout'");
    let told = lake.fail("logins").await;
    assert!(told.contains("is not the one that filled curated.logins") && told.contains("--full"), "{told}");
    assert_eq!(lake.sql("select count(*) from curated.logins").await, ["3"]);
}

#[tokio::test]
async fn a_column_that_the_input_gets_later_changes_nothing_for_columns_that_are_named() {
    let mut lake = lake().await;
    lake.succeed("logins").await;
    let events = hosu_table::name::TableName::parse("raw.events").unwrap();
    let table = lake.catalog.require(&events).await.unwrap();
    let more = iceberg::spec::NestedField::optional(
        0,
        "device",
        iceberg::spec::Type::Primitive(iceberg::spec::PrimitiveType::String),
    );
    let additions = [(hosu_table::evolve::ParentPath::root(), std::sync::Arc::new(more))];
    let evolved =
        hosu_table::evolve::add_fields(table.schema(), table.metadata.last_column_id(), &additions).unwrap();
    let step = hosu_catalog::Step::EvolveSchema {
        base_schema_id: table.metadata.current_schema_id(),
        schema: Box::new(evolved.schema),
    };
    let change = hosu_catalog::TableChange::Change { base: table, steps: vec![step] };
    lake.catalog.commit(hosu_catalog::Commit { tables: vec![change], ..Default::default() }).await.unwrap();
    lake.sql("insert into raw.events values (4, 'login', 'FR', null, 'phone')").await;
    assert_eq!(lake.succeed("logins").await.rows_written, 1);
}

#[tokio::test]
async fn partitions_are_made_as_the_job_says() {
    let mut lake = Lake::with_events().await;
    lake.job(
        "parted",
        "target = \"parted\"\nmode = \"append\"\npartition_by = [\"country\"]",
        "select id, country from raw.events",
    );
    assert_eq!(lake.succeed("parted").await.files_written, 2);
}
