//! What is known of patients, studies, series and instances, as ingest hands it over. All of it de-identified.

use arno_protocol::node::{DeidentificationPreview, ViewInstance};
use chrono::{DateTime, Utc};

use super::{NewValue, PackLocation};

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPatient {
    /// Pseudonym.
    pub pseudonym: String,
    /// Patient's Sex (0010,0040).
    pub sex: Option<String>,
}

/// A study.
#[derive(Debug, Clone, PartialEq)]
pub struct NewStudy {
    /// Study Instance UID, mapped.
    pub study_uid: String,
    /// Pseudonym of its patient.
    pub patient: String,
    /// Age at the study.
    pub age_years: Option<f64>,
    /// Study Date (0008,0020) as `YYYYMMDD`, shifted.
    pub study_date: Option<String>,
    /// What queries ask of patient and study, as a DICOM JSON object; of the first instance that came.
    pub attributes_json: String,
}

/// A series.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSeries {
    /// Series Instance UID, mapped.
    pub series_uid: String,
    /// Its study.
    pub study_uid: String,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// Series Description (0008,103E), cleaned.
    pub description: Option<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Body Part Examined (0018,0015).
    pub body_part: Option<String>,
    /// Slice Thickness (0018,0050), in millimetres.
    pub slice_thickness_mm: Option<f64>,
    /// Whether the images say that they are no patient's (Quality Control Image (0028,0300) is YES).
    pub synthetic: bool,
    /// What queries ask of the series, as a DICOM JSON object; of the first instance that came.
    pub attributes_json: String,
}

/// What the headers of a series say together of how it was acquired.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAcquisition {
    /// The series.
    pub series_uid: String,
    /// Of the reader's form and of what it looks for: older ones are described again.
    pub version: i64,
    /// As JSON text of the reader's own form, for what comes later to be added.
    pub acquisition_json: String,
    /// As values of the model.
    pub values: Vec<NewValue>,
}

/// What an instance annotates.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAnnotation {
    /// The series that it was drawn over, mapped, where it says so.
    pub series_uid: Option<String>,
    /// As values of the model.
    pub values: Vec<NewValue>,
}

/// An instance whose bytes are durable.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInstance {
    /// Its series.
    pub series_uid: String,
    /// SOP Class UID.
    pub sop_class: String,
    /// Transfer syntax UID.
    pub transfer_syntax: String,
    /// SHA-256 of the file that it came in.
    pub source_sha256: String,
    /// Where the bytes are.
    pub location: PackLocation,
    /// Where the pixel value starts within the bytes.
    pub pixel_offset: Option<u64>,
    /// What the viewer needs; its `instance_uid` is the key.
    pub view: ViewInstance,
    /// Where its frames lie, as JSON text of the reader's own form; only where the viewer can show them.
    pub layout_json: Option<String>,
    /// Where the image plane lies in the patient, as JSON text of the reader's own form.
    pub geometry_json: Option<String>,
    /// What queries ask of the instance, as a DICOM JSON object.
    pub attributes_json: String,
    /// By which instances with the same pixels are looked for; absent where pixels are absent or all alike.
    pub pixel_print: Option<String>,
    /// What it annotates, if it is an annotation.
    pub annotation: Option<NewAnnotation>,
}

/// An instance of a series, as outlines need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedInstance {
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// Pixel columns.
    pub columns: u32,
    /// See [`NewInstance::geometry_json`].
    pub geometry_json: String,
}

/// Contours of an RTSTRUCT instance on one series, as JSON text of the reader's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutline {
    /// The RTSTRUCT instance.
    pub structure_uid: String,
    /// The series that they were drawn on; empty when the structure set does not say.
    pub series_uid: String,
    /// The study of both.
    pub study_uid: String,
    /// The contours.
    pub outlines_json: String,
}

/// The first instance of a series before and after de-identification.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPreview {
    /// The series.
    pub series_uid: String,
    /// Both sides.
    pub preview: DeidentificationPreview,
    /// When the left side is deleted.
    pub kept_until: DateTime<Utc>,
}
