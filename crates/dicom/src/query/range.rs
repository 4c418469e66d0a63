//! Dates and times, single or as ranges with open ends (PS3.4 C.2.2.2.5). An incomplete key means all that it
//! begins: `1030` is the whole minute, and as the end of a range includes it.
//!
//! Offsets from UTC are left alone on both sides: times compare as they were written down.

use std::cmp::Ordering;

/// The three VRs that have ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RangeKind {
    Date,
    Time,
    DateTime,
}

/// Largest offset from UTC, fourteen hours; a year after a hyphen is larger, which tells them apart.
const MAX_OFFSET: &str = "1400";

/// Whether a value lies in the key's range, ends included. A key that is no date or time matches nothing.
pub(super) fn range_matches(value: &str, key: &str, kind: RangeKind) -> bool {
    let Some(value) = moment(value, kind) else {
        return false;
    };
    let Some((from, to)) = ends(key, kind) else {
        return false;
    };
    let is_after = from.is_none_or(|from| compare(&value, &from, '0') != Ordering::Less);
    let is_before = to.is_none_or(|to| compare(&value, &to, '9') != Ordering::Greater);
    is_after && is_before
}

type Ends = (Option<String>, Option<String>);

fn ends(key: &str, kind: RangeKind) -> Option<Ends> {
    let mut hyphens = key.match_indices('-').map(|(at, _)| at);
    let separator =
        hyphens.find(|at| kind != RangeKind::DateTime || !is_offset(&key[..*at], &key[at + 1..]));
    let end = |text: &str| match text.trim() {
        "" => Some(None),
        text => moment(text, kind).map(Some),
    };
    match separator {
        None => {
            let moment = moment(key, kind)?;
            Some((Some(moment.clone()), Some(moment)))
        }
        Some(at) => match (end(&key[..at])?, end(&key[at + 1..])?) {
            (None, None) => None,
            ends => Some(ends),
        },
    }
}

/// Whether the hyphen between these two is the sign of an offset.
fn is_offset(before: &str, after: &str) -> bool {
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    !before.is_empty() && digits == 4 && after[..4] <= *MAX_OFFSET
}

/// The digits of a date or time without separators, fraction or offset marks, or nothing if there is more.
/// ACR-NEMA's dots and colons are taken (PS3.5 table 6.2-1).
fn moment(text: &str, kind: RangeKind) -> Option<String> {
    let text = text.trim();
    let text = match kind {
        RangeKind::DateTime => &text[..text.find(['+', '-']).unwrap_or(text.len())],
        RangeKind::Date | RangeKind::Time => text,
    };
    let is_separator = |c: char| match kind {
        RangeKind::Date => c == '.',
        RangeKind::Time => matches!(c, ':' | '.'),
        RangeKind::DateTime => c == '.',
    };
    let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let is_moment = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_moment.then_some(digits)
}

/// Compares digits as far as the key goes; what a value leaves open is its first moment, what the key leaves open is
/// filled up.
fn compare(value: &str, key: &str, fill: char) -> Ordering {
    let length = value.len().max(key.len());
    let value = value.chars().chain(std::iter::repeat('0')).take(length);
    let key = key.chars().chain(std::iter::repeat(fill)).take(length);
    value.cmp(key)
}
