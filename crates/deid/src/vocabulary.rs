//! Free text reduced to words that are known to be harmless (PS3.15 E.3.5, Clean Descriptors Option).
//!
//! What is allowed is listed, never what is forbidden: nobody can list all names. The words stand in
//! `tables/vocabulary.txt`; numbers pass alone and short, so that dates, telephone and record numbers do not.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::identifiers::Identifiers;

const VOCABULARY_TXT: &str = include_str!("../tables/vocabulary.txt");
const NAMES_TXT: &str = include_str!("../tables/names.txt");

/// Parsed once; immutable.
static VOCABULARY: LazyLock<Vocabulary> =
    LazyLock::new(|| Vocabulary::parse(VOCABULARY_TXT, NAMES_TXT));

/// The words and units that may stay in free text.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    words: HashSet<String>,
    units: HashSet<String>,
    names: HashSet<String>,
    titles: HashSet<String>,
}

/// What a token of free text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Word,
    Unit,
    /// Digits with at most one point: kept or not by its neighbours.
    Number,
    /// A number with its unit in one piece, "1.25mm".
    Measure,
    /// A number too long to be anything but an id, a year or a date.
    LongNumber,
    Unknown,
}

/// No word of the vocabulary and no form of number is longer; also bounds the work per token.
const MAX_TOKEN_CHARS: usize = 32;
/// Six times the longest LT. More is a document, of which words alone would say nothing.
const MAX_TEXT_BYTES: usize = 64 << 10;
/// Digits of a lone number before the point: enough for slice counts and window levels, too few for a year.
const NUMBER_DIGITS: usize = 3;
/// Digits of a number that has its unit: "1000ms", "b1000".
const MEASURE_DIGITS: usize = 4;

impl Vocabulary {
    pub(crate) fn embedded() -> &'static Self {
        &VOCABULARY
    }

    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.contains(&word.to_lowercase())
    }

    /// Whether a word of the text is a usual name, or a title that a name follows: text that is kept because of where it
    /// stands, not because its words are known, must hold neither.
    pub(crate) fn names_somebody(&self, text: &str) -> bool {
        text.split(|c: char| !c.is_alphabetic())
            .filter(|word| word.len() > 1)
            .map(str::to_lowercase)
            .any(|word| self.names.contains(&word) || self.titles.contains(&word))
    }

    /// The part of `text` that may stay: the text itself if all of it may, else the kept words with single blanks.
    pub(crate) fn clean(&self, text: &str, identifiers: &Identifiers) -> String {
        if text.len() > MAX_TEXT_BYTES {
            return String::new();
        }
        let mut tokens: Vec<(&str, Token)> = tokens(text)
            .map(|token| (token, self.kind(token, identifiers)))
            .collect();
        self.drop_names_after_titles(&mut tokens);
        let kept: Vec<&str> = (0..tokens.len())
            .filter(|&i| stays(&tokens, i))
            .map(|i| tokens[i].0)
            .collect();
        let whole =
            kept.len() == tokens.len() && text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        let cleaned = if whole {
            text.to_owned()
        } else {
            kept.join(" ")
        };
        let says_something = kept.iter().any(|token| token.contains(char::is_alphabetic));
        if says_something && !identifiers.span_words_of(&cleaned) {
            cleaned
        } else {
            String::new()
        }
    }

    fn parse(text: &str, names: &str) -> Self {
        let lines = |text: &str| -> HashSet<String> {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines
                .flat_map(str::split_whitespace)
                .map(str::to_owned)
                .collect()
        };
        let (words, units) = text.split_once("\n[units]\n").unwrap_or((text, ""));
        let (names, titles) = names.split_once("\n[titles]\n").unwrap_or((names, ""));
        Self {
            words: lines(words),
            units: lines(units),
            names: lines(names),
            titles: lines(titles),
        }
    }

    /// A known word is a name after a title: "Dr Young". Carets say nothing: a vendor writes "Abdomen^Routine".
    fn drop_names_after_titles(&self, tokens: &mut [(&str, Token)]) {
        let mut after_title = false;
        for (token, kind) in tokens.iter_mut() {
            if after_title && token.chars().all(char::is_alphabetic) {
                *kind = Token::Unknown;
            }
            after_title = self.titles.contains(&token.to_lowercase());
        }
    }

    fn kind(&self, token: &str, identifiers: &Identifiers) -> Token {
        match self.form(token) {
            Token::Unknown => Token::Unknown,
            _ if identifiers.are_in(token) => Token::Unknown,
            kind => kind,
        }
    }

    fn form(&self, token: &str) -> Token {
        if token.len() > MAX_TOKEN_CHARS || !token.is_ascii() {
            return Token::Unknown;
        }
        let lower = token.to_ascii_lowercase();
        if self.units.contains(&lower) {
            Token::Unit
        } else if self.words.contains(&lower)
            || is_vertebra(&lower)
            || is_b_value(&lower)
            || is_kernel(token)
        {
            Token::Word
        } else {
            self.number_kind(&lower)
        }
    }

    fn number_kind(&self, lower: &str) -> Token {
        let digits = lower
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
            .unwrap_or(lower.len());
        let (number, unit) = lower.split_at(digits);
        let fits = |limit| is_number(number, limit);
        match (number, unit) {
            ("", _) => Token::Unknown,
            (_, "") if fits(NUMBER_DIGITS) => Token::Number,
            (_, "") => Token::LongNumber,
            (_, unit) if fits(MEASURE_DIGITS) && self.units.contains(unit) => Token::Measure,
            _ => Token::Unknown,
        }
    }
}

