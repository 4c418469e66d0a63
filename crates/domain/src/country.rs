//! Countries: the two capital letters of ISO 3166-1 alpha-2, such as AT. Only the form is checked, not whether a country
//! has the code: codes come and go, and a list of them would be wrong one day.

/// A text that is not of the form of a country's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country is written as two capital letters (ISO 3166-1 alpha-2), such as AT")]
pub struct CountryError;

/// Whether a text has the form of a country's code.
///
/// # Errors
/// [`CountryError`] when it has not.
pub fn check_country(text: &str) -> Result<(), CountryError> {
    match text.as_bytes() {
        [first, second] if first.is_ascii_uppercase() && second.is_ascii_uppercase() => Ok(()),
        _ => Err(CountryError),
    }
}

#[cfg(test)]
mod tests {
    use super::{CountryError, check_country};

    #[test]
    fn two_capital_letters_are_a_country() {
        let check = |text: &str, expect| assert_eq!(check_country(text), expect, "{text:?}");
        check("AT", Ok(()));
        check("DK", Ok(()));
        for text in [
            "", "A", "at", "At", "AUT", "Austria", "A1", "A ", " AT", "AT\n", "Ö", "ÖÖ",
        ] {
            check(text, Err(CountryError));
        }
    }
}
