//! What a decision makes of one value that is not a sequence.
//!
//! Pure: value in, outcome out. The report and the place in the tree are the business of `walk`.

use dicom_core::VR;
use dicom_core::value::PrimitiveValue;

use crate::age_and_dates::{
    cap_age, is_date, is_date_time, is_time, is_time_zone, shift_date, shift_date_time,
};
use crate::decide::{Decision, Fallback, Verb};
use crate::identifiers::{Identifiers, MAX_SEARCHED_BYTES, MIN_PART_CHARS};
use crate::report::Action;
use crate::secret::{DateOffset, Pseudonym, Secret};
use crate::technical::looks_technical;
use crate::terms::names_nobody;
use crate::values::{Class, dummy, from_texts, texts};
use crate::vocabulary::Vocabulary;

/// The patient of the instance, as far as values depend on it.
#[derive(Debug)]
pub(crate) struct Patient {
    /// The source's id; nested ids are compared with it.
    pub(crate) id: String,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) offset: DateOffset,
    pub(crate) identifiers: Identifiers,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Same,
    Changed(PrimitiveValue, Action),
    Gone,
}

/// Carries out `decision` on a value. An empty value stays empty whatever is asked: it says nothing.
pub(crate) fn clean(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    patient: &Patient,
    secret: &Secret,
) -> Outcome {
    let is_empty =
        texts(value, decision.vr).is_some_and(|texts| texts.iter().all(String::is_empty));
    match decision.verb {
        Verb::Remove => Outcome::Gone,
        _ if is_empty => Outcome::Same,
        Verb::Empty => Outcome::Changed(PrimitiveValue::Empty, Action::Emptied),
        Verb::Dummy if decision.class == Class::Uid => map_uids(decision, value, secret),
        Verb::Dummy => Outcome::Changed(dummy(decision.vr), Action::Dummied),
        Verb::MapUids => map_uids(decision, value, secret),
        Verb::Pseudonym => pseudonymise(decision, value, patient, secret),
        Verb::Keep(fallback) => {
            keep(decision, value, patient, secret).unwrap_or_else(|| fall_back(decision, fallback))
        }
        Verb::Clean(fallback) => clean_value(decision, value, patient, secret)
            .unwrap_or_else(|| fall_back(decision, fallback)),
    }
}

fn fall_back(decision: &Decision<'_>, fallback: Fallback) -> Outcome {
    match fallback {
        Fallback::Remove => Outcome::Gone,
        Fallback::Empty => Outcome::Changed(PrimitiveValue::Empty, Action::Emptied),
        Fallback::Dummy => Outcome::Changed(dummy(decision.vr), Action::Dummied),
    }
}

/// The value as it is if it is safe, nothing where the fallback has to decide.
fn keep(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    patient: &Patient,
    secret: &Secret,
) -> Option<Outcome> {
    let identifiers = &patient.identifiers;
    let vocabulary = Vocabulary::embedded();
    let every = |test: &dyn Fn(&str) -> bool| {
        let texts = texts(value, decision.vr)?;
        texts
            .iter()
            .all(|text| text.is_empty() || test(text))
            .then_some(Outcome::Same)
    };
    match decision.class {
        Class::FreeText | Class::Title | Class::Link => every(&|text| {
            looks_technical(text) && !identifiers.are_in(text) && !vocabulary.names_somebody(text)
        }),
        Class::Code => every(&|text| {
            names_nobody(decision.name, text)
                || is_code_string(text)
                    && !identifiers.are_in(text)
                    && !vocabulary.names_somebody(text)
        })
        .or_else(|| free_text(decision, value, identifiers)),
        Class::Date => every(&is_date).or(Some(emptied())),
        Class::DateTime => every(&is_date_time).or(Some(emptied())),
        Class::Time => every(&is_time).or(Some(emptied())),
        Class::TimeZone => every(&is_time_zone),
        Class::Age => map_texts(decision, value, Action::Cleaned, cap_age).or(Some(emptied())),
        Class::Decimal => keep_decimal(decision, value, identifiers),
        Class::Uid => every(&|uid| is_uid(uid) && (stays(uid) || !identifiers.are_in_uid(uid)))
            .or_else(|| Some(map_uids(decision, value, secret))),
        Class::Number => keep_number(decision.vr, value, identifiers),
        Class::Bytes => keep_bytes(decision.vr, value, identifiers),
        Class::Name | Class::Opaque | Class::Sequence => None,
    }
}

fn clean_value(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    patient: &Patient,
    secret: &Secret,
) -> Option<Outcome> {
    match decision.class {
        Class::FreeText => free_text(decision, value, &patient.identifiers),
        Class::Date => shifted(decision, value, |text| shift_date(text, patient.offset)),
        Class::DateTime => shifted(decision, value, |text| {
            shift_date_time(text, patient.offset)
        }),
        Class::Time
        | Class::TimeZone
        | Class::Code
        | Class::Age
        | Class::Decimal
        | Class::Number
        | Class::Uid => keep(decision, value, patient, secret),
        Class::Title
        | Class::Link
        | Class::Name
        | Class::Bytes
        | Class::Opaque
        | Class::Sequence => None,
    }
}

fn emptied() -> Outcome {
    Outcome::Changed(PrimitiveValue::Empty, Action::Emptied)
}

fn free_text(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    identifiers: &Identifiers,
) -> Option<Outcome> {
    let before = texts(value, decision.vr)?;
    let vocabulary = Vocabulary::embedded();
    let after: Vec<String> = before
        .iter()
        .map(|text| vocabulary.clean(text, identifiers))
        .collect();
    if after == before {
        return Some(Outcome::Same);
    }
    let says_something = after.iter().any(|text| !text.is_empty());
    says_something.then(|| Outcome::Changed(from_texts(after, decision.vr), Action::Cleaned))
}

