//! Orders, and what keeps jobs out of them.

use std::path::Path;

use super::*;

fn table(text: &str) -> TableName {
    TableName::parse(text).unwrap()
}

/// A job `name` that fills the table `name` from the inputs.
fn job(name: &str, inputs: &[&str]) -> Reads {
    job_with(name, inputs, name, "")
}

fn job_with(name: &str, inputs: &[&str], target: &str, more: &str) -> Reads {
    let text = format!("/* hosu:job\ntarget='{target}'\nmode='full'\n{more}\n*/ select 1");
    let job = Job::parse(Path::new(&format!("{name}.sql")), text.as_bytes()).unwrap();
    Reads { job, inputs: inputs.iter().map(|input| table(input)).collect() }
}

fn graph(jobs: Vec<Reads>) -> Graph {
    Graph::new(jobs, &BTreeSet::from([table("events"), table("users")]))
}

fn order(graph: &Graph) -> Vec<&str> {
    graph.order.iter().map(|reads| reads.job.name.as_str()).collect()
}

#[test]
fn each_job_comes_after_those_that_fill_its_inputs() {
    let graph =
        graph(vec![job("a", &["c", "users"]), job("b", &["events"]), job("c", &["b"]), job("d", &[])]);
    assert_eq!(order(&graph), ["b", "c", "a", "d"]);
    assert!(graph.faults.is_empty());
}

#[test]
fn a_cycle_is_told_and_others_run() {
    let graph = graph(vec![
        job("a", &["b"]),
        job("b", &["c"]),
        job("c", &["a", "events"]),
        job("d", &["c"]),
        job("own", &["own"]),
        job("well", &["events"]),
    ]);
    assert_eq!(order(&graph), ["well"]);
    assert_eq!(graph.faults["a"].1.to_string(), "the jobs wait for each other: a -> b -> c -> a");
    assert_eq!(graph.faults["c"].1, graph.faults["a"].1);
    assert_eq!(graph.faults["d"].1.to_string(), "`c`, which fills default.c, cannot run");
    assert_eq!(graph.faults["own"].1.to_string(), "the jobs wait for each other: own -> own");
}

#[test]
fn a_missing_input_is_told_with_the_nearest_name() {
    let graph = graph(vec![job("a", &["evnts"]), job("b", &["a"]), job("c", &["nothing_like_it"])]);
    assert!(graph.order.is_empty());
    let told = graph.faults["a"].1.to_string();
    assert_eq!(told, "default.evnts does not exist and is no job's target; did you mean default.events?");
    assert!(matches!(graph.faults["b"].1, GraphFault::Upstream { .. }));
    assert!(!graph.faults["c"].1.to_string().contains("did you mean"));
}

#[test]
fn a_target_has_one_job() {
    let graph = graph(vec![job_with("a", &[], "t", ""), job_with("b", &[], "T", ""), job("c", &["t"])]);
    assert!(graph.order.is_empty());
    assert_eq!(
        graph.faults["a"].1.to_string(),
        "default.t is the target of `b` too: a table is filled by one job"
    );
    assert!(graph.faults["b"].1.to_string().contains("`a`"));
    assert!(matches!(graph.faults["c"].1, GraphFault::Upstream { .. }));
}

#[test]
fn only_inputs_are_waited_for() {
    let fine = job_with("a", &["events"], "a", "schedule='after events'");
    let wrong = job_with("b", &["events"], "b", "schedule='after events, users'");
    let graph = graph(vec![fine, wrong]);
    assert_eq!(order(&graph), ["a"]);
    assert_eq!(graph.faults["b"].1, GraphFault::AfterNoInput { table: table("users") });
}

#[test]
fn a_thousand_jobs_in_a_row_are_ordered() {
    let jobs = (0..1_000).map(|number| match number {
        0 => job("job0", &["events"]),
        _ => job(&format!("job{number}"), &[&format!("job{}", number - 1)]),
    });
    let graph = graph(jobs.rev().collect());
    assert_eq!(graph.order.len(), 1_000);
    assert_eq!(graph.order[999].job.name, "job999");
}
