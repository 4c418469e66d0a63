//! The cohort as text: `modality = CT and slice_thickness <= 2 mm and age in 40..75`.
//!
//! Grammar: `or` of `and` of `not`; a criterion is `field op value [unit]`, `field in low..high`,
//! `field in {A, B}` or `field recorded`; words with spaces stand in double quotes. Errors point at the place.

use std::{fmt, str::FromStr};

use super::{Cohort, Criterion, Field, FieldKind, MAX_DEPTH, Range, Test};

/// The longest text that is read.
const MAX_TEXT_BYTES: usize = 4096;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position}")]
pub struct ParseError {
    /// Characters before the place, counted from 1.
    pub position: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 12] = [
    "<=", ">=", "!=", "..", "=", "<", ">", "(", ")", "{", "}", ",",
];

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

impl FromStr for Cohort {
    type Err = ParseError;

    /// Parses the text form; an empty text is everybody.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_TEXT_BYTES {
            let message =
                format!("a cohort is written in at most {MAX_TEXT_BYTES} bytes; this one goes on");
            return Err(ParseError {
                position: MAX_TEXT_BYTES,
                message,
            });
        }
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(Self::everybody());
        }
        let mut parser = Parser {
            tokens,
            next: 0,
            end: text.chars().count() + 1,
        };
        let cohort = parser.or(0)?;
        match parser.peek() {
            None => Ok(cohort),
            Some(_) => Err(parser.error("expected `and`, `or` or the end")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let mut found = Vec::new();
    let (mut rest, mut position) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Some(Token::Symbol(symbol)), symbol.len())
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(|| ParseError {
                position,
                message: "no closing quote".into(),
            })?;
            (Some(Token::Quoted(quoted[..end].to_owned())), end + 2)
        } else {
            let length = word_length(rest);
            if length == 0 {
                return Err(ParseError {
                    position,
                    message: format!("`{first}` has no meaning here"),
                });
            }
            (Some(Token::Word(rest[..length].to_owned())), length)
        };
        found.extend(token.map(|token| (position, token)));
        position += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(found)
}

