//! A time moved by a duration is where the interval moves it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, TimestampSecondArray};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;

use super::PlainIntervals;

async fn answer(ours: bool, sql: &str) -> String {
    let mut state = SessionStateBuilder::new().with_default_features();
    if ours {
        state = state.with_optimizer_rule(Arc::new(PlainIntervals));
    }
    let context = SessionContext::new_with_state(state.build());
    // 1969, a leap day, the year's last microsecond, NULL.
    let micros = vec![Some(-1), Some(1_709_164_799_999_999), Some(1_767_225_599_999_999), None, Some(0)];
    let seconds: Vec<Option<i64>> = micros.iter().map(|time| time.map(|time| time / 1_000_000)).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("utc", Arc::new(TimestampMicrosecondArray::from(micros.clone()).with_timezone("UTC"))),
        ("seconds", Arc::new(TimestampSecondArray::from(seconds).with_timezone("+00:00"))),
        ("seoul", Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("+09:00"))),
    ];
    let rows = columns.map(|(name, column)| (name, column, true));
    context.register_batch("rows", RecordBatch::try_from_iter_with_nullable(rows).unwrap()).unwrap();
    let answer = context.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&answer).unwrap().to_string()
}

#[tokio::test]
async fn durations_move_times_as_intervals_do() {
    let intervals = [
        "30 minutes",
        "1 day 2 seconds",
        "-1 day",
        "1 month",
        "1 month 1 day",
        "1.5 seconds",
        "1 nanosecond",
    ];
    for (column, interval) in ["utc", "seconds", "seoul"]
        .into_iter()
        .flat_map(|column| intervals.map(|interval| (column, interval)))
    {
        let sql = format!(
            "select {column} - interval '{interval}', {column} + interval '{interval}' as later, \
             sum(case when {column} < {column} - interval '{interval}' then 1 else 0 end) over () as s from rows \
             where {column} is null or {column} + interval '{interval}' <> {column}"
        );
        assert_eq!(answer(true, &sql).await, answer(false, &sql).await, "{sql}");
        let plan = answer(true, &format!("explain {sql}")).await;
        let moved = column != "seoul" && !interval.contains("month") && !interval.contains("nano");
        let whole = column == "utc" || interval != "1.5 seconds";
        assert_eq!(plan.contains("Duration"), moved && whole, "{plan}");
    }
}
