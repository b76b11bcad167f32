//! A violation in words: the keyword, the place in the record, and what is wrong there.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::CONTRACT;

/// So much of a value is told.
const VALUE_CHARS_MAX: usize = 100;

/// So much of a reason is told.
const REASON_CHARS_MAX: usize = 500;

/// The reason for a reject: `contract: minimum at $.level: -1 is less than the minimum of 0`.
pub(super) fn reason(error: &ValidationError<'_>, record: &Value) -> String {
    let told = innermost(error);
    let path = json_path(told.instance_path().as_str(), record);
    format!("{CONTRACT}: {} at {path}: {}", keyword(told), message(told))
}

/// The keyword that failed: a property may be required by one that asks for it only beside another property.
fn keyword<'e>(error: &'e ValidationError<'_>) -> &'e str {
    match (error.kind(), error.schema_path().as_str().rsplit('/').next()) {
        (ValidationErrorKind::Required { .. }, Some(by @ ("dependentRequired" | "dependencies"))) => by,
        (kind, _) => kind.keyword(),
    }
}

/// What is wrong with a schema itself.
pub(super) fn of_schema(error: &ValidationError<'_>) -> String {
    let told = innermost(error);
    let is_pattern = told.instance_path().as_str().ends_with("/pattern");
    match told.kind() {
        ValidationErrorKind::Format { .. } if is_pattern => {
            format!("{}, or one with look-around or back references", message(told))
        }
        _ => message(told),
    }
}

fn message(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let message = match value.as_ref() {
        Value::Object(_) => error.masked_with("the object").to_string(),
        Value::Array(_) => error.masked_with("the array").to_string(),
        Value::String(text) if text.chars().nth(VALUE_CHARS_MAX).is_some() => error
            .masked_with(format!("\"{}…\"", text.chars().take(VALUE_CHARS_MAX).collect::<String>()))
            .to_string(),
        _ => error.to_string(),
    };
    // One violation is one line.
    let message = message.replace(['\n', '\r'], " ");
    match message.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message,
    }
}

/// Of alternatives the one that the record was meant for, if that can be told: the only one that nothing but values inside it
/// speaks against, its `type`, `const` and `enum` included.
fn innermost<'e, 'a>(error: &'e ValidationError<'a>) -> &'e ValidationError<'a>
where
    'a: 'e,
{
    let context = match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => context,
        _ => return error,
    };
    let other_kind = |error: &ValidationError<'_>| {
        matches!(
            error.kind(),
            ValidationErrorKind::Type { .. }
                | ValidationErrorKind::Constant { .. }
                | ValidationErrorKind::Enum { .. }
        )
    };
    let mut meant = context.iter().filter(|errors| !errors.iter().any(other_kind));
    match (meant.next().and_then(|errors| errors.first()), meant.next()) {
        (Some(only), None) => innermost(only),
        _ => error,
    }
}

/// The start of a value's text.
pub(super) fn cut(source: &str) -> String {
    match source.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", source.get(..end).unwrap_or_default()),
        None => source.to_owned(),
    }
}

/// A JSON Pointer into a value as JSONPath.
pub(super) fn json_path(pointer: &str, of: &Value) -> String {
    let mut path = String::from("$");
    let mut at = Some(of);
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let is_element = at.is_none_or(Value::is_array) && step.parse::<usize>().is_ok();
        at = at.and_then(|value| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(&step),
        });
        let plain = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        if is_element {
            path.push_str(&format!("[{step}]"));
        } else if step.chars().next().is_some_and(plain)
            && step.chars().all(|c| plain(c) || c.is_ascii_digit())
        {
            path.push('.');
            path.push_str(&step);
        } else {
            path.push_str(&format!("['{}']", step.replace('\\', "\\\\").replace('\'', "\\'")));
        }
    }
    path
}

/// The part of a reject's reason that is the same for all rejects of its kind: of a violation the keyword and the path, with
/// `[*]` for the places in lists, of others what stands before the first colon.
pub fn group_of(reason: &str) -> String {
    let Some(violation) = reason.strip_prefix(CONTRACT).and_then(|rest| rest.strip_prefix(": ")) else {
        return reason.split(':').next().unwrap_or(reason).to_owned();
    };
    let (mut group, mut quoted, mut escaped) = (format!("{CONTRACT}: "), false, false);
    let mut characters = violation.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ':' if !quoted => break,
            '\'' if !escaped => quoted = !quoted,
            '[' if !quoted && characters.peek().is_some_and(char::is_ascii_digit) => {
                while characters.peek().is_some_and(char::is_ascii_digit) {
                    characters.next();
                }
                group.push_str("[*");
                continue;
            }
            _ => {}
        }
        escaped = quoted && character == '\\' && !escaped;
        group.push(character);
    }
    group
}
