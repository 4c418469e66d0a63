//! Values as elements of FHIR.

use arno_domain::model::{CodeSystem, Coded, Field, FieldKind, Recorded, Value as Known};
use serde_json::{Value, json};

use super::Whole;
use crate::fhir::codes::{ALIASES, FIELD, RELATIVE_DATE, SOURCE, UCUM, WORDS};

const SCT: &str = "http://snomed.info/sct";
/// Says that there is nothing where FHIR wants something.
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// An element that says that it is not known.
pub(super) fn absent() -> Value {
    json!({"extension": [{"url": ABSENT, "valueCode": "unknown"}]})
}

/// A code, with what the source wrote.
pub(super) fn concept(recorded: &Recorded) -> Value {
    let mut concept = json!({});
    if let Some(Known::Code(coded)) = &recorded.value {
        let mut codings = vec![coding(coded)];
        codings.extend(beside(recorded.field, coded));
        concept["coding"] = Value::Array(codings);
    }
    if let Some(source) = &recorded.source {
        concept["text"] = json!(source);
    }
    concept
}

pub(super) fn coding(coded: &Coded) -> Value {
    let version = coded.version.as_deref();
    let alias = ALIASES.iter().find_map(|(uri, system, implied)| {
        let rest = version?.strip_prefix(implied)?;
        let is_other = *system == coded.system && !implied.is_empty();
        let rest = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(' ')?),
        };
        is_other.then_some((*uri, rest))
    });
    let (uri, version) = alias.unwrap_or((coded.system.uri(), version));
    let mut coding = json!({"system": uri, "code": coded.code});
    if let Some(version) = version {
        coding["version"] = json!(version);
    }
    coding
}

/// The same in SNOMED CT, for readers that do not know the model's own words.
fn beside(field: Field, coded: &Coded) -> Option<Value> {
    if coded.system != CodeSystem::Arno {
        return None;
    }
    let mut words = WORDS.iter();
    let (_, system, code, _) = words.find(|(fields, system, _, word)| {
        fields.contains(&field.as_str()) && *system == SCT && *word == coded.code
    })?;
    Some(json!({"system": system, "code": code}))
}

/// A number in the field's unit, or in the one that is given.
pub(super) fn quantity(recorded: &Recorded, unit: Option<&str>) -> Value {
    let number = match &recorded.value {
        Some(Known::Number(number)) => *number,
        _ => 0.0,
    };
    let mut quantity = json!({"value": number});
    let own = match recorded.field.kind() {
        FieldKind::Number { unit } => unit,
        _ => "",
    };
    match (unit, own) {
        // As the source wrote it: it may be no code of UCUM.
        (Some(unit), _) => quantity["unit"] = json!(unit),
        (None, "") => {}
        (None, own) => {
            quantity["unit"] = json!(own);
            quantity["system"] = json!(UCUM);
            quantity["code"] = json!(own);
        }
    }
    if let Some(source) = &recorded.source {
        quantity["extension"] = json!([source_extension(source)]);
    }
    quantity
}

fn source_extension(source: &str) -> Value {
    json!({"url": SOURCE, "valueString": source})
}

/// The choices of `value[x]` that hold a value.
pub(super) fn value(whole: &Whole<'_>, recorded: &Recorded) -> Vec<(&'static str, Value)> {
    let beside = |key: &'static str| {
        let source = recorded.source.as_deref();
        source.map(|source| (key, json!({"extension": [source_extension(source)]})))
    };
    match &recorded.value {
        None | Some(Known::Code(_)) => vec![("valueCodeableConcept", concept(recorded))],
        Some(Known::Number(_)) => vec![("valueQuantity", quantity(recorded, None))],
        Some(Known::Words(words)) => {
            let mut parts = vec![("valueString", json!(words))];
            parts.extend(beside("_valueString"));
            parts
        }
        Some(Known::Flag(flag)) => {
            let mut parts = vec![("valueBoolean", json!(flag))];
            parts.extend(beside("_valueBoolean"));
            parts
        }
        Some(Known::Days(days)) => vec![("_valueDateTime", whole.when(*days))],
    }
}

/// A field as an extension.
pub(super) fn field_extension(whole: &Whole<'_>, recorded: &Recorded) -> Value {
    let mut extension = json!({"url": format!("{FIELD}{}", recorded.field)});
    if let Some(Known::Days(days)) = recorded.value {
        // A primitive of an extension has none of its own at some readers, so that no relative date can stand here.
        extension["valueDuration"] =
            json!({"value": days, "unit": "d", "system": UCUM, "code": "d"});
        return extension;
    }
    for (key, value) in value(whole, recorded) {
        extension[key] = value;
    }
    extension
}

/// An offset in days from an event, as what stands beside a date that is not there.
pub(super) fn relative(days: i64, (target, path): (String, &str)) -> Value {
    let relationship = match days {
        0 => "concurrent",
        1.. => "after",
        _ => "before",
    };
    json!({"extension": [{"url": RELATIVE_DATE, "extension": [
        {"url": "target", "valueReference": {"reference": target}},
        {"url": "targetPath", "valueString": path},
        {"url": "relationship", "valueCode": relationship},
        {"url": "offset", "valueDuration": {"value": days.unsigned_abs(), "unit": "d", "system": UCUM, "code": "d"}},
    ]}]})
}
