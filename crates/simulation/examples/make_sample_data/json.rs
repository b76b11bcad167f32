//! JSON text whose keys stay in the order in which they are written.

/// An object on its way to text.
#[derive(Default)]
pub struct Object(String);

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    /// A field whose value is JSON text already: a number, an object, a list, `null`.
    pub fn raw(mut self, key: &str, json: impl std::fmt::Display) -> Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        self.0.push_str(&format!("{comma}{}:{json}", text(key)));
        self
    }

    pub fn text(self, key: &str, value: &str) -> Self {
        self.raw(key, text(value))
    }

    /// As [`Object::raw`], when there is a value.
    pub fn maybe(self, key: &str, json: Option<String>) -> Self {
        match json {
            Some(json) => self.raw(key, json),
            None => self,
        }
    }

    pub fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A text in quotes.
pub fn text(value: &str) -> String {
    let escaped: String = value
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            c if u32::from(c) < 0x20 => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// A list of values that are JSON text already.
pub fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// A list of texts.
pub fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    list(items.into_iter().map(text))
}
