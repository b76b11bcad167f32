use serde_json::json;

use super::{Lake, column, record, schema};
use crate::{Position, QueryError};

async fn lake() -> Lake {
    let lake = Lake::new();
    let device = record(3, "Device", vec![column(4, "osName", "string"), column(5, "ver", "int")]);
    lake.create(
        "events",
        schema(vec![column(1, "userId", "long"), column(2, "eventType", "string"), device]),
        "",
    )
    .await;
    lake.create("games.Users", schema(vec![column(1, "USERID", "long"), column(2, "events", "string")]), "")
        .await;
    let rows = [
        json!({"userId": 1, "eventType": "login", "Device": {"osName": "ios", "ver": 17}}),
        json!({"userId": 2, "eventType": "chat", "Device": {"osName": "android", "ver": 14}}),
    ];
    lake.append("events", &rows).await;
    lake.append("games.users", &[json!({"USERID": 2, "events": "many"})]).await;
    lake
}

fn names(lake: &crate::Planned) -> Vec<String> {
    lake.schema().fields().iter().map(|field| field.name().clone()).collect()
}

#[tokio::test]
async fn columns_and_fields_are_found_in_any_case_quoted_or_not() {
    let lake = lake().await;
    for column in ["userId", "userid", "USERID", "\"userid\"", "\"UserId\"", "e.USERID", "\"E\".\"userId\""] {
        let rows = lake.rows(&format!("SELECT {column} FROM Events e WHERE {column} > 1")).await;
        assert_eq!(rows, [r#"{"userId":2}"#], "{column}");
    }
    for field in ["device.osname", "DEVICE.OSNAME", "e.device.\"OSName\"", "\"Device\".osName"] {
        let rows = lake.rows(&format!("SELECT {field} FROM \"EVENTS\" AS e WHERE {field} = 'ios'")).await;
        assert_eq!(rows, [r#"{"osName":"ios"}"#], "{field}");
    }
    assert_eq!(lake.rows("SELECT count(*) AS n FROM default.events").await, [r#"{"n":2}"#]);
    assert_eq!(lake.rows("SELECT Count(*) AS n FROM HOSU.Default.EVENTS").await, [r#"{"n":2}"#]);
}

#[tokio::test]
async fn a_column_that_is_named_as_a_table_does_not_get_in_its_way() {
    let lake = lake().await;
    let sql = "SELECT EVENTS, eventtype FROM games.users u JOIN events USING (UserId)";
    assert_eq!(lake.rows(sql).await, [r#"{"events":"many","eventType":"chat"}"#]);
    let sql = "SELECT events.userid FROM events JOIN games.users ON events.userid = users.USERID";
    assert_eq!(lake.rows(sql).await, [r#"{"userId":2}"#]);
}

#[tokio::test]
async fn aliases_and_ctes_are_found_in_any_case() {
    let lake = lake().await;
    let sql = "WITH Big AS (SELECT userId AS Uid, eventType FROM events) \
               SELECT b.UID, max(EVENTTYPE) AS M FROM bIG b GROUP BY b.uid HAVING m > 'd' ORDER BY UID";
    let rows = lake.rows(sql).await;
    assert_eq!(rows, [r#"{"uid":1,"M":"login"}"#]);
    let sql =
        "SELECT sum(USERid) OVER W AS total FROM events WINDOW w AS (PARTITION BY EVENTtype) ORDER BY Total";
    assert_eq!(lake.rows(sql).await.len(), 2);
    let sql = "WITH t AS (SELECT * FROM events) SELECT userID FROM (SELECT * FROM T) AS X WHERE x.useRID = 2";
    assert_eq!(lake.rows(sql).await, [r#"{"userId":2}"#]);
}

#[tokio::test]
async fn results_are_named_as_athena_names_them() {
    let lake = lake().await;
    let planned = lake
        .plan("SELECT 1, USERID, device.OSNAME, count(*) OVER () AS Total, upper(eventType), *, 2, userid FROM events")
        .await
        .unwrap();
    let expected =
        ["_col0", "userId", "osName", "Total", "_col4", "userId", "eventType", "Device", "_col8", "userId"];
    assert_eq!(names(&planned), expected);
    let planned =
        lake.plan("SELECT count(*), count(*), userid, userid FROM events GROUP BY userid").await.unwrap();
    assert_eq!(names(&planned), ["_col0", "_col1", "userId", "userId"]);
    let planned = lake.plan("VALUES (1, 'a')").await.unwrap();
    assert_eq!(names(&planned), ["_col0", "_col1"]);
    let planned = lake.plan("EXPLAIN SELECT 1").await.unwrap();
    assert_eq!(names(&planned), ["plan_type", "plan"]);
}

#[tokio::test]
async fn what_is_not_there_is_named_with_its_place_and_what_was_meant() {
    let lake = lake().await;
    let error = lake.plan("SELECT *\n  FROM evnets").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no table default.evnets; did you mean events?");
    assert_eq!(error.position(), Some(Position { line: 2, column: 8 }));

    let error = lake.plan("SELECT * FROM nowhere.events").await.unwrap_err();
    assert!(matches!(&error, QueryError::DatabaseNotFound { name, .. } if name == "nowhere"), "{error:?}");
    assert_eq!(error.position(), Some(Position { line: 1, column: 15 }));

    let error = lake.plan("SELECT userId,\n evenType FROM events").await.unwrap_err();
    assert!(error.to_string().ends_with("did you mean eventType?"), "{error}");
    assert_eq!(error.position(), Some(Position { line: 2, column: 2 }));

    let error = lake.plan("SELECT sume(userId) FROM events").await.unwrap_err();
    assert!(matches!(&error, QueryError::FunctionNotFound { name, .. } if name == "sume"), "{error:?}");

    let error = lake.plan("SELECT userId FROM events, games.users").await.unwrap_err();
    assert!(matches!(error, QueryError::ColumnAmbiguous { .. }), "{error:?}");

    let error = lake.plan("SELECT device.osnam FROM events").await.unwrap_err();
    assert!(matches!(error, QueryError::ColumnNotFound { .. }), "{error:?}");

    let error = lake.plan("SELECT userId FROM events WHERE").await.unwrap_err();
    assert!(matches!(error, QueryError::Syntax { .. }), "{error:?}");

    let error = lake.plan("DROP TABLE events").await.unwrap_err();
    assert_eq!(error.to_string(), "DROP TABLE is not supported");
    let error = lake.plan("SELECT * FROM other.default.events").await.unwrap_err();
    assert!(matches!(error, QueryError::CatalogNotFound { .. }), "{error:?}");
    assert!(lake.plan("SELECT * FROM information_schema.tables").await.is_err());
    assert_eq!(lake.rows("SELECT value AS v FROM generate_series(1, 2)").await, [r#"{"v":1}"#, r#"{"v":2}"#]);
}

#[tokio::test]
async fn fields_keep_their_own_spelling_beside_others() {
    let lake = Lake::new();
    let user = record(1, "user", vec![column(2, "arn", "string"), column(3, "Name", "string")]);
    let other = record(4, "Other", vec![column(5, "ARN", "string"), column(6, "name", "string")]);
    lake.create("audit", schema(vec![user, other]), "").await;
    let row = json!({"user": {"arn": "u", "Name": "n"}, "Other": {"ARN": "o", "name": "m"}});
    lake.append("audit", &[row]).await;
    let whole = r#"{"user":{"arn":"u","Name":"n"},"Other":{"ARN":"o","name":"m"}}"#;
    assert_eq!(lake.rows("SELECT * FROM audit").await, [whole]);
    for sql in [
        "SELECT USER.ARN, other.arn FROM audit WHERE Other.NAME = 'm'",
        "SELECT a.user.Arn, a.\"other\".arn FROM Audit A WHERE a.user.NAME = 'n'",
    ] {
        assert_eq!(lake.rows(sql).await, [r#"{"arn":"u","ARN":"o"}"#], "{sql}");
    }
    // A field of something that has no path in a table.
    let rows = lake.rows("SELECT x.o.arn FROM (SELECT other AS o FROM audit) AS x").await;
    assert_eq!(rows, [r#"{"arn":"o"}"#]);
}
