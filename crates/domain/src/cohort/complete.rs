//! What may stand at a place of a text: for the shell and for the explorer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Entity, Field, FieldKind,
    text::{Expected, expected_at_end, quoted, unfinished},
    vocabulary::{short_names, words_of},
};
use crate::model::units_like;

/// More suggestions than anybody reads.
const MAX_SUGGESTIONS: usize = 40;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Completion {
    /// Where the unfinished word begins that a suggestion takes the place of, in characters from 0.
    pub from: usize,
    /// Best first.
    pub suggestions: Vec<Suggestion>,
}

/// One thing that may stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suggestion {
    /// As it is written.
    pub text: String,
    /// What it means.
    pub note: String,
}

/// What may stand at the cursor, which is in characters from 0. `known` are values of a field beyond those that everybody
/// knows.
#[must_use]
pub fn complete(text: &str, cursor: usize, known: &dyn Fn(Field) -> Vec<String>) -> Completion {
    let before: String = text.chars().take(cursor).collect();
    let (done, prefix) = unfinished(&before);
    let expected = expected_at_end(done);
    let mut suggestions: Vec<Suggestion> = expected
        .into_iter()
        .flat_map(|expected| offered(expected, known))
        .filter(|one| {
            one.text
                .trim_start_matches('"')
                .to_lowercase()
                .starts_with(&prefix.to_lowercase())
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    suggestions.retain(|one| seen.insert(one.text.clone()) && one.text != prefix);
    suggestions.truncate(MAX_SUGGESTIONS);
    Completion {
        from: done.chars().count(),
        suggestions,
    }
}

fn suggestion(text: impl Into<String>, note: impl Into<String>) -> Suggestion {
    Suggestion {
        text: text.into(),
        note: note.into(),
    }
}

fn offered(expected: Expected, known: &dyn Fn(Field) -> Vec<String>) -> Vec<Suggestion> {
    match expected {
        Expected::Criterion => fields(|_| true)
            .into_iter()
            .chain(shorts())
            .chain(entities())
            .collect(),
        Expected::Moment => {
            let days = fields(|field| field.kind() == FieldKind::Days);
            days.into_iter().chain(entities()).collect()
        }
        Expected::Entity => entities(),
        Expected::Sign(sign) => sign_note(sign)
            .map(|note| suggestion(sign, note))
            .into_iter()
            .collect(),
        Expected::Value(field) => {
            let words = words_of(field).iter().map(|word| (*word).to_owned());
            words
                .chain(known(field))
                .map(|word| suggestion(quoted(&word), ""))
                .collect()
        }
        // Which number, only the asker knows.
        Expected::Number(_) => Vec::new(),
        Expected::Unit(unit) => units_like(unit).map(|unit| suggestion(unit, "")).collect(),
    }
}

fn fields(wanted: impl Fn(Field) -> bool) -> Vec<Suggestion> {
    Field::all()
        .filter(|field| wanted(*field))
        .map(|field| suggestion(field.as_str(), field.spec().meaning))
        .collect()
}

fn shorts() -> Vec<Suggestion> {
    short_names()
        .map(|(short, name)| suggestion(short, format!("Short for {name}.")))
        .collect()
}

fn entities() -> Vec<Suggestion> {
    Entity::ALL
        .into_iter()
        .map(|entity| {
            let note = format!("One record that is all of it. {}", entity.meaning());
            suggestion(format!("{}(", entity.as_str()), note)
        })
        .collect()
}

/// What a word or sign means; brackets need no explanation and no suggestion.
fn sign_note(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "=" => "is",
        "!=" => "is not",
        "<" => "less than",
        "<=" => "at most",
        ">" => "more than",
        ">=" => "at least",
        "in" => "one of {A, B}, or within 40..75",
        "under" => "this code or one that lies under it",
        "recorded" => "there is a value",
        "within" => "at most so far from another moment",
        "before" => "earlier than another moment",
        "after" => "later than another moment",
        "of" => "of a record, or of another moment",
        "and" => "both",
        "or" => "at least one",
        "not" => "the opposite; what is not recorded stays out",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Field, complete};

    /// The text with `|` at the cursor; what is offered begins so, and where.
    fn check(text: &str, from: usize, first: &[&str]) {
        let cursor = text.chars().take_while(|letter| *letter != '|').count();
        let known = |field: Field| match field.as_str() {
            "manufacturer" => vec!["GE MEDICAL SYSTEMS".to_owned()],
            _ => Vec::new(),
        };
        let found = complete(&text.replace('|', ""), cursor, &known);
        let texts: Vec<_> = found
            .suggestions
            .iter()
            .map(|one| one.text.as_str())
            .collect();
        assert_eq!(found.from, from, "{text}");
        assert!(texts.starts_with(first), "{text}: {texts:?}");
        assert_eq!(first.is_empty(), texts.is_empty(), "{text}: {texts:?}");
    }

    #[test]
    fn what_may_stand_there_is_offered() {
        check("moda|", 0, &["modality"]);
        check("modality |", 9, &["recorded", "in", "=", "!="]);
        check("modality = C|", 11, &["CT", "CR"]);
        check("modality = CT |", 14, &["and", "or"]);
        check("modality = CT a|nd sex = F", 14, &["and"]);
        check("manufacturer = g|", 15, &["\"GE MEDICAL SYSTEMS\""]);
        check("manufacturer = \"GE|", 15, &["\"GE MEDICAL SYSTEMS\""]);
        check("slice_thickness <= 2 |", 21, &["mm", "cm"]);
        check("slice_thickness <= |", 19, &[]);
        check("diagnosis u|", 10, &["under"]);
        check(
            "study_date before treat|",
            18,
            &["treatment_start", "treatment_end", "treatment("],
        );
        check("series(mod|", 7, &["modality"]);
        check("series() w|", 9, &["within"]);
        check("sex in {F, |", 11, &["F", "M", "O"]);
        check("nonsense = |", 11, &[]);
        check(
            "sta|",
            0,
            &[
                "stage_group",
                "stage_kind",
                "stage_edition",
                "stage_date",
                "stage",
                "stage(",
            ],
        );
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        let found = complete("sex = ", 1000, &|_| Vec::new());
        assert_eq!(found.from, 6);
        assert_eq!(found.suggestions.len(), 3);
    }
}
