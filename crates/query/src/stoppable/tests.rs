//! Joins of a query that was given up.

use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::SessionContext;

use super::*;

async fn planned(condition: &str) -> (SessionContext, Arc<dyn ExecutionPlan>) {
    let session = SessionContext::new();
    let text = format!(
        "select sum(x + y + z) from (values (1), (2)) as a(x), (values (1), (3)) as b(y), (values (1), (4)) as c(z) \
         where {condition}"
    );
    let plan = session.sql(&text).await.unwrap().create_physical_plan().await.unwrap();
    (session, plan)
}

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

#[tokio::test]
async fn a_join_ends_with_an_error_once_it_was_given_up() {
    for (condition, join) in
        [("x + y + z < 0", "NestedLoopJoinExec"), ("x = y and x + y + z < 0", "HashJoinExec")]
    {
        let (session, plan) = planned(condition).await;
        assert!(shown(&plan).contains(join), "{}", shown(&plan));
        let given_up = GivenUp::default();
        let stopped = stoppable(plan.clone(), &given_up).unwrap();
        let rows = collect(stopped.clone(), session.task_ctx()).await.unwrap();
        assert_eq!(rows, collect(plan.clone(), session.task_ctx()).await.unwrap());
        let stopped = stoppable(plan, &given_up).unwrap();
        drop(given_up);
        let error = collect(stopped, session.task_ctx()).await.unwrap_err();
        assert!(error.to_string().contains("given up"), "{error}");
    }
}

#[tokio::test]
async fn what_joins_hand_on_passes_a_point_where_the_task_yields() {
    for condition in ["true", "x < y", "x = y and y = z"] {
        let (_, plan) = planned(condition).await;
        let shown = shown(&stoppable(plan, &GivenUp::default()).unwrap());
        let lines: Vec<&str> = shown.lines().map(str::trim).collect();
        let joins = |line: &&str| {
            ["CrossJoinExec", "NestedLoopJoinExec", "HashJoinExec"].iter().any(|join| line.starts_with(join))
        };
        assert_eq!(lines.iter().filter(|line| joins(line)).count(), 2, "{shown}");
        let yielding = lines.windows(2).filter(|pair| pair[0] == "CooperativeExec" && joins(&pair[1]));
        assert_eq!(yielding.count(), 2, "{shown}");
    }
}
