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
        "error: column `tpye` does not exist\n  line 2: select '한', tpye from events\n                       ^\n  \
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