/// Dates that are none are emptied, one by one, so that the others keep their place.
fn shifted(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    shift: impl Fn(&str) -> Option<String>,
) -> Option<Outcome> {
    let after: Vec<String> = texts(value, decision.vr)?
        .iter()
        .map(|text| shift(text).unwrap_or_default())
        .collect();
    let value = from_texts(after, decision.vr);
    let action = if value == PrimitiveValue::Empty {
        Action::Emptied
    } else {
        Action::DateShifted
    };
    Some(Outcome::Changed(value, action))
}

/// Each value through `map`; nothing if one of them does not fit.
fn map_texts(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    action: Action,
    map: impl Fn(&str) -> Option<String>,
) -> Option<Outcome> {
    let before = texts(value, decision.vr)?;
    let after = before
        .iter()
        .map(|text| map(text))
        .collect::<Option<Vec<String>>>()?;
    Some(if after == before {
        Outcome::Same
    } else {
        Outcome::Changed(from_texts(after, decision.vr), action)
    })
}

fn keep_decimal(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    identifiers: &Identifiers,
) -> Option<Outcome> {
    // Parsed numbers (dicom-rs can hold DS as floats) have no room for text.
    let Some(texts) = texts(value, decision.vr) else {
        return Some(Outcome::Same);
    };
    let is_safe = |text: &String| text.is_empty() || is_decimal(text) && !identifiers.equal(text);
    texts.iter().all(is_safe).then_some(Outcome::Same)
}

/// Binary numbers have room for text too: in Implicit VR an honest mistake puts it there.
fn keep_number(vr: VR, value: &PrimitiveValue, identifiers: &Identifiers) -> Option<Outcome> {
    if texts(value, vr).is_some() {
        None
    } else {
        keep_bytes(vr, value, identifiers)
    }
}

/// Bulk values stay unless they hold text of the patient. What is too long to search stays only if its VR is numeric.
fn keep_bytes(vr: VR, value: &PrimitiveValue, identifiers: &Identifiers) -> Option<Outcome> {
    let is_safe = match value.calculate_byte_len() {
        length if length < MIN_PART_CHARS => true,
        length if length > MAX_SEARCHED_BYTES => vr != VR::OB,
        _ => !in_both_orders(value)
            .iter()
            .any(|bytes| identifiers.are_in_bytes(bytes)),
    };
    is_safe.then_some(Outcome::Same)
}

/// The bytes of a binary value as they are encoded, little endian and big endian: text that was read as numbers is text again in
/// one of both.
fn in_both_orders(value: &PrimitiveValue) -> [Vec<u8>; 2] {
    let little: Vec<u8> = match value {
        PrimitiveValue::Tags(tags) => {
            let words = tags.iter().flat_map(|tag| [tag.group(), tag.element()]);
            words.flat_map(u16::to_le_bytes).collect()
        }
        other => other.to_bytes().into_owned(),
    };
    let width = match value {
        PrimitiveValue::Tags(_) | PrimitiveValue::U16(_) | PrimitiveValue::I16(_) => 2,
        PrimitiveValue::U32(_) | PrimitiveValue::I32(_) | PrimitiveValue::F32(_) => 4,
        PrimitiveValue::U64(_) | PrimitiveValue::I64(_) | PrimitiveValue::F64(_) => 8,
        _ => return [little, Vec::new()],
    };
    let numbers = little.chunks(width);
    let big = numbers.flat_map(|number| number.iter().rev().copied());
    let big = big.collect();
    [little, big]
}

fn pseudonymise(
    decision: &Decision<'_>,
    value: &PrimitiveValue,
    patient: &Patient,
    secret: &Secret,
) -> Outcome {
    let id = texts(value, decision.vr).unwrap_or_default().join("\\");
    let is_other = decision.class != Class::Name && id != patient.id;
    let pseudonym = if is_other {
        secret.pseudonym(&id, None)
    } else {
        patient.pseudonym.clone()
    };
    Outcome::Changed(pseudonym.as_str().into(), Action::Pseudonymised)
}

fn map_uids(decision: &Decision<'_>, value: &PrimitiveValue, secret: &Secret) -> Outcome {
    let map = |text: &str| {
        Some(if stays(text) {
            text.to_owned()
        } else {
            secret.map_uid(text)
        })
    };
    map_texts(decision, value, Action::UidMapped, map).unwrap_or(Outcome::Gone)
}

/// UIDs under the standard's own root name classes, encodings and well-known things. Nobody else may issue them; the
/// length is bounded because some have, with a date or number behind.
fn stays(uid: &str) -> bool {
    const STANDARD_ROOT: &str = "1.2.840.10008.";
    const LONGEST_STANDARD_UID: usize = 32;
    uid.is_empty()
        || uid.starts_with(STANDARD_ROOT) && uid.len() <= LONGEST_STANDARD_UID && is_uid(uid)
}

fn is_uid(text: &str) -> bool {
    text.len() <= 64
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// PS3.5 6.2: at most 16 upper-case letters, digits, blanks and underscores.
fn is_code_string(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ' || b == b'_';
    text.len() <= 16 && text.bytes().all(legal)
}

fn is_decimal(text: &str) -> bool {
    const LONGEST_DECIMAL: usize = 32;
    let legal = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    text.len() <= LONGEST_DECIMAL && text.bytes().all(legal) && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
