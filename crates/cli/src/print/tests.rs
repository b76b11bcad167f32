//! Each layout, with the values that break layouts.

use serde_json::{Value, json};

use super::json::object_names;
use super::*;

struct Row(Vec<Value>);

impl Cells for Row {
    fn text(&self, column: usize) -> Option<String> {
        match &self.0[column] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    fn json(&self, column: usize) -> String {
        self.0[column].to_string()
    }
}

fn printed(format: RowFormat, rows: &[Value]) -> String {
    looking(format, &Look::default(), &["type", "n", "n"], rows)
}

/// The second column is one of numbers.
fn looking(format: RowFormat, look: &Look, names: &[&str], rows: &[Value]) -> String {
    let columns = names.iter().enumerate();
    let columns: Vec<Column> =
        columns.map(|(at, name)| Column { name: (*name).to_owned(), numeric: at == 1 }).collect();
    let mut layout = layout(format, look);
    let mut out = Vec::new();
    layout.begin(&columns, &mut out).unwrap();
    for row in rows {
        layout.row(&Row(row.as_array().unwrap().clone()), &mut out).unwrap();
    }
    layout.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn rows() -> Vec<Value> {
    vec![json!(["로그인", 12, "a,\"b\""]), json!(["chat", 7, ""]), json!([null, null, "x\n\ty|z\\"])]
}

#[test]
fn tables_are_aligned_by_what_a_terminal_shows() {
    let expected = " type   |    n | n\n\
                    --------+------+-----------\n \
                    로그인 |   12 | a,\"b\"\n \
                    chat   |    7 |\n \
                    NULL   | NULL | x\\n\\ty|z\\\n";
    assert_eq!(printed(RowFormat::Table, &rows()), expected);
}

#[test]
fn a_long_table_flows_and_later_values_stick_out() {
    let many: Vec<Value> = (0..1_500).map(|at| json!(["x".repeat(at / 500 + 1), at, null])).collect();
    let text = printed(RowFormat::Table, &many);
    assert_eq!(text.lines().count(), 1_502);
    assert_eq!(text.lines().nth(2), Some(" x    |   0 | NULL"));
    assert_eq!(text.lines().last(), Some(" xxx  | 1499 | NULL"));
}

#[test]
fn csv_tells_null_from_empty_text() {
    let expected = "type,n,n\n로그인,12,\"a,\"\"b\"\"\"\nchat,7,\"\"\n,,\"x\n\ty|z\\\"\n";
    assert_eq!(printed(RowFormat::Csv, &rows()), expected);
}

#[test]
fn tsv_escapes_what_would_break_a_line() {
    let expected = "type\tn\tn\n로그인\t12\ta,\"b\"\nchat\t7\t\n\\N\t\\N\tx\\n\\ty|z\\\\\n";
    assert_eq!(printed(RowFormat::Tsv, &rows()), expected);
}

#[test]
fn json_keeps_the_order_of_columns_and_each_key_once() {
    let row = json!(["a", {"b": [1, null]}, 1.5]);
    let object = r#"{"type":"a","n":{"b":[1,null]},"n_2":1.5}"#;
    assert_eq!(printed(RowFormat::Ndjson, &[row.clone(), row.clone()]), format!("{object}\n{object}\n"));
    let array = printed(RowFormat::Json, &[row.clone(), row]);
    assert_eq!(array, format!("[\n{object},\n{object}\n]\n"));
    assert_eq!(serde_json::from_str::<Vec<Value>>(&array).unwrap().len(), 2);
    assert_eq!(printed(RowFormat::Json, &[]), "[]\n");
    assert_eq!(printed(RowFormat::Ndjson, &[]), "");
}

#[test]
fn markdown_is_one_line_a_row() {
    let expected = "| type | n | n |\n| --- | ---: | --- |\n| 로그인 | 12 | a,\"b\" |\n| chat | 7 |  |\n\
                    | NULL | NULL | x<br>\\ty\\|z\\\\ |\n";
    assert_eq!(printed(RowFormat::Markdown, &rows()), expected);
}

#[test]
fn vertical_is_one_line_a_value() {
    let expected = "-[ row 1 ]-\ntype | chat\nn    | 7\nn    | a\\u{1b}b\n";
    assert_eq!(printed(RowFormat::Vertical, &[json!(["chat", 7, "a\u{1b}b"])]), expected);
}

#[test]
fn an_answer_is_one_object() {
    let mut out = Vec::new();
    let mut answers = Answers::default();
    answers.begin(&[("n".to_owned(), "bigint".to_owned())], &mut out).unwrap();
    answers.row(&[json!(1)], &mut out).unwrap();
    answers.row(&[json!(null)], &mut out).unwrap();
    answers.end(&json!({"rows": 2}), &mut out).unwrap();
    let answer: Value = serde_json::from_slice(&out).unwrap();
    let expected =
        json!({"columns": [{"name": "n", "type": "bigint"}], "rows": [[1], [null]], "stats": {"rows": 2}});
    assert_eq!(answer, expected);
}

#[test]
fn names_of_objects_are_free_ones() {
    let column = |name: &str| Column { name: name.to_owned(), numeric: false };
    assert_eq!(object_names(&["n", "n_2", "n", "n"].map(column)), ["n", "n_2", "n_3", "n_4"]);
}

#[test]
fn numbers_are_known_by_their_type() {
    assert!(["bigint", "decimal(10,2)", "double"].into_iter().all(is_numeric));
    assert!(!["varchar", "timestamp(6)", "array(bigint)", "row(a bigint)"].into_iter().any(is_numeric));
}

#[test]
fn a_wide_table_is_turned_where_a_screen_is_narrow() {
    let on = |screen_width, expanded| {
        let look = Look { screen_width, expanded, ..Look::default() };
        looking(RowFormat::Table, &look, &["type", "n"], &[json!(["로그인", 7])])
    };
    let table = " type   | n\n--------+---\n 로그인 | 7\n";
    let turned = "-[ row 1 ]-\ntype | 로그인\nn    | 7\n";
    assert_eq!(on(Some(12), Expanded::Auto), table);
    assert_eq!(on(Some(11), Expanded::Auto), turned);
    assert_eq!(on(Some(5), Expanded::Auto), turned);
    assert_eq!(on(Some(5), Expanded::Off), table);
    assert_eq!(on(None, Expanded::Auto), table, "a file has no width");
    assert_eq!(on(None, Expanded::On), turned);
}

#[test]
fn a_table_is_turned_for_good_by_its_first_rows() {
    let look = Look { screen_width: Some(20), ..Look::default() };
    let late = |at: usize| {
        let rows: Vec<Value> =
            (0..1_100).map(|row| json!([if row == at { "x".repeat(30) } else { String::new() }])).collect();
        looking(RowFormat::Table, &look, &["a"], &rows)
    };
    assert!(late(999).starts_with("-[ row 1 ]-\n") && late(999).contains("-[ row 1100 ]-\n"));
    assert!(late(1_000).starts_with(" a\n---\n") && !late(1_000).contains("-["));
}

#[test]
fn null_differs_from_the_text_null() {
    let rows = [json!([null, null]), json!(["NULL", 1])];
    let look = Look { null: "∅".to_owned(), dims_null: true, ..Look::default() };
    assert_eq!(
        looking(RowFormat::Table, &look, &["a", "b"], &rows),
        " a    | b\n------+---\n \u{1b}[2m∅\u{1b}[0m    | \u{1b}[2m∅\u{1b}[0m\n NULL | 1\n"
    );
    let look = Look { null: String::new(), expanded: Expanded::On, ..Look::default() };
    assert_eq!(looking(RowFormat::Table, &look, &["a"], &rows[..1]), "-[ row 1 ]-\na |\n");
    let look = Look { null: "a|b".to_owned(), ..Look::default() };
    assert!(looking(RowFormat::Markdown, &look, &["a"], &rows[..1]).ends_with("| a\\|b |\n"));
}

#[test]
fn what_is_double_combined_or_joined_aligns() {
    let texts = ["한글", "e\u{301}te\u{301}", "👨‍👩‍👧", "a\tb\nc", "\u{202e}x", "🇰🇷", ""];
    let rows: Vec<Value> = texts.iter().map(|text| json!([text, 1])).collect();
    let table = looking(RowFormat::Table, &Look::default(), &["t", "n"], &rows);
    for line in table.lines().filter(|line| !line.starts_with('-')) {
        let (before, _) = line.split_once('|').unwrap();
        assert_eq!(width(before), "\\u{202e}x".len() + 2, "{line}");
    }
    assert!(table.contains(" a\\tb\\nc ") && table.contains(" \\u{202e}x "), "{table}");
}

#[test]
fn one_long_value_does_not_make_the_others_long() {
    let long = "x".repeat(100_000);
    let rows: Vec<Value> = (0..900).map(|at| json!([if at == 3 { &long } else { "y" }, at])).collect();
    let table = looking(RowFormat::Table, &Look::default(), &["a", "n"], &rows);
    assert!(table.contains(&long), "nothing is cut");
    assert!(table.len() < 1_100 * 1_024, "{}", table.len());
}

#[test]
fn ten_thousand_columns_and_none_at_all() {
    let names: Vec<String> = (0..10_000).map(|at| format!("c{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let row = Value::from(vec![Value::Null; 10_000]);
    for format in
        [RowFormat::Table, RowFormat::Vertical, RowFormat::Markdown, RowFormat::Csv, RowFormat::Ndjson]
    {
        let text = looking(format, &Look::default(), &names, std::slice::from_ref(&row));
        assert!(text.contains("c9999"), "{format:?}");
    }
    let look = Look { screen_width: Some(80), ..Look::default() };
    let turned = looking(RowFormat::Table, &look, &names, &[row]);
    assert_eq!(turned.lines().count(), 10_001);
    assert_eq!(looking(RowFormat::Table, &look, &names, &[]), "", "a header that is too wide for no rows");
    assert_eq!(looking(RowFormat::Table, &look, &["a", "a"], &[]), " a | a\n---+---\n");
}
