//! From what a file said after de-identification to the rows that are kept of it.

use std::collections::BTreeMap;

use arno_dicom::{Instance, Summary, listing, query::Level};
use arno_domain::hex;
use arno_learning::reading::{Reading, Split};
use arno_store::{
    StoreError,
    node::{NewInstance, NewOutline, NewReading, NewSeries, NewStudy, PackLocation},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    described::new_annotation,
    prepare::{Facts, MAX_LISTED_ELEMENTS, attributes_json},
};
use crate::NodeError;

pub(super) fn new_study(instance: &Instance, summary: &Summary) -> NewStudy {
    NewStudy {
        study_uid: summary.study_uid.clone(),
        patient: summary.patient_id.clone().unwrap_or_default(),
        age_years: summary.age_years.map(f64::from),
        study_date: summary.study_date.clone(),
        attributes_json: attributes_json(instance, Level::Study),
    }
}

pub(super) fn new_series(instance: &Instance, summary: &Summary) -> NewSeries {
    NewSeries {
        series_uid: summary.series_uid.clone(),
        study_uid: summary.study_uid.clone(),
        modality: summary.modality.clone(),
        description: summary.series_description.clone(),
        manufacturer: summary.manufacturer.clone(),
        body_part: summary.body_part.clone(),
        slice_thickness_mm: summary.slice_thickness_mm,
        synthetic: listing::list(&instance.header, MAX_LISTED_ELEMENTS)
            .iter()
            .any(|element| element.tag == QUALITY_CONTROL_IMAGE && element.value == "YES"),
        attributes_json: attributes_json(instance, Level::Series),
    }
}

/// Quality Control Image: YES for a phantom (PS3.3 C.7.6.1).
const QUALITY_CONTROL_IMAGE: &str = "(0028,0300)";

/// Contours by the series that they were drawn on.
pub(super) fn new_outlines(facts: &Facts) -> Vec<NewOutline> {
    let mut by_series: BTreeMap<String, Vec<&arno_dicom::Outline>> = BTreeMap::new();
    for outline in &facts.outlines {
        by_series
            .entry(outline.referenced_series_uid.clone().unwrap_or_default())
            .or_default()
            .push(outline);
    }
    let outline = |(series_uid, outlines): (String, Vec<_>)| {
        Some(NewOutline {
            structure_uid: facts.summary.instance_uid.clone(),
            series_uid,
            study_uid: facts.summary.study_uid.clone(),
            outlines_json: serde_json::to_string(&outlines).ok()?,
        })
    };
    by_series.into_iter().filter_map(outline).collect()
}

pub(super) fn new_instance(
    facts: Facts,
    pixel_offset: Option<u64>,
    source_sha256: String,
    location: PackLocation,
) -> Result<NewInstance, StoreError> {
    let Facts {
        summary,
        view,
        layout,
        geometry,
        attributes_json,
        pixel_print,
        annotation,
        ..
    } = facts;
    Ok(NewInstance {
        series_uid: summary.series_uid,
        sop_class: summary.sop_class_uid,
        transfer_syntax: summary.transfer_syntax,
        source_sha256,
        location,
        pixel_offset,
        view,
        layout_json: layout.as_ref().map(json).transpose()?,
        geometry_json: geometry.as_ref().map(json).transpose()?,
        attributes_json,
        pixel_print,
        annotation: annotation.as_ref().map(new_annotation),
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

fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt {
        what: "description",
    })
}
