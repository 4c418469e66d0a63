//! The cohort as text: `modality = CT and slice_thickness <= 2 mm and diagnosis under C34`. The grammar is in `docs/search.md`.

mod lex;
mod number;
mod parse;
mod timing;
mod write;

use std::{fmt, str::FromStr};

pub(super) use lex::{quoted, unfinished};
pub(super) use parse::{Expected, expected_at_end};

use super::Cohort;

/// The longest text that is read.
pub const MAX_TEXT_BYTES: usize = 4096;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Characters up to the place, counted from 1.
    pub position: usize,
    /// What is wrong and what would be right.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(meant) = &self.suggestion {
            write!(f, "; did you mean {meant}?")?;
        }
        write!(f, " at character {}", self.position)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    fn new(position: usize, message: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
            suggestion: None,
        }
    }

    /// Line and column of the place in the text, both from 1.
    #[must_use]
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        let before = text.chars().take(self.position.saturating_sub(1));
        before.fold((1, 1), |(line, column), character| match character {
            '\n' => (line + 1, 1),
            _ => (line, column + 1),
        })
    }

    /// The line of the place and below it a caret, for a terminal.
    #[must_use]
    pub fn caret(&self, text: &str) -> String {
        let (line, column) = self.line_and_column(text);
        let shown: String = text
            .lines()
            .nth(line - 1)
            .unwrap_or_default()
            .chars()
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        let number = match text.lines().count() {
            0 | 1 => String::new(),
            _ => format!("line {line}, column {column}\n"),
        };
        format!("{number}  {shown}\n  {}^", " ".repeat(column - 1))
    }
}

impl FromStr for Cohort {
    type Err = ParseError;

    /// Parses the text form; an empty text is everybody.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
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
            "age in >40..<75",
            "readers = 4",
            "diagnosis under {C34, C50.1} and stage_group under III",
            "series_description = \"a \\\"quoted\\\" \\\\ word\"",
            "contrast = yes",
            "series(modality = CT and slice_thickness < 2)",
            "study(series(modality = CT) and series(modality = PT))",
            "annotation()",
            "not (modality = CT or modality = MR)",
            "study_date within 90 d before treatment_start",
            "series(modality = CT) before treatment(treatment_kind = surgery)",
            "treatment_end of treatment(treatment_kind = radiotherapy) after study_date",
            "last_contact >= 730.5 d after diagnosis_date",
            "study_date in 30..60 d before treatment_start",
            "study_date within 14 d of biomarker(psa > 4)",
            "last_contact >= 700",
        ] {
            let cohort: Cohort = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(cohort.to_string(), text);
            let json = serde_json::to_string(&cohort).unwrap();
            assert_eq!(serde_json::from_str::<Cohort>(&json).unwrap(), cohort);
        }
    }

    #[test]
    fn there_are_shorter_ways_of_writing() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                text.parse::<Cohort>().unwrap().to_string(),
                expect,
                "{text}"
            );
        };
        check(
            "slice_thickness <= 2 mm and age > 40 years",
            "slice_thickness <= 2 and age > 40",
        );
        check("slice_thickness <= 0.2cm", "slice_thickness <= 2");
        check("age in 480 mo..75 a", "age in 40..75");
        check("age in 40..75 a", "age in 40..75");
        check("tumour_size in 1..2 cm", "tumour_size in 10..20");
        check(
            "overall_survival_days >= 2 years",
            "overall_survival_days >= 730.5",
        );
        check("stage in III", "stage_group under III");
        check("diagnosis in C34", "diagnosis under C34");
        check(
            "Modality = CT AND Sex != F",
            "modality = CT and not sex = F",
        );
        check("last_contact >= 2 a", "last_contact >= 730.5");
        check("contrast = TRUE", "contrast = yes");
        check(
            "study_date within 3 months before treatment_start",
            "study_date within 91.3125 d before treatment_start",
        );
        check("", "");
    }

    #[test]
    fn errors_point_at_the_place() {
        let check = |text: &str, position: usize, says: &str| {
            let error = text.parse::<Cohort>().unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
            assert!(error.to_string().contains(says), "{text}: {error}");
        };
        check("modality = CT and colour = red", 19, "`colour` is no field");
        check("modalty = CT", 1, "did you mean modality?");
        check("modality CT", 10, "expected =");
        check("age in 40-75", 8, "write 40..75");
        check("age in 40", 10, "expected `..`");
        check("age = forty", 7, "age is a number");
        check("age in {40, 50}", 8, "age is a number");
        check("modality > 3", 10, "modality is a word");
        check("modality under CT", 10, "nothing lies under");
        check("slice_thickness <= 2 kg", 22, "measured in mm");
        check("age in 75..40", 12, "lower one first");
        check("(sex = F", 9, "expected `)`");
        check("sex = F sex = M", 9, "expected `and`");
        check("sex = F adn age > 3", 9, "did you mean and?");
        check("sex = \"F", 7, "closing quote");
        check("sex § F", 5, "no meaning");
        check("outcome() before study_date", 11, "no day of its own");
        check(
            "study_date within 3 d treatment_start",
            23,
            "`before`, `after` or `of`",
        );
        check("study_date before age", 19, "is no date");
        check("age of series() before study_date", 5, "expected =");
        check("contrast = maybe", 12, "yes or no");
        check(&"(".repeat(4000), 14, "nest at most");
        check(&"not ".repeat(900), 53, "nest at most");
    }

    #[test]
    fn a_caret_stands_below_the_place() {
        let text = "modality = CT\nand colour = red";
        let error = text.parse::<Cohort>().unwrap_err();
        assert_eq!(
            error.caret(text),
            "line 2, column 5\n  and colour = red\n      ^"
        );
    }

    #[test]
    fn a_very_long_text_is_refused() {
        assert!("x".repeat(5000).parse::<Cohort>().is_err());
    }
}
