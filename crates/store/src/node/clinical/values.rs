//! Values as the text of a row: a JSON object by field, each value in the form that the field's kind says.
//!
//! `"dicom|CT"` is a code, `"icdo3|C50|3.2"` one with its version; words, numbers and truth are themselves; days from the diagnosis are a
//! whole number and a date is `"@20200131"`. `[value, "source"]` has the source's words beside it, and `["", "source"]` could not be coded.

use arno_domain::model::{CodeSystem, Coded, Field, FieldKind, Recorded, Value};
use chrono::NaiveDate;
use serde_json::{Map, Value as Json};

use super::{NewContent, NewValue, baseline::Baseline};
use crate::StoreError;

const DATE_MARK: char = '@';
const DATE_FORMAT: &str = "%Y%m%d";
const CORRUPT: StoreError = StoreError::Corrupt {
    what: "clinical record",
};

/// The text of a row.
pub(in crate::node) fn encode(values: &[NewValue]) -> String {
    let pairs = values.iter().map(|value| {
        let content = match (content(&value.content), &value.source) {
            (content, None) => content,
            (content, Some(source)) => Json::from(vec![content, Json::from(source.as_str())]),
        };
        (value.field.as_str().to_owned(), content)
    });
    Json::Object(pairs.collect::<Map<_, _>>()).to_string()
}

fn content(content: &NewContent) -> Json {
    match content {
        NewContent::Known(Value::Code(coded)) => Json::from(code_text(coded)),
        NewContent::Known(Value::Words(words)) => Json::from(words.as_str()),
        NewContent::Known(Value::Number(number)) => Json::from(*number),
        NewContent::Known(Value::Days(days)) => Json::from(*days),
        NewContent::Known(Value::Flag(flag)) => Json::from(*flag),
        NewContent::Date(date) => Json::from(format!("{DATE_MARK}{}", date.format(DATE_FORMAT))),
        NewContent::Uncoded => Json::from(""),
    }
}

fn code_text(coded: &Coded) -> String {
    let system = coded.system.as_str();
    match &coded.version {
        Some(version) => format!("{system}|{}|{version}", coded.code),
        None => format!("{system}|{}", coded.code),
    }
}

/// What a row's text says, with dates as days from the patient's baseline. A date without a baseline is left out.
pub(super) fn decode(text: &str, baseline: Baseline) -> Result<Vec<Recorded>, StoreError> {
    let fields: Map<String, Json> = serde_json::from_str(text).map_err(|_| CORRUPT)?;
    let mut values = Vec::with_capacity(fields.len());
    for (name, json) in fields {
        let field = Field::parse(&name).map_err(|_| CORRUPT)?;
        let (json, source) = match json {
            Json::Array(pair) => with_source(pair)?,
            alone => (alone, None),
        };
        let value = match json {
            Json::String(text) if text.is_empty() && source.is_some() => None,
            json => match value(field.kind(), json, baseline)? {
                Some(value) => Some(value),
                None => continue,
            },
        };
        values.push(Recorded {
            field,
            value,
            source,
        });
    }
    Ok(values)
}

fn with_source(pair: Vec<Json>) -> Result<(Json, Option<String>), StoreError> {
    match <[Json; 2]>::try_from(pair) {
        Ok([content, Json::String(source)]) => Ok((content, Some(source))),
        _ => Err(CORRUPT),
    }
}

fn value(kind: FieldKind, json: Json, baseline: Baseline) -> Result<Option<Value>, StoreError> {
    Ok(Some(match (kind, json) {
        (FieldKind::Code { .. }, Json::String(text)) => Value::Code(coded(&text)?),
        (FieldKind::Words, Json::String(words)) => Value::Words(words),
        (FieldKind::Number { .. }, Json::Number(number)) => {
            Value::Number(number.as_f64().ok_or(CORRUPT)?)
        }
        (FieldKind::Days, Json::Number(days)) => {
            let days = days.as_i64().ok_or(CORRUPT)?;
            return Ok(baseline.days_from_diagnosis(days).map(Value::Days));
        }
        (FieldKind::Days, Json::String(text)) => {
            return Ok(baseline.days_of(date(&text)?).map(Value::Days));
        }
        (FieldKind::Flag, Json::Bool(flag)) => Value::Flag(flag),
        _ => return Err(CORRUPT),
    }))
}

fn coded(text: &str) -> Result<Coded, StoreError> {
    let mut parts = text.splitn(3, '|');
    let (Some(system), Some(code)) = (parts.next(), parts.next()) else {
        return Err(CORRUPT);
    };
    Ok(Coded {
        system: system.parse::<CodeSystem>().map_err(|_| CORRUPT)?,
        code: code.to_owned(),
        version: parts.next().map(ToOwned::to_owned),
    })
}

fn date(text: &str) -> Result<NaiveDate, StoreError> {
    let digits = text.strip_prefix(DATE_MARK).ok_or(CORRUPT)?;
    NaiveDate::parse_from_str(digits, DATE_FORMAT).map_err(|_| CORRUPT)
}