/// Letters and digits, with a point or comma between two digits as part of the number.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        if rest.is_empty() {
            return None;
        }
        let (token, tail) = rest.split_at(token_end(rest));
        rest = tail;
        Some(token)
    })
}

fn token_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let in_number = |at: usize, c: char| {
        (c == '.' || c == ',') && at > 0 && is_digit(at - 1) && is_digit(at + 1)
    };
    text.char_indices()
        .find(|&(at, c)| !c.is_alphanumeric() && !in_number(at, c))
        .map_or(text.len(), |(at, _)| at)
}

/// A number stays only alone: beside another number it could be part of a date, a telephone or a record number.
/// Then it needs its unit, or harmless neighbours: beside a dropped word it could be a house or a birthday.
fn stays(tokens: &[(&str, Token)], at: usize) -> bool {
    let kind = |i: Option<usize>| i.and_then(|i| tokens.get(i)).map(|token| token.1);
    let (before, after) = (kind(at.checked_sub(1)), kind(at.checked_add(1)));
    let is_number = |kind| matches!(kind, Some(Token::Number | Token::LongNumber));
    let is_harmless = |kind| {
        matches!(
            kind,
            None | Some(Token::Word | Token::Unit | Token::Measure)
        )
    };
    if is_age(tokens, at) {
        return false;
    }
    match tokens[at].1 {
        Token::Word | Token::Unit | Token::Measure => true,
        Token::LongNumber | Token::Unknown => false,
        Token::Number if is_number(before) || is_number(after) => false,
        Token::Number => after == Some(Token::Unit) || is_harmless(before) && is_harmless(after),
    }
}

/// Beside these a number is the age of a person: below ninety it says what PatientAge says; from there on it identifies.
const AGE_WORDS: [&str; 4] = ["age", "old", "y", "yr"];
const OLDEST_AGE_YEARS: u16 = 89;

/// Whether the token is a number that reads as an age above 89.
fn is_age(tokens: &[(&str, Token)], at: usize) -> bool {
    let is_word = |i: Option<usize>| {
        let token = i.and_then(|i| tokens.get(i));
        token.is_some_and(|(word, _)| AGE_WORDS.contains(&word.to_lowercase().as_str()))
    };
    let is_beside = is_word(at.checked_sub(1)) || is_word(at.checked_add(1));
    let years = tokens[at].0.parse::<u16>();
    is_beside && years.is_ok_and(|years| years > OLDEST_AGE_YEARS)
}