/// A word ends at white space or a symbol; `1.5` is one word, `40..75` is three tokens.
fn word_length(rest: &str) -> usize {
    rest.char_indices()
        .find(|(at, character)| {
            let range = rest[*at..].starts_with("..");
            !(character.is_alphanumeric() || "_-+./^".contains(*character)) || range
        })
        .map_or(rest.len(), |(at, _)| at)
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        let position = self
            .tokens
            .get(self.next)
            .map_or(self.end, |(position, _)| *position);
        ParseError {
            position,
            message: message.into(),
        }
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    fn take_symbol(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(symbol)) if *symbol == wanted);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self, depth: usize) -> Result<Cohort, ParseError> {
        let mut parts = vec![self.and(depth)?];
        while self.take_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Cohort::Or(parts)
        })
    }

    fn and(&mut self, depth: usize) -> Result<Cohort, ParseError> {
        let mut parts = vec![self.not(depth)?];
        while self.take_word("and") {
            parts.push(self.not(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Cohort::And(parts)
        })
    }

    fn not(&mut self, depth: usize) -> Result<Cohort, ParseError> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("and/or/not nest at most {MAX_DEPTH} deep")));
        }
        if self.take_word("not") {
            return Ok(Cohort::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take_symbol("(") {
            let inner = if self.take_symbol(")") {
                return Ok(Cohort::everybody());
            } else {
                self.or(depth + 1)?
            };
            return if self.take_symbol(")") {
                Ok(inner)
            } else {
                Err(self.error("expected `)`"))
            };
        }
        self.criterion()
    }

    fn criterion(&mut self) -> Result<Cohort, ParseError> {
        let field = self.field()?;
        if self.take_word("recorded") {
            return Ok(Cohort::Is(Criterion {
                field,
                test: Test::Recorded,
            }));
        }
        if self.take_word("in") {
            return Ok(Cohort::Is(Criterion {
                field,
                test: self.set_or_range(field)?,
            }));
        }
        let Some(Token::Symbol(symbol)) = self.peek().cloned() else {
            return Err(self.error("expected =, !=, <, <=, >, >=, `in` or `recorded`"));
        };
        if !["=", "!=", "<", "<=", ">", ">="].contains(&symbol) {
            return Err(self.error("expected =, !=, <, <=, >, >=, `in` or `recorded`"));
        }
        self.next += 1;
        let test = self.comparison(field, symbol)?;
        let criterion = Cohort::Is(Criterion { field, test });
        Ok(if symbol == "!=" {
            Cohort::Not(Box::new(criterion))
        } else {
            criterion
        })
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let names = || Field::ALL.map(Field::as_str).join(", ");
        match self.peek() {
            Some(Token::Word(word)) => match Field::from_name(&word.to_ascii_lowercase()) {
                Some(field) => {
                    self.next += 1;
                    Ok(field)
                }
                None => Err(self.error(format!("`{word}` is no field; fields are {}", names()))),
            },
            _ => Err(self.error(format!("expected a field: {}", names()))),
        }
    }

    fn comparison(&mut self, field: Field, symbol: &str) -> Result<Test, ParseError> {
        let number = matches!(self.peek(), Some(Token::Word(word)) if number(word).is_some());
        if !number {
            return match symbol {
                "=" | "!=" => Ok(Test::OneOf(vec![self.value()?])),
                _ => Err(self.error("expected a number")),
            };
        }
        if field.kind() == FieldKind::Words && matches!(symbol, "=" | "!=") {
            return Ok(Test::OneOf(vec![self.value()?]));
        }
        let value = Some(self.number(field)?);
        Ok(Test::Range(match symbol {
            "<" => Range {
                below: value,
                ..Range::default()
            },
            "<=" => Range {
                max: value,
                ..Range::default()
            },
            ">" => Range {
                above: value,
                ..Range::default()
            },
            ">=" => Range {
                min: value,
                ..Range::default()
            },
            _ => Range {
                min: value,
                max: value,
                ..Range::default()
            },
        }))
    }

    fn set_or_range(&mut self, field: Field) -> Result<Test, ParseError> {
        if !self.take_symbol("{") {
            let min = Some(self.number(field)?);
            if !self.take_symbol("..") {
                return Err(self.error("expected `..`, as in 40..75"));
            }
            let max = Some(self.number(field)?);
            return Ok(Test::Range(Range {
                min,
                max,
                ..Range::default()
            }));
        }
        let mut words = vec![self.value()?];
        while self.take_symbol(",") {
            words.push(self.value()?);
        }
        if self.take_symbol("}") {
            Ok(Test::OneOf(words))
        } else {
            Err(self.error("expected `,` or `}`"))
        }
    }

    fn value(&mut self) -> Result<String, ParseError> {
        match self.peek().cloned() {
            Some(Token::Word(word) | Token::Quoted(word)) => {
                self.next += 1;
                Ok(word)
            }
            _ => Err(self.error("expected a value")),
        }
    }

    fn number(&mut self, field: Field) -> Result<f64, ParseError> {
        let value = match self.peek() {
            Some(Token::Word(word)) => number(word),
            _ => None,
        };
        let value = value.ok_or_else(|| self.error("expected a number"))?;
        self.next += 1;
        self.unit(field)?;
        Ok(value)
    }

    /// A unit may follow a number; it must be the field's own.
    fn unit(&mut self, field: Field) -> Result<(), ParseError> {
        let FieldKind::Number { unit } = field.kind() else {
            return Ok(());
        };
        let Some(Token::Word(word)) = self.peek() else {
            return Ok(());
        };
        if ["and", "or"]
            .iter()
            .any(|keyword| word.eq_ignore_ascii_case(keyword))
        {
            return Ok(());
        }
        let years = unit == "a" && ["years", "year", "y"].contains(&word.as_str());
        if word != unit && !years {
            let unit = if unit.is_empty() { "no unit" } else { unit };
            return Err(self.error(format!("{} is measured in {unit}", field.as_str())));
        }
        self.next += 1;
        Ok(())
    }
}

fn number(word: &str) -> Option<f64> {
    word.parse::<f64>().ok().filter(|value| value.is_finite())
}

