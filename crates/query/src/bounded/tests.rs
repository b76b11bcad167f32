use super::*;
use crate::{Engine, EngineSettings};

/// What a query without tables says.
async fn outcome(sql: &str) -> Result<usize, QueryError> {
    let engine =
        Engine::new(EngineSettings { memory_bytes: 256 << 20, ..EngineSettings::default() }).unwrap();
    let state = engine.state();
    let plan = state.create_logical_plan(sql).await.map_err(crate::error::plan_error)?;
    let optimized = state.optimize(&plan).map_err(crate::error::plan_error)?;
    check_constants(&optimized, 256 << 20, 8192).map_err(crate::error::plan_error)?;
    let frame = datafusion::prelude::DataFrame::new(state.clone(), plan);
    let batches = frame.collect().await.map_err(crate::error::run_error)?;
    Ok(batches.iter().map(|batch| batch.num_rows()).sum())
}

#[tokio::test]
async fn what_would_be_too_large_is_refused_before_it_is_made() {
    for sql in [
        "select repeat('x', 2000000000)",
        "select length(repeat('x', 2000000000))",
        "select lpad('x', 2000000000)",
        "select rpad('x', 2000000000, 'ab')",
        "select replace(repeat('x', 1000000), 'x', repeat('y', 1000))",
        "select replace(repeat('x', 1000000), '', repeat('y', 1000))",
        "select array_repeat(1, 1000000000)",
        "select array_repeat(repeat('x', 1000), 1000000)",
        "select array_resize(array[1], 1000000000, 2)",
        "select range(1, 1000000000)",
        "select range(1000000000)",
        "select generate_series(1000000000, 1, -1)",
        "select range(timestamp '1970-01-01', timestamp '2200-01-01', interval '1' second)",
        "select concat(s, s) from (select repeat('x', 40000000 + value * 0) as s from generate_series(1, 1)) t",
        "select concat_ws(s, 'a', 'b', 'c', 'd') from (select repeat('x', 20000000 + value * 0) as s from generate_series(1, 1)) t",
        "select repeat('x', value) from generate_series(100000, 102000) t",
        "select repeat('x', 60000) from generate_series(1, 100000) t",
        "select max(repeat('x', 60000)) from generate_series(1, 100000) t",
    ] {
        let error = outcome(sql).await.unwrap_err();
        assert!(matches!(error, QueryError::ValueTooLarge { .. }), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_large_and_fits_is_made() {
    for sql in [
        "select repeat('x', 60000000)",
        "select count(*) from generate_series(1, 100) t where repeat('x', 60000) <> cast(value as varchar)",
        "select repeat('x', -1), repeat(null, 5), repeat('', 2000000000)",
        "select lpad('x', 1000000), rpad(null, 1000000000), lpad('abc', 2), lpad('x', -5)",
        "select replace(repeat('x', 1000000), 'y', repeat('y', 100000))",
        "select array_repeat(1, 1000000), array_repeat(null, 5), array_repeat(1, -1)",
        "select range(1, 1000000), range(5, 1), range(date '2026-01-01', date '2026-12-31', interval '1' month)",
        "select concat('a', null, 1), concat_ws(',', 'a', null)",
        "select array_resize(array[1, 2], 100), array_resize(array['a'], 3, 'b')",
    ] {
        assert_eq!(outcome(sql).await.unwrap(), 1, "{sql}");
    }
    assert_eq!(outcome("select repeat('x', value) from generate_series(1, 5000) t").await.unwrap(), 5000);
}