/// Up to `limit` digits and up to three after a point or comma.
fn is_number(text: &str, limit: usize) -> bool {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let fits = |digits: &str, limit| {
        (1..=limit).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    fits(whole, limit) && fits(fraction, 3)
}

/// C1–C7, Th12, L5, S1.
fn is_vertebra(lower: &str) -> bool {
    let level = ["th", "c", "t", "l", "s"]
        .into_iter()
        .find_map(|region| lower.strip_prefix(region));
    level
        .and_then(|level| level.parse::<u8>().ok())
        .is_some_and(|level| (1..=12).contains(&level))
}

/// A diffusion weighting, "b1000".
fn is_b_value(lower: &str) -> bool {
    lower.strip_prefix('b').is_some_and(|value| {
        (1..=MEASURE_DIGITS).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A reconstruction kernel as vendors write them: B70f, Br40d, FC51, I31f.
fn is_kernel(token: &str) -> bool {
    let families = [
        "FC", "Bf", "Bl", "Br", "Bv", "Hc", "Hp", "Hr", "Qr", "Sa", "Ub", "B", "D", "H", "I", "J",
    ];
    let rest = families
        .into_iter()
        .find_map(|family| token.strip_prefix(family));
    let level = rest.map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_lowercase()));
    rest.zip(level).is_some_and(|(rest, level)| {
        level.len() == 2 && level.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() <= 4
    })
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;
    use crate::identifiers::Identifiers;
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    fn clean(text: &str) -> String {
        Vocabulary::embedded().clean(text, &Identifiers::default())
    }

    #[test]
    fn technical_descriptions_stay_as_they_are() {
        fn check(text: &str) {
            assert_eq!(clean(text), text);
        }
        check("CT THORAX 1.25 mm lung kernel");
        check("LUNG 1.5 B70f");
        check("SOFT TISSUE 3.0 B31f");
        check("T2 FLAIR ax 5mm");
        check("DWI b1000 (ADC)");
        check("AX T1 FS +C");
        check("Sagittal-IR_3DFGRE: PE1".replace("PE1", "SER").as_str());
        check("GTV_Mass_MR_T1");
        check("CT CH/ABD/PEL W/ CONTRAST");
        check("3D MPRAGE 1 x 1 x 1 mm");
        check("120kV 80 mA Br40d");
        check("synthetic phantom, nodule 3");
        check("spine L5 S1");
    }

    #[test]
    fn people_numbers_and_dates_are_dropped() {
        fn check(text: &str, expect: &str) {
            assert_eq!(clean(text), expect);
        }
        check("CT THORAX Carla Bianchi follow-up", "CT THORAX follow up");
        check("CT 12.05.1980", "CT");
        check("CT 12/05/1980", "CT");
        check("CT 12 05 80", "CT");
        check("CT 1980-05-12", "CT");
        check("MR 12 May 1980", "MR");
        check("phone +1-555-1234-567 head", "head");
        check("room 12 Smith, CT", "CT");
        check("CT MRN1234567", "CT");
        check("CT 20240101", "CT");
        check("123", "");
        check("Smith^John", "");
        check("CT head Dr Young", "CT head");
        check("Dr. Short, chest", "chest");
        check("", "");
        check("chest of a 93 year old", "chest of old");
        check("CT old 93", "CT old");
        check("093Y CT", "CT");
        check("CT für Müller", "CT");
        check("CT\r\nhead", "CT head");
        check("CT \u{1b}$B;3ED\u{1b}(B", "CT");
    }

    #[test]
    fn a_word_that_is_the_patients_name_is_dropped() {
        let name = dicom_core::DataElement::new(
            dicom_dictionary_std::tags::PATIENT_NAME,
            dicom_core::VR::PN,
            "Thorax^Hand",
        );
        let header = dicom_object::InMemDicomObject::from_element_iter([name]);
        let identifiers = Identifiers::collect(&header, &crate::recipe::Recipe::default()).unwrap();
        assert_eq!(
            Vocabulary::embedded().clean("CT hand and thorax lung", &identifiers),
            "CT and lung"
        );
    }

    #[test]
    fn the_vocabulary_is_in_the_form_it_is_searched_in() {
        let vocabulary = Vocabulary::embedded();
        assert!(vocabulary.words.len() >= 300 && vocabulary.units.contains("mm"));
        for word in vocabulary.words.iter().chain(&vocabulary.units) {
            assert!(
                word.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{word}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn cleaning_never_lengthens_and_is_stable(text in "(CT|lung|[a-zA-Z]{0,8}|[0-9.,/ -]{0,9}|\\PC{0,4}| |mm|_){0,12}") {
            let once = clean(&text);
            prop_assert!(once.len() <= text.len());
            prop_assert!(once.is_ascii());
            prop_assert!(clean(&once).len() <= once.len());
        }

        #[test]
        fn no_four_digits_in_a_row_stay(text in "[0-9 ./-]{0,30}(CT|mm)?[0-9 ./-]{0,30}") {
            let cleaned = clean(&text);
            let four = cleaned.as_bytes().windows(4).any(|w| w.iter().all(u8::is_ascii_digit));
            prop_assert!(!four || cleaned.contains("mm"), "{cleaned}");
        }
    }
}
