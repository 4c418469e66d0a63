//! From elements to what they say of a field: codes in the systems that the field has, numbers in its unit.

use std::collections::{BTreeMap, HashMap};

use arno_domain::model::{CodeSystem, Coded, Entity, Field, FieldKind, Value, convert};

use super::{
    FhirMapping,
    codes::{AJCC, word},
    element::{Coding, Concept, Fault, Quantity, system},
};
use crate::{DraftContent, Problem};

/// Longest code of any system.
const MAX_CODE_CHARS: usize = 64;
/// Longest words that are kept.
const MAX_WORDS_CHARS: usize = 1000;

/// What is said, and what the source wrote where that was something else.
pub(super) type Content = (DraftContent, Option<String>);

/// The hospital's own codes, from the mapping.
#[derive(Debug, Default)]
pub(super) struct Own {
    lists: HashMap<Field, BTreeMap<String, Coded>>,
    observations: HashMap<String, Field>,
}

impl Own {
    /// Holds the mapping against the model.
    pub(super) fn new(mapping: &FhirMapping) -> (Self, Vec<Problem>) {
        let (mut own, mut problems) = (Self::default(), Vec::new());
        for (name, list) in &mapping.codes {
            let field = Field::parse(name).map_err(|error| error.to_string());
            let system = list
                .system
                .parse()
                .map_err(|error: arno_domain::model::UnknownSystem| error.to_string());
            match (field, system) {
                (Ok(field), Ok(system)) => {
                    own.lists.insert(field, coded_list(system, list));
                }
                (Err(what), _) | (_, Err(what)) => {
                    problems.push(Problem::file(format!("mapping, codes.{name}: {what}")));
                }
            }
        }
        for (token, name) in &mapping.fhir.observations {
            match Field::parse(name) {
                Ok(field) => {
                    own.observations.insert(token.clone(), field);
                }
                Err(error) => {
                    problems.push(Problem::file(format!(
                        "mapping, fhir.observations: {error}"
                    )));
                }
            }
        }
        (own, problems)
    }

    /// The field that an observation of this code fills.
    pub(super) fn observation(&self, coding: &Coding) -> Option<Field> {
        self.observations.get(&coding.token()).copied()
    }

    fn code(&self, field: Field, concept: &Concept) -> Option<Coded> {
        let list = self.lists.get(&field)?;
        let tokens = concept.codings.iter().map(Coding::token);
        let mut words = tokens.chain(concept.text.clone());
        words
            .find_map(|word| list.get(&word.to_lowercase()))
            .cloned()
    }
}

fn coded_list(system: CodeSystem, list: &crate::mapping::CodeList) -> BTreeMap<String, Coded> {
    let codes = list.map.iter().map(|(word, code)| {
        let coded = Coded {
            system,
            code: code.clone(),
            version: list.version.clone(),
        };
        (word.to_lowercase(), coded)
    });
    codes.collect()
}

/// Whether a resource is one that this program wrote: then codes are as they were, and nothing is turned into anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Ours,
    Foreign,
}

/// What a concept says of a field of codes; nothing if it is empty.
pub(super) fn coded(
    field: Field,
    concept: &Concept,
    own: &Own,
    origin: Origin,
) -> Result<Option<Content>, Fault> {
    let FieldKind::Code { systems } = field.kind() else {
        return Ok(None);
    };
    let text = concept.text.as_deref().map(clip);
    let known = |coded: Coded| DraftContent::Known(Value::Code(coded));
    if origin == Origin::Foreign {
        if let Some(coded) = own.code(field, concept) {
            let source = text.or_else(|| concept.codings.first().map(Coding::token));
            return Ok(Some((known(coded), source)));
        }
        if let Some((coded, coding)) = translated(field, concept) {
            return Ok(Some((known(coded), text.or(Some(coding)))));
        }
    }
    for wanted in systems {
        for coding in &concept.codings {
            let Some((_, version)) = system(coding).filter(|(system, _)| system == wanted) else {
                continue;
            };
            if !is_code(&coding.code) {
                let what =
                    format!("no code: one has at most {MAX_CODE_CHARS} letters, none of them |");
                let path = concept.path.clone();
                return Err(Fault { path, what });
            }
            let coded = Coded {
                system: *wanted,
                code: coding.code.clone(),
                version,
            };
            return Ok(Some((known(coded), text)));
        }
    }
    let words = text.or_else(|| concept.codings.first().map(Coding::token));
    Ok(words.map(|words| (DraftContent::Uncoded, Some(words))))
}

