//! The facts of one instance that checks, search and viewers need (PS3.3 C.7), read leniently: what is absent or
//! malformed is `None`; only the four identifiers must be there. Values are as the file has them: before
//! de-identification a summary is patient data.
//!
//! Enhanced multi-frame objects keep geometry in functional groups (PS3.3 C.7.6.16); the shared ones and those of the
//! first frame are looked at.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::attributes::{items, number, text, texts, vector, whole};
use crate::check::{CheckError, Uids};
use crate::instance::{Header, Instance};

/// What is known of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Patient ID (0010,0020).
    pub patient_id: Option<String>,
    /// Patient's Name (0010,0010), as encoded, components separated by `^`.
    pub patient_name: Option<String>,
    /// Patient's Sex (0010,0040): `M`, `F` or `O`.
    pub sex: Option<String>,
    /// Completed years of age at the study, from Patient's Age (0010,1010) or from birth and study date.
    pub age_years: Option<u16>,
    /// Study Instance UID (0020,000D).
    pub study_uid: String,
    /// Series Instance UID (0020,000E).
    pub series_uid: String,
    /// SOP Instance UID (0008,0018).
    pub instance_uid: String,
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: String,
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: String,
    /// Modality (0008,0060), such as `CT`.
    pub modality: Option<String>,
    /// Body Part Examined (0018,0015).
    pub body_part: Option<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Manufacturer's Model Name (0008,1090).
    pub model: Option<String>,
    /// Study Date (0008,0020) as `YYYYMMDD`.
    pub study_date: Option<String>,
    /// Study Description (0008,1030).
    pub study_description: Option<String>,
    /// Series Description (0008,103E).
    pub series_description: Option<String>,
    /// Series Number (0020,0011).
    pub series_number: Option<i32>,
    /// Instance Number (0020,0013).
    pub instance_number: Option<i32>,
    /// Slice Thickness (0018,0050).
    pub slice_thickness_mm: Option<f64>,
    /// Pixel Spacing (0028,0030): distance between rows, then between columns.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Image Position (Patient) (0020,0032): centre of the first pixel.
    pub image_position_mm: Option<[f64; 3]>,
    /// Image Orientation (Patient) (0020,0037): direction along a row, then along a column.
    pub image_orientation: Option<[f64; 6]>,
    /// Frame of Reference UID (0020,0052).
    pub frame_of_reference_uid: Option<String>,
    /// Rows (0028,0010).
    pub rows: Option<u16>,
    /// Columns (0028,0011).
    pub columns: Option<u16>,
    /// Number of Frames (0028,0008); absent for single-frame objects.
    pub frames: Option<u32>,
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: Option<u16>,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: Option<u16>,
    /// Bits Stored (0028,0101).
    pub bits_stored: Option<u16>,
    /// Pixel Representation (0028,0103): whether samples are two's complement.
    pub pixel_signed: Option<bool>,
    /// Planar Configuration (0028,0006): whether colour comes plane by plane.
    pub planar: Option<bool>,
    /// Photometric Interpretation (0028,0004), such as `MONOCHROME2`.
    pub photometric: Option<String>,
    /// Rescale Slope (0028,1053).
    pub rescale_slope: Option<f64>,
    /// Rescale Intercept (0028,1052).
    pub rescale_intercept: Option<f64>,
    /// Window Center (0028,1050), the first if there are several.
    pub window_center: Option<f64>,
    /// Window Width (0028,1051), the first if there are several; positive.
    pub window_width: Option<f64>,
    /// Magnetic Field Strength (0018,0087) in tesla.
    pub magnetic_field_strength_t: Option<f64>,
    /// KVP (0018,0060): peak tube voltage in kilovolt.
    pub kvp: Option<f64>,
    /// Convolution Kernel (0018,1210).
    pub convolution_kernel: Option<String>,
    /// Contrast/Bolus Agent (0018,0010), as text.
    pub contrast_agent: Option<String>,
    /// Echo Time (0018,0081) in milliseconds.
    pub echo_time_ms: Option<f64>,
    /// Repetition Time (0018,0080) in milliseconds.
    pub repetition_time_ms: Option<f64>,
}

