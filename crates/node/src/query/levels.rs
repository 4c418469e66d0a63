//! From rows of the index to the rows of an answer: levels put together, counts added, metadata read where it must be.

use std::collections::{BTreeMap, BTreeSet};

use arno_store::node::{
    InstanceRow, KeptInstance, PackLocation, Scope, SeriesOfStudy, StudyParts, StudyRow,
};
use serde_json::Value;

use super::row::{Name, Row};
use crate::{Node, NodeError};

/// Everything that is kept is on this disk.
const ONLINE: &str = "{\"vr\":\"CS\",\"Value\":[\"ONLINE\"]}";

/// A patient, as the first study says, with counts over all.
pub(super) fn patient_row(
    studies: &[StudyRow],
    parts: &BTreeMap<String, StudyParts>,
) -> Result<Row, NodeError> {
    let mut row = match studies.first() {
        Some(study) => Row::parse(&study.attributes_json, None)?,
        None => Row::default(),
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
pub(super) fn study_row(json: &str, parts: Option<&StudyParts>) -> Result<Row, NodeError> {
    let mut row = Row::parse(json, None)?;
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
pub(super) fn series_row(study: &Row, series: &SeriesOfStudy) -> Result<Row, NodeError> {
    let mut row = study.clone();
    row.extend(Row::parse(&series.attributes_json, None)?);
    put_number(&mut row, "00201209", series.instances);
    put_available(&mut row);
    Ok(row)
}

/// An instance alone, with just what is wanted of it.
pub(super) fn instance_row(
    instance: &InstanceRow,
    wanted: Option<&BTreeSet<Name>>,
) -> Result<Row, NodeError> {
    let mut row = Row::parse(&instance.attributes_json, wanted)?;
    let syntax = std::slice::from_ref(&instance.kept.transfer_syntax);
    put_words(&mut row, "00083002", "UI", syntax);
    put_available(&mut row);
    Ok(row)
}

fn put_available(row: &mut Row) {
    row.put("00080056", ONLINE);
}

fn put_number(row: &mut Row, name: &str, number: u64) {
    row.put(name, format!("{{\"vr\":\"IS\",\"Value\":[{number}]}}"));
}

fn put_words(row: &mut Row, name: &str, vr: &str, words: &[String]) {
    let words = Value::from(words);
    row.put(name, format!("{{\"vr\":\"{vr}\",\"Value\":{words}}}"));
}

impl Node {
    /// A row with the rest of the metadata of an instance; what the row says itself stays. Values that lie elsewhere are
    /// left out: their addresses are relative to an instance.
    async fn with_metadata(&self, row: Row, kept: &KeptInstance) -> Result<Row, NodeError> {
        let damaged = || arno_store::StoreError::Corrupt { what: "metadata" };
        let metadata = self.read_part(kept, PackLocation::metadata_range).await?;
        let Some(metadata) = metadata else {
            return Ok(row);
        };
        let text = std::str::from_utf8(&metadata).map_err(|_| damaged())?;
        let mut whole = Row::parse(text, None).map_err(|_| damaged())?;
        whole.retain(|attribute| !lies_elsewhere(attribute));
        whole.extend(row);
        Ok(whole)
    }

    /// A row with the rest of the metadata of the first instance of a scope, which may be just one.
    pub(super) async fn with_first_metadata(
        &self,
        row: Row,
        scope: &Scope,
    ) -> Result<Row, NodeError> {
        match self.store().kept_instances(scope, None, 1).await?.first() {
            Some(kept) => self.with_metadata(row, kept).await,
            None => Ok(row),
        }
    }
}

/// Whether the value itself is pointed at, and not only one of an item within it.
fn lies_elsewhere(attribute: &str) -> bool {
    const POINTER: &str = "BulkDataURI";
    let points = |value: Value| value.get(POINTER).is_some();
    attribute.contains(POINTER) && serde_json::from_str(attribute).is_ok_and(points)
}