/// A word of the model's own for one of the codes, or a stage as the model writes it.
fn translated(field: Field, concept: &Concept) -> Option<(Coded, String)> {
    concept.codings.iter().find_map(|coding| {
        if let Some(word) = word(field.as_str(), &coding.system, &coding.code) {
            return Some((Coded::new(CodeSystem::Arno, word), coding.token()));
        }
        let value = match system(coding)?.0 {
            CodeSystem::Tnm => coding.code.as_str(),
            CodeSystem::Snomed => coding.display.strip_prefix(AJCC)?,
            _ => return None,
        };
        let value = tnm(field, value).filter(|_| field.entity() == Entity::Stage)?;
        (value != coding.code).then(|| (Coded::new(CodeSystem::Tnm, &value), coding.token()))
    })
}

/// `3C` and `stage IIIC` are IIIC, `cT2` is T2: the kind of a stage stands in a field of its own.
fn tnm(field: Field, value: &str) -> Option<String> {
    let value = value.trim_end_matches("(qualifier value)").trim();
    let word = value.split_whitespace().last()?;
    match field.as_str() {
        "stage_group" => {
            let roman = ["0", "I", "II", "III", "IV"];
            let digit = word.chars().next().and_then(|first| first.to_digit(10));
            match digit.and_then(|digit| roman.get(digit as usize)) {
                Some(roman) => Some(format!("{roman}{}", &word[1..])),
                None => word.starts_with(['I', 'V']).then(|| word.to_owned()),
            }
        }
        "t_category" | "n_category" | "m_category" => {
            let letter = field.as_str().chars().next()?.to_ascii_uppercase();
            let rest = word.trim_start_matches(['c', 'p', 'y', 'r', 'a']);
            rest.starts_with(letter).then(|| rest.to_owned())
        }
        _ => None,
    }
}

/// What a quantity says of a field of numbers. A bound ("less than") is no number.
pub(super) fn number(field: Field, quantity: &Quantity) -> Result<Option<Content>, Fault> {
    let FieldKind::Number { unit: wanted } = field.kind() else {
        return Ok(None);
    };
    if quantity.is_bound {
        return Ok(None);
    }
    let fault = |what: String| Fault {
        path: quantity.path.clone(),
        what,
    };
    let unit = quantity.unit.as_deref();
    let is_plain = unit.is_none_or(|unit| matches!(unit, "1" | "#") || unit.starts_with('{'));
    let (converted, source) = match (wanted, unit) {
        // Measured in whatever unit stands beside it.
        ("", _) if matches!(field.as_str(), "biomarker_value" | "measurement_value") => {
            (quantity.number, None)
        }
        ("", _) if is_plain => (quantity.number, None),
        ("", Some(_)) => {
            return Err(fault(format!(
                "{field} is a plain number, and this has a unit"
            )));
        }
        (_, None) => {
            return Err(fault(format!(
                "a number without a unit, while {field} is in {wanted}: name its unit (UCUM)"
            )));
        }
        (_, Some(unit)) => match convert(quantity.number, unit, wanted) {
            Ok(number) if unit == wanted => (number, None),
            Ok(number) => (number, Some(format!("{} {unit}", quantity.text))),
            Err(_) => {
                return Err(fault(format!("a unit that is not turned into {wanted}")));
            }
        },
    };
    let source = quantity.source.as_deref().map(clip).or(source);
    let content = DraftContent::Known(Value::Number(converted));
    Ok(Some((content, source)))
}

/// Words that a concept says.
pub(super) fn words(concept: &Concept) -> Option<String> {
    let token = || concept.codings.first().map(Coding::token);
    concept
        .text
        .clone()
        .or_else(token)
        .map(|words| clip(&words))
}

pub(super) fn clip(text: &str) -> String {
    text.chars().take(MAX_WORDS_CHARS).collect()
}

fn is_code(text: &str) -> bool {
    text.chars().count() <= MAX_CODE_CHARS
        && !text
            .chars()
            .any(|letter| letter == '|' || letter.is_control())
}
