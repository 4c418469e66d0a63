//! Conditions and ranges of a request for bytes (RFC 9110 sections 13 and 14).

use std::ops::Range;

/// Whether the client knows the version with this tag already; tags are compared weakly (RFC 9110 section 13.1.2).
#[must_use]
pub fn is_known(if_none_match: &str, tag: &str) -> bool {
    let mut known = if_none_match.split(',').map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Which bytes of a body go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All: nothing else was asked for, or something that may be left unheard (several ranges, other units).
    All,
    /// These, as 206.
    Part(Range<u64>),
    /// There are none of these: 416.
    Beyond,
}

impl Asked {
    /// Reads a `Range` header. With `If-Range`, the range holds only for the same version.
    #[must_use]
    pub fn of(range: Option<&str>, if_range: Option<&str>, tag: &str, length: u64) -> Self {
        if if_range.is_some_and(|version| version != tag) {
            return Self::All;
        }
        let Some(spec) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else {
            return Self::All;
        };
        let Some((first, last)) = spec.split_once('-') else {
            return Self::All;
        };
        match (number(first), number(last)) {
            (Some(first), None) if last.trim().is_empty() => Self::within(first, length, length),
            (Some(first), Some(last)) if first <= last => {
                Self::within(first, last.saturating_add(1), length)
            }
            (None, Some(count)) if first.trim().is_empty() => {
                Self::within(length.saturating_sub(count), length, length)
            }
            _ => Self::All,
        }
    }

    fn within(start: u64, end: u64, length: u64) -> Self {
        let end = end.min(length);
        if start < end {
            Self::Part(start..end)
        } else {
            Self::Beyond
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{Asked, is_known};

    #[test]
    fn one_range_is_cut_to_what_there_is() {
        let check = |range: &str, expect: Asked| {
            assert_eq!(Asked::of(Some(range), None, "\"t\"", 10), expect, "{range}");
        };
        check("bytes=0-0", Asked::Part(0..1));
        check("bytes=2-5", Asked::Part(2..6));
        check("bytes=2-", Asked::Part(2..10));
        check("bytes=-3", Asked::Part(7..10));
        check("bytes=-30", Asked::Part(0..10));
        check("bytes=5-99999999999999999999", Asked::All);
        check("bytes=5-18446744073709551615", Asked::Part(5..10));
        check("bytes=10-", Asked::Beyond);
        check("bytes=10-12", Asked::Beyond);
        check("bytes=-0", Asked::Beyond);
        check("bytes=5-2", Asked::All);
        check("bytes=1-2,4-5", Asked::All);
        check("bytes=-", Asked::All);
        check("bytes=+1-2", Asked::All);
        check("items=1-2", Asked::All);
        assert_eq!(Asked::of(None, None, "\"t\"", 10), Asked::All);
        assert_eq!(
            Asked::of(Some("bytes=0-0"), Some("\"t\""), "\"t\"", 10),
            Asked::Part(0..1)
        );
        assert_eq!(
            Asked::of(Some("bytes=0-0"), Some("\"u\""), "\"t\"", 10),
            Asked::All
        );
        assert_eq!(
            Asked::of(Some("bytes=0-0"), None, "\"t\"", 0),
            Asked::Beyond
        );
    }

    #[test]
    fn known_versions_are_found_in_lists() {
        let check = |header: &str, expect: bool| {
            assert_eq!(is_known(header, "\"t\""), expect, "{header}");
        };
        check("\"t\"", true);
        check("\"s\", \"t\"", true);
        check("W/\"t\"", true);
        check("*", true);
        check("\"s\"", false);
        check("t", false);
        check("", false);
    }
}
