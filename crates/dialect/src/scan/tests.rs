//! What a shell relies on: nothing fails, nothing is left out, and a text in pieces has the words of the whole.

use super::*;

fn words(text: &str) -> Vec<(WordKind, &str)> {
    scan(text).map(|word| (word.kind, &text[word.start..word.end])).collect()
}

fn open(text: &str) -> Option<WordKind> {
    scan(text).last().filter(|word| word.open).map(|word| word.kind)
}

#[test]
fn words_and_comments_come_in_their_order() {
    use WordKind::*;
    let text = "select 'it''s', \"a b\" -- why\n/* how */ from t1 where x >= 1.5e3;select";
    let expected = [
        (Word, "select"),
        (Text, "'it''s'"),
        (Symbol, ","),
        (Name, "\"a b\""),
        (Comment, "-- why"),
        (Comment, "/* how */"),
        (Word, "from"),
        (Word, "t1"),
        (Word, "where"),
        (Word, "x"),
        (Symbol, ">"),
        (Symbol, "="),
        (Number, "1.5e3"),
        (End, ";"),
        (Word, "select"),
    ];
    assert_eq!(words(text), expected);
    assert_eq!(words(" -- only this"), [(Comment, "-- only this")]);
    assert_eq!(words(" \n "), []);
}

#[test]
fn what_is_open_says_so() {
    assert_eq!(open("select 'a"), Some(WordKind::Text));
    assert_eq!(open("select \"a"), Some(WordKind::Name));
    assert_eq!(open("select 1 /* a"), Some(WordKind::Comment));
    assert_eq!(open("describe `a"), Some(WordKind::Name));
    assert_eq!(open("select 'a' -- b"), None);
    // A backslash escapes in Hive's grammar only.
    assert_eq!(open(r"create table t (a string comment 'it\'s"), Some(WordKind::Text));
    assert_eq!(open(r"create table t (a string comment 'it\'s'"), None);
    assert_eq!(open(r"select 'it\'s'"), Some(WordKind::Text));
    assert_eq!(open(r"create table t as select 'it\'"), None);
    assert_eq!(words("select `a`").len(), 4, "backquotes are no end of the scan");
}

#[test]
fn a_text_that_grows_has_the_words_of_the_whole() {
    let texts = [
        "select 'it''s', \"a b\" -- why\n/* how\n */ from (t1) where x >= 1.5e3; select\n 1; -- end",
        "create /* c */ table t (a string comment 'it\\'s; -- no', `b;` bigint)\n;select \"x;\" ;",
        "drop table `a;b`; create table x as select 'a\\' ; show tables",
        "se\nlect\n(((\n';\n'\n)))\n;;\n한국어 '텍스트; \u{1F600}\n끝';",
    ];
    for text in texts {
        let whole: Vec<ScannedWord> = scan(text).collect();
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let mut first = scan(&text[..at]);
            first.by_ref().for_each(drop);
            let mark = first.mark();
            let rest: Vec<ScannedWord> = scan_from(text, mark).collect();
            let kept = whole.len() - rest.len();
            assert_eq!(whole[kept..], rest, "{text:?} cut at {at}");
            assert!(kept == 0 || whole[kept - 1].end <= at, "{text:?} cut at {at} skipped a word");
        }
    }
}

#[test]
fn hostile_texts_end() {
    for text in [
        "(".repeat(100_000),
        "'".repeat(99_999),
        "/*".repeat(50_000),
        "`".repeat(99_999),
        "1e".repeat(50_000),
    ] {
        for start in ["", "select ", "describe "] {
            assert!(scan(&format!("{start}{text}")).count() > 0);
        }
    }
    assert_eq!(scan(&"(".repeat(1000)).count(), 1000);
}
