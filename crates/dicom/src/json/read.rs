//! JSON attributes to a header (PS3.18 annex F), for answers to C-FIND. Binary values must be inline; attributes that
//! only point at their value are left out, since what they point at is not here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dicom_core::value::{C, DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;
use serde_json::Value;

use super::Attributes;
use super::bulk::parse_tag;
use super::write::is_binary;
use crate::instance::Header;
use crate::scan::MAX_DEPTH;
use crate::text::UTF8_TERM;
use crate::value::read_value;

/// Why attributes are no header. Never quotes a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// A name that is no tag of eight hexadecimal digits.
    #[error("a name of an attribute is no tag of eight hexadecimal digits")]
    Name,
    /// An attribute without a known `vr`.
    #[error("{0} has no known vr")]
    Vr(Tag),
    /// A value that its VR cannot hold.
    #[error("{0} has a value that its vr cannot hold")]
    Value(Tag),
    /// Deeper nesting than a data set may have.
    #[error("{0} is nested too deep, the limit is {MAX_DEPTH}")]
    TooDeep(Tag),
}

/// The header that these attributes describe; text other than ASCII makes it UTF-8 (ISO_IR 192).
///
/// # Errors
/// [`JsonError`] names the first attribute that is none.
pub fn to_header(attributes: &Attributes) -> Result<Header, JsonError> {
    let mut header = data_set(attributes, 0)?;
    if attributes.values().any(has_foreign_text) {
        let term = PrimitiveValue::from(UTF8_TERM);
        header.put(DataElement::new(tags::SPECIFIC_CHARACTER_SET, VR::CS, term));
    }
    Ok(header)
}

fn has_foreign_text(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_ascii(),
        Value::Array(values) => values.iter().any(has_foreign_text),
        Value::Object(members) => members.values().any(has_foreign_text),
        _ => false,
    }
}

fn data_set(attributes: &Attributes, depth: usize) -> Result<Header, JsonError> {
    let elements = attributes
        .iter()
        .filter_map(|(name, attribute)| element(name, attribute, depth).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(InMemDicomObject::from_element_iter(elements))
}

fn element(name: &str, attribute: &Value, depth: usize) -> Result<Option<InMemElement>, JsonError> {
    let tag = parse_tag(name).ok_or(JsonError::Name)?;
    let vr = attribute["vr"].as_str().and_then(|vr| vr.parse().ok());
    let vr: VR = vr.ok_or(JsonError::Vr(tag))?;
    if attribute.get("BulkDataURI").is_some() {
        return Ok(None);
    }
    if let Some(inline) = attribute.get("InlineBinary") {
        let bytes = inline.as_str().and_then(|text| STANDARD.decode(text).ok());
        let value = bytes
            .filter(|_| is_binary(vr))
            .map(|bytes| read_value(&bytes, vr, false, &crate::text::Charset::latin()));
        let value = value.ok_or(JsonError::Value(tag))?;
        return Ok(Some(DataElement::new(tag, vr, value)));
    }
    let empty = Vec::new();
    let values = match attribute.get("Value") {
        None | Some(Value::Null) => &empty,
        Some(Value::Array(values)) => values,
        Some(_) => return Err(JsonError::Value(tag)),
    };
    if vr == VR::SQ {
        return sequence(tag, values, depth).map(Some);
    }
    let value = primitive(vr, values).ok_or(JsonError::Value(tag))?;
    Ok(Some(DataElement::new(tag, vr, value)))
}

fn sequence(tag: Tag, values: &[Value], depth: usize) -> Result<InMemElement, JsonError> {
    if depth == MAX_DEPTH {
        return Err(JsonError::TooDeep(tag));
    }
    let items = values
        .iter()
        .map(|item| match item {
            Value::Object(attributes) => data_set(attributes, depth + 1),
            Value::Null => Ok(InMemDicomObject::new_empty()),
            _ => Err(JsonError::Value(tag)),
        })
        .collect::<Result<C<_>, _>>()?;
    Ok(DataElement::new(
        tag,
        VR::SQ,
        DataSetSequence::new(items, Length::UNDEFINED),
    ))
}

fn primitive(vr: VR, values: &[Value]) -> Option<PrimitiveValue> {
    if values.is_empty() {
        return Some(PrimitiveValue::Empty);
    }
    Some(match vr {
        VR::US => PrimitiveValue::U16(each(values, whole)?),
        VR::SS => PrimitiveValue::I16(each(values, whole)?),
        VR::UL => PrimitiveValue::U32(each(values, whole)?),
        VR::SL => PrimitiveValue::I32(each(values, whole)?),
        VR::UV => PrimitiveValue::U64(each(values, whole)?),
        VR::SV => PrimitiveValue::I64(each(values, whole)?),
        #[allow(
            clippy::cast_possible_truncation,
            reason = "FL has the precision of f32"
        )]
        VR::FL => PrimitiveValue::F32(each(values, |value| Some(float(value)? as f32))?),
        VR::FD => PrimitiveValue::F64(each(values, float)?),
        VR::AT => PrimitiveValue::Tags(each(values, |value| parse_tag(value.as_str()?))?),
        VR::ST | VR::LT | VR::UT | VR::UR => match values {
            [one] => PrimitiveValue::Str(text(one)?),
            _ => return None,
        },
        _ if is_binary(vr) => return None,
        VR::PN => PrimitiveValue::Strs(each(values, person)?),
        _ => PrimitiveValue::Strs(each(values, text)?),
    })
}

fn each<T>(values: &[Value], read: impl Fn(&Value) -> Option<T>) -> Option<C<T>> {
    values.iter().map(read).collect()
}

fn whole<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    let number = match value {
        Value::String(text) => text.parse::<i128>().ok()?,
        number => number
            .as_i64()
            .map(i128::from)
            .or(number.as_u64().map(i128::from))?,
    };
    T::try_from(number).ok()
}

/// Numbers that JSON does not have come as strings.
fn float(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        number => number.as_f64(),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn person(value: &Value) -> Option<String> {
    let Value::Object(groups) = value else {
        return text(value);
    };
    let group = |name: &str| groups.get(name).and_then(Value::as_str).unwrap_or_default();
    let joined = ["Alphabetic", "Ideographic", "Phonetic"]
        .map(group)
        .join("=");
    Some(joined.trim_end_matches('=').to_owned())
}
