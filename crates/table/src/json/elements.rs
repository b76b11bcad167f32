//! The elements of an array. Those of a long one are read from its text whenever they are asked for: held as values they take
//! twenty times as much memory as the text, and a line may be nothing but a list of numbers.

use std::borrow::Cow;

use super::parse::Parser;
use super::value::JsonValue;

/// An array with more elements is a long one.
const HELD_MAX: usize = 4096;

/// The elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Elements<'a>(Kept<'a>);

#[derive(Clone, Debug, PartialEq)]
enum Kept<'a> {
    Held(Vec<JsonValue<'a>>),
    /// What stands between the brackets, which is known to be JSON.
    Text {
        inside: &'a str,
        count: usize,
    },
}

impl<'a> Elements<'a> {
    pub(super) const NONE: Self = Self(Kept::Held(Vec::new()));

    /// Adds an element while the array is read.
    pub(super) fn push(&mut self, value: JsonValue<'a>) {
        match &mut self.0 {
            Kept::Held(held) if held.len() < HELD_MAX => held.push(value),
            Kept::Held(held) => {
                let count = held.len() + 1;
                self.0 = Kept::Text { inside: "", count };
            }
            Kept::Text { count, .. } => *count += 1,
        }
    }

    /// The array was read: this is what stands between its brackets.
    pub(super) fn end(self, inside: &'a str) -> Self {
        match self.0 {
            Kept::Text { count, .. } => Self(Kept::Text { inside, count }),
            held => Self(held),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Held(held) => held.len(),
            Kept::Text { count, .. } => *count,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in their order.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, JsonValue<'a>>> {
        let (held, mut text) = match &self.0 {
            Kept::Held(held) => (held.as_slice(), None),
            Kept::Text { inside, .. } => (&[][..], Some(Parser::of_elements(inside))),
        };
        let read = std::iter::from_fn(move || text.as_mut()?.next_element().map(Cow::Owned));
        held.iter().map(Cow::Borrowed).chain(read)
    }

    /// The elements of an array that is not a long one.
    pub fn held(&self) -> Option<&[JsonValue<'a>]> {
        match &self.0 {
            Kept::Held(held) => Some(held),
            Kept::Text { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{JsonKind, parse};
    use super::*;

    #[test]
    fn a_long_array_has_the_elements_of_its_text() {
        for count in [0, 1, HELD_MAX - 1, HELD_MAX, HELD_MAX + 1, 3 * HELD_MAX] {
            let texts: Vec<String> = (0..count)
                .map(|n| match n % 4 {
                    0 => n.to_string(),
                    1 => format!("[{n}, [{n}] ]"),
                    2 => format!("{{\"a\": \"],{n}\" , \"b\":[]}}"),
                    _ => "null".to_owned(),
                })
                .collect();
            let line = format!(" [ {} ] ", texts.join(" ,\t"));
            let value = parse(line.as_bytes()).unwrap();
            let JsonKind::Array(elements) = &value.kind else { panic!("{value:?}") };
            assert_eq!((elements.len(), elements.is_empty()), (count, count == 0));
            assert_eq!(elements.held().is_some(), count <= HELD_MAX);
            let sources: Vec<String> = elements.iter().map(|element| element.source.to_owned()).collect();
            assert_eq!(sources, texts);
            let kinds = elements
                .iter()
                .zip(&texts)
                .all(|(element, text)| *element == parse(text.as_bytes()).unwrap());
            assert!(kinds);
        }
    }

    #[test]
    fn what_is_wrong_in_a_long_array_is_found() {
        let long = "1,".repeat(2 * HELD_MAX);
        for end in ["]", "x]", "1", "1]]", "1,", "\"", "1 2]"] {
            assert!(parse(format!("[{long}{end}").as_bytes()).is_err(), "{end}");
        }
    }
}
