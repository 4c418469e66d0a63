//! The node's secret and what is derived from it: pseudonyms, UIDs, date offsets (HMAC-SHA-256, RFC 2104).
//!
//! Each use has its own domain and each input its length in front, so no value of one kind or split can stand for
//! another. Whoever has the secret can test guesses of a patient id; nobody else can.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The 32 bytes that make this node's pseudonyms, UIDs and offsets. Never leaves the node; losing it means that
/// later studies of a patient no longer join the earlier ones.
#[derive(Clone)]
pub struct Secret([u8; 32]);

/// The stable replacement of a patient id: "P-" and 16 characters of Crockford's base 32 (80 bits, so that
/// a collision among a hundred million patients has a chance below one in a hundred million).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pseudonym(String);

/// A text that is not a pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pseudonym is \"P-\" and 16 characters of 0-9 A-Z without I, L, O and U")]
pub struct ParsePseudonymError;

/// By how many days a patient's dates move: back by 1 to 104 whole weeks, so that a Sunday stays a Sunday. Secret: hidden from
/// Debug. Why weeks, and why two years of them: docs/decisions/0015.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DateOffset(i64);

/// Dates move back by at most two years: far enough to hide the day, near enough that scanner generation, age and
/// treatment era still mean something, and whole years, so that seasons are spread evenly and none is made up.
const OFFSET_MAX_WEEKS: u64 = 104;
const DAYS_A_WEEK: i64 = 7;

const PSEUDONYM_CHARS: usize = 16;
const BITS_PER_CHAR: usize = 5;
/// Crockford's base 32: no I, L, O, U, which people misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "P-";

impl Secret {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The pseudonym of a patient id (0010,0020) within its issuer (0010,0021), if one is named.
    #[must_use]
    pub fn pseudonym(&self, patient_id: &str, issuer: Option<&str>) -> Pseudonym {
        let mac = self.mac("pseudonym", &[patient_id, issuer.unwrap_or_default()]);
        let number = first_u128(mac);
        let chars = (0..PSEUDONYM_CHARS).map(|i| {
            let five_bits = (number >> (i * BITS_PER_CHAR)) & 0x1F;
            char::from(ALPHABET[five_bits as usize])
        });
        Pseudonym(PREFIX.chars().chain(chars).collect())
    }

    /// The replacement of a UID: "2.25." and a 128-bit number (PS3.5 B.2; the UUID's version bits are not set,
    /// which no reader checks and which keeps all 128 bits).
    #[must_use]
    pub fn map_uid(&self, uid: &str) -> String {
        format!("2.25.{}", first_u128(self.mac("uid", &[uid])))
    }

    /// The offset of a patient's dates.
    #[must_use]
    pub fn date_offset(&self, patient_id: &str, issuer: Option<&str>) -> DateOffset {
        let mac = self.mac("date-offset", &[patient_id, issuer.unwrap_or_default()]);
        let weeks = first_u128(mac) % u128::from(OFFSET_MAX_WEEKS);
        DateOffset((-1 - weeks as i64) * DAYS_A_WEEK)
    }

    fn mac(&self, domain: &str, parts: &[&str]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [&["arno-deid v1", domain], parts].concat() {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

fn first_u128(mac: [u8; 32]) -> u128 {
    mac.iter()
        .take(16)
        .fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl DateOffset {
    /// The offset in days, -728 to -7, a multiple of seven.
    #[must_use]
    pub fn days(self) -> i64 {
        self.0
    }
}

impl fmt::Debug for DateOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DateOffset(hidden)")
    }
}

impl Pseudonym {
    /// The text, "P-" and 16 characters: legal as an LO and as the family name of a PN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Pseudonym {
    type Err = ParsePseudonymError;

    fn from_str(text: &str) -> Result<Self, ParsePseudonymError> {
        let code = text.strip_prefix(PREFIX).ok_or(ParsePseudonymError)?;
        let legal =
            code.len() == PSEUDONYM_CHARS && code.bytes().all(|byte| ALPHABET.contains(&byte));
        legal
            .then(|| Self(text.to_owned()))
            .ok_or(ParsePseudonymError)
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = ParsePseudonymError;

    fn try_from(text: String) -> Result<Self, ParsePseudonymError> {
        text.parse()
    }
}

impl From<Pseudonym> for String {
    fn from(pseudonym: Pseudonym) -> Self {
        pseudonym.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Pseudonym, Secret};

    const SECRET: Secret = Secret([7; 32]);

    #[test]
    fn pseudonyms_are_stable_and_keyed() {
        let of = |id, issuer| SECRET.pseudonym(id, issuer);
        assert_eq!(of("123", None), of("123", None));
        assert_ne!(of("123", None), of("124", None));
        assert_ne!(of("123", Some("A")), of("123", Some("B")));
        assert_ne!(of("12", Some("3")), of("1", Some("23")));
        assert_ne!(of("123", None), Secret::new([8; 32]).pseudonym("123", None));
        assert_eq!(of("123", None).as_str().parse(), Ok(of("123", None)));
    }

    #[test]
    fn only_pseudonyms_parse() {
        fn check(text: &str, expect: bool) {
            assert_eq!(text.parse::<Pseudonym>().is_ok(), expect, "{text}");
        }
        check("P-0123456789ABCDEF", true);
        check("P-0123456789ABCDEI", false);
        check("P-0123456789ABCDE", false);
        check("0123456789ABCDEF", false);
        check("", false);
    }

    #[test]
    fn uids_are_legal_and_stable() {
        let mapped = SECRET.map_uid("1.2.3.4");
        assert_eq!(mapped, SECRET.map_uid("1.2.3.4"));
        assert_ne!(mapped, SECRET.map_uid("1.2.3.5"));
        assert!(mapped.len() <= 64 && mapped.starts_with("2.25."));
        assert!(mapped.bytes().all(|b| b == b'.' || b.is_ascii_digit()));
    }

    #[test]
    fn offsets_are_whole_weeks_that_fill_two_years_and_are_never_zero() {
        let days: Vec<i64> = (0..5000)
            .map(|i| SECRET.date_offset(&i.to_string(), None).days())
            .collect();
        assert_eq!(days.iter().min(), Some(&-728));
        assert_eq!(days.iter().max(), Some(&-7));
        assert!(days.iter().all(|days| days % 7 == 0));
    }

    #[test]
    fn no_season_is_made_up() {
        // Exams on one day of the year land in all months alike: a twelfth each, give or take a fifth of that.
        let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 15).unwrap();
        let mut months = [0_u32; 12];
        for i in 0..24_000 {
            let offset = SECRET.date_offset(&i.to_string(), None).days();
            let moved = day + chrono::Duration::days(offset);
            months[chrono::Datelike::month0(&moved) as usize] += 1;
        }
        assert!(
            months.iter().all(|n| (1600..2400).contains(n)),
            "{months:?}"
        );
    }

    #[test]
    fn secrets_and_offsets_hide_from_debug() {
        assert_eq!(format!("{SECRET:?}"), "Secret(hidden)");
        assert_eq!(
            format!("{:?}", SECRET.date_offset("1", None)),
            "DateOffset(hidden)"
        );
    }
}
