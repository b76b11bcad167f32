//! What people and programs are told.

use hosu_query::QueryError;
use hosu_table::name::TableName;
use hosu_transform::{JobError, JobFault, Refusal, RunError, TestFailure};

use super::*;

#[test]
fn people_see_the_place_in_the_statement() {
    let failure = Failure::new("COLUMN_NOT_FOUND", "column `tpye` does not exist")
        .remedy("did you mean `type`?")
        .at(Some((2, 13)))
        .in_text("select 1;\nselect '한', tpye from events");
    assert_eq!(
        failure.to_text(),
        "error: column `tpye` does not exist\n  line 2: select '한', tpye from events\n                       ^^^^\n  \
         did you mean `type`?\n"
    );
}

#[test]
fn programs_see_stable_names() {
    let failure = Failure::new("X", "m").at(Some((1, 7)));
    assert_eq!(
        failure.to_json(),
        r#"{"error":{"code":"X","column":7,"line":1,"message":"m","nearest":null,"remedy":null}}"#
    );
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
    assert_eq!((failure.exit_code(), failure.exit), (0, Exit::Quiet));
    assert_eq!(Failure::interrupted().exit_code(), 130);
    assert_eq!(Failure::usage("x").exit_code(), 2);
}

#[test]
fn a_name_that_cannot_be_is_wrong_usage() {
    let error = hosu_table::name::TableName::parse("a.b.c").unwrap_err();
    let failure = Failure::from(error);
    assert_eq!((failure.code, failure.exit_code()), ("INVALID_NAME", 2));
    assert!(failure.message.contains("a.b.c"));
}

#[test]
fn an_answer_of_s3_is_told_in_its_own_words() {
    let message = "s3://b/x failed: Generic S3 error: Error performing GET http://h/b in 2ms - Server returned \
                   non-2xx status code: 404 Not Found: <?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code>\
                   <Message>The specified bucket does not exist.</Message><RequestId>R</RequestId></Error> (again)";
    let expected =
        "s3://b/x failed: the store answers NoSuchBucket: The specified bucket does not exist. (again)";
    assert_eq!(Failure::new("X", message).message, expected);
    for other in ["<Error>", "<Error></Error>", "</Error><Error>", "plain"] {
        assert_eq!(Failure::new("X", other).message, other);
    }
}

#[test]
fn the_place_is_under_the_word_whatever_stands_before() {
    let marked = |line: &str, column: usize| {
        let text = Failure::new("X", "m").at(Some((1, column))).in_text(line).to_text();
        text.lines().nth(2).unwrap().to_owned()
    };
    let start = "          ";
    assert_eq!(marked("select x", 8), format!("{start}       ^"));
    assert_eq!(marked("'서울' geo.x", 6), format!("{start}       ^^^"));
    assert_eq!(marked("'e\u{301}' \"두 말\" y", 6), format!("{start}    ^^^^^^^"));
    assert_eq!(marked("\t(\u{1b}[1m", 2), format!("{start} ^"));
    assert_eq!(marked("select", 9), format!("{start}      ^"), "behind the end");
    assert_eq!(marked("'👨‍👩‍👧' x", 9), format!("{start}     ^"));
}

#[test]
fn a_full_disk_is_one_clear_error() {
    let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
    assert_eq!((failure.code, failure.exit_code()), ("OUTPUT_FULL", 1));
    assert!(failure.to_text().contains("no space"), "{}", failure.to_text());
    let failure = Failure::from(hosu_collect::CollectError::SourceUnreadable {
        name: "-".to_owned(),
        source: io::Error::from(io::ErrorKind::StorageFull),
    });
    assert_eq!(failure.code, "SCRATCH_FAILED");
    assert!(failure.to_text().contains("query.spill"), "{}", failure.to_text());
}

#[test]
fn of_a_long_line_the_place_is_shown() {
    let line = format!("select '{}' from {}", "호".repeat(100), "x".repeat(100));
    for width_max in [9, 40, 90] {
        for column in [1, 5, 60, 109, 116, 216] {
            let (text, at) = window(&line, column, width_max);
            assert!(width(&text) <= width_max + 4, "{text}");
            assert_eq!(text.chars().nth(at - 1), line.chars().nth(column - 1), "{column}");
        }
    }
    assert_eq!(window("select\tx", 8, 90), ("select x".to_owned(), 8));
    assert_eq!(window("", 3, 90), (String::new(), 1));
}

#[test]
fn a_run_that_is_refused_tells_how_to_make_all_anew() {
    let target = TableName::parse("c.t").unwrap();
    let refusal = Refusal::SelectChanged { target };
    let error = RunError::Refused { job: "daily".to_owned(), refusal };
    let failure = Failure::of_run("daily", &error);
    assert_eq!((failure.code, failure.exit_code()), ("SELECT_CHANGED", 1));
    assert_eq!(failure.message, "daily: the SELECT is not the one that filled c.t");
    assert_eq!(failure.remedy.as_deref(), Some("`hosu job run daily --full` makes all its rows anew"));
}

#[test]
fn every_failure_of_a_run_has_a_remedy() {
    let input = TableName::parse("raw.e").unwrap();
    let test = TestFailure { test: "n > 0".to_owned(), row_count: None, rows: vec!["{n: 0}".to_owned()] };
    let fault = JobError { path: "jobs/a.sql".into(), line: 3, fault: JobFault::NotUtf8 };
    let missing = |filled_by| RunError::InputMissing { input: input.clone(), filled_by };
    for (error, code, part) in [
        (missing(None), "INPUT_NOT_FOUND", "a: raw.e does not exist"),
        (missing(Some("b".to_owned())), "INPUT_NOT_FOUND", "`b` makes it"),
        (RunError::Test(test), "TEST_FAILED", "{n: 0}"),
        (RunError::Timeout { timeout: std::time::Duration::from_secs(2) }, "TIMEOUT", "2 s"),
        (RunError::LeaseLost, "LEASE_LOST", "took over"),
        (RunError::Busy { wait_ms: 1_500 }, "JOB_BUSY", "2 s"),
        (RunError::Job(fault), "JOB_INVALID", "jobs/a.sql, line 3: it is no UTF-8 text"),
        (
            RunError::Query(QueryError::Store { message: "gone".to_owned() }),
            "ICEBERG_FILESYSTEM_ERROR",
            "a: ",
        ),
    ] {
        let failure = Failure::of_run("a", &error);
        assert_eq!(failure.code, code);
        assert!(failure.message.contains(part) && failure.remedy.is_some(), "{failure:?}");
    }
    assert_eq!(Failure::of_run("a", &RunError::Stopped).exit_code(), 130);
}
