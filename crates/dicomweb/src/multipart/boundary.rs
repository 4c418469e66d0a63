//! What stands between the parts (RFC 2046 section 5.1.1).

use std::fmt;

/// Longest boundary of the standard.
const MAX_BOUNDARY_CHARS: usize = 70;

/// What the standard allows besides letters and digits; a blank must not be the last.
const MARKS: &[u8] = b"'()+_,-./:=? ";

/// The text of a boundary, without the hyphens before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary(String);

/// A text that is no boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a boundary has 1 to 70 letters, digits and marks (RFC 2046 section 5.1.1), and ends in no blank"
)]
pub struct BoundaryError;

impl Boundary {
    /// A boundary that another side chose.
    ///
    /// # Errors
    /// [`BoundaryError`] for an empty or long text, or a character that must not stand in it.
    pub fn parse(text: &str) -> Result<Self, BoundaryError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || MARKS.contains(&byte);
        let is_boundary = (1..=MAX_BOUNDARY_CHARS).contains(&text.len())
            && text.bytes().all(legal)
            && !text.ends_with(' ');
        is_boundary
            .then(|| Self(text.to_owned()))
            .ok_or(BoundaryError)
    }

    /// A boundary out of random bits, which no content contains by chance.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(format!("arno-{bits:032x}"))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What ends a part: line end, two hyphens, boundary. Only its first byte is a carriage return.
    pub(super) fn delimiter(&self) -> Vec<u8> {
        format!("\r\n--{}", self.0).into_bytes()
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Boundary;

    #[test]
    fn only_what_the_standard_allows_is_a_boundary() {
        let check = |text: &str, expect: bool| {
            assert_eq!(Boundary::parse(text).is_ok(), expect, "{text:?}");
        };
        check("a", true);
        check("gc0pJq0M:08jU534c0p", true);
        check("with blank inside", true);
        check("blank at the end ", false);
        check("", false);
        check(&"b".repeat(70), true);
        check(&"b".repeat(71), false);
        check("a\rb", false);
        check("a\"b", false);
        check("ä", false);
        check(Boundary::from_random(17).as_str(), true);
    }
}
