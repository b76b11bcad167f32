//! Rust's text without what is no code: enough of a lexer to look for words without being fooled by comments.

/// The text with comments, texts and characters blanked, its lines kept.
pub fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let end = end_of_blank(&chars, at);
        if end == at {
            code.push(*c);
            at += 1;
            continue;
        }
        code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    code
}

/// Where the comment, text or character ends that begins here; the same place when none does.
fn end_of_blank(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match (chars[at], next) {
        ('/', Some('/')) => position(chars, at, |c| c == '\n'),
        ('/', Some('*')) => end_of_comment(chars, at),
        ('"', _) => end_of_text(chars, at + 1, '"'),
        ('\'', Some('\\')) => end_of_text(chars, at + 1, '\''),
        // A lifetime has no closing quote.
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        ('r', Some('"' | '#')) if !in_word(chars, at) => end_of_raw_text(chars, at),
        ('b', Some('r')) if !in_word(chars, at) => match end_of_raw_text(chars, at + 1) {
            end if end == at + 1 => at,
            end => end,
        },
        _ => at,
    }
}

fn in_word(chars: &[char], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| chars.get(before)).is_some_and(|c| c.is_alphanumeric() || *c == '_')
}

fn position(chars: &[char], from: usize, is_end: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| is_end(chars[*at])).unwrap_or(chars.len())
}

fn end_of_comment(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_text(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `r"…"` or `r#"…"#` from its `r` on; `r#name` is no text.
fn end_of_raw_text(chars: &[char], from: usize) -> usize {
    let quote = position(chars, from + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return from;
    }
    let hashes = quote - from - 1;
    let closes = |at: usize| chars[at] == '"' && (1..=hashes).all(|step| chars.get(at + step) == Some(&'#'));
    (quote + 1..chars.len()).find(|at| closes(*at)).map_or(chars.len(), |at| at + hashes + 1)
}

/// The code without the items that stand under `#[cfg(test)]`, their lines kept. Takes what [`code_only`] gives.
pub fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at(start);
        kept.push_str(before);
        let end = end_of_item(item);
        kept.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    kept.push_str(rest);
    kept
}

/// The item ends with its braces, or with `;` before any.
fn end_of_item(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

/// Whether the word stands in the code by itself.
pub fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[test]
fn comments_and_texts_are_no_code() {
    for (text, expected) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("x \" // y", 'z')"#, "f(           ,    )"),
        (r##"f(r#"x " y"#, br"z")"##, "f(          ,      )"),
        ("r#type 'a: &'a x", "r#type 'a: &'a x"),
        (r"['\'', '\\', 'b']", "[    ,     ,    ]"),
        ("var\"x\"", "var   "),
    ] {
        assert_eq!(code_only(text), expected, "{text}");
    }
}

#[test]
fn tests_are_taken_out_of_code() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { if x { y } }\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}";
    assert_eq!(without_tests(text), "fn a() {}\n\n\n\n\nfn c() {}\n\n\nfn e() {}");
}

#[test]
fn words_stand_by_themselves() {
    assert!(has_word("pub async fn a", "async") && has_word("async{", "async"));
    assert!(!has_word("async_trait is_async", "async"));
}
