//! Limits on texts and lists from outside, each said in the answer that refuses them.

use arno_httpkit::ApiError;

/// Titles, names and notes.
pub(crate) const MAX_TITLE_CHARS: usize = 200;
/// Purposes, descriptions and reasons.
pub(crate) const MAX_TEXT_CHARS: usize = 5_000;
/// Reasons that a node gives; longer ones are cut.
pub(crate) const MAX_REASON_CHARS: usize = 500;
/// Rows of one list on the public API.
pub(crate) const MAX_LIST: u32 = 200;

/// A text that is neither empty nor too long.
pub(crate) fn check_text(name: &'static str, text: &str, max: usize) -> Result<(), ApiError> {
    let detail = match text.chars().count() {
        _ if text.trim().is_empty() => format!("Fill in the {name}."),
        found if found > max => {
            format!("The {name} has {found} characters; at most {max} are kept.")
        }
        _ => return Ok(()),
    };
    Err(ApiError::bad_request("bad_text", detail))
}

/// The beginning of a text, without control characters.
pub(crate) fn cut(text: &str, max: usize) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(max)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{check_text, cut};

    #[test]
    fn texts_are_bounded() {
        let check = |text: &str, expect: bool| {
            assert_eq!(check_text("title", text, 3).is_ok(), expect, "{text:?}")
        };
        check("", false);
        check("  ", false);
        check("äöü", true);
        check("äöüß", false);
        assert_eq!(cut("a\u{1b}[31mbcd", 5), "a[31m");
    }
}