/// Reads the facts of an instance.
///
/// # Errors
/// [`CheckError`] if one of the four identifiers is missing or no UID.
pub fn summarise(instance: &Instance) -> Result<Summary, CheckError> {
    let header = &instance.header;
    let uids = Uids::of(header)?;
    let study_date = date(header, tags::STUDY_DATE);
    let positive = |number: &f64| *number > 0.0;
    Ok(Summary {
        patient_id: text(header, tags::PATIENT_ID),
        patient_name: text(header, tags::PATIENT_NAME),
        sex: text(header, tags::PATIENT_SEX).filter(|sex| matches!(sex.as_str(), "M" | "F" | "O")),
        age_years: stated_age(header).or_else(|| {
            age_between(
                &date(header, tags::PATIENT_BIRTH_DATE)?,
                study_date.as_ref()?,
            )
        }),
        study_uid: uids.study,
        series_uid: uids.series,
        instance_uid: uids.instance,
        sop_class_uid: uids.sop_class,
        transfer_syntax: instance.transfer_syntax.clone(),
        modality: text(header, tags::MODALITY),
        body_part: text(header, tags::BODY_PART_EXAMINED),
        manufacturer: text(header, tags::MANUFACTURER),
        model: text(header, tags::MANUFACTURER_MODEL_NAME),
        study_date,
        study_description: text(header, tags::STUDY_DESCRIPTION),
        series_description: text(header, tags::SERIES_DESCRIPTION),
        series_number: whole(header, tags::SERIES_NUMBER),
        instance_number: whole(header, tags::INSTANCE_NUMBER),
        slice_thickness_mm: number(
            place(header, tags::PIXEL_MEASURES_SEQUENCE),
            tags::SLICE_THICKNESS,
        )
        .filter(positive),
        pixel_spacing_mm: vector(
            place(header, tags::PIXEL_MEASURES_SEQUENCE),
            tags::PIXEL_SPACING,
        )
        .filter(|spacing: &[f64; 2]| spacing.iter().all(positive)),
        image_position_mm: vector(
            place(header, tags::PLANE_POSITION_SEQUENCE),
            tags::IMAGE_POSITION_PATIENT,
        ),
        image_orientation: vector(
            place(header, tags::PLANE_ORIENTATION_SEQUENCE),
            tags::IMAGE_ORIENTATION_PATIENT,
        ),
        frame_of_reference_uid: text(header, tags::FRAME_OF_REFERENCE_UID),
        rows: whole(header, tags::ROWS),
        columns: whole(header, tags::COLUMNS),
        frames: whole(header, tags::NUMBER_OF_FRAMES),
        samples_per_pixel: whole(header, tags::SAMPLES_PER_PIXEL),
        bits_allocated: whole(header, tags::BITS_ALLOCATED),
        bits_stored: whole(header, tags::BITS_STORED),
        pixel_signed: flag(header, tags::PIXEL_REPRESENTATION),
        planar: flag(header, tags::PLANAR_CONFIGURATION),
        photometric: text(header, tags::PHOTOMETRIC_INTERPRETATION),
        rescale_slope: number(
            place(header, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE),
            tags::RESCALE_SLOPE,
        ),
        rescale_intercept: number(
            place(header, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE),
            tags::RESCALE_INTERCEPT,
        ),
        window_center: number(
            place(header, tags::FRAME_VOILUT_SEQUENCE),
            tags::WINDOW_CENTER,
        ),
        window_width: number(
            place(header, tags::FRAME_VOILUT_SEQUENCE),
            tags::WINDOW_WIDTH,
        )
        .filter(positive),
        magnetic_field_strength_t: number(header, tags::MAGNETIC_FIELD_STRENGTH).filter(positive),
        kvp: number(header, tags::KVP).filter(positive),
        convolution_kernel: text(header, tags::CONVOLUTION_KERNEL),
        contrast_agent: text(header, tags::CONTRAST_BOLUS_AGENT),
        echo_time_ms: number(header, tags::ECHO_TIME),
        repetition_time_ms: number(header, tags::REPETITION_TIME),
    })
}

/// Patient's Sex (0010,0040) as the file has it, which may be anything.
#[must_use]
pub fn stated_sex(header: &Header) -> Option<String> {
    text(header, tags::PATIENT_SEX)
}

/// The data set that holds the attributes of a functional group macro: the macro's item in the shared or the
/// first frame's groups, or else the header itself, where single-frame objects keep them.
fn place(header: &Header, macro_sequence: Tag) -> &Header {
    [
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    ]
    .into_iter()
    .filter_map(|groups| items(header, groups).first())
    .find_map(|groups| items(groups, macro_sequence).first())
    .unwrap_or(header)
}

fn flag(header: &Header, tag: Tag) -> Option<bool> {
    match whole::<u16>(header, tag)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// A date as `YYYYMMDD`; ACR-NEMA's `YYYY.MM.DD` is taken too (PS3.5 table 6.2-1).
fn date(header: &Header, tag: Tag) -> Option<String> {
    let digits: String = texts(header, tag)
        .first()?
        .chars()
        .filter(|c| *c != '.')
        .collect();
    let (_, month, day) = parts(&digits)?;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(digits)
}

fn parts(date: &str) -> Option<(u16, u16, u16)> {
    let is_plain = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| {
        Some((
            date[..4].parse().ok()?,
            date[4..6].parse().ok()?,
            date[6..].parse().ok()?,
        ))
    })?
}

fn age_between(birth: &str, study: &str) -> Option<u16> {
    let (birth, study) = (parts(birth)?, parts(study)?);
    let had_no_birthday = (study.1, study.2) < (birth.1, birth.2);
    study
        .0
        .checked_sub(birth.0)?
        .checked_sub(u16::from(had_no_birthday))
        .filter(|age| *age <= MAX_AGE_YEARS)
}

/// Nobody reached 123; beyond, a date is wrong.
const MAX_AGE_YEARS: u16 = 130;

/// Age String: three digits and a unit (PS3.5 section 6.2).
fn stated_age(header: &Header) -> Option<u16> {
    let texts = texts(header, tags::PATIENT_AGE);
    let (number, unit) = texts.first()?.split_at_checked(3)?;
    let number: u16 = number.parse().ok()?;
    let years = match unit {
        "Y" => number,
        "M" => number / 12,
        "W" => number / 52,
        "D" => number / 365,
        _ => return None,
    };
    (years <= MAX_AGE_YEARS).then_some(years)
}
