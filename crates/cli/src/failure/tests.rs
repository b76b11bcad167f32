//! What people and programs are told.

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
