//! Numbers with units: `2 mm`, `0.2cm`, `3 months`.

use super::super::Field;
use super::{
    ParseError,
    lex::Token,
    parse::{Expected, Parser},
};
use crate::model::convert;

/// Everyday words for units of time, beside UCUM's.
const EVERYDAY: [(&str, &str); 10] = [
    ("day", "d"),
    ("days", "d"),
    ("week", "wk"),
    ("weeks", "wk"),
    ("month", "mo"),
    ("months", "mo"),
    ("y", "a"),
    ("year", "a"),
    ("years", "a"),
    ("yr", "a"),
];

/// What follows a number and is no unit.
const KEYWORDS: [&str; 5] = ["and", "or", "before", "after", "of"];

/// A number as it was written.
#[derive(Debug, Clone)]
pub(super) struct Number {
    value: f64,
    /// The unit that was written, if one was; it can be turned into `wanted`.
    unit: Option<String>,
    wanted: &'static str,
}

impl Number {
    /// The number in the unit that is wanted.
    pub(super) fn in_unit(&self) -> f64 {
        match &self.unit {
            None => self.value,
            Some(unit) => converted(self.value, unit, self.wanted).unwrap_or(self.value),
        }
    }

    /// Both ends of a range: a unit that stands at one end alone is meant for both.
    pub(super) fn together(mut low: Self, mut high: Self) -> (f64, f64) {
        low.unit = low.unit.or_else(|| high.unit.clone());
        high.unit = high.unit.or_else(|| low.unit.clone());
        (low.in_unit(), high.in_unit())
    }
}

/// Digits that a conversion keeps: 0.7 cm are 7 mm, not 7.000000000000001.
fn converted(value: f64, from: &str, to: &str) -> Option<f64> {
    let exact = convert(value, from, to).ok()?;
    match from == to {
        true => Some(exact),
        false => format!("{exact:.11e}").parse().ok(),
    }
}

impl Parser {
    pub(super) fn number(
        &mut self,
        field: Field,
        wanted: &'static str,
    ) -> Result<Number, ParseError> {
        self.note(Expected::Number(wanted));
        let word = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            Some(_) => {
                let message =
                    format!("{field} is a number: compare it with a number, or write: in 40..75");
                return Err(self.error(message));
            }
            None => return Err(self.error("expected a number")),
        };
        let (value, rest) = split(&word).ok_or_else(|| {
            self.error(format!(
                "{field} is a number: expected a number, not a word"
            ))
        })?;
        if let Some(upper) = rest
            .strip_prefix('-')
            .filter(|upper| split(upper).is_some())
        {
            return Err(self.error(format!(
                "expected a number; for a range write {value}..{upper}"
            )));
        }
        let unit = match rest {
            "" => {
                self.next += 1;
                self.unit_ahead(field, wanted)?
            }
            unit => {
                let unit = self.known_unit(field, unit, wanted)?;
                self.next += 1;
                Some(unit)
            }
        };
        Ok(Number {
            value,
            unit,
            wanted,
        })
    }

    fn unit_ahead(
        &mut self,
        field: Field,
        wanted: &'static str,
    ) -> Result<Option<String>, ParseError> {
        if !wanted.is_empty() {
            self.note(Expected::Unit(wanted));
        }
        let Some(Token::Word(word)) = self.peek() else {
            return Ok(None);
        };
        if KEYWORDS
            .iter()
            .any(|keyword| word.eq_ignore_ascii_case(keyword))
        {
            return Ok(None);
        }
        let unit = self.known_unit(field, &word.clone(), wanted)?;
        self.next += 1;
        Ok(Some(unit))
    }

    fn known_unit(
        &self,
        field: Field,
        unit: &str,
        wanted: &'static str,
    ) -> Result<String, ParseError> {
        let everyday = EVERYDAY.iter().find(|(word, _)| *word == unit);
        let unit = everyday.map_or(unit, |(_, unit)| *unit);
        match convert(1.0, unit, wanted) {
            Ok(_) => Ok(unit.to_owned()),
            Err(_) => {
                let measured = match wanted {
                    "" => "has no unit".to_owned(),
                    wanted => format!("is measured in {wanted}"),
                };
                Err(self.error(format!("{field} {measured}; expected that, `and` or `or`")))
            }
        }
    }
}

/// The number at the beginning of a word, and the rest.
fn split(word: &str) -> Option<(f64, &str)> {
    let ends = word
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    let number = |end: usize| {
        let number = word[..end].parse::<f64>().ok()?;
        let digits = word[..end].ends_with(|last: char| last.is_ascii_digit() || last == '.');
        (digits && number.is_finite()).then_some((number, &word[end..]))
    };
    ends.rev().find_map(number)
}
