//! The identifier of a C-FIND, C-GET or C-MOVE as a query (PS3.4 sections C.4.1.1.3 and C.4.2.1.4): every element is a key.

use dicom_core::Tag;
use dicom_core::header::Header as _;
use dicom_dictionary_std::tags;

use super::{Key, Level};
use crate::attributes::text;
use crate::instance::Header;

/// Keys of one identifier, those inside of sequences counted too.
pub const MAX_IDENTIFIER_KEYS: usize = 500;

/// These say how to read the rest; they match nothing.
const NOT_MATCHED: [Tag; 4] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::QUERY_RETRIEVE_LEVEL,
    tags::RETRIEVE_AE_TITLE,
    tags::TIMEZONE_OFFSET_FROM_UTC,
];

/// The Query/Retrieve Level (0008,0052).
#[must_use]
pub fn identifier_level(identifier: &Header) -> Option<Level> {
    match text(identifier, tags::QUERY_RETRIEVE_LEVEL)?.as_str() {
        "PATIENT" => Some(Level::Patient),
        "STUDY" => Some(Level::Study),
        "SERIES" => Some(Level::Series),
        "IMAGE" => Some(Level::Instance),
        _ => None,
    }
}

/// All keys in order; nothing when there are more than [`MAX_IDENTIFIER_KEYS`]. A sequence without an item, or with an empty
/// one, asks for whatever is in it.
#[must_use]
pub fn identifier_keys(identifier: &Header) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    collect(identifier, &mut Vec::new(), &mut keys)?;
    Some(keys)
}

fn collect(data_set: &Header, path: &mut Vec<Tag>, keys: &mut Vec<Key>) -> Option<()> {
    for element in data_set {
        let tag = element.tag();
        if tag.element() == 0 || path.is_empty() && NOT_MATCHED.contains(&tag) {
            continue;
        }
        path.push(tag);
        let item = element.items().and_then(<[Header]>::first);
        match item.filter(|item| item.iter().next().is_some()) {
            Some(item) => collect(item, path, keys)?,
            None => {
                let value = element.to_str().unwrap_or_default();
                keys.push(Key {
                    path: path.clone(),
                    value: value.trim_matches([' ', '\0']).to_owned(),
                });
            }
        }
        path.pop();
        if keys.len() > MAX_IDENTIFIER_KEYS {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use dicom_core::{DataElement, PrimitiveValue, VR};
    use dicom_dictionary_std::tags;
    use dicom_object::InMemDicomObject;

    use super::{Level, MAX_IDENTIFIER_KEYS, identifier_keys, identifier_level};

    fn element(tag: dicom_core::Tag, vr: VR, text: &str) -> dicom_object::mem::InMemElement {
        DataElement::new(tag, vr, PrimitiveValue::from(text))
    }

    #[test]
    fn every_element_but_the_level_is_a_key() {
        let item = InMemDicomObject::from_element_iter([element(
            tags::SCHEDULED_PROCEDURE_STEP_ID,
            VR::SH,
            "S*",
        )]);
        let sequence = dicom_core::value::DataSetSequence::from(vec![item]);
        let identifier = InMemDicomObject::from_element_iter([
            element(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
            element(tags::QUERY_RETRIEVE_LEVEL, VR::CS, "SERIES "),
            element(tags::STUDY_INSTANCE_UID, VR::UI, "1.2\\1.3\0"),
            DataElement::new(tags::PATIENT_NAME, VR::PN, PrimitiveValue::Empty),
            DataElement::new(tags::REQUEST_ATTRIBUTES_SEQUENCE, VR::SQ, sequence),
        ]);
        assert_eq!(identifier_level(&identifier), Some(Level::Series));
        let keys = identifier_keys(&identifier).unwrap();
        let seen: Vec<(usize, &str)> = keys
            .iter()
            .map(|key| (key.path.len(), key.value.as_str()))
            .collect();
        assert_eq!(seen, [(1, ""), (1, "1.2\\1.3"), (2, "S*")]);
    }

    #[test]
    fn too_many_keys_are_none() {
        let many = (0..=MAX_IDENTIFIER_KEYS as u16).map(|number| {
            let tag = dicom_core::Tag(0x0011, 0x1000 + number);
            element(tag, VR::LO, "x")
        });
        assert!(identifier_keys(&InMemDicomObject::from_element_iter(many)).is_none());
    }
}
