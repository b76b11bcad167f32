use datafusion::arrow::datatypes::SchemaRef;
use serde_json::json;

use crate::tests::{Lake, column, record, schema};
use crate::{Engine, EngineSettings, Position, QueryError};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema};

async fn lake() -> Lake {
    let lake = Lake::new();
    let device = record(3, "Device", vec![column(4, "osName", "string")]);
    lake.create("t", schema(vec![column(1, "userId", "long"), column(2, "name", "string"), device]), "")
        .await;
    let rows = [
        json!({"userId": 1, "name": "a", "Device": {"osName": "ios"}}),
        json!({"userId": null, "name": "b", "Device": null}),
        json!({"userId": 3, "name": "c", "Device": {"osName": "android"}}),
    ];
    lake.append("t", &rows).await;
    lake
}

fn engine() -> Engine {
    Engine::new(EngineSettings::default()).unwrap()
}

async fn columns(lake: &Lake) -> SchemaRef {
    lake.plan("SELECT * FROM t").await.unwrap().schema()
}

fn message(schema: &ArrowSchema, text: &str) -> String {
    engine().row_test(schema, text).unwrap_err().to_string()
}

#[tokio::test]
async fn rows_that_are_false_or_null_fail() {
    let lake = lake().await;
    let batches = lake.batches("SELECT * FROM t ORDER BY name").await;
    let rows = &batches[0];
    let failing = |text: &str| engine().row_test(&rows.schema(), text).unwrap().failing(rows).unwrap();
    assert_eq!(failing("userId is not null"), [1]);
    assert_eq!(failing("USERID > 1"), [0, 1]);
    assert_eq!(failing("\"userid\" between 1 and 3 or name = 'b' -- all of them"), [0; 0]);
    assert_eq!(failing("device.OSNAME in ('ios', 'web')"), [1, 2]);
    assert_eq!(failing("DEVICE is null OR upper(device.osname) <> 'IOS'"), [0]);
    assert_eq!(failing("true"), [0; 0]);
    assert_eq!(failing("1 = 2"), [0, 1, 2]);
    assert_eq!(failing("cast(null as boolean)"), [0, 1, 2]);
    let error = engine().row_test(&rows.schema(), "10 / (userid - 1) > 0").unwrap().failing(rows);
    assert!(error.unwrap_err().to_string().contains("division by zero"));
}

#[tokio::test]
async fn the_number_of_rows_is_tested_alone() {
    let lake = lake().await;
    let test = engine().row_test(columns(&lake).await.as_ref(), "ROW_COUNT between 1 and 10").unwrap();
    assert!(test.reads_row_count());
    let holds: Vec<bool> = [0, 1, 10, 11].map(|rows| test.holds_for(rows).unwrap()).to_vec();
    assert_eq!(holds, [false, true, true, false]);
    assert_eq!(test.failing(&lake.batches("SELECT * FROM t").await[0]).unwrap(), [0; 0]);
    let test = engine().row_test(columns(&lake).await.as_ref(), "userid = 1").unwrap();
    assert!(!test.reads_row_count() && test.holds_for(0).unwrap());
}

#[tokio::test]
async fn the_time_is_what_the_caller_says() {
    let lake = lake().await;
    let columns = columns(&lake).await;
    let rows = &lake.batches("SELECT * FROM t").await[0];
    let holds = |now_ms| {
        let text = "current_date = date '2024-05-01' and now() < timestamp '2024-05-01 10:00:00'";
        engine().row_test_at(&columns, text, now_ms).unwrap().failing(rows).unwrap().is_empty()
    };
    assert!(holds(1_714_525_200_000));
    assert!(!holds(1_714_611_600_000));
    assert!(
        message(&columns, "now() > timestamp '2024-05-01 10:00:00'").contains("now() cannot be in a test")
    );
}

#[tokio::test]
async fn what_is_no_condition_on_a_row_is_refused() {
    let lake = lake().await;
    let columns = columns(&lake).await;
    let refusals = [
        ("count(*) > 1", "count(), an aggregate, cannot be in a test"),
        ("row_number() over (order by userid) = 1", "row_number() OVER, a window function, cannot be"),
        ("userid in (select 1)", "a subquery in a test is not supported"),
        ("exists (select * from other)", "a subquery in a test is not supported"),
        ("(select true)", "a subquery in a test is not supported"),
        ("userid", "a test is true or false, and this is of type Int64"),
        ("null", "a test is true or false, and this is of type Null"),
        ("row_count > userid", "row_count is of all rows and userId of one row: write two tests"),
        ("userid = ?", "the parameter ? cannot be in a test"),
        ("userid = 1 as x", "without a name"),
        ("userid = 1 from other", "Expected"),
        ("userid = 1; drop table t", "Expected"),
        ("", "Expected"),
    ];
    for (text, expected) in refusals {
        let told = message(&columns, text);
        assert!(told.contains(expected), "{text}: {told}");
    }
    let error = engine().row_test(&columns, "name = 'a' and usrid > 1").unwrap_err();
    assert!(
        matches!(&error, QueryError::ColumnNotFound { nearest: Some(name), .. } if name == "userId"),
        "{error:?}"
    );
    assert_eq!(error.position(), Some(Position { line: 1, column: 16 }));
}

#[test]
fn names_that_mean_two_things_are_refused() {
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let own = ArrowSchema::new(vec![long("Row_Count"), long("a")]);
    assert!(message(&own, "row_count > 0").contains("the name of a column here"));
    assert!(engine().row_test(&own, "a > 0").is_ok());
    let twice = ArrowSchema::new(vec![long("a"), long("A")]);
    assert_eq!(message(&twice, "a > 0"), "two columns are called A");
}
