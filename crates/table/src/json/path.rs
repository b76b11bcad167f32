//! Where a value stands in its record, as JSONPath (RFC 9535): `$.items[3].price`, `$['a.b']`.
//!
//! A path is a chain on the stack while a record is walked, and becomes text only for what is rescued.

use super::value::Name;

/// A place in a record: a step from the place above it.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Member(&'p Name<'p>),
    Element(usize),
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Path<'static> = Path { above: None, step: Step::Root };

    pub(super) fn member(&'p self, name: &'p Name<'p>) -> Self {
        Self { above: Some(self), step: Step::Member(name) }
    }

    pub(super) fn element(&'p self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Element(index) }
    }

    pub(super) fn to_text(self) -> String {
        let mut text = match self.above {
            Some(above) => above.to_text(),
            None => String::new(),
        };
        match self.step {
            Step::Root => text.push('$'),
            Step::Member(name) => push_member(&mut text, name),
            Step::Element(index) => text.push_str(&format!("[{index}]")),
        }
        text
    }
}

/// A plain name after a dot, any other in brackets and quotes, escaped as RFC 9535's normalized paths are.
fn push_member(path: &mut String, name: &Name<'_>) {
    match name {
        Name::Text(text) if is_plain(text) => {
            path.push('.');
            path.push_str(text);
        }
        Name::Text(text) => {
            path.push_str("['");
            push_quoted(path, text, "\\\\");
            path.push_str("']");
        }
        Name::Unstorable(text) => {
            path.push_str("['");
            push_quoted(path, text, "\\");
            path.push_str("']");
        }
    }
}

fn push_quoted(path: &mut String, text: &str, backslash: &str) {
    for character in text.chars() {
        match character {
            '\'' => path.push_str("\\'"),
            '\\' => path.push_str(backslash),
            '\u{8}' => path.push_str("\\b"),
            '\u{c}' => path.push_str("\\f"),
            '\n' => path.push_str("\\n"),
            '\r' => path.push_str("\\r"),
            '\t' => path.push_str("\\t"),
            control if control < ' ' => path.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => path.push(other),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let mut characters = name.chars();
    characters.next().is_some_and(starts) && characters.all(|c| starts(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::value::JsonKind;
    use super::*;

    /// The path of the only member of an object, below `$`.
    fn path_of(name: &str) -> String {
        let line = format!("{{{name}: 1}}");
        let value = parse(line.as_bytes()).expect("JSON");
        let JsonKind::Object(members) = &value.kind else { panic!("an object") };
        Path::ROOT.member(&members[0].name).to_text()
    }

    #[test]
    fn plain_names_stand_after_a_dot() {
        assert_eq!(path_of(r#""lat""#), "$.lat");
        assert_eq!(path_of(r#""_a9""#), "$._a9");
        assert_eq!(path_of(r#""이름""#), "$.이름");
        assert_eq!(path_of(r#""l\u0061t""#), "$.lat");
    }

    #[test]
    fn other_names_stand_in_quotes() {
        assert_eq!(path_of(r#""""#), "$['']");
        assert_eq!(path_of(r#""a.b""#), "$['a.b']");
        assert_eq!(path_of(r#""9a""#), "$['9a']");
        assert_eq!(path_of(r#""a#2""#), "$['a#2']");
        assert_eq!(path_of(r#""it's""#), r"$['it\'s']");
        assert_eq!(path_of(r#""a\\b\n\u0001""#), r"$['a\\b\n\u0001']");
    }

    #[test]
    fn names_with_half_a_surrogate_pair_stay_different() {
        assert_eq!(path_of(r#""\uD800""#), r"$['\ud800']");
        assert_eq!(path_of(r#""\\ud800""#), r"$['\\ud800']");
        assert_eq!(path_of(r#""\\ud800\udc00""#), r"$['\\ud800\udc00']");
        assert_eq!(path_of(r#""\ud83d\ude00""#), "$.😀");
    }

    #[test]
    fn elements_stand_in_brackets() {
        let (items, price) = (Name::Text("items".into()), Name::Text("price".into()));
        let list = Path::ROOT.member(&items);
        let element = list.element(3);
        assert_eq!(element.member(&price).to_text(), "$.items[3].price");
    }
}
