//! From what a file said after de-identification to the rows that are kept of it.

use std::collections::BTreeMap;

use arno_domain::hex;
use arno_learning::reading::{Reading, Split};
use arno_store::{
    StoreError,
    node::{NewInstance, NewOutline, NewReading, NewSeries, PackLocation},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::prepare::PreparedInstance;
use crate::NodeError;

pub(super) fn new_series(instance: &PreparedInstance) -> NewSeries {
    let summary = &instance.summary;
    NewSeries {
        series_uid: summary.series_uid.clone(),
        study_uid: summary.study_uid.clone(),
        modality: summary.modality.clone(),
        description: summary.series_description.clone(),
        manufacturer: summary.manufacturer.clone(),
        body_part: summary.body_part.clone(),
        slice_thickness_mm: summary.slice_thickness_mm,
        synthetic: instance
            .after
            .iter()
            .any(|element| element.tag == QUALITY_CONTROL_IMAGE && element.value == "YES"),
    }
}

/// Quality Control Image: YES for a phantom (PS3.3 C.7.6.1).
const QUALITY_CONTROL_IMAGE: &str = "(0028,0300)";

/// Contours by the series that they were drawn on.
pub(super) fn new_outlines(instance: &PreparedInstance) -> Vec<NewOutline> {
    let mut by_series: BTreeMap<String, Vec<&arno_dicom::Outline>> = BTreeMap::new();
    for outline in &instance.outlines {
        by_series
            .entry(outline.referenced_series_uid.clone().unwrap_or_default())
            .or_default()
            .push(outline);
    }
    let outline = |(series_uid, outlines): (String, Vec<_>)| {
        Some(NewOutline {
            structure_uid: instance.summary.instance_uid.clone(),
            series_uid,
            study_uid: instance.summary.study_uid.clone(),
            outlines_json: serde_json::to_string(&outlines).ok()?,
        })
    };
    by_series.into_iter().filter_map(outline).collect()
}

pub(super) fn new_instance(
    instance: PreparedInstance,
    source_sha256: String,
    location: PackLocation,
) -> Result<NewInstance, NodeError> {
    let PreparedInstance {
        written,
        summary,
        view,
        layout,
        geometry,
        ..
    } = instance;
    Ok(NewInstance {
        series_uid: summary.series_uid,
        sop_class: summary.sop_class_uid,
        transfer_syntax: summary.transfer_syntax,
        source_sha256,
        location,
        pixel_offset: written.pixel_offset,
        view,
        layout_json: layout.as_ref().map(json).transpose()?,
        geometry_json: geometry.as_ref().map(json).transpose()?,
    })
}

pub(super) fn new_reading(reading: &Reading) -> Result<NewReading, NodeError> {
    let reading_json = json(reading)?;
    Ok(NewReading {
        id: hex::encode(&Sha256::digest(&reading_json)),
        patient: reading.patient_id.clone(),
        study_uid: reading.study_uid.clone(),
        series_uid: reading.series_uid.clone(),
        nodule: reading.nodule.clone(),
        reader: reading.reader.to_string(),
        split: match reading.split {
            Split::Train => "train".to_owned(),
            Split::Test => "test".to_owned(),
        },
        malignancy: reading.ratings.malignancy,
        reading_json,
    })
}

fn json<T: Serialize>(value: &T) -> Result<String, NodeError> {
    Ok(
        serde_json::to_string(value).map_err(|_| StoreError::Corrupt {
            what: "description",
        })?,
    )
}
