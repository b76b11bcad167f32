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
    let columns = [("type", false), ("n", true), ("n", false)];
    let columns = columns.map(|(name, numeric)| Column { name: name.to_owned(), numeric });
    let mut layout = layout(format);
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
