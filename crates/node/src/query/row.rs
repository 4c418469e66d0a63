//! From rows of the index to the attributes of an answer: levels put together, counts added, metadata read where it must be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use arno_dicom::json::Attributes;
use arno_store::node::{
    InstanceRow, KeptInstance, PackLocation, Scope, SeriesOfStudy, StudyParts, StudyRow,
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::{Node, NodeError};

/// Whatever a row says of itself is kept as JSON that this program wrote.
pub(super) fn parsed(text: &str) -> Result<Attributes, NodeError> {
    serde_json::from_str(text)
        .map_err(|_| arno_store::StoreError::Corrupt { what: "attribute" }.into())
}

/// The same, of just these attributes; all of them where nothing is named. Most of a row is not asked for, and taking it apart is
/// most of the work.
fn parsed_only(text: &str, wanted: Option<&BTreeSet<String>>) -> Result<Attributes, NodeError> {
    let Some(wanted) = wanted else {
        return parsed(text);
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Wanted(wanted)
        .deserialize(&mut deserializer)
        .map_err(|_| arno_store::StoreError::Corrupt { what: "attribute" }.into())
}

/// Reads an object and passes over what is not wanted.
struct Wanted<'a>(&'a BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Attributes;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Attributes, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Attributes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut attributes = Attributes::new();
        while let Some(name) = map.next_key::<&str>()? {
            if self.0.contains(name) {
                attributes.insert(name.to_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(attributes)
    }
}

/// A patient, as the first study says, with counts over all.
pub(super) fn patient_row(
    studies: &[StudyRow],
    parts: &BTreeMap<String, StudyParts>,
) -> Result<Attributes, NodeError> {
    let mut row = match studies.first() {
        Some(study) => parsed(&study.attributes_json)?,
        None => Attributes::new(),
    };
    let count = |of: fn(&StudyParts) -> u64| -> u64 {
        let parts = studies
            .iter()
            .filter_map(|study| parts.get(&study.study_uid));
        parts.map(of).sum()
    };
    put_number(&mut row, "00201200", studies.len() as u64);
    put_number(&mut row, "00201202", count(|parts| parts.series));
    put_number(&mut row, "00201204", count(|parts| parts.instances));
    put_available(&mut row);
    Ok(row)
}

/// A study with its patient and counts.
pub(super) fn study_row(json: &str, parts: Option<&StudyParts>) -> Result<Attributes, NodeError> {
    let mut row = parsed(json)?;
    let Some(parts) = parts else { return Ok(row) };
    put_words(&mut row, "00080061", "CS", &parts.modalities);
    if !parts.sop_classes.is_empty() {
        put_words(&mut row, "00080062", "UI", &parts.sop_classes);
    }
    put_number(&mut row, "00201206", parts.series);
    put_number(&mut row, "00201208", parts.instances);
    put_available(&mut row);
    Ok(row)
}

/// A series with its study.
pub(super) fn series_row(
    study: &Attributes,
    series: &SeriesOfStudy,
) -> Result<Attributes, NodeError> {
    let mut row = study.clone();
    row.extend(parsed(&series.attributes_json)?);
    put_number(&mut row, "00201209", series.instances);
    put_available(&mut row);
    Ok(row)
}

/// An instance alone, with just what is wanted of it.
pub(super) fn instance_row(
    instance: &InstanceRow,
    wanted: Option<&BTreeSet<String>>,
) -> Result<Attributes, NodeError> {
    let mut row = parsed_only(&instance.attributes_json, wanted)?;
    let syntax = std::slice::from_ref(&instance.transfer_syntax);
    put_words(&mut row, "00083002", "UI", syntax);
    put_available(&mut row);
    Ok(row)
}

/// Everything that is kept is on this disk.
fn put_available(row: &mut Attributes) {
    put_words(row, "00080056", "CS", &["ONLINE".to_owned()]);
}

fn put_number(row: &mut Attributes, name: &str, number: u64) {
    row.insert(name.to_owned(), json!({ "vr": "IS", "Value": [number] }));
}

fn put_words(row: &mut Attributes, name: &str, vr: &str, words: &[String]) {
    row.insert(name.to_owned(), json!({ "vr": vr, "Value": words }));
}

impl Node {
    /// A row with the rest of the metadata of an instance; what the row says itself stays. Values that lie elsewhere are
    /// left out: their addresses are relative to an instance.
    async fn with_metadata(
        &self,
        row: Attributes,
        kept: &KeptInstance,
    ) -> Result<Attributes, NodeError> {
        let metadata = self.read_part(kept, PackLocation::metadata_range).await?;
        let Some(metadata) = metadata else {
            return Ok(row);
        };
        let mut whole: Attributes = serde_json::from_slice(&metadata)
            .map_err(|_| arno_store::StoreError::Corrupt { what: "metadata" })?;
        whole.retain(|_, attribute| attribute.get("BulkDataURI").is_none());
        whole.extend(row);
        Ok(whole)
    }

    /// A row with the rest of the metadata of the first instance of a scope, which may be just one.
    pub(super) async fn with_first_metadata(
        &self,
        row: Attributes,
        scope: &Scope,
    ) -> Result<Attributes, NodeError> {
        match self.store().kept_instances(scope, None, 1).await?.first() {
            Some(kept) => self.with_metadata(row, kept).await,
            None => Ok(row),
        }
    }
}

/// Adds to an answer what it lacks of another: an attribute without a value is none.
pub(super) fn complete(answer: &mut Attributes, with: &Attributes) {
    for (name, attribute) in with {
        let lacks = |own: &Value| own.get("Value").is_none() && own.get("InlineBinary").is_none();
        if answer.get(name).is_none_or(lacks) {
            answer.insert(name.clone(), attribute.clone());
        }
    }
}
