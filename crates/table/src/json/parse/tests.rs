//! Cases in the manner of JSONTestSuite: what must be read, what must not, and what is said about it.

use super::*;

fn accepted(line: &str) -> JsonValue<'_> {
    parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn message(line: &[u8]) -> String {
    match parse(line) {
        Ok(value) => panic!("read as {value:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_valid_text_is_read() {
    for line in [
        "[]",
        "[[]   ]",
        r#"[""]"#,
        "[false]",
        "[null, 1, \"1\", {}]",
        "[1\n]",
        " [1]",
        "[1,null,null,null,2]",
        "[2] ",
        "[0e+1]",
        "[0e1]",
        "[ 4]",
        "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]",
        "[20e1]",
        "[-0]",
        "[-123]",
        "[1E22]",
        "[1E-2]",
        "[1E+2]",
        "[123e45]",
        "[123.456e78]",
        "[123.456789]",
        r#"{"asd":"sdf", "dfg":"fgh"}"#,
        r#"{"a":"b","a":"b"}"#,
        r#"{"":0}"#,
        r#"{"foo\u0000bar": 42}"#,
        r#"{ "min": -1.0e+28, "max": 1.0e+28 }"#,
        "{\n\"a\": \"b\"\r\n}",
        r#"["\u0060\u012a\u12AB"]"#,
        r#"["\uD801\udc37"]"#,
        r#"["\"\\\/\b\f\n\r\t"]"#,
        r#"["\\u0000"]"#,
        r#"["\uDFFF"]"#,
        "[\"\u{7f}\"]",
        "[\"\u{2028}\u{10ffff}\"]",
        "\"asd\"",
        "42",
        "true",
        "\t\r\n null ",
        "1e999999999999999999999999",
    ] {
        assert_eq!(accepted(line).source, line.trim(), "{line}");
    }
}

/// One wrong text a line.
const WRONG: &str = r###"
[1 true]
["": 1]
[""],
[,1]
[1,,2]
["x",,]
["x"]]
["",]
["x"
[x
[3[4]]
[1:2]
[,]
[-]
[   , ""]
[1,
[1,]
[*]
[
[nul]
[fals]
[tru]
[Null]
[++1234]
[+1]
[+Inf]
[-01]
[-1.0.]
[-2.]
[-NaN]
[.-1]
[.2e-3]
[0.1.2]
[0.3e+]
[0.3e]
[0.e1]
[0E]
[0e+-1]
[1.0e+]
[1 000.0]
[1eE2]
[2.e3]
[9.e+]
[Inf]
[NaN]
[1+2]
[0x1]
[Infinity]
[-Infinity]
[-foo]
[- 1]
[-012]
[012]
[1.]
[.123]
[1.2a-3]
[1e1m]
["x", truth]
{"x", null}
{"x"::"b"}
{"a":"a" 123}
{key: 'value'}
{"a" b}
{:"b"}
{"a" "b"}
{"a":
{"a
{1:1}
{9999E9999:1}
{"id":0,}
{'a':0}
{"id":0,,}
{"a":"b"}/**/
{"a":"b"}#
{"a":"b",,"c":"d"}
{a: "b"}
{"a":"a
{ "foo" : "bar", "a" }
{"a":"b"}{}
["\uD800\"]
["\u00A"]
["\u1x"]
["\x00"]
["\a"]
["\uqqqq"]
["\"]
['single quote']
abc
["\
"\UA66D"
<.>
[<null>]
[1]x
[True]
1]
{}}
["asd]
aå
*
#{}
// {}
{"a":1 /*c*/}
é
１
"###;

#[test]
fn nothing_else_is_read() {
    let unseen = [
        "",
        " ",
        "{[: \"x\"}\n",
        "[\"a\u{0}a\"]",
        "[\"new\nline\"]",
        "[\"\t\"]",
        "[\u{c}]",
        "[\u{2060}]",
        "\u{feff}{}",
    ];
    let lines: Vec<&str> = WRONG.trim().lines().chain(unseen).collect();
    assert!(lines.len() > 100);
    for line in lines {
        assert!(parse(line.as_bytes()).is_err(), "{line} was read");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_named() {
    for (line, at) in [
        (&b"[\"\xff\"]"[..], 2),
        (&b"{\"a\": \"\xc3\x28\"}"[..], 7),
        (&b"[\"\xed\xa0\x80\"]"[..], 2),
        (&b"[\"\xe2\x82"[..], 2),
        (&b"\xff\xfe{\0}\0"[..], 0),
        (&b"[\"\xc0\xaf\"]"[..], 2),
    ] {
        assert_eq!(message(line), format!("not UTF-8, at byte {at}"));
    }
}

#[test]
fn the_reason_says_what_and_where() {
    for (line, reason) in [
        ("", "the line ends where a value should be, at byte 0"),
        (r#"{"a":1,}"#, "expected a name in quotes, found '}', at byte 7"),
        (r#"{a:1}"#, "expected a name in quotes or `}`, found 'a', at byte 1"),
        (r#"{"a":1 "b":2}"#, "expected `,` or `}`, found '\"', at byte 7"),
        (r#"{"a" 1}"#, "expected `:`, found '1', at byte 5"),
        ("[1,]", "expected a value, found ']', at byte 3"),
        ("[1 2]", "expected `,` or `]`, found '2', at byte 3"),
        (r#"{"a":1} x"#, "'x' after the end of the value, at byte 8"),
        (r#"{"a":NaN}"#, "expected a value, found 'N', at byte 5"),
        (r#"{"a":nul}"#, "expected null, found '}', at byte 8"),
        (r#"{"a":01}"#, "expected `,` or `}`, found '1', at byte 6"),
        (r#"{"a":-}"#, "expected a digit, found '}', at byte 6"),
        (r#"{"a":1."#, "the line ends where a digit should be, at byte 7"),
        (r#"{"a":"b"#, "the line ends where the closing `\"` of a text should be, at byte 7"),
        ("{\"a\":\"\t\"}", "control character '\\t' in a text must be escaped, at byte 6"),
        (r#"{"a":"\x41"}"#, "no JSON escape after `\\`, at byte 6"),
        (r#"{"가":호}"#, "expected a value, found '호', at byte 7"),
        ("\u{feff}{}", "expected a value, found '\\u{feff}', at byte 0"),
    ] {
        assert_eq!(message(line.as_bytes()), reason, "{line}");
    }
}

#[test]
fn nesting_is_limited_before_the_stack_is() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    accepted(&nested(NESTING_MAX));
    let reason = format!("more than {NESTING_MAX} levels of arrays and objects, at byte {NESTING_MAX}");
    assert_eq!(message(nested(NESTING_MAX + 1).as_bytes()), reason);
    assert_eq!(message("[".repeat(1_000_000).as_bytes()), reason);
    let objects = r#"{"a":"#.repeat(1_000_000);
    assert!(message(objects.as_bytes()).starts_with("more than 256 levels"));
    accepted(&format!("[{}]", vec!["[[]]"; 1000].join(",")));
}

#[test]
fn values_keep_their_source() {
    let value = accepted(r#" { "n" : 1.50e+01 , "t":"a\u0062c", "l":[ 1 , {} ] } "#);
    assert_eq!(value.source, r#"{ "n" : 1.50e+01 , "t":"a\u0062c", "l":[ 1 , {} ] }"#);
    let JsonKind::Object(members) = &value.kind else { panic!("an object") };
    let sources: Vec<_> = members.iter().map(|member| member.value.source).collect();
    assert_eq!(sources, ["1.50e+01", r#""a\u0062c""#, "[ 1 , {} ]"]);
    assert_eq!(members[1].value.text().as_deref(), Some("abc"));
}

#[test]
fn escapes_are_resolved() {
    for (source, text) in [
        (r#""""#, Some("")),
        (r#""a\/b\\c\"""#, Some("a/b\\c\"")),
        (r#""\b\f\n\r\t""#, Some("\u{8}\u{c}\n\r\t")),
        (r#""\u0000\uAc00""#, Some("\u{0}가")),
        (r#""\ud83d\ude00!""#, Some("😀!")),
        (r#""\ud800""#, None),
        (r#""\udc00\ud800""#, None),
        (r#""a\ud83d\u0041""#, None),
        (r#""\ud83dx""#, None),
    ] {
        assert_eq!(accepted(source).text().as_deref(), text, "{source}");
    }
    assert_eq!(accepted("1").text(), None);
}
