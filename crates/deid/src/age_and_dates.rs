//! Dates, times, ages and time zones written as text (PS3.5 section 6.2): checked, moved, capped.
//!
//! Nothing is guessed: what is not of the standard's form (or the older YYYY.MM.DD) is not a date, and goes.

use chrono::{Days, NaiveDate};

use crate::secret::DateOffset;

/// From 90 years on ages are few enough to identify; all of them read "090Y".
const OLDEST_AGE_YEARS: u16 = 89;

/// A DA moved by `offset`, as YYYYMMDD; nothing if it is no date.
pub(crate) fn shift_date(text: &str, offset: DateOffset) -> Option<String> {
    let date = parse_date(text)?;
    Some(moved(date, offset)?.format("%Y%m%d").to_string())
}

/// Whether a text is a DA.
pub(crate) fn is_date(text: &str) -> bool {
    parse_date(text).is_some()
}

/// A DT with its date moved by `offset`; time of day, fraction, zone and precision stay.
pub(crate) fn shift_date_time(text: &str, offset: DateOffset) -> Option<String> {
    let parts = DateTimeParts::parse(text)?;
    let date = moved(parts.date, offset)?.format("%Y%m%d").to_string();
    Some(format!(
        "{}{}{}",
        &date[..parts.date_digits],
        parts.time,
        parts.zone
    ))
}

/// Whether a text is a DT.
pub(crate) fn is_date_time(text: &str) -> bool {
    DateTimeParts::parse(text).is_some()
}

/// Whether a text is a TM: HH, HHMM, HHMMSS, HHMMSS.F to six digits, or the older form with colons.
pub(crate) fn is_time(text: &str) -> bool {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = clock.replace(':', "");
    let colons = clock.len() - digits.len();
    matches!(digits.len(), 2 | 4 | 6)
        && (colons == 0 || colons == digits.len() / 2 - 1)
        && all_digits(&digits)
        && (1..=6).contains(&fraction.len())
        && all_digits(fraction)
}

/// Whether a text is a time zone, such as "+0100".
pub(crate) fn is_time_zone(text: &str) -> bool {
    text.strip_prefix(['+', '-'])
        .is_some_and(|digits| digits.len() == 4 && all_digits(digits))
}

/// An AS, with high ages capped; nothing if it is no age.
pub(crate) fn cap_age(text: &str) -> Option<String> {
    let (digits, unit) = text.split_at_checked(3)?;
    if !all_digits(digits) || !matches!(unit, "D" | "W" | "M" | "Y") {
        return None;
    }
    let old = unit == "Y" && digits.parse::<u16>().ok()? > OLDEST_AGE_YEARS;
    Some(if old {
        format!("{:03}Y", OLDEST_AGE_YEARS + 1)
    } else {
        text.to_owned()
    })
}

/// The age in full years between two DA, as an AS, capped; nothing if they are no dates or in the wrong order.
pub(crate) fn age_between(birth: &str, later: &str) -> Option<String> {
    let (birth, later) = (parse_date(birth)?, parse_date(later)?);
    let years = later.years_since(birth)?;
    let years = years.min(u32::from(OLDEST_AGE_YEARS) + 1);
    Some(format!("{years:03}Y"))
}

struct DateTimeParts<'a> {
    date: NaiveDate,
    /// How many of YYYYMMDD are given: 4, 6 or 8.
    date_digits: usize,
    time: &'a str,
    zone: &'a str,
}

impl<'a> DateTimeParts<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let zone_at = text.find(['+', '-']).unwrap_or(text.len());
        let (clock, zone) = text.split_at(zone_at);
        let digits = clock.find('.').unwrap_or(clock.len()).min(8);
        let (date, time) = clock.split_at_checked(digits)?;
        let time_is_sound = time.is_empty() || digits == 8 && is_time(time) && !time.contains(':');
        let zone_is_sound = zone.is_empty() || is_time_zone(zone);
        let date = (time_is_sound && zone_is_sound).then(|| partial_date(date))??;
        Some(Self {
            date,
            date_digits: digits,
            time,
            zone,
        })
    }
}