impl fmt::Display for Cohort {
    /// The text form, which parses back to the same cohort.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list =
            |parts: &[Self], word: &str, formatter: &mut fmt::Formatter<'_>| -> fmt::Result {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        write!(formatter, " {word} ")?;
                    }
                    part.fmt_inner(formatter)?;
                }
                Ok(())
            };
        match self {
            Self::And(parts) => list(parts, "and", formatter),
            Self::Or(parts) => list(parts, "or", formatter),
            Self::Not(part) => {
                formatter.write_str("not ")?;
                part.fmt_inner(formatter)
            }
            Self::Is(criterion) => criterion.fmt(formatter),
        }
    }
}

impl Cohort {
    fn fmt_inner(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(_) | Self::Or(_) => write!(formatter, "({self})"),
            Self::Not(_) | Self::Is(_) => write!(formatter, "{self}"),
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.as_str();
        match &self.test {
            Test::Recorded => write!(formatter, "{field} recorded"),
            Test::OneOf(words) if words.len() == 1 => {
                write!(formatter, "{field} = {}", quoted(&words[0]))
            }
            Test::OneOf(words) => {
                let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
                write!(formatter, "{field} in {{{}}}", words.join(", "))
            }
            Test::Range(range) => write_range(formatter, field, *range),
        }
    }
}

fn write_range(formatter: &mut fmt::Formatter<'_>, field: &str, range: Range) -> fmt::Result {
    match range {
        Range {
            min: Some(min),
            max: Some(max),
            above: None,
            below: None,
        } => {
            write!(formatter, "{field} in {min}..{max}")
        }
        Range {
            min,
            above,
            max,
            below,
        } => {
            let bounds = [(">=", min), (">", above), ("<=", max), ("<", below)];
            let mut word = "";
            for (symbol, bound) in bounds {
                if let Some(bound) = bound {
                    write!(formatter, "{word}{field} {symbol} {bound}")?;
                    word = " and ";
                }
            }
            if word.is_empty() {
                write!(formatter, "{field} recorded")
            } else {
                Ok(())
            }
        }
    }
}

fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word_length(word) == word.len();
    if plain {
        word.to_owned()
    } else {
        format!("\"{word}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::Cohort;

    #[test]
    fn text_and_cohort_are_one_thing() {
        for text in [
            "modality = CT and slice_thickness <= 2",
            "age in 40..75 and (sex = F or not manufacturer = \"GE MEDICAL SYSTEMS\")",
            "modality in {CT, MR} and malignancy >= 4",
            "diagnosis = C34 and sex recorded",
            "age in -1..1.5",
        ] {
            let cohort: Cohort = text.parse().unwrap();
            assert_eq!(cohort.to_string(), text);
            let json = serde_json::to_string(&cohort).unwrap();
            assert_eq!(serde_json::from_str::<Cohort>(&json).unwrap(), cohort);
        }
    }

    #[test]
    fn units_are_read_and_checked() {
        assert_eq!(
            "slice_thickness <= 2 mm and age > 40 years"
                .parse::<Cohort>()
                .unwrap()
                .to_string(),
            { "slice_thickness <= 2 and age > 40" }
        );
    }

    #[test]
    fn errors_point_at_the_place() {
        let check = |text: &str, position: usize, says: &str| {
            let error = text.parse::<Cohort>().unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
            assert!(error.message.contains(says), "{text}: {error}");
        };
        check("modality = CT and colour = red", 19, "`colour` is no field");
        check("modality CT", 10, "expected =");
        check("age in 40-75", 8, "expected a number");
        check("age in 40", 10, "expected `..`");
        check("slice_thickness <= 2 cm", 22, "measured in mm");
        check("(sex = F", 9, "expected `)`");
        check("sex = F sex = M", 9, "expected `and`");
        check("sex = \"F", 7, "closing quote");
        check("sex § F", 5, "no meaning");
        check(&"(".repeat(4000), 14, "nest at most");
    }

    #[test]
    fn a_very_long_text_is_refused() {
        assert!("x".repeat(5000).parse::<Cohort>().is_err());
    }
}
