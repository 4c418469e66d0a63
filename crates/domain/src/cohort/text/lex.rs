//! A text as words, quoted words and symbols, each with its place.

use super::{MAX_TEXT_BYTES, ParseError};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 12] = [
    "<=", ">=", "!=", "..", "=", "<", ">", "(", ")", "{", "}", ",",
];

/// The tokens and where each begins, in characters from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    if text.len() > MAX_TEXT_BYTES {
        let message =
            format!("a cohort is written in at most {MAX_TEXT_BYTES} bytes; this one goes on");
        return Err(ParseError::new(MAX_TEXT_BYTES, message));
    }
    let mut found = Vec::new();
    let (mut rest, mut position) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            blank if blank.is_whitespace() => (None, blank.len_utf8()),
            _ => {
                let (token, length) = token(rest, first, position)?;
                (Some(token), length)
            }
        };
        found.extend(token.map(|token| (position, token)));
        position += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(found)
}

fn token(rest: &str, first: char, position: usize) -> Result<(Token, usize), ParseError> {
    if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
        return Ok((Token::Symbol(symbol), symbol.len()));
    }
    if first == '"' {
        return quoted_word(rest)
            .ok_or_else(|| ParseError::new(position, "there is no closing quote"));
    }
    match word_length(rest) {
        0 => Err(ParseError::new(
            position,
            format!("`{first}` has no meaning here"),
        )),
        length => Ok((Token::Word(rest[..length].to_owned()), length)),
    }
}

/// A word in quotes, in which `\"` and `\\` stand for a quote and a backslash; and how many bytes it takes.
fn quoted_word(rest: &str) -> Option<(Token, usize)> {
    let mut word = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Token::Quoted(word), at + 1)),
            '\\' => word.push(characters.next()?.1),
            other => word.push(other),
        }
    }
    None
}

/// A word ends at white space or a symbol; `1.5` is one word, `40..75` is three tokens.
pub(super) fn word_length(rest: &str) -> usize {
    rest.char_indices()
        .find(|(at, character)| {
            let range = rest[*at..].starts_with("..");
            !(character.is_alphanumeric() || "_-+./^%[]".contains(*character)) || range
        })
        .map_or(rest.len(), |(at, _)| at)
}

/// A word as it is written: in quotes where it would not be read as one.
pub(in super::super) fn quoted(word: &str) -> String {
    if !word.is_empty() && word_length(word) == word.len() {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A text without its last word if that is unfinished, and that word (without its opening quote).
pub(in super::super) fn unfinished(text: &str) -> (&str, &str) {
    // An odd number of quotes: the cursor stands in a quoted word.
    let quotes: Vec<_> = text.match_indices('"').map(|(at, _)| at).collect();
    if let Some(open) = quotes.last().filter(|_| quotes.len() % 2 == 1) {
        return (&text[..*open], &text[open + 1..]);
    }
    let is_word = |letter: char| letter.is_alphanumeric() || "_-+./^%[]".contains(letter);
    let begins = text
        .char_indices()
        .rev()
        .take_while(|(_, letter)| is_word(*letter))
        .last()
        .map_or(text.len(), |(at, _)| at);
    (&text[..begins], &text[begins..])
}