/// YYYY, YYYYMM or YYYYMMDD. The middle of the year or month stands for it, so that the shift is right on average.
fn partial_date(text: &str) -> Option<NaiveDate> {
    match text.len() {
        4 => digits_date(&format!("{text}0701")),
        6 => digits_date(&format!("{text}15")),
        _ => digits_date(text),
    }
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    match text.as_bytes() {
        [_, _, _, _, b'.', _, _, b'.', _, _] => digits_date(&text.replace('.', "")),
        _ => digits_date(text),
    }
}

fn digits_date(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !all_digits(text) {
        return None;
    }
    NaiveDate::from_ymd_opt(
        text[..4].parse().ok()?,
        text[4..6].parse().ok()?,
        text[6..].parse().ok()?,
    )
}

/// The offset is never positive; a year before 1 has no four digits and is refused.
fn moved(date: NaiveDate, offset: DateOffset) -> Option<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(1, 1, 1)?;
    date.checked_sub_days(Days::new(offset.days().unsigned_abs()))
        .filter(|date| *date >= first)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{
        DateOffset, age_between, cap_age, digits_date, is_time, is_time_zone, shift_date,
        shift_date_time,
    };
    use crate::secret::Secret;
    use chrono::NaiveDate;

    fn offset() -> DateOffset {
        Secret::new([1; 32]).date_offset("x", None)
    }

    fn days(yyyymmdd: &str) -> i64 {
        digits_date(yyyymmdd)
            .unwrap()
            .signed_duration_since(NaiveDate::default())
            .num_days()
    }

    #[test]
    fn dates_move_by_the_offset() {
        fn check(date: &str, as_digits: &str) {
            assert_eq!(
                days(&shift_date(date, offset()).unwrap()) - days(as_digits),
                offset().days()
            );
        }
        check("20200301", "20200301");
        check("2020.03.01", "20200301");
        check("19991231", "19991231");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        fn check(date: &str) {
            assert_eq!(shift_date(date, offset()), None, "{date}");
        }
        check("");
        check("20201301");
        check("20200230");
        check("2020-03-01");
        check("Smith");
        check("2020030é");
        check("00010101");
        check("20200301-20200401");
    }

    #[test]
    fn date_times_keep_their_precision_time_and_zone() {
        fn check(text: &str, tail: Option<&str>) {
            let shifted = shift_date_time(text, offset());
            assert_eq!(shifted.is_some(), tail.is_some(), "{text}");
            if let (Some(shifted), Some(tail)) = (shifted, tail) {
                assert!(
                    shifted.ends_with(tail) && shifted.len() == text.len(),
                    "{text} {shifted}"
                );
                assert_ne!(shifted, text);
            }
        }
        check("20200301", Some(""));
        check("20200301102030.123456+0100", Some("102030.123456+0100"));
        check("2020030110-0500", Some("10-0500"));
        check("2020", Some(""));
        check("202003", Some(""));
        check("2020.5", None);
        check("202003011020305", None);
        check("20200301+01", None);
        check("Smith", None);
        check("é0200301", None);
    }

    #[test]
    fn times_and_zones_are_checked() {
        fn check(text: &str, expect: bool) {
            assert_eq!(is_time(text), expect, "{text}");
        }
        check("10", true);
        check("1020", true);
        check("102030", true);
        check("102030.1", true);
        check("10:20:30", true);
        check("102030.1234567", false);
        check("1", false);
        check("Smith", false);
        check("", false);
        assert!(is_time_zone("+0100") && is_time_zone("-0500"));
        assert!(!is_time_zone("0100") && !is_time_zone("+1") && !is_time_zone("+AbCd"));
    }

    #[test]
    fn ages_come_of_two_dates() {
        fn check(birth: &str, later: &str, expect: Option<&str>) {
            assert_eq!(
                age_between(birth, later).as_deref(),
                expect,
                "{birth} {later}"
            );
        }
        check("19500203", "20200202", Some("069Y"));
        check("19500203", "20200203", Some("070Y"));
        check("1950.02.03", "20200203", Some("070Y"));
        check("19100203", "20200203", Some("090Y"));
        check("20200203", "20200202", None);
        check("", "20200202", None);
    }

    #[test]
    fn high_ages_are_capped() {
        fn check(text: &str, expect: Option<&str>) {
            assert_eq!(cap_age(text).as_deref(), expect);
        }
        check("089Y", Some("089Y"));
        check("090Y", Some("090Y"));
        check("104Y", Some("090Y"));
        check("012M", Some("012M"));
        check("100", None);
        check("1é0Y", None);
        check("old", None);
    }
}
