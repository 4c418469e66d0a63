//! Sex and age as headers write them, and as they are meant. Public indices hold `0000` and `6657` as a sex: a number there is
//! never read as anything, since it may be an identifier in the wrong place.

/// Nobody reached 123.
const MAX_AGE_YEARS: u16 = 130;

/// What a value of Patient's Sex (0010,0040) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `M`, `F` or `O`.
    Legal(&'static str),
    /// Another word for one of them.
    Corrected(&'static str),
    /// Digits.
    Number,
    /// Anything else.
    Unknown,
}

impl Sex {
    /// The value that counts, if any does.
    #[must_use]
    pub fn value(self) -> Option<&'static str> {
        match self {
            Self::Legal(value) | Self::Corrected(value) => Some(value),
            Self::Number | Self::Unknown => None,
        }
    }
}

/// Reads a sex.
#[must_use]
pub fn sex(text: &str) -> Sex {
    match text {
        "M" => return Sex::Legal("M"),
        "F" => return Sex::Legal("F"),
        "O" => return Sex::Legal("O"),
        _ => {}
    }
    match text.trim().to_uppercase().as_str() {
        "M" | "MALE" | "MAN" | "MÄNNLICH" | "HOMME" | "UOMO" | "MASCULIN" => Sex::Corrected("M"),
        "F" | "FEMALE" | "WOMAN" | "W" | "WEIBLICH" | "FEMME" | "DONNA" | "FEMININ" => {
            Sex::Corrected("F")
        }
        "O" | "OTHER" | "D" | "DIVERS" => Sex::Corrected("O"),
        other if other.bytes().any(|byte| byte.is_ascii_digit()) => Sex::Number,
        _ => Sex::Unknown,
    }
}

/// What a value of Patient's Age (0010,1010) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Years, from a legal Age String (PS3.5 section 6.2).
    Years(u16),
    /// A number without a unit, or with too few digits.
    Corrected(u16),
    /// More years than anybody had.
    Impossible,
    /// Anything else.
    Unknown,
}

/// Reads an age.
#[must_use]
pub fn age(text: &str) -> Age {
    let text = text.trim();
    let digits = text.trim_end_matches(['Y', 'M', 'W', 'D', 'y']);
    let unit = &text[digits.len()..];
    let Ok(number) = digits.parse::<u16>() else {
        return Age::Unknown;
    };
    let years = match unit {
        "" | "Y" | "y" => number,
        "M" => number / 12,
        "W" => number / 52,
        "D" => number / 365,
        _ => return Age::Unknown,
    };
    let is_legal = digits.len() == 3 && matches!(unit, "Y" | "M" | "W" | "D");
    match years {
        years if years > MAX_AGE_YEARS => Age::Impossible,
        years if is_legal => Age::Years(years),
        years => Age::Corrected(years),
    }
}

#[cfg(test)]
mod tests {
    use super::{Age, Sex, age, sex};

    #[test]
    fn words_are_corrected_and_numbers_never_are() {
        fn check(text: &str, expect: Sex) {
            assert_eq!(sex(text), expect, "{text}");
        }
        check("M", Sex::Legal("M"));
        check("female", Sex::Corrected("F"));
        check("w", Sex::Corrected("F"));
        check("0000", Sex::Number);
        check("6657", Sex::Number);
        check("M1", Sex::Number);
        check("N/A", Sex::Unknown);
    }

    #[test]
    fn ages_have_a_unit_and_an_end() {
        fn check(text: &str, expect: Age) {
            assert_eq!(age(text), expect, "{text}");
        }
        check("045Y", Age::Years(45));
        check("018M", Age::Years(1));
        check("45", Age::Corrected(45));
        check("45Y", Age::Corrected(45));
        check("999Y", Age::Impossible);
        check("old", Age::Unknown);
        check("", Age::Unknown);
        check("ÄY", Age::Unknown);
    }
}
